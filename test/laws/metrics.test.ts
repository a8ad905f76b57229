import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { MetricData } from "../../src/model/MetricData.ts"
import { metric, setup, total } from "../metrics/support.ts"

const options = { arbitrary: { runs: 100, size: 40 } }
const Small = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))

/** Measurements of a few sets of attributes, collections in between, and whether each collection arrives. */
const Step = Schema.Union([
  Schema.Struct({ add: Small, set: Small }),
  Schema.Struct({ arrives: Schema.Boolean })
])
const steps = Schema.Array(Step)
const limit = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 12 }))
const sum = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0)
const find = (metrics: ReadonlyArray<MetricData>, name: string) => metrics.find((metric) => metric.name === name)?.data

describe("metrics", () => {
  it.effect.prop("the deltas that arrived add up to what was counted, whatever is lost in between", {
    steps,
    limit
  }, ({ limit, steps }) =>
    Effect.gen(function*() {
      const { meter, reader } = yield* setup({ temporality: "delta", cardinalityLimit: () => limit })
      const counter = meter.createCounter("counter")
      const histogram = meter.createHistogram("histogram")
      const totals = new Map<number, number>()
      meter.createObservableCounter("observed", {}, ({ observe }) =>
        totals.forEach((value, set) =>
          observe(value, { set })
        ))
      let added = 0
      let recorded = 0
      const arrived = { counter: 0, histogram: 0, observed: 0 }
      for (const step of [...steps, { arrives: true }]) {
        if ("add" in step) {
          counter.add(step.add, { set: step.set })
          histogram.record(step.add, { set: step.set })
          totals.set(step.set, (totals.get(step.set) ?? 0) + step.add)
          added += step.add
          recorded++
          continue
        }
        const { commit, metrics } = reader.collect()
        if (!step.arrives) continue
        commit()
        arrived.counter += total(find(metrics, "counter"))
        arrived.histogram += total(find(metrics, "histogram"))
        arrived.observed += total(find(metrics, "observed"))
      }
      assert.deepStrictEqual(arrived, { counter: added, histogram: recorded, observed: added })
    }), options)

  it.effect.prop("no metric has more series than its limit and one of overflow, and none loses a measurement", {
    steps,
    limit
  }, ({ limit, steps }) =>
    Effect.gen(function*() {
      const { meter, reader } = yield* setup({ cardinalityLimit: () => limit })
      const counter = meter.createCounter("counter")
      const totals = new Map<number, number>()
      meter.createObservableCounter("observed", {}, ({ observe }) =>
        totals.forEach((value, set) =>
          observe(value, { set })
        ))
      const adds = steps.filter((step) => "add" in step)
      for (const { add, set } of adds) {
        counter.add(add, { set })
        totals.set(set, (totals.get(set) ?? 0) + add)
        const { metrics } = reader.collect()
        for (const name of ["counter", "observed"]) {
          const { points } = metric(metrics, name)
          const own = points.filter(({ attributes }) => attributes["otel.metric.overflow"] !== true)
          assert.strictEqual(own.length, Math.min(totals.size, limit))
          assert.strictEqual(points.length - own.length, totals.size > limit ? 1 : 0)
        }
        assert.strictEqual(total(metric(metrics, "counter")), sum([...totals.values()]))
        assert.strictEqual(total(metric(metrics, "observed")), sum([...totals.values()]))
      }
    }), options)

  it.effect("a key may be called __proto__", () =>
    Effect.gen(function*() {
      const { meter, reader } = yield* setup()
      const counter = meter.createCounter("c")
      counter.add(1, JSON.parse(`{"__proto__":"a","b":1}`) as Record<string, unknown>)
      counter.add(1, JSON.parse(`{"__proto__":"c","b":1}`) as Record<string, unknown>)
      const { points } = metric(reader.collect().metrics, "c")
      assert.deepStrictEqual(points.map(({ attributes }) => Object.entries(attributes)), [
        [["__proto__", "a"], ["b", 1]],
        [["__proto__", "c"], ["b", 1]]
      ])
    }))

  it.effect.prop("a series is its attributes, in whatever order and by whichever way they come", {
    a: Schema.Union([Schema.String, Schema.Finite, Schema.Boolean]),
    b: Schema.Array(Schema.String),
    c: Schema.String
  }, ({ a, b, c }) =>
    Effect.gen(function*() {
      const { meter, reader } = yield* setup()
      const counter = meter.createCounter("c")
      for (let i = 0; i < 2; i++) {
        counter.add(1, { a, b, c })
        counter.add(1, { c, a, b })
        counter.add(1, Object.assign(Object.create(null), { b, c, a }))
        counter.bind({ b, a, c }).add(1)
        counter.add(1, { a, c })
        counter.add(1, { c, a, d: undefined })
      }
      const { points } = metric(reader.collect().metrics, "c")
      assert.deepStrictEqual(points.map((point) => "value" in point && point.value), [8, 4])
    }), options)
})
