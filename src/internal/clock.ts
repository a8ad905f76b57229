import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** The same key as `Clock.Clock`, without its default: present only where a clock was provided. */
export const ProvidedClock = Context.Service<Clock.Clock, Clock.Clock>(Clock.Clock.key)

/**
 * Sleeps like `Effect.sleep`, without keeping the process alive. A clock that was provided (`TestClock`) is obeyed; only
 * the default clock is replaced by an unreferenced timer.
 */
export const sleepUnref = (duration: Duration.Input): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    const provided = Context.getOrUndefined(fiber.context, ProvidedClock)
    if (provided !== undefined) return provided.sleep(Duration.fromInputUnsafe(duration))
    const millis = Duration.toMillis(Duration.fromInputUnsafe(duration))
    if (!Number.isFinite(millis)) return Effect.never
    return Effect.callback<void>((resume) => {
      const timer = setTimeout(() => resume(Effect.void), Math.min(Math.max(millis, 0), 0x7fffffff))
      ;(timer as { unref?: () => void }).unref?.()
      return Effect.sync(() => clearTimeout(timer))
    })
  })
