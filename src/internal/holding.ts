import * as Effect from "effect/Effect"

/**
 * Keeps the process alive while `self` runs: timers and sockets of the library hold none, but someone who waits for them
 * does.
 */
export const holding = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => setInterval(() => {}, 0x7fffffff)),
    () => self,
    (timer) => Effect.sync(() => clearInterval(timer))
  )
