import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import * as AdaptiveSampler from "../../src/sampling/AdaptiveSampler.ts"
import * as CounterStore from "../../src/sampling/CounterStore.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"

const input = (name: string): Parameters<AdaptiveSampler.AdaptiveSamplerShape["decide"]>[0] => ({
  name,
  kind: "server",
  traceId: "0af7651916cd43dd8448eb211c80319c",
  attributes: {},
  links: [],
  parent: undefined
})

interface Instance {
  readonly sampler: AdaptiveSampler.AdaptiveSamplerShape
  /** Traces in 10 milliseconds, by key. */
  readonly traffic: Readonly<Record<string, number>>
}

/** What each instance keeps per second, and the mean probability of its traces with key `a`. */
const play = (instances: ReadonlyArray<Instance>, seconds: number) =>
  Effect.gen(function*() {
    const kept = instances.map(() => 0)
    const ofA = instances.map(() => 0)
    for (let millis = 0; millis < seconds * 1_000; millis += 10) {
      instances.forEach(({ sampler, traffic }, i) => {
        for (const [key, count] of Object.entries(traffic)) {
          for (let n = 0; n < count; n++) {
            const p = Threshold.toProbability(sampler.decide(input(key)).threshold)
            kept[i]! += p / seconds
            if (key === "a") ofA[i]! += p / (count * 100 * seconds)
          }
        }
      })
      yield* TestClock.adjust(10)
    }
    return { kept, ofA }
  })

const make = AdaptiveSampler.make({ tracesPerSecond: 100, cluster: { size: 2 } })

describe("CounterStore", () => {
  it.effect("gives each instance the part of the goal that its traffic asks for, and a key one rate in all", () =>
    Effect.gen(function*() {
      const instances = [
        { sampler: yield* make, traffic: { a: 40, b: 10 } },
        { sampler: yield* make, traffic: { a: 10, b: 0 } }
      ]
      const apart = yield* play(instances, 15)
      assert.closeTo(apart.kept[0]!, 50, 3)
      for (const { sampler } of instances) yield* CounterStore.share(sampler)
      yield* play(instances, 15)
      const { kept, ofA } = yield* play(instances, 20)
      assert.closeTo(kept[0]! + kept[1]!, 100, 4)
      assert.closeTo(kept[0]!, 86, 4)
      assert.closeTo(ofA[0]! / ofA[1]!, 1, 0.05)
    }).pipe(Effect.provide(CounterStore.layerMemory)))

  it.effect("forgets an instance that is gone", () =>
    Effect.gen(function*() {
      const store = yield* CounterStore.makeMemory
      const report = (instance: string): CounterStore.Report => ({
        instance,
        loads: [{ key: instance, load: 1 }],
        expiresMillis: 1_000
      })
      assert.deepStrictEqual(yield* store.exchange(report("a")), { instances: 1, loads: [] })
      assert.deepStrictEqual(yield* store.exchange(report("b")), { instances: 2, loads: [{ key: "a", load: 1 }] })
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* store.exchange(report("b")), { instances: 1, loads: [] })
    }))

  for (
    const [name, failing] of [
      ["fails", Effect.fail("down")],
      ["dies", Effect.die("broken")],
      ["never answers", Effect.never],
      ["answers nonsense", Effect.succeed({} as CounterStore.Totals)]
    ] as const
  ) {
    it.effect(`falls back to its own part where the store ${name}`, () =>
      Effect.gen(function*() {
        let isUp = true
        const store = CounterStore.CounterStore.of({
          exchange: () => isUp ? Effect.succeed({ instances: 2, loads: [{ key: "a", load: 1e5 }] }) : failing
        })
        const instance = { sampler: yield* make, traffic: { a: 10 } }
        yield* CounterStore.share(instance.sampler).pipe(Effect.provideService(CounterStore.CounterStore, store))
        yield* play([instance], 15)
        assert.isBelow((yield* play([instance], 10)).kept[0]!, 20)
        isUp = false
        yield* play([instance], 30)
        assert.closeTo((yield* play([instance], 10)).kept[0]!, 50, 3)
      }))
  }

  it.effect("passes over what is no load", () =>
    Effect.gen(function*() {
      const loads = [null, { key: 1, load: 1 }, { key: "a", load: -1 }, { key: "a", load: Number.NaN }, { key: "a" }]
      const store = CounterStore.CounterStore.of({
        exchange: () => Effect.succeed({ instances: Number.NaN, loads } as unknown as CounterStore.Totals)
      })
      const instance = { sampler: yield* make, traffic: { a: 10 } }
      yield* CounterStore.share(instance.sampler).pipe(Effect.provideService(CounterStore.CounterStore, store))
      yield* play([instance], 10)
      assert.closeTo((yield* play([instance], 10)).kept[0]!, 100, 5)
    }))
})
