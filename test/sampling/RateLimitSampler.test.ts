import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import * as RateLimitSampler from "../../src/sampling/RateLimitSampler.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import { starter, traceIdOf } from "./starter.ts"

const input = (parent?: Partial<Sampler.SamplingParent>): Sampler.SamplingInput => ({
  name: "span",
  kind: "server",
  traceId: "0af7651916cd43dd8448eb211c80319c",
  attributes: {},
  links: [],
  parent: parent === undefined ? undefined : { traceFlags: 3, traceState: "", isRemote: true, ...parent }
})

const probability = (decision: Sampler.SamplingDecision): number => Threshold.toProbability(decision.threshold)

/** So many traces per millisecond, for so many seconds. The sum of their probabilities, per second. */
const play = (sampler: Sampler.SamplerShape, perMilli: number, seconds: number, asked = input()) =>
  Effect.gen(function*() {
    let sum = 0
    for (let millis = 0; millis < seconds * 1_000; millis += 10) {
      for (let i = 0; i < perMilli * 10; i++) sum += probability(sampler.decide(asked))
      yield* TestClock.adjust(10)
    }
    return sum / seconds
  })

describe("RateLimitSampler", () => {
  it.effect("keeps the goal, by the test's clock", () =>
    Effect.gen(function*() {
      const sampler = yield* RateLimitSampler.make({ tracesPerSecond: 50 })
      assert.strictEqual(sampler.description, "RateLimit{50 traces/s,AlwaysOn}")
      yield* play(sampler, 1, 5)
      assert.closeTo(yield* play(sampler, 1, 10), 50, 1)
      assert.closeTo(yield* play(sampler, 10, 10), 50, 2)
    }))

  it.effect("thins another sampler, in proportion, and only where it must", () =>
    Effect.gen(function*() {
      const sampler = yield* RateLimitSampler.make({ tracesPerSecond: 50, sampler: Sampler.probability(0.1) })
      assert.deepStrictEqual(sampler.decide(input()).threshold, Threshold.fromProbability(0.1))
      yield* play(sampler, 2, 5)
      assert.closeTo(yield* play(sampler, 2, 10), 50, 1)
      const idle = yield* RateLimitSampler.make({ tracesPerSecond: 50, sampler: Sampler.probability(0.01) })
      yield* play(idle, 2, 5)
      assert.closeTo(yield* play(idle, 2, 5), 20, 0.1)
      for (let i = 0; i < 100_000; i++) {
        assert.isTrue(Threshold.compare(sampler.decide(input()).threshold, Threshold.fromProbability(0.1)) >= 0)
      }
    }))

  it.effect("keeps what else the other sampler says", () =>
    Effect.gen(function*() {
      const other = (threshold: Threshold.Threshold): Sampler.SamplerShape => ({
        description: "other",
        decide: () => ({ threshold, reliable: false, ruleId: "rule", attributes: { a: 1 }, record: true })
      })
      const sampler = yield* RateLimitSampler.make({ tracesPerSecond: 1, sampler: other(Threshold.always) })
      for (let i = 0; i < 100; i++) sampler.decide(input())
      const { threshold, ...rest } = sampler.decide(input())
      assert.isBelow(Threshold.toProbability(threshold), 0.5)
      assert.deepStrictEqual(rest, { reliable: false, ruleId: "rule", attributes: { a: 1 }, record: true })
      const off = yield* RateLimitSampler.make({ tracesPerSecond: 1, sampler: other(Threshold.never) })
      assert.deepStrictEqual(off.decide(input()).threshold, Threshold.never)
    }))

  it.effect("counts under a sampled parent what is thinned here", () =>
    Effect.gen(function*() {
      const sampler = yield* RateLimitSampler.make({ tracesPerSecond: 50, sampler: Sampler.parentThreshold })
      const asked = input({ traceState: "ot=th:c" })
      yield* play(sampler, 1, 5, asked)
      assert.closeTo(yield* play(sampler, 1, 10, asked), 12.5, 0.3)
      // A parent that says nothing: 25 per second of 100 that arrive, whatever it did before.
      const legacy = yield* RateLimitSampler.make({ tracesPerSecond: 25, sampler: Sampler.parentThreshold })
      const unknown = input({ traceFlags: 1 })
      yield* play(legacy, 0.1, 5, unknown)
      assert.closeTo(yield* play(legacy, 0.1, 20, unknown), 25, 1)
      assert.isFalse(legacy.decide(unknown).reliable)
    }))

  it.effect("limits what legacy services send sampled, and says that it does not know its weight", () =>
    Effect.gen(function*() {
      const sampler = yield* RateLimitSampler.make({ tracesPerSecond: 25, sampler: Sampler.parentThreshold })
      const { under } = starter(sampler)
      let kept = 0
      for (let second = 0; second < 60; second++) {
        for (let i = 0; i < 500; i++) {
          // As a sampler elsewhere left them: only ids of which the end is high, and no threshold.
          const id = second * 500 + i
          const span = under({ traceId: traceIdOf(0xe000000 + id * 977 % 0x1000000, id) })
          if (span.sampled && second >= 10) kept++
          assert.strictEqual(span.traceState, "")
          if (i % 5 === 4) yield* TestClock.adjust(10)
        }
      }
      assert.closeTo(kept / 50, 25, 2.5)
    }))

  it.effect("decides for local roots alone", () =>
    Effect.gen(function*() {
      const local: Sampler.SamplingParent = { traceFlags: 3, traceState: "ot=th:c", isRemote: false }
      for (
        const sampler of [
          yield* RateLimitSampler.make({ tracesPerSecond: 1, sampler: Sampler.alwaysOff }),
          yield* RateLimitSampler.makeReservoir({ tracesPerSecond: 0, probability: 0 })
        ]
      ) {
        assert.deepStrictEqual(sampler.decide(input(local)).threshold, Threshold.fromHex("c")!)
        assert.deepStrictEqual(sampler.decideByParent!(local)!.threshold, Threshold.fromHex("c")!)
        assert.isUndefined(sampler.decideByParent!(undefined))
        assert.deepStrictEqual(sampler.decide(input()).threshold, Threshold.never)
      }
    }))

  it.effect("shares the goal among instances", () =>
    Effect.gen(function*() {
      const sampler = yield* RateLimitSampler.make({ tracesPerSecond: 50, cluster: { size: 5 } })
      yield* play(sampler, 1, 5)
      assert.closeTo(yield* play(sampler, 1, 10), 10, 0.5)
    }))

  it.effect("refuses options that cannot be taken", () =>
    Effect.gen(function*() {
      const rate = yield* Effect.flip(RateLimitSampler.make({ tracesPerSecond: -1 }))
      assert.include(rate.message, "rate limit sampler")
      assert.include(rate.message, "tracesPerSecond")
      const reservoir = yield* Effect.flip(RateLimitSampler.makeReservoir({ tracesPerSecond: 1, probability: 2 }))
      assert.include(reservoir.message, "reservoir sampler")
      assert.include(reservoir.message, "probability")
    }))
})

describe("the reservoir", () => {
  it.effect("keeps the first of each second, and a fraction of the others", () =>
    Effect.gen(function*() {
      const sampler = yield* RateLimitSampler.makeReservoir({ tracesPerSecond: 2, probability: 0.25 })
      const ask = () => Array.from({ length: 4 }, () => probability(sampler.decide(input())))
      assert.deepStrictEqual(ask(), [1, 1, 0.25, 0.25])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(ask(), [1, 1, 0.25, 0.25])
    }))

  it.effect("is a layer, as the limit is", () =>
    Effect.gen(function*() {
      const description = Effect.map(Sampler.Sampler, (sampler) => sampler.description)
      assert.strictEqual(
        yield* Effect.provide(
          description,
          RateLimitSampler.layerReservoir({ tracesPerSecond: 2, probability: 0.25 }) as Layer.Layer<Sampler.Sampler>
        ),
        "Reservoir{2 traces/s,0.25}"
      )
      assert.strictEqual(
        yield* Effect.provide(description, RateLimitSampler.layer({ tracesPerSecond: 2 })),
        "RateLimit{2 traces/s,AlwaysOn}"
      )
    }))
})
