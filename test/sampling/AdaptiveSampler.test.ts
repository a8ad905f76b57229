import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import * as InMemorySpanExporter from "../../src/exporters/InMemorySpanExporter.ts"
import * as AdaptiveSampler from "../../src/sampling/AdaptiveSampler.ts"
import * as DecisionLog from "../../src/sampling/DecisionLog.ts"
import type { SamplerShape, SamplingDecision, SamplingInput, SamplingParent } from "../../src/sampling/Sampler.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import { TelemetryLayer } from "../../src/Telemetry.ts"

const input = (
  name: string,
  parent?: Partial<SamplingParent>,
  attributes: SamplingInput["attributes"] = {}
): SamplingInput => ({
  name,
  kind: "server",
  traceId: "0af7651916cd43dd8448eb211c80319c",
  attributes,
  links: [],
  parent: parent === undefined ? undefined : { traceFlags: 3, traceState: "", isRemote: true, ...parent }
})

const probability = (decision: SamplingDecision): number => Threshold.toProbability(decision.threshold)

/** So many traces of each name per millisecond, for so many seconds. The sum of their probabilities, per second. */
const play = (
  sampler: SamplerShape,
  names: ReadonlyArray<string>,
  perMilli: number,
  seconds: number,
  parent?: SamplingParent
) =>
  Effect.gen(function*() {
    let sum = 0
    for (let millis = 0; millis < seconds * 1_000; millis += 10) {
      for (let i = 0; i < perMilli * 10; i++) {
        for (const name of names) sum += probability(sampler.decide(input(name, parent)))
      }
      yield* TestClock.adjust(10)
    }
    return sum / seconds
  })

describe("AdaptiveSampler", () => {
  it.effect("keeps the goal, by the test's clock", () =>
    Effect.gen(function*() {
      const sampler = yield* AdaptiveSampler.make({ tracesPerSecond: 50 })
      assert.strictEqual(sampler.description, "Adaptive{50 traces/s}")
      yield* play(sampler, ["a", "b"], 1, 5)
      assert.closeTo(yield* play(sampler, ["a", "b"], 1, 20), 50, 1)
    }))

  it.effect("says for which key it decided, and hands out the same object while the threshold stays", () =>
    Effect.gen(function*() {
      const sampler = yield* AdaptiveSampler.make({ tracesPerSecond: 50, key: (input) => input.name.slice(0, 1) })
      sampler.decide(input("apple"))
      const first = sampler.decide(input("apple"))
      assert.deepStrictEqual(first, { threshold: Threshold.always, reliable: true, key: "a" })
      assert.strictEqual(sampler.decide(input("avocado")), first)
      const before = { ...first }
      yield* play(sampler, ["apple"], 5, 3)
      assert.notDeepEqual(sampler.decide(input("apple")).threshold, Threshold.always)
      assert.deepStrictEqual(first, before)
    }))

  it.effect("decides for local roots alone", () =>
    Effect.gen(function*() {
      const sampler = yield* AdaptiveSampler.make({ tracesPerSecond: 5 })
      yield* play(sampler, ["a"], 1, 5)
      const local = { traceFlags: 3, traceState: "ot=th:c", isRemote: false }
      for (const ask of [sampler.decide(input("a", local)), sampler.decideByParent!(local)!]) {
        assert.deepStrictEqual(ask, { threshold: Threshold.fromHex("c")!, reliable: true })
      }
      assert.deepStrictEqual(sampler.decide(input("a", { ...local, traceFlags: 2 })).threshold, Threshold.never)
      assert.isUndefined(sampler.decideByParent!(undefined))
      assert.isUndefined(sampler.decideByParent!({ ...local, isRemote: true }))
      assert.strictEqual((yield* sampler.stats).keys, 1)
    }))

  it.effect("thins what a parent elsewhere kept, in proportion to its threshold", () =>
    Effect.gen(function*() {
      const sampler = yield* AdaptiveSampler.make({ tracesPerSecond: 50 })
      const parent: SamplingParent = { traceFlags: 3, traceState: "ot=th:c", isRemote: true }
      yield* play(sampler, ["a"], 1, 5, parent)
      // Of the 1,000 that arrive of 4,000, 50 are kept.
      assert.closeTo(yield* play(sampler, ["a"], 1, 20, parent), 12.5, 0.3)
      const decision = sampler.decide(input("a", parent))
      assert.isTrue(decision.reliable)
      assert.isBelow(probability(decision), 0.25)
      assert.deepStrictEqual(
        sampler.decide(input("a", { traceFlags: 2, traceState: "ot=th:c" })).threshold,
        Threshold.never
      )
    }))

  it.effect("keeps the parent's own threshold where nothing is thinned", () =>
    Effect.gen(function*() {
      const sampler = yield* AdaptiveSampler.make({ tracesPerSecond: 50 })
      const { reliable, threshold } = sampler.decide(input("a", { traceState: "ot=th:aaaaaaaaaaaaab" }))
      assert.deepStrictEqual({ reliable, threshold }, {
        reliable: true,
        threshold: Threshold.fromHex("aaaaaaaaaaaaab")!
      })
    }))

  it.effect("does not claim a weight under a sampled parent that names no threshold", () =>
    Effect.gen(function*() {
      const sampler = yield* AdaptiveSampler.make({ tracesPerSecond: 50 })
      assert.isFalse(sampler.decide(input("a", { traceFlags: 3 })).reliable)
      const parent: SamplingParent = { traceFlags: 3, traceState: "", isRemote: true }
      yield* play(sampler, ["a"], 1, 5, parent)
      assert.closeTo(yield* play(sampler, ["a"], 1, 10, parent), 50, 2)
    }))

  it.effect("follows or ignores a parent elsewhere where told to", () =>
    Effect.gen(function*() {
      const follow = yield* AdaptiveSampler.make({ tracesPerSecond: 50, remoteParent: "follow" })
      assert.deepStrictEqual(follow.decide(input("a", { traceState: "ot=th:c" })).threshold, Threshold.fromHex("c")!)
      assert.strictEqual((yield* follow.stats).keys, 0)
      const ignore = yield* AdaptiveSampler.make({ tracesPerSecond: 50, remoteParent: "ignore" })
      assert.deepStrictEqual(
        ignore.decide(input("a", { traceFlags: 0, traceState: "ot=th:c" })).threshold,
        Threshold.always
      )
    }))

  it.effect("counts spans of kept traces", () =>
    Effect.gen(function*() {
      const sampler = yield* AdaptiveSampler.make({ spansPerSecond: 50 })
      assert.isUndefined(sampler.decideByParent)
      const child = input("child", { isRemote: false })
      let debt = 0
      let sum = 0
      for (let millis = 0; millis < 60_000; millis += 5) {
        const p = probability(sampler.decide(input("a")))
        debt += p
        // Nine more spans in each trace that is kept.
        for (; debt >= 1; debt--) for (let i = 0; i < 9; i++) sampler.decide(child)
        if (millis >= 30_000) sum += p
        yield* TestClock.adjust(5)
      }
      assert.closeTo(sum / 30, 5, 0.3)
    }))

  it.effect("goes on from a state, which is JSON", () =>
    Effect.gen(function*() {
      const options = { tracesPerSecond: 20 }
      const before = yield* AdaptiveSampler.make(options)
      yield* TestClock.adjust("2 days")
      yield* play(before, ["a", "b"], 1, 10)
      const text = JSON.stringify(yield* before.state)
      const state = yield* Schema.decodeUnknownEffect(AdaptiveSampler.AdaptiveState)(JSON.parse(text))
      const after = yield* AdaptiveSampler.make({ ...options, state })
      assert.closeTo(Math.log(probability(after.decide(input("a"))) / probability(before.decide(input("a")))), 0, 0.3)
      assert.deepStrictEqual((yield* after.state).keys.map(({ key }) => key), ["a", "b", "__other__"])
    }))

  it.effect("shares the goal among instances, and follows their number", () =>
    Effect.gen(function*() {
      const sampler = yield* AdaptiveSampler.make({ tracesPerSecond: 100, cluster: { size: 5 } })
      yield* play(sampler, ["a"], 1, 3)
      assert.closeTo(yield* play(sampler, ["a"], 1, 10), 20, 1)
      yield* sampler.setClusterSize(2)
      assert.closeTo(yield* play(sampler, ["a"], 1, 10), 50, 3)
    }))

  it.effect("takes whatever a key function answers", () =>
    Effect.gen(function*() {
      const sampler = yield* AdaptiveSampler.make({
        tracesPerSecond: 1,
        key: (() => undefined) as unknown as () => string
      })
      yield* play(sampler, ["a"], 1, 5)
      assert.closeTo(yield* play(sampler, ["a"], 1, 20), 1, 0.1)
    }))

  it.effect("cuts keys that are long", () =>
    Effect.gen(function*() {
      const sampler = yield* AdaptiveSampler.make({ tracesPerSecond: 100 })
      for (let i = 0; i < 3; i++) sampler.decide(input("x".repeat(10_000)))
      assert.strictEqual(sampler.decide(input("x".repeat(10_000))).key?.length, 256)
    }))

  const refused: ReadonlyArray<readonly [unknown, string]> = [
    [{}, "expected tracesPerSecond or spansPerSecond, and one only"],
    [{ tracesPerSecond: 1, spansPerSecond: 1 }, "expected tracesPerSecond or spansPerSecond, and one only"],
    [{ tracesPerSecond: 0 }, "tracesPerSecond"],
    [{ tracesPerSecond: "many" }, "tracesPerSecond"],
    [{ tracesPerSecond: 1, maxKeys: 1 }, "maxKeys"],
    [{ tracesPerSecond: 1, memory: "soon" }, "memory"],
    [{ tracesPerSecond: 1, memory: -1 }, "memory"],
    [{ tracesPerSecond: 1, burst: { seconds: "x" } }, "burst"],
    [{ tracesPerSecond: 1, exponent: 2 }, "exponent"],
    [{ tracesPerSecond: 1, key: [] }, "key"],
    [{ tracesPerSecond: 1, key: [{ field: "status" }] }, "key.0"],
    [{ tracesPerSecond: 1, cluster: { size: 0 } }, "cluster.size"],
    [{ tracesPerSecond: 1, remoteParent: "obey" }, "remoteParent"],
    [{ tracesPerSecond: 1, rareShare: 0.4, newShare: 0.2 }, "rareShare and newShare of at most 0.5 together"],
    [{ tracesPerSecond: 1, goal: 2 }, "goal"],
    [{ tracesPerSecond: 1, state: { version: 1, keys: [{ key: "a", load: -1, age: 1, cost: 1 }] } }, "keys.0.load"],
    [{ tracesPerSecond: 1, state: { version: 2, keys: [] } }, "version"]
  ]
  for (const [options, expected] of refused) {
    it.effect(`refuses ${JSON.stringify(options)}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(AdaptiveSampler.make(options as AdaptiveSampler.AdaptiveOptions))
        assert.strictEqual(error._tag, "SamplerOptionsError")
        assert.include(error.message, expected)
      }))
  }

  it.effect("takes durations in every form", () =>
    Effect.gen(function*() {
      for (const memory of ["5 seconds", 5_000, { seconds: 5 }] as const) {
        yield* AdaptiveSampler.make({ tracesPerSecond: 1, memory, burst: "1 second" })
      }
    }))

  it.effect("is a layer, and its keys are in the log", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        for (let i = 0; i < 200; i++) yield* Effect.void.pipe(Effect.withSpan("checkout"))
        return yield* (yield* DecisionLog.DecisionLog).recent
      })
      const records = yield* program.pipe(
        Effect.provide(
          TelemetryLayer({ env: {}, shutdownOn: [] }).pipe(
            Layer.provideMerge(InMemorySpanExporter.layer()),
            Layer.provide(AdaptiveSampler.layer({ tracesPerSecond: 10 })),
            Layer.provideMerge(DecisionLog.layer())
          )
        )
      )
      assert.strictEqual(records[0]?.decision, "keep")
      assert.strictEqual(records[199]?.key, "checkout")
      assert.isBelow(records.filter(({ decision }) => decision === "keep").length, 60)
    }))
})
