import * as Context from "effect/Context"
import type * as Fiber from "effect/Fiber"

/** Whether what runs here is the delivery of telemetry, of which none must be made: it would feed itself. */
export const Suppressed: Context.Reference<boolean> = Context.Reference<boolean>(
  "effect-telemetry/delivery/suppressed",
  { defaultValue: () => false }
)

/** {@link Suppressed} of a fiber, without the lookup of defaults, which costs a miss each time. */
export const isSuppressed = (fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  fiber.context.mapUnsafe.get(Suppressed.key) === true
