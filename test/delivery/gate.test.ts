/** The gate of a destination, over schedules of senders, answers and time: what it promises at every step. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Gate, nanos } from "../../src/delivery/gate.ts"
import { policy as makePolicy, type RetryPolicy } from "../../src/delivery/Retry.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
/** A draw in thousandths. */
const Draw = between(0, 999)

const Policy = Schema.Struct({
  baseMillis: between(1, 2_000),
  maxBackoffMillis: between(1, 40_000),
  maxRetryAfterMillis: between(1, 6_000),
  maxAgeMillis: Schema.Literal(300_000),
  breakerFailures: between(1, 4),
  probeIntervalMillis: between(1, 60_000)
})

const Enter = Schema.Struct({ does: Schema.Literals(["enter", "enter", "insist"]) })
const Fail = Schema.Struct({ does: Schema.Literals(["fail", "fail", "refuse", "refuseWithPause"]), draw: Draw })
/** What leads to a closed gate is there twice, or a schedule would seldom see one. */
const Step = Schema.Union([
  Enter,
  Enter,
  Fail,
  Fail,
  Schema.Struct({ does: Schema.Literal("waitTillOpen") }),
  Schema.Struct({ does: Schema.Literals(["vanish", "hasten", "succeed"]) }),
  Schema.Struct({ does: Schema.Literal("wait"), millis: between(0, 30_000) }),
  Schema.Struct({ does: Schema.Literal("ask"), draw: Draw, millis: between(-5, 9_000) })
])

const Schedule = Schema.Struct({
  policy: Policy,
  steps: Schema.Array(Step).check(Schema.isMinLength(30), Schema.isMaxLength(60))
})

const cap = (policy: RetryPolicy, failures: number, most: number): number =>
  Math.min(most, policy.baseMillis * 2 ** (failures - 1))

/** What an observer outside knows about a gate: the answers and the time, in milliseconds. */
class Observer {
  time = 0n
  inside = 0
  failures = 0
  refusals = 0
  /** Until when nobody may come in, at least and at the most, as far as the destination asked for it. */
  askedLeast = 0
  askedMost = 0
  /** Until when a backoff may last at the most. */
  restsMost = 0
  readonly broken: Array<string> = []
  readonly policy: RetryPolicy
  readonly gate: Gate

  constructor(policy: RetryPolicy) {
    this.policy = policy
    this.gate = new Gate(policy)
  }

  must(holds: boolean, what: string): void {
    if (!holds) this.broken.push(`${what} at ${this.now}`)
  }

  get now(): number {
    return Number(this.time) / 1e6
  }

  /** How long the gate stays closed by itself, in milliseconds. */
  closed(): number | undefined {
    const left = this.gate.closedFor(this.time)
    return left === undefined ? undefined : Number(left) / 1e6
  }

  /** A pause that began just now: within its bounds, unless an earlier one lasts longer. */
  paused(least: number, most: number): void {
    const until = this.now + (this.closed() ?? 0)
    this.restsMost = Math.max(this.restsMost, this.now + most)
    this.must(until >= this.now + least - 1e-6, `closed for ${until - this.now}, at least ${least}`)
    this.must(
      until <= Math.max(this.restsMost, this.askedMost) + 1e-6,
      `closed for ${until - this.now}, at the most ${most}`
    )
  }

  failed(draw: number): void {
    const { policy } = this
    this.gate.failed(this.time, draw)
    this.failures++
    this.refusals = 0
    const least = Math.min(policy.baseMillis, policy.probeIntervalMillis)
    if (this.gate.isDown) this.paused(least, Math.max(least, cap(policy, this.failures, policy.probeIntervalMillis)))
    else {this.paused(
        draw * cap(policy, this.failures, policy.maxBackoffMillis),
        cap(policy, this.failures, policy.maxBackoffMillis)
      )}
  }

  refused(draw: number, pause: boolean): void {
    const { policy } = this
    const before = this.closed()
    this.gate.refused(this.time, draw, pause)
    this.failures++
    this.refusals++
    if (this.refusals > 1) this.paused(0.8 * policy.probeIntervalMillis, 1.2 * policy.probeIntervalMillis)
    else if (pause) this.paused(0, Math.min(policy.baseMillis, policy.maxBackoffMillis))
    // It may be the fault of that one request.
    else if (before !== undefined && this.closed() !== undefined) this.must(this.closed() === before, "paused at once")
  }

  asked(draw: number, millis: number): void {
    const least = Math.min(Math.max(0, millis), this.policy.maxRetryAfterMillis)
    this.gate.asked(this.time, millis, draw)
    this.askedLeast = Math.max(this.askedLeast, this.now + least)
    this.askedMost = Math.max(this.askedMost, this.now + 1.2 * least)
    this.must(this.now + (this.closed() ?? Infinity) >= this.askedLeast - 1e-6, "a request to wait was cut short")
  }

  entered(insists: boolean): void {
    const { gate, inside, time } = this
    const wasOpen = gate.isOpen(time)
    const isIn = gate.enter(time, insists)
    if (isIn) this.inside++
    this.must(!isIn || this.now >= this.askedLeast - 1e-6, "let in although the destination asked for a pause")
    if (insists) this.must(isIn || this.now < this.askedMost + 1e-6, "the last chance was refused")
    else {
      this.must(isIn === wasOpen, "let in, or not, against what it said")
      this.must(!(isIn && gate.isDown && inside > 0), "two probes at once")
    }
  }

  step(step: typeof Step.Type): void {
    const { gate } = this
    const draw = "draw" in step ? step.draw / 1_000 : 0
    switch (step.does) {
      case "wait":
        return void (this.time += nanos(step.millis))
      case "waitTillOpen": {
        // Not a moment earlier, and then it is open unless a probe is under way.
        const left = gate.closedFor(this.time)
        if (left === undefined || left === 0n) return
        this.time += left
        this.must(!gate.isOpen(this.time - 1n), "open before its time")
        return this.must(gate.isOpen(this.time) || (gate.isDown && this.inside > 0), "closed beyond its time")
      }
      case "enter":
        return this.entered(false)
      case "insist":
        return this.entered(true)
      case "hasten":
        gate.hasten()
        this.restsMost = 0
        return this.must(
          gate.isOpen(this.time) || this.now < this.askedMost || (gate.isDown && this.inside > 0),
          "closed after hasten"
        )
      case "ask":
        return this.asked(draw, step.millis)
    }
    // What is left are ends of a request.
    if (this.inside === 0) return
    if (step.does === "succeed") {
      gate.succeeded()
      this.failures = 0
      this.refusals = 0
      this.restsMost = 0
      this.must(gate.isOpen(this.time) || this.now < this.askedMost, "closed after a success")
    } else if (step.does === "fail") this.failed(draw)
    else if (step.does !== "vanish") this.refused(draw, step.does === "refuseWithPause")
    gate.leave()
    this.inside--
  }
}

/** Whether somebody who waits may have to look again: the end of a probe counts, the end of any other failure does not. */
const mayOpen = (does: (typeof Step.Type)["does"], { gate, inside }: Observer): boolean =>
  does === "succeed" || does === "hasten" ||
  ((does === "fail" || does.startsWith("refuse") || does === "vanish") && gate.isDown && inside === 0)

describe("a gate", () => {
  it.effect.prop(
    "keeps its promises at every step",
    [Schedule],
    ([{ policy, steps }]) =>
      Effect.sync(() => {
        const observer = new Observer(policy)
        const { gate } = observer
        let taken = 0
        const waiters: Array<{ called: number }> = []
        for (const step of steps) {
          const waiter = { called: 0 }
          waiters.push(waiter)
          gate.onChange(() => waiter.called++)
          gate.onChange(() => taken++)()
          const { time } = observer
          const wasOpen = gate.isOpen(time)
          observer.step(step)
          const isOpen = gate.isOpen(observer.time)
          observer.must(gate.isDown === (observer.failures >= policy.breakerFailures), "down, or not")
          observer.must(gate.failures === observer.failures, "failures")
          observer.must((observer.closed() === 0) === isOpen, "closedFor and isOpen differ")
          // Nobody waits for an answer that no request will bring.
          observer.must(observer.closed() !== undefined || observer.inside > 0, "closed for ever")
          if (time === observer.time && isOpen && !wasOpen) observer.must(waiter.called === 1, "opened in silence")
          if (!mayOpen(step.does, observer)) observer.must(waiter.called === 0, `woken by ${step.does}`)
          observer.must(waiters.every(({ called }) => called === waiter.called || called === 1), "woke some, not all")
        }
        observer.must(
          taken === 0 && waiters.every(({ called }) => called <= 1),
          "called again, or after it was taken back"
        )
        assert.deepStrictEqual(observer.broken, [])
      }),
    { arbitrary: { runs: 500 } }
  )

  const policy = makePolicy({
    base: "1 second",
    maxBackoff: "8 seconds",
    probeInterval: "20 seconds",
    breakerFailures: 5
  })
  const millis = (gate: Gate, now = 0): number => Number(gate.closedFor(nanos(now))) / 1e6

  for (const draw of [0, 0.25, 0.999]) {
    it(`rests with full jitter, then as a probe between the floor and the cap, draw ${draw}`, () => {
      const gate = new Gate(policy)
      const rests: Array<number> = []
      for (let now = 0, i = 0; i < 8; i++, now += 100_000) {
        gate.failed(nanos(now), draw)
        rests.push(millis(gate, now))
      }
      const backoff = (most: number) => draw * most
      const probe = (most: number) => 1_000 + draw * (most - 1_000)
      assert.deepStrictEqual(rests, [
        backoff(1_000),
        backoff(2_000),
        backoff(4_000),
        backoff(8_000),
        probe(16_000),
        probe(20_000),
        probe(20_000),
        probe(20_000)
      ])
    })
  }

  it("never rests a shorter time than an earlier failure asked for", () => {
    const gate = new Gate(policy)
    for (let i = 0; i < 4; i++) gate.failed(0n, 0.5)
    assert.strictEqual(millis(gate), 4_000)
    gate.failed(0n, 0)
    assert.strictEqual(millis(gate), 4_000)
  })

  it("takes the first refusal for the request's own fault, and probes slowly from the second in a row", () => {
    const gate = new Gate(policy)
    gate.refused(0n, 0.5)
    assert.isTrue(gate.isOpen(0n))
    gate.refused(0n, 0)
    assert.strictEqual(millis(gate), 16_000)
    gate.refused(0n, 0.5)
    assert.strictEqual(millis(gate), 20_000)
    for (const between of [() => gate.succeeded(), () => gate.failed(0n, 0)]) {
      between()
      gate.hasten()
      gate.refused(0n, 0.5)
      assert.strictEqual(millis(gate), 0)
    }
  })

  it("keeps what the destination asked for against a success, a last chance and the end, with up to a fifth more", () => {
    const gate = new Gate(policy)
    gate.failed(0n, 0.5)
    gate.asked(0n, 30_000, 0.5)
    gate.asked(0n, 1_000, 0.5)
    gate.succeeded()
    gate.hasten()
    assert.strictEqual(millis(gate), 33_000)
    assert.isFalse(gate.enter(nanos(32_999), true))
    assert.isTrue(gate.enter(nanos(33_000), true))
    gate.asked(0n, 1e9, 0)
    assert.strictEqual(millis(gate), policy.maxRetryAfterMillis)
  })
})
