import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as TestClock from "effect/testing/TestClock"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import * as EffectMetrics from "../../src/metrics/EffectMetrics.ts"
import type { HistogramPoint, NumberPoint, SummaryPoint } from "../../src/model/MetricData.ts"
import type { ReaderPreferences } from "../../src/metrics/MeterProvider.ts"
import { metric, setup, total, values } from "./support.ts"

const withRegistry = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.provideService(effect, Metric.MetricRegistry, new Map())

const connect = (preferences?: ReaderPreferences) =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    const diagnostics = Diagnostics.make({ write: (line) => lines.push(line) })
    const source = yield* Effect.provideService(EffectMetrics.make(), Diagnostics.Diagnostics, diagnostics)
    return { ...yield* setup({ ...preferences, producers: [source] }), lines }
  })

describe("EffectMetrics", () => {
  it.effect("every kind of Effect's metrics, as it stands", () =>
    withRegistry(Effect.gen(function*() {
      const { lines, reader } = yield* connect()
      yield* Metric.update(Metric.counter("up", { incremental: true, bigint: true, description: "d" }), 3n)
      yield* Metric.update(Metric.counter("upDown"), -1.5)
      yield* Metric.update(Metric.withAttributes(Metric.gauge("g"), { unit: "By", host: "a" }), 7)
      const words = Metric.frequency("f")
      for (const word of ["x", "y", "x"]) yield* Metric.update(words, word)
      const histogram = Metric.histogram("h", { boundaries: Metric.boundariesFromIterable([1, 10]) })
      for (const value of [1, 5, 50]) yield* Metric.update(histogram, value)
      const summary = Metric.summary("s", { maxAge: "1 minute", maxSize: 10, quantiles: [0.5] })
      for (const value of [1, 2, 3]) yield* Metric.update(summary, value)
      const timer = Metric.timer("t")
      yield* Metric.update(timer, Duration.seconds(1))

      const { metrics } = reader.collect()
      assert.deepInclude(metric(metrics, "up"), { type: "sum", isMonotonic: true, temporality: "cumulative" })
      assert.deepStrictEqual(values(metric(metrics, "up")), [[{}, 3n]])
      assert.strictEqual(metrics[0]!.description, "d")
      assert.deepInclude(metric(metrics, "upDown"), { type: "sum", isMonotonic: false })
      assert.deepStrictEqual(values(metric(metrics, "upDown")), [[{}, -1.5]])
      assert.deepStrictEqual(values(metric(metrics, "g")), [[{ unit: "By", host: "a" }, 7]])
      assert.strictEqual(metrics.find(({ name }) => name === "g")!.unit, "By")
      assert.deepStrictEqual(values(metric(metrics, "f")), [[{ key: "x" }, 2n], [{ key: "y" }, 1n]])
      assert.deepInclude(metric(metrics, "h").points[0] as HistogramPoint, {
        count: 3,
        sum: 56,
        min: 1,
        max: 50,
        bounds: [1, 10],
        bucketCounts: [1, 1, 1]
      })
      assert.deepInclude(metric(metrics, "s").points[0] as SummaryPoint, {
        count: 3,
        sum: 6,
        quantiles: [{ quantile: 0.5, value: 2 }]
      })
      assert.strictEqual(metrics.find(({ name }) => name === "t")!.unit, "ms")
      assert.deepStrictEqual(lines, [])
    })))

  it.effect("deltas are told by what arrived before, and a metric that comes back starts anew", () =>
    withRegistry(Effect.gen(function*() {
      const { reader } = yield* connect({ temporality: "delta" })
      const counter = Metric.counter("c", { incremental: true })
      const histogram = Metric.histogram("h", { boundaries: [1] })
      yield* Metric.update(counter, 5)
      yield* Metric.update(histogram, 1)
      reader.collect().commit()
      yield* TestClock.adjust(1000)
      yield* Metric.update(counter, 2)
      yield* Metric.update(histogram, 9)
      // It does not arrive.
      reader.collect()
      yield* Metric.update(counter, 1)
      const second = reader.collect()
      const [point] = metric(second.metrics, "c").points as ReadonlyArray<NumberPoint>
      assert.deepInclude(point, { value: 3, startTimeUnixNano: 0n, timeUnixNano: 1_000_000_000n })
      assert.deepInclude(metric(second.metrics, "h").points[0] as HistogramPoint, {
        count: 1,
        sum: 9,
        min: undefined,
        bucketCounts: [0, 1]
      })
      second.commit()
      yield* Metric.remove(counter)
      yield* Metric.update(counter, 4)
      assert.deepStrictEqual(values(metric(reader.collect().metrics, "c")), [[{}, 4]])
    })))

  it.effect("one metric that fails, or has another's name, takes no other with it", () =>
    withRegistry(Effect.gen(function*() {
      const { lines, reader } = yield* connect()
      const context = Context.make(Metric.MetricRegistry, yield* Metric.MetricRegistry)
      Metric.registerUnsafe(Metric.gauge("broken"), context, {
        get: () => {
          throw new Error("no")
        },
        update: () => {},
        modify: () => {}
      })
      yield* Metric.update(Metric.counter("same"), 1)
      yield* Metric.update(Metric.gauge("same"), 2)
      const { metrics } = reader.collect()
      assert.deepStrictEqual(metrics.map(({ data, name }) => [name, data.type]), [["same", "sum"], ["same", "gauge"]])
      assert.lengthOf(lines, 2)
      assert.include(lines[0], "Effect's metric broken cannot be read: Error: no")
      assert.include(lines[1], "Effect's metric same exists with several kinds")
    })))

  it.effect("no more series than the limit, and what is beyond added up", () =>
    withRegistry(Effect.gen(function*() {
      const { reader } = yield* connect({ cardinalityLimit: () => 3 })
      const counter = Metric.counter("c", { incremental: true })
      const histogram = Metric.histogram("h", { boundaries: [2] })
      for (let i = 0; i < 5; i++) {
        yield* Metric.update(Metric.withAttributes(counter, { user: String(i) }), i)
        yield* Metric.update(Metric.withAttributes(histogram, { user: String(i) }), i)
      }
      const { metrics } = reader.collect()
      const data = metric(metrics, "c")
      assert.deepStrictEqual(values(data).map(([attributes]) => attributes), [
        { user: "0" },
        { user: "1" },
        { user: "2" },
        { "otel.metric.overflow": true }
      ])
      assert.strictEqual(total(data), 10)
      assert.deepInclude(metric(metrics, "h").points[3] as HistogramPoint, {
        count: 2,
        sum: 7,
        min: 3,
        max: 4,
        bucketCounts: [0, 2]
      })
    })))
})
