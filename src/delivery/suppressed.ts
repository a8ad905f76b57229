import * as Context from "effect/Context"

/** Whether what runs here is the delivery of telemetry, of which none must be made: it would feed itself. */
export const Suppressed: Context.Reference<boolean> = Context.Reference<boolean>(
  "effect-telemetry/delivery/suppressed",
  { defaultValue: () => false }
)
