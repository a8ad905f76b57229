import * as Clock from "effect/Clock"
import * as Context from "effect/Context"

// How long one look at the wall clock holds, and how far it must be off to have been set, in nanoseconds. Effect's clock
// follows a wall clock that was set by more than a second.
const trusted = 100_000_000n
const setBy = 500_000_000n
const second = 1_000_000_000n

/** Nanoseconds since the Unix epoch. */
export interface WallTime {
  readonly now: () => bigint
  /**
   * The end of what began at `start`, by the clock as it was then: the wall clock may have been set in between, and what
   * lies between the two is what passed.
   */
  readonly endOf: (start: bigint, end: bigint) => bigint
}

/**
 * The time of `clock`. Of Effect's own clock in Node only the monotonic half is read each time, and the wall clock every
 * 100 ms, for half the cost; both agree to the microsecond.
 */
export const wallTime = (clock: Clock.Clock): WallTime => {
  const hrtime = (globalThis as { process?: { hrtime?: { bigint?: () => bigint } } }).process?.hrtime
  const monotonic = hrtime?.bigint
  if (monotonic === undefined || clock !== Context.get(Context.empty(), Clock.Clock)) {
    return { now: () => clock.currentTimeNanosUnsafe(), endOf: (_, end) => end }
  }
  let origin = 0n
  let until = 0n
  /** When the clock was set last, by the clock before that, and by how much. */
  let setAt = 0n
  let change = 0n
  const now = (): bigint => {
    const now = monotonic()
    if (now > until) {
      until = now + trusted
      const found = clock.currentTimeNanosUnsafe() - monotonic()
      const off = found - origin
      if (origin !== 0n && (off > setBy || -off > setBy)) {
        setAt = now + origin
        change = off
      }
      // What passes between the two readings makes it too small, never too large: the largest is the best.
      if (off > 0n || -off > setBy) origin = found
    }
    return now + origin
  }
  const endOf = (start: bigint, end: bigint): bigint => {
    const took = end - start
    // Most spans are shorter than any change that is followed.
    if (took >= 0n && took < second) return end
    now()
    if (change === 0n || start > setAt) return end
    // Set back, the same times come again; what ends before it began is certain to have begun before that.
    const isAfter = change > 0n ? end > setAt : took < 0n
    return isAfter ? end - change : end
  }
  return { now, endOf }
}
