import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import * as TailSampler from "../../src/processors/TailSampler.ts"
import * as DecisionLog from "../../src/sampling/DecisionLog.ts"
import type { TailPolicy } from "../../src/sampling/TailPolicy.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import { setUp, type TailFields } from "./tailing.ts"

const errors: TailPolicy = {
  rules: [
    { id: "error", when: { errorCount: { ge: 1 } }, weight: 20, underStress: true },
    { id: "noise", when: { root: { field: "name", eq: "health" } }, drop: true }
  ]
}

const nothing: TailPolicy = { rules: [{ id: "none", drop: true }] }
const onlyErrors: TailPolicy = { rules: [errors.rules[0]!, { id: "rest", drop: true }] }
const few = (perSecond: number): TailPolicy => ({ ...errors, budget: { perSecond } })

describe("a trace", () => {
  it.effect("is held until it is complete and the next flush, and then kept whole", () =>
    Effect.gen(function*() {
      const { account, arrived, end, names, span, start } = yield* setUp({ policy: onlyErrors })
      const root = start({ id: 1, name: "root" })
      span({ id: 2, parent: 1, name: "child", status: "ERROR" })
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual([names(), account.queued], [[], 1])
      end(root)
      assert.deepStrictEqual([names(), account.queued], [[], 2])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([names(), account.queued], [["child", "root"], 0])
      assert.deepStrictEqual(arrived.map(({ attributes }) => attributes), [{}, {
        "sampling.rule": "error",
        "sampling.stage": "tail",
        "sampling.trigger": "root"
      }])
    }))

  it.effect("that no rule wants is dropped whole, and booked as sampled out", () =>
    Effect.gen(function*() {
      const { account, end, names, span, start, tail } = yield* setUp({ policy: onlyErrors })
      const root = start({ id: 1 })
      span({ id: 2, parent: 1 })
      end(root)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([names(), account.queued, account.sampledOut], [[], 0, 2])
      const stats = yield* tail.stats
      assert.deepStrictEqual(stats.byRule, [{ ruleId: "rest", stage: "tail", kept: 0, dropped: 1 }])
      assert.deepStrictEqual([stats.tracesDropped, stats.spansDropped, stats.held.traces, stats.held.bytes], [
        1,
        2,
        0,
        0
      ])
    }))

  for (const [name, root] of [["in another process", { parent: 9, remote: true }], ["nowhere", {}]] as const) {
    it.effect(`whose root's parent is ${name} is a segment of its own, and its root may end first`, () =>
      Effect.gen(function*() {
        const { end, names, start } = yield* setUp({ policy: onlyErrors })
        const local = start({ id: 1, name: "root", ...root })
        const late = start({ id: 2, parent: 1, name: "detached", status: "ERROR" })
        end(local)
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(names(), [])
        end(late)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(names(), ["root", "detached"])
      }))
  }

  it.effect("whose root never ends is decided when its time is over; the rest follows", () =>
    Effect.gen(function*() {
      const { arrived, end, span, start } = yield* setUp({ policy: onlyErrors })
      const root = start({ id: 1, name: "main" })
      span({ id: 2, parent: 1, name: "bad", status: "ERROR" })
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual(arrived.length, 0)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(arrived.map(({ name }) => name), ["bad"])
      span({ id: 3, parent: 1, name: "good" })
      end(root)
      assert.deepStrictEqual(arrived.map(({ name }) => name), ["bad", "good", "main"])
      assert.deepStrictEqual(arrived[2]!.attributes, { "sampling.rule": "error", "sampling.stage": "late" })
    }))

  it.effect("that begins anew before the flush waits for its new spans", () =>
    Effect.gen(function*() {
      const { end, names, span, start } = yield* setUp({ policy: onlyErrors })
      span({ id: 1, name: "first" })
      const second = start({ id: 2, parent: 1, name: "second", status: "ERROR" })
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(names(), [])
      end(second)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(names(), ["first", "second"])
    }))

  it.effect("settles for as long as it is told to", () =>
    Effect.gen(function*() {
      const { names, span } = yield* setUp({ policy: onlyErrors, settle: "2 seconds" })
      span({ id: 1, name: "first" })
      yield* TestClock.adjust("1500 millis")
      span({ id: 2, parent: 1, name: "second", status: "ERROR" })
      yield* TestClock.adjust("1500 millis")
      assert.deepStrictEqual(names(), [])
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(names(), ["first", "second"])
    }))

  it.effect("of many spans is decided at the limit, and what follows is not held", () =>
    Effect.gen(function*() {
      const { account, arrived, end, span, start, tail } = yield* setUp({ policy: onlyErrors, spanLimit: 100 })
      const root = start({ id: 1, name: "root" })
      span({ id: 2, parent: 1, status: "ERROR" })
      for (let id = 3; id <= 1000; id++) span({ id, parent: 1 })
      assert.strictEqual(arrived.length, 999)
      assert.strictEqual(account.queued, 0)
      end(root)
      assert.deepStrictEqual((yield* tail.stats).late, { kept: 900, dropped: 0 })
    }))

  it.effect("of many bytes is decided at their limit", () =>
    Effect.gen(function*() {
      const { account, arrived, span, start } = yield* setUp({ policy: nothing, traceBytesLimit: 100_000 })
      start({ id: 1, name: "root" })
      for (let id = 2; id <= 12; id++) span({ id, parent: 1, attributes: { text: "x".repeat(10_000) } })
      assert.deepStrictEqual([arrived.length, account.queued, account.sampledOut], [0, 0, 11])
    }))

  it.effect("seen only from the middle is decided when its root ends", () =>
    Effect.gen(function*() {
      const { end, names, start } = yield* setUp({ policy: errors, maxTraces: 1 })
      const root = start({ trace: 1, id: 1, name: "root" })
      const child = start({ trace: 1, id: 2, parent: 1, name: "child" })
      // There is no room for two traces of which nothing has ended.
      const other = start({ trace: 2, id: 3, name: "other" })
      end(child)
      end(root)
      end(other)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([...names()].sort(), ["child", "other", "root"])
    }))
})

describe("weights", () => {
  it.effect("th is the test that was used, and stands on every span", () =>
    Effect.gen(function*() {
      const { arrived, span, tail } = yield* setUp({ policy: few(10) })
      for (let i = 0; i < 100; i++) span({ trace: i, id: i + 1, r: (i + 0.5) / 100 })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(arrived.length, 10)
      const th = arrived[0]!.th!
      assert.deepStrictEqual(new Set(arrived.map((one) => one.th)), new Set([th]))
      // The first that is left out has R of 0.895; rounded up, the threshold is just above it.
      assert.closeTo(1 - Threshold.toProbability(Threshold.fromHex(th)!), 0.895, 0.0001)
      assert.deepStrictEqual((yield* tail.stats).byRule, [{
        ruleId: "default",
        stage: "budget",
        kept: 10,
        dropped: 90
      }])
    }))

  it.effect("what a threshold does not let pass once it is rounded is not kept, though it fits", () =>
    Effect.gen(function*() {
      const { arrived, span } = yield* setUp({ policy: few(1) })
      // The first that is left out has R of 80001…, so the threshold is 8001: too much for 80005.
      span({ trace: 1, id: 1, r: 0x80001 / 2 ** 20 })
      span({ trace: 2, id: 2, r: 0x80005 / 2 ** 20 })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(arrived, [])
    }))

  it.effect("continue the threshold of upstream, and a trace that all keep carries that", () =>
    Effect.gen(function*() {
      const { arrived, span } = yield* setUp({ policy: errors })
      span({ trace: 1, id: 1, r: 0.7, parent: 9, remote: true, traceState: "ot=th:8,v=1" })
      span({ trace: 2, id: 2, r: 0.7 })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(arrived.map(({ th }) => th), ["8", "0"])
    }))

  it.effect("are not claimed where upstream gave no threshold, and a wrong one is not passed on", () =>
    Effect.gen(function*() {
      const { arrived, span } = yield* setUp({ policy: few(1) })
      for (let i = 0; i < 10; i++) span({ trace: i, id: i + 1, r: (i + 0.5) / 10, parent: 9, remote: true })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(arrived.map(({ isSampled, th }) => [isSampled, th]), [[true, undefined]])
    }))

  it.effect("of a span that the head only recorded rest on the probability of recording", () =>
    Effect.gen(function*() {
      const { arrived, span } = yield* setUp({ policy: few(2) })
      for (let i = 0; i < 8; i++) {
        span({
          trace: i,
          id: i + 1,
          r: (i + 0.5) / 8,
          decision: { threshold: Threshold.fromHex("e")!, reliable: true, record: true },
          traceFlags: i === 7 ? 3 : 2,
          traceState: i === 7 ? "ot=th:e" : ""
        })
      }
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(arrived.map(({ isSampled }) => isSampled), [true, true])
      // Of eight, two: the sixth is the first left out, with R of 11/16.
      for (const { th } of arrived) assert.match(th!, /^b00/)
    }))

  it.effect("of a span whose sampler did not know its threshold are unknown, and so are those of one nobody told of", () =>
    Effect.gen(function*() {
      const { arrived, span } = yield* setUp({ policy: errors })
      span({ trace: 1, id: 1, decision: { threshold: Threshold.always, reliable: false } })
      span({ trace: 2, id: 2, traceFlags: 2 })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(arrived.map(({ isSampled, th }) => [isSampled, th]), [[true, undefined], [
        true,
        undefined
      ]])
    }))

  it.effect("of a child that the head sampler judged more strictly stay its own", () =>
    Effect.gen(function*() {
      const { arrived, end, span, start } = yield* setUp({ policy: errors })
      const strict = { threshold: Threshold.fromHex("8")!, reliable: true }
      const root = start({ id: 1, r: 0.6, name: "root", decision: { threshold: Threshold.always, reliable: true } })
      span({ id: 2, parent: 1, r: 0.6, name: "child", traceState: "ot=th:8", decision: strict })
      end(root)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(arrived.map(({ name, th }) => [name, th]), [["child", "8"], ["root", "0"]])
    }))

  it.effect("explicit randomness counts", () =>
    Effect.gen(function*() {
      const { arrived, span } = yield* setUp({ policy: few(1) })
      span({ trace: 1, id: 1, r: 0.9, name: "low", traceState: "ot=rv:10000000000000" })
      span({ trace: 2, id: 2, r: 0.1, name: "high", traceState: "ot=rv:f0000000000000" })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(arrived.map(({ name, th }) => [name, th]), [["high", "1001"]])
    }))

  it.effect("are right in the end: kept traces stand for all, class by class, with upstream sampling and two rules", () =>
    Effect.gen(function*() {
      const policy: TailPolicy = {
        rules: [
          { id: "error", when: { errorCount: { ge: 1 } }, weight: 10 },
          { id: "half", when: { root: { field: "name", eq: "half" } }, probability: 0.5 }
        ],
        budget: { perSecond: 60, shares: { error: 0.3 } }
      }
      const { arrived, span } = yield* setUp({ policy })
      let seed = 12345
      const next = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32
      const names = ["error", "half", "rest"] as const
      const made = { error: 0, half: 0, rest: 0 }
      for (let round = 0; round < 60; round++) {
        for (let i = 0; i < 200; i++) {
          const name = names[i % 10 === 0 ? 0 : i % 3 === 0 ? 1 : 2]!
          const upstream = Threshold.fromProbability(i % 2 === 0 ? 0.25 : 1)
          made[name]++
          const r = next()
          if (r < 1 - Threshold.toProbability(upstream)) continue
          const fields: TailFields = {
            trace: round * 200 + i,
            id: 1 + round * 200 + i,
            r,
            name,
            status: name === "error" ? "ERROR" : "UNSET",
            ...i % 2 === 0 ? { parent: 9, remote: true, traceState: `ot=th:${Threshold.toHex(upstream)}` } : {}
          }
          span(fields)
        }
        yield* TestClock.adjust("1 second")
      }
      assert.isAtMost(arrived.length, 60 * 60)
      assert.isAtLeast(arrived.length, 58 * 60)
      for (const name of names) {
        let estimated = 0
        let variance = 0
        for (const one of arrived) {
          if (one.name !== name) continue
          const p = one.th === undefined ? 1 : Threshold.toProbability(Threshold.fromHex(one.th)!)
          estimated += 1 / p
          variance += (1 - p) / p / p
        }
        const z = (estimated - made[name]) / Math.sqrt(variance)
        assert.isBelow(Math.abs(z), 3, `${name}: ${estimated} for ${made[name]}, z ${z}`)
      }
    }))
})

describe("the budget", () => {
  it.effect("is not exceeded over time, also by traces that cost more than a flush has", () =>
    Effect.gen(function*() {
      const { arrived, end, span, start } = yield* setUp({ policy: { rules: [], budget: { perSecond: 10 } } })
      let id = 1
      for (let second = 0; second < 60; second++) {
        for (let i = 0; i < 5; i++) {
          const trace = second * 5 + i
          const r = ((trace * 7919) % 997) / 997
          const root = start({ trace, id: id++, r })
          for (let j = 0; j < 24; j++) span({ trace, id: id++, parent: 1, r })
          end(root)
        }
        yield* TestClock.adjust("1 second")
        assert.isAtMost(arrived.length, 10 * (second + 1) + 25)
      }
      assert.isAtLeast(arrived.length, 10 * 60 - 25)
    }))

  it.effect("keeps always first, and an error storm competes with itself", () =>
    Effect.gen(function*() {
      const policy: TailPolicy = {
        rules: [{ id: "error", when: { errorCount: { ge: 1 } }, always: true }],
        budget: { perSecond: 20 }
      }
      const { arrived, span } = yield* setUp({ policy })
      let id = 0
      const second = function*(errors: number, others: number) {
        const before = arrived.length
        for (let i = 0; i < errors + others; i++) {
          id++
          span({
            trace: id,
            id,
            r: (id * 7919 % 997) / 997,
            name: i < errors ? "e" : "o",
            status: i < errors ? "ERROR" : "OK"
          })
        }
        yield* TestClock.adjust("1 second")
        const names = arrived.slice(before).map(({ name }) => name)
        return [names.filter((name) => name === "e").length, names.filter((name) => name === "o").length]
      }
      assert.deepStrictEqual(yield* second(15, 50), [15, 5])
      assert.deepStrictEqual(yield* second(500, 0), [20, 0])
      assert.deepStrictEqual(yield* second(0, 50), [0, 20])
    }))

  it.effect("lets something of everything through where always takes it all, after a while", () =>
    Effect.gen(function*() {
      const policy: TailPolicy = {
        rules: [{ id: "error", when: { errorCount: { ge: 1 } }, always: true }],
        budget: { perSecond: 5 }
      }
      const { arrived, span, tail } = yield* setUp({ policy })
      let id = 0
      for (let second = 0; second < 12; second++) {
        for (let i = 0; i < 10; i++) span({ trace: ++id, id, r: (id * 7919 % 997) / 997, status: "ERROR" })
        span({ trace: ++id, id, r: (id * 7919 % 997) / 997, name: "ordinary" })
        yield* TestClock.adjust("1 second")
      }
      assert.strictEqual(arrived.filter(({ name }) => name === "ordinary").length, 1)
      assert.isAtLeast((yield* tail.stats).held.traces, 1)
    }))

  it.effect("counts bytes or traces where told to", () =>
    Effect.gen(function*() {
      for (const [unit, perSecond, expected] of [["traces", 3, 3], ["bytes", 10_000, 10]] as const) {
        const { arrived, span } = yield* setUp({ policy: { rules: [], budget: { perSecond, unit } } })
        for (let i = 0; i < 50; i++) span({ trace: i, id: i + 1, r: (i + 0.5) / 50 })
        yield* TestClock.adjust("1 second")
        // A span of nothing is taken for 400 bytes, and its trace for as many.
        assert.strictEqual(arrived.length, unit === "bytes" ? 12 : expected)
      }
    }))

  it.effect("is charged with late spans of kept traces", () =>
    Effect.gen(function*() {
      const { arrived, end, span, start } = yield* setUp({ policy: few(10), timeout: "2 seconds" })
      const root = start({ trace: 99, id: 1, r: 0.99 })
      span({ trace: 99, id: 2, parent: 1, r: 0.99 })
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(arrived.length, 1)
      for (let id = 3; id < 103; id++) span({ trace: 99, id, parent: 1, r: 0.99 })
      end(root)
      const before = arrived.length
      for (let i = 0; i < 50; i++) span({ trace: i, id: 1000 + i, r: (i + 0.5) / 50 })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(arrived.length - before, 5)
    }))
})

describe("room", () => {
  it.effect("is made by deciding: bounds hold at every step, and no error is lost while budget remains", () =>
    Effect.gen(function*() {
      const { account, arrived, end, span, start, tail } = yield* setUp({
        policy: few(1_000_000),
        maxTraces: 50,
        maxSpans: 200,
        maxBytes: 200_000
      })
      const open: Array<() => void> = []
      let failed = 0
      for (let trace = 0; trace < 300; trace++) {
        const r = ((trace * 7919) % 997) / 997
        const root = start({ trace, id: 1, r })
        open.push(() => end(root))
        for (let id = 2; id < 8; id++) {
          const status = trace % 10 === 0 && id === 4 ? "ERROR" : "OK"
          if (status === "ERROR") failed++
          span({ trace, id, parent: 1, r, name: status, status })
          const { held } = yield* tail.stats
          assert.isAtMost(held.traces, 50)
          assert.isAtMost(held.spans, 200)
          assert.isAtMost(held.bytes, 200_000)
          assert.isAtMost(account.queued, 200)
        }
      }
      for (const finish of open) finish()
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(arrived.filter(({ name }) => name === "ERROR").length, failed)
      assert.isAbove((yield* tail.stats).evicted, 0)
    }))

  it.effect("errors win where budget is short, and what is kept still weighs what it should", () =>
    Effect.gen(function*() {
      const { arrived, span, start, tail } = yield* setUp({ policy: few(40), maxSpans: 100 })
      for (let trace = 0; trace < 100; trace++) {
        const r = ((trace * 7919) % 997) / 997
        start({ trace, id: 1, r })
        span({
          trace,
          id: 2,
          parent: 1,
          r,
          name: trace % 10 === 0 ? "E" : "O",
          status: trace % 10 === 0 ? "ERROR" : "OK"
        })
      }
      start({ trace: 100, id: 1, r: 0.5 })
      span({ trace: 100, id: 2, parent: 1, r: 0.5, name: "O" })
      const stats = yield* tail.stats
      assert.isAbove(stats.evicted, 0)
      assert.isAtMost(arrived.length, 40)
      assert.isAtMost(stats.held.spans, 100)
      for (const { stage } of stats.byRule) assert.strictEqual(stage, "evict")
    }))

  it.effect("where nothing is left to spend less and less is kept, with weights that say so", () =>
    Effect.gen(function*() {
      const { arrived, span, start } = yield* setUp({ policy: { rules: [], budget: { perSecond: 5 } }, maxSpans: 10 })
      for (let trace = 0; trace < 2000; trace++) {
        const r = ((trace * 7919) % 1999) / 1999
        start({ trace, id: 1, r })
        span({ trace, id: 2, parent: 1, r })
      }
      // No second has passed: one flush had the budget of the first, and each after that half as much again.
      assert.isBelow(arrived.length, 40)
      const weights = arrived.map(({ th }) => th === undefined ? 1 : Threshold.adjustedCount(Threshold.fromHex(th)!))
      assert.isAbove(Math.max(...weights), 20)
    }))
})

describe("the end", () => {
  it.effect("closing the scope decides about everything, and afterwards spans are decided as they come", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { account, arrived, end, span, start } = yield* Scope.provide(setUp({ policy: onlyErrors }), scope)
      const open = start({ trace: 1, id: 1, name: "open" })
      span({ trace: 1, id: 2, parent: 1, name: "bad", status: "ERROR" })
      span({ trace: 2, id: 3, name: "good" })
      start({ trace: 3, id: 4, name: "empty" })
      assert.strictEqual(account.queued, 2)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual([account.queued, arrived.map(({ name }) => name)], [0, ["bad"]])
      end(open)
      span({ trace: 4, id: 5, name: "after", status: "ERROR" })
      span({ trace: 5, id: 6, name: "also after" })
      assert.deepStrictEqual([account.queued, arrived.map(({ name }) => name)], [0, ["bad", "open", "after"]])
      assert.strictEqual(arrived[2]!.attributes["sampling.trigger"], "shutdown")
    }))

  it.effect("a flush decides about what is complete, and leaves what is not", () =>
    Effect.gen(function*() {
      const { account, names, span, start, tail } = yield* setUp({ policy: errors })
      start({ trace: 1, id: 1, name: "open" })
      span({ trace: 1, id: 2, parent: 1, name: "inner" })
      span({ trace: 2, id: 3, name: "whole" })
      yield* tail.processor.flush
      assert.deepStrictEqual([names(), account.queued], [["whole"], 1])
    }))
})

describe("policies", () => {
  it.effect("a function is asked first; where it fails, the rules are", () =>
    Effect.gen(function*() {
      const { arrived, lines, span } = yield* setUp({
        policy: nothing,
        evaluate: (view) => {
          const name = view.root?.name
          if (name === "bad") throw new Error("a bug")
          return name === "mine" ? { ruleId: "function", class: "vip" } : undefined
        }
      })
      for (const [id, name] of ["mine", "other", "bad"].entries()) span({ trace: id, id: id + 1, name })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(arrived.map(({ attributes, name }) => [name, attributes["sampling.rule"]]), [[
        "mine",
        "function"
      ]])
      assert.match(lines[0]!, /a bug/)
    }))

  it.effect("are exchanged without losing what is held, whose spans are looked at again", () =>
    Effect.gen(function*() {
      const { end, names, span, start, tail } = yield* setUp({ policy: nothing })
      const root = start({ id: 1, name: "root" })
      span({ id: 2, parent: 1, name: "gold", attributes: { tier: "gold" } })
      yield* SubscriptionRef.set(tail.config, {
        rules: [{ id: "gold", when: { anySpan: { attribute: "tier", eq: "gold" } } }, ...nothing.rules]
      })
      end(root)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(names(), ["gold", "root"])
    }))

  it.effect("one that cannot be compiled is not taken", () =>
    Effect.gen(function*() {
      const { lines, names, span, tail } = yield* setUp({ policy: onlyErrors })
      yield* SubscriptionRef.set(tail.config, {
        rules: [{ id: "broken", when: { anySpan: { attribute: "a", regex: "(" } } }]
      })
      span({ trace: 1, id: 1, name: "bad", status: "ERROR" })
      span({ trace: 2, id: 2, name: "good" })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(names(), ["bad"])
      assert.match(lines[0]!, /policy is not used/)
    }))

  it.effect("a dry run changes nothing but says what would be", () =>
    Effect.gen(function*() {
      const { account, arrived, span, start } = yield* setUp({
        policy: { ...onlyErrors, dryRun: true },
        timeout: "1 second"
      })
      span({ trace: 1, id: 1, name: "good", traceState: "ot=th:4" })
      start({ trace: 2, id: 2 })
      span({ trace: 2, id: 3, parent: 2, name: "bad", status: "ERROR" })
      yield* TestClock.adjust("5 seconds")
      span({ trace: 1, id: 4, parent: 1, name: "late" })
      assert.deepStrictEqual(arrived.map(({ name, th }) => [name, th]), [["good", "4"], ["bad", undefined], [
        "late",
        undefined
      ]])
      assert.deepStrictEqual(arrived[0]!.attributes, {
        "sampling.rule": "rest",
        "sampling.stage": "tail",
        "sampling.trigger": "root",
        "sampling.dry_run": true,
        "sampling.decision": "drop"
      })
      assert.strictEqual(account.sampledOut, 0)
    }))

  it.effect("under stress only what must be kept is asked for, and the budget is smaller; relief lasts", () =>
    Effect.gen(function*() {
      let memory = 0.9
      const policy: TailPolicy = {
        rules: [
          { id: "gold", when: { anySpan: { attribute: "tier", eq: "gold" } }, weight: 1000 },
          { id: "error", when: { errorCount: { ge: 1 } }, weight: 1000, underStress: true }
        ],
        budget: { perSecond: 20 },
        stressFactor: 0.5
      }
      const { arrived, span, tail } = yield* setUp({ policy, stress: { memory: () => memory } })
      let trace = 0
      const second = function*() {
        const before = arrived.length
        for (let i = 0; i < 100; i++) {
          trace++
          const kind = i % 25
          span({
            trace,
            id: trace,
            r: ((trace * 7919) % 1999) / 1999,
            name: kind === 0 ? "error" : kind === 1 ? "gold" : "rest",
            status: kind === 0 ? "ERROR" : "OK",
            attributes: kind === 1 ? { tier: "gold" } : {}
          })
        }
        yield* TestClock.adjust("1 second")
        const names = arrived.slice(before).map(({ name }) => name)
        return [
          names.length,
          names.filter((name) => name === "error").length,
          names.filter((name) => name === "gold").length === 4
        ]
      }
      assert.deepStrictEqual(yield* second(), [10, 4, false])
      assert.isTrue((yield* tail.stats).stress.isActive)
      memory = 0.1
      assert.deepStrictEqual(yield* second(), [10, 4, false])
      yield* TestClock.adjust("10 seconds")
      yield* second()
      assert.isFalse((yield* tail.stats).stress.isActive)
      assert.deepStrictEqual(yield* second(), [20, 4, true])
    }))
})

describe("a defect", () => {
  it.effect("of what is told about decisions reaches nobody, and nothing is lost by it", () =>
    Effect.gen(function*() {
      const log = yield* DecisionLog.make()
      let isBroken = true
      const { account, lines, names, span } = yield* Effect.provideService(
        setUp({ policy: errors }),
        DecisionLog.DecisionLog,
        {
          ...log,
          record: (record) => {
            if (isBroken) throw new Error("a bug")
            log.record(record)
          }
        }
      )
      span({ trace: 1, id: 1, name: "first" })
      span({ trace: 2, id: 2, name: "second" })
      yield* TestClock.adjust("1 second")
      isBroken = false
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual([names(), account.queued], [["first", "second"], 0])
      assert.match(lines[0]!, /tail sampling failed: .*a bug/)
    }))
})

describe("decisions", () => {
  it.effect("stand in the log, each a valid record", () =>
    Effect.gen(function*() {
      const log = yield* DecisionLog.make()
      const { span, start } = yield* Effect.provideService(
        setUp({ policy: { ...few(1), version: "7" }, timeout: "2 seconds" }),
        DecisionLog.DecisionLog,
        log
      )
      span({ trace: 1, id: 1, r: 0.9, parent: 9, remote: true, traceState: "ot=th:8" })
      span({ trace: 2, id: 2, r: 0.5 })
      span({ trace: 3, id: 3, r: 0.5, name: "health" })
      yield* TestClock.adjust("1 second")
      start({ trace: 4, id: 4, r: 0.25 })
      span({ trace: 4, id: 5, parent: 4, r: 0.25, status: "ERROR" })
      yield* TestClock.adjust("10 seconds")
      const records = yield* log.recent
      for (const record of records) assert.isTrue(Schema.is(DecisionLog.DecisionRecord)(record))
      assert.deepStrictEqual(
        records.map(({ adjustedCount, class: name, decision, isComplete, ruleId, stage, trigger }) => [
          decision,
          stage,
          trigger,
          ruleId,
          name,
          isComplete,
          adjustedCount
        ]),
        [
          ["drop", "tail", "root", "noise", "noise", true, undefined],
          ["keep", "budget", "root", "default", "default", true, records[1]!.adjustedCount],
          ["drop", "budget", "root", "default", "default", true, undefined],
          ["keep", "tail", "timeout", "error", "error", false, 1]
        ]
      )
      assert.deepStrictEqual([records[1]!.thresholdHead, records[1]!.configVersion, records[1]!.cost], ["8", "7", 1])
    }))
})

describe("options", () => {
  it.effect("that cannot be taken are named, with what is allowed", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<[TailSampler.Options, RegExp]> = [
        [{ maxTraces: 0 }, /maxTraces is 0, allowed is a whole number/],
        [{ timeout: -1 }, /timeout is -1, allowed is a duration/],
        [{ stress: { activateAt: 50, deactivateAt: 60 } }, /stress.deactivateAt is 60/],
        [{ policy: { rules: [{ id: "a" }, { id: "a" }] } }, /policy is not valid .*different ids/s],
        [{ policy: { rules: [], budget: { perSecond: 0 } } }, /perSecond/],
        [
          { policy: { rules: [{ id: "a", when: { anySpan: { attribute: "a", eq: 1 }, not: { and: [] } } }] } },
          /one only/
        ]
      ]
      for (const [options, message] of cases) {
        const error = yield* Effect.flip(TailSampler.make(options))
        assert.match(error.message, message)
      }
    }))
})
