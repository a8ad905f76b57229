import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import * as OtTraceState from "../../src/sampling/OtTraceState.ts"
import type { TailPolicy } from "../../src/sampling/TailPolicy.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import { setUp } from "./tailing.ts"

const all: TailPolicy = { rules: [] }

describe("a trace", () => {
  it.effect("that is complete just before its time is over is decided once", () =>
    Effect.gen(function*() {
      const { account, check, end, names, span, start, tail } = yield* setUp({ policy: all, timeout: "30 seconds" })
      const root = start({ id: 1, name: "root" })
      span({ id: 2, parent: 1, name: "child" })
      yield* TestClock.adjust("29500 millis")
      end(root)
      yield* TestClock.adjust("5 seconds")
      check()
      assert.deepStrictEqual(names(), ["child", "root"])
      assert.strictEqual(account.queued, 0)
      const { held, tracesKept } = yield* tail.stats
      assert.deepStrictEqual([held, tracesKept], [{ traces: 0, spans: 0, bytes: 0 }, 1])
    }))

  it.effect("whose sampler thinned it by other randomness than its own is not thinned again", () =>
    Effect.gen(function*() {
      const { arrived, span } = yield* setUp({ policy: all })
      const decision = { threshold: Threshold.fromProbability(0.1), reliable: false }
      for (let trace = 1; trace <= 10; trace++) span({ id: 1, trace, r: trace / 11, decision })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(arrived.length, 10)
      assert.deepStrictEqual(new Set(arrived.map(({ th }) => th)), new Set([undefined]))
    }))

  it.effect("of which a later span is recorded for certain is here for certain", () =>
    Effect.gen(function*() {
      const { arrived, end, span, start } = yield* setUp({ policy: all })
      const half = { threshold: Threshold.fromHex("8")!, reliable: true }
      const recorded = { threshold: Threshold.never, reliable: true, record: true }
      const root = start({ id: 1, r: 0.6, name: "root", traceState: "ot=th:8", decision: half })
      span({ id: 2, parent: 1, r: 0.6, name: "recorded", traceFlags: 2, decision: recorded })
      end(root)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(arrived.map(({ name, th }) => [name, th]), [["recorded", "0"], ["root", "8"]])
    }))
})

describe("deciding everything", () => {
  it.effect("while a decision is being made decides nothing twice", () =>
    Effect.gen(function*() {
      let decideAll = () => {}
      const { account, check, names, span, tail } = yield* setUp({
        policy: all,
        evaluate: () => {
          decideAll()
          return undefined
        }
      })
      decideAll = tail.decideAll
      for (let trace = 1; trace <= 3; trace++) span({ id: 1, trace, name: `${trace}` })
      yield* TestClock.adjust("5 seconds")
      check()
      assert.deepStrictEqual(names(), ["1", "2", "3"])
      assert.strictEqual(account.queued, 0)
    }))
})

describe("another policy", () => {
  it.effect("looks at the spans of a trace when that is decided, not at all that is held", () =>
    Effect.gen(function*() {
      const { end, names, start, tail } = yield* setUp({ policy: { rules: [{ id: "none", drop: true }] } })
      const root = start({ id: 1, name: "root" })
      const child = start({ id: 2, parent: 1, name: "child", attributes: { tier: "gold" } })
      const { attributeList } = child
      let looks = 0
      Object.defineProperty(child, "attributeList", {
        get: () => {
          looks++
          return attributeList
        }
      })
      end(child)
      const before = looks
      yield* SubscriptionRef.set(tail.config, {
        rules: [{ id: "gold", when: { anySpan: { attribute: "tier", eq: "gold" } } }, { id: "none", drop: true }]
      })
      yield* tail.processor.flush
      assert.strictEqual(looks, before)
      end(root)
      yield* TestClock.adjust("1 second")
      assert.isAbove(looks, before)
      assert.deepStrictEqual(names(), ["child", "root"])
    }))
})

describe("what callers are told", () => {
  it.effect("rests on rules alone, and never on what randomness decided", () =>
    Effect.gen(function*() {
      const policy = { rules: [{ id: "all", weight: 10 }], budget: { perSecond: 2 } }
      const { arrived, end, start, tail } = yield* setUp({ policy })
      const spans = [1, 2, 3, 4].map((trace) => start({ id: 1, trace, r: trace / 5, parent: 9, remote: true }))
      assert.deepStrictEqual(spans.map((span) => tail.isWanted(span)), [true, true, true, true])
      for (const span of spans) end(span)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(arrived.length, 2)
      assert.deepStrictEqual(spans.map((span) => tail.isWanted(span)), [false, false, false, false])
    }))
})

describe("trouble", () => {
  it.effect("with the measure of memory is reported, and traces are decided nevertheless", () =>
    Effect.gen(function*() {
      const { check, names, span, lines } = yield* setUp({
        policy: all,
        stress: {
          memory: () => {
            throw new Error("no measure")
          }
        }
      })
      span({ id: 1, name: "first" })
      yield* TestClock.adjust("2 seconds")
      span({ id: 2, trace: 2, name: "second" })
      yield* TestClock.adjust("2 seconds")
      check()
      assert.deepStrictEqual(names(), ["first", "second"])
      assert.match(lines[0]!, /stress\.memory is of no use: .*no measure/)
    }))

  for (
    const [name, policy] of [
      ["a budget that is no number", { rules: [], budget: { perSecond: NaN } }],
      ["a negative budget", { rules: [], budget: { perSecond: -1 } }],
      ["no rules", {}],
      ["nothing", null],
      ["a share beyond 1", { rules: [], budget: { perSecond: 1, shares: { a: 7 } } }]
    ] as const
  ) {
    it.effect(`with a policy, ${name}, leaves the one before in force`, () =>
      Effect.gen(function*() {
        const { check, names, span, lines, tail } = yield* setUp({ policy: all })
        yield* SubscriptionRef.set(tail.config, policy as never)
        for (let trace = 1; trace <= 5; trace++) span({ id: trace, trace, name: `${trace}` })
        yield* TestClock.adjust("2 seconds")
        check()
        assert.strictEqual(names().length, 5)
        assert.match(lines[0]!, /policy is not used/)
      }))
  }

  it.effect("with ids that are not random is none: what is kept is a sample, by randomness that goes along", () =>
    Effect.gen(function*() {
      const { arrived, end, start } = yield* setUp({ policy: { rules: [], budget: { perSecond: 300 } } })
      const spans = Array.from(
        { length: 1000 },
        (_, i) =>
          start({ id: i + 1, trace: i, r: i / 1000, traceFlags: 1, traceState: i % 2 === 0 ? "" : "ot=th:0,a=b" })
      )
      for (const span of spans) end(span)
      yield* TestClock.adjust("1 second")
      assert.isAbove(arrived.length, 250)
      // Of the lower half of the ids as of the upper one.
      const lower = new Set(spans.slice(0, 500).map((span) => span.traceId))
      assert.closeTo(arrived.filter((span) => lower.has(span.traceId)).length, arrived.length / 2, 60)
      for (const span of spans) {
        assert.match(span.traceState, /^ot=(th:[0-9a-f]+;)?rv:[0-9a-f]{14}(,a=b)?$/)
        const { randomness, threshold } = OtTraceState.read(span.traceState)
        if (threshold !== undefined) assert.isTrue(Threshold.keeps(threshold, randomness!.hi, randomness!.lo))
      }
    }))

  it.effect("of traces of which no span ends takes no room from the others for long", () =>
    Effect.gen(function*() {
      const { end, names, span, start, tail } = yield* setUp({ policy: all, maxBytes: 10_000 })
      for (let trace = 1; trace <= 100; trace++) start({ id: 1, trace })
      span({ id: 1, trace: 200, name: "first" })
      assert.isAtMost((yield* tail.stats).held.bytes, 10_000)
      const root = start({ id: 1, trace: 201, name: "root" })
      span({ id: 2, trace: 201, parent: 1, name: "child" })
      assert.deepStrictEqual(names(), ["first"])
      end(root)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(names(), ["first", "child", "root"])
    }))

  it.effect("of traces that never end is no lasting stress", () =>
    Effect.gen(function*() {
      const { start, span, tail } = yield* setUp({ policy: all, maxTraces: 100, stress: { memory: () => 0 } })
      for (let trace = 1; trace <= 95; trace++) start({ id: 1, trace })
      for (let trace = 101; trace <= 102; trace++) {
        span({ id: 1, trace })
        yield* TestClock.adjust("20 seconds")
      }
      assert.isFalse((yield* tail.stats).stress.isActive)
    }))
})
