/** A timer for a time that is put off again and again. */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { ProvidedClock } from "./clock.ts"

// The longest delay of a timer; one that is set beyond it rings early, and is set again.
const maxMillis = 0x7fffffff

/**
 * Rings at a monotonic time, on a stack of its own, without keeping the process alive.
 *
 * **Details**
 *
 * An alarm is set for the earliest time anyone asked for. Who asks for a later one does nothing; when it rings, `ring`
 * says at which time it should have been. A time that moves on with each batch so costs one timer now and then, and not
 * one for each batch. A clock that was provided (`TestClock`) is obeyed.
 */
export class Alarm {
  private readonly context: Context.Context<never>
  private readonly clock: Clock.Clock
  private readonly ring: () => bigint | undefined
  private readonly detached: <A>(f: () => A) => A
  private at: bigint | undefined = undefined
  private cancel: () => void = () => {}

  constructor(options: {
    readonly context: Context.Context<never>
    readonly clock: Clock.Clock
    /** Runs what the alarm starts in its own asynchronous context. */
    readonly detached: <A>(f: () => A) => A
    /** Called at the time or earlier; answers when to ring next, `undefined` for not at all. */
    readonly ring: () => bigint | undefined
  }) {
    this.context = options.context
    this.clock = options.clock
    this.detached = options.detached
    this.ring = options.ring
  }

  /** Makes sure that it rings at `at` (monotonic nanoseconds) at the latest. */
  set(at: bigint): void {
    if (this.at !== undefined && this.at <= at) return
    this.stop()
    this.at = at
    const millis = Math.min(Math.max(0, Math.ceil(Number(at - this.clock.monotonicTimeNanosUnsafe()) / 1e6)), maxMillis)
    this.cancel = this.detached(() => this.sleep(millis))
  }

  /** Does not ring any more. */
  stop(): void {
    this.at = undefined
    this.cancel()
    this.cancel = () => {}
  }

  private readonly rung = (): void => {
    this.at = undefined
    const next = this.ring()
    if (next !== undefined) this.set(next)
  }

  private sleep(millis: number): () => void {
    const provided = Context.getOrUndefined(this.context, ProvidedClock)
    if (provided !== undefined) {
      const sleeping = Effect.andThen(provided.sleep(Duration.millis(millis)), Effect.sync(this.rung))
      const fiber = Effect.runForkWith(this.context)(sleeping)
      return () => fiber.interruptUnsafe()
    }
    const timer = setTimeout(this.rung, millis)
    ;(timer as { unref?: () => void }).unref?.()
    return () => clearTimeout(timer)
  }
}
