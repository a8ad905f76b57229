import * as Clock from "effect/Clock"
import * as Context from "effect/Context"

// How long one look at the wall clock holds, and how far back it must go to have been set, in nanoseconds. Effect's clock
// follows a wall clock that was set by more than a second.
const trusted = 100_000_000n
const setBack = 500_000_000n

/**
 * Nanoseconds since the Unix epoch by `clock`. Of Effect's own clock in Node only the monotonic half is read each time,
 * and the wall clock every 100 ms, for half the cost; both agree to the microsecond.
 */
export const wallTime = (clock: Clock.Clock): () => bigint => {
  const hrtime = (globalThis as { process?: { hrtime?: { bigint?: () => bigint } } }).process?.hrtime
  const monotonic = hrtime?.bigint
  if (monotonic === undefined || clock !== Context.get(Context.empty(), Clock.Clock)) {
    return () => clock.currentTimeNanosUnsafe()
  }
  let origin = 0n
  let until = 0n
  return () => {
    const now = monotonic()
    if (now > until) {
      until = now + trusted
      const found = clock.currentTimeNanosUnsafe() - monotonic()
      // What passes between the two readings makes it too small, never too large: the largest is the best.
      if (found > origin || origin - found > setBack) origin = found
    }
    return now + origin
  }
}
