import * as Context from "effect/Context"

/**
 * The moment by which all parts that close together must be done.
 *
 * **Details**
 *
 * Whoever closes several batchers at once provides a fresh object and sets `at` (monotonic nanoseconds of `Clock`) when
 * closing begins; each batcher then takes what is left of that time, and never more than its own `shutdownTimeout`.
 * Where nobody sets it, each batcher has its own `shutdownTimeout` in full, one after the other.
 *
 * The members of `hasten` are called when closing begins, and when the process is about to end: a sender that pauses
 * after a failure then tries at once, since there may be no later.
 */
export interface ShutdownDeadline {
  at: bigint | undefined
  readonly hasten?: Set<() => void>
}

/** The deadline in force. Default: none. */
export const ShutdownDeadline: Context.Reference<ShutdownDeadline> = Context.Reference<ShutdownDeadline>(
  "effect-telemetry/delivery/ShutdownDeadline",
  { defaultValue: () => Object.freeze({ at: undefined }) as ShutdownDeadline }
)
