/** A clock that stands still until it is told to go on, as fast as there is nothing to do. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

export class VirtualClock implements Clock.Clock {
  /** Milliseconds since the Unix epoch. */
  now: number
  #sleepers: Array<Sleeper> = []

  constructor(now: number) {
    this.now = now
  }

  /** When the next sleeper wakes; `Infinity` where nobody sleeps. */
  get nextWake(): number {
    return this.#sleepers[0]?.at ?? Infinity
  }

  /** Goes on to `to`; whoever sleeps until then wakes in time and runs as far as it can. */
  readonly advance = (to: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      const next = this.#sleepers[0]
      if (next === undefined || next.at > to) {
        if (to > this.now) this.now = to
        return Effect.void
      }
      this.#sleepers.shift()
      if (next.at > this.now) this.now = next.at
      next.wake()
      return Effect.andThen(Effect.yieldNow, this.advance(to))
    })

  currentTimeMillisUnsafe(): number {
    return Math.floor(this.now)
  }

  currentTimeNanosUnsafe(): bigint {
    return BigInt(Math.floor(this.now * 1_000)) * 1_000n
  }

  monotonicTimeNanosUnsafe(): bigint {
    return this.currentTimeNanosUnsafe()
  }

  readonly currentTimeMillis = Effect.sync(() => this.currentTimeMillisUnsafe())
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const sleeper: Sleeper = { at: this.now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
      const later = this.#sleepers.findIndex(({ at }) => at > sleeper.at)
      this.#sleepers.splice(later < 0 ? this.#sleepers.length : later, 0, sleeper)
      return Effect.sync(() => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
      })
    })
  }
}
