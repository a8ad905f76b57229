/**
 * When a destination may be sent to: one gate for all who send there. It keeps what the last answers said; it has no clock
 * and no fiber of its own.
 *
 * **Details**
 *
 * A failure closes the gate for an exponential backoff with full jitter, a `Retry-After` at least for as long as it asks.
 * After several failures in a row the destination counts as down: then one sender at a time is let through, as a probe,
 * until one succeeds. Nothing is discarded meanwhile. A destination that refuses one request after the other for a
 * reason that only a change of configuration ends is probed slowly.
 */
import { backoffMillis, gateMillis, probeMillis, type RetryPolicy, slowProbeMillis } from "./Retry.ts"

/** Monotonic nanoseconds. */
type Nanos = bigint

export class Gate {
  /** Failed attempts since the last success. */
  failures = 0
  private readonly policy: RetryPolicy
  /** Refusals in a row that only a change of configuration ends. */
  private refusals = 0
  /** When the backoff is over. */
  private restsUntil: Nanos = 0n
  /** Until when the destination asked to be left alone: no success of another request ends that. */
  private askedUntil: Nanos = 0n
  private probes = 0
  private readonly waiting = new Set<() => void>()

  constructor(policy: RetryPolicy) {
    this.policy = policy
  }

  /** Whether the destination counts as down. */
  get isDown(): boolean {
    return this.failures >= this.policy.breakerFailures
  }

  /** Whether a sender would be let through at `now`. */
  isOpen(now: Nanos): boolean {
    return now >= this.restsUntil && now >= this.askedUntil && !(this.isDown && this.probes > 0)
  }

  /**
   * Lets a sender through, or not. Who is let through must {@link leave}. One that `insists`, because it is its last
   * chance, need not wait for a backoff; what the destination asked for holds for it, too.
   */
  enter(now: Nanos, insists = false): boolean {
    if (!this.admits(now, insists)) return false
    this.probes++
    return true
  }

  /** Whether {@link enter} would let a sender through. */
  admits(now: Nanos, insists: boolean): boolean {
    return insists ? now >= this.askedUntil : this.isOpen(now)
  }

  /** A sender is through with its request, whatever came of it. */
  leave(): void {
    this.probes--
    if (this.isDown && this.probes === 0) this.notify()
  }

  /** From `now` until the gate may open by itself; `undefined` while that depends on the answer to a probe. */
  closedFor(now: Nanos): Nanos | undefined {
    const until = this.restsUntil > this.askedUntil ? this.restsUntil : this.askedUntil
    return until > now ? until - now : this.isOpen(now) ? 0n : undefined
  }

  /** Calls `wake` once, when the gate may have opened before its time. Returns what takes that back. */
  onChange(wake: () => void): () => void {
    this.waiting.add(wake)
    return () => void this.waiting.delete(wake)
  }

  /** An answer came that accepts data. */
  succeeded(): void {
    this.failures = 0
    this.refusals = 0
    this.restsUntil = 0n
    this.notify()
  }

  /** An attempt failed that may be repeated. `random` lies in [0, 1). */
  failed(now: Nanos, random: number): void {
    this.failures++
    this.refusals = 0
    this.rest(
      now,
      this.isDown
        ? probeMillis(this.policy, this.failures - 1, random)
        : backoffMillis(this.policy, this.failures - 1, random)
    )
  }

  /**
   * The destination refused what it would take with another configuration. The first time that may be the request's own
   * fault, and the next one is let through; with `pause`, because nobody looked at the request, after the backoff.
   */
  refused(now: Nanos, random: number, pause = false): void {
    this.failures++
    this.refusals++
    if (this.refusals > 1) this.rest(now, slowProbeMillis(this.policy, random))
    else if (pause) this.rest(now, backoffMillis(this.policy, 0, random))
  }

  /** What was refused until now was not refused in a row. */
  endRefusals(): void {
    this.refusals = 0
  }

  /** Whoever waits for a backoff need not, as there may be no later; once, since a failure begins another. */
  hasten(): void {
    this.restsUntil = 0n
    this.notify()
  }

  /** The destination asks to be left alone. */
  asked(now: Nanos, retryAfterMillis: number, random: number): void {
    const until = now + nanos(gateMillis(this.policy, retryAfterMillis, random))
    if (until > this.askedUntil) this.askedUntil = until
  }

  private rest(now: Nanos, millis: number): void {
    const until = now + nanos(millis)
    if (until > this.restsUntil) this.restsUntil = until
  }

  private notify(): void {
    const woken = [...this.waiting]
    this.waiting.clear()
    for (const wake of woken) wake()
  }
}

// Beyond any process lifetime, and still a safe duration.
const maxMillis = 1e12
/** Milliseconds as nanoseconds. */
export const nanos = (millis: number): Nanos => BigInt(Math.round(Math.min(millis, maxMillis) * 1e6))
