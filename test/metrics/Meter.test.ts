import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { ExponentialHistogramPoint, HistogramPoint, NumberPoint } from "../../src/model/MetricData.ts"
import * as Resource from "../../src/model/Resource.ts"
import { metric, setup, values } from "./support.ts"

describe("Meter", () => {
  it.effect("every kind of instrument reports what it is told", () =>
    Effect.gen(function*() {
      const { lines, meter, reader } = yield* setup(undefined, { resource: Resource.make({ "service.name": "shop" }) })
      const counter = meter.createCounter("requests", { unit: "{request}", description: "seen", valueType: "int" })
      counter.add(1, { route: "/a", ok: true })
      counter.add(2, { ok: true, route: "/a" })
      counter.add(5, { route: "/a", ok: "true" })
      const upDown = meter.createUpDownCounter("open")
      upDown.add(3)
      upDown.add(-5)
      const gauge = meter.createGauge("temperature")
      gauge.record(20, { room: 1 })
      gauge.record(-3.5, { room: 1 })
      const histogram = meter.createHistogram("size", { advice: { explicitBucketBoundaries: [1, 10] } })
      for (const value of [1, 1.5, 10, 11]) histogram.record(value)
      meter.createObservableCounter("cpu", {}, ({ observe }) => {
        observe(1, { core: 0 })
        observe(7, { core: 0 })
        observe(2, { core: 1 })
      })
      meter.createObservableUpDownCounter("queue", {}, ({ observe }) => observe(-4))
      meter.createObservableGauge("load", {}, ({ observe }) => observe(0.5))

      const { metrics } = reader.collect()
      assert.deepStrictEqual(metrics.map(({ name }) => name), [
        "requests",
        "open",
        "temperature",
        "size",
        "cpu",
        "queue",
        "load"
      ])
      const [requests] = metrics
      assert.strictEqual(requests!.unit, "{request}")
      assert.strictEqual(requests!.description, "seen")
      assert.deepStrictEqual(requests!.scope, { name: "test", version: "1" })
      assert.strictEqual(requests!.resource.attributes["service.name"], "shop")
      assert.deepInclude(requests!.data, { type: "sum", isMonotonic: true, temporality: "cumulative" })
      assert.deepStrictEqual(values(requests!.data), [
        [{ ok: true, route: "/a" }, 3n],
        [{ ok: "true", route: "/a" }, 5n]
      ])
      assert.deepInclude(metric(metrics, "open"), { type: "sum", isMonotonic: false })
      assert.deepStrictEqual(values(metric(metrics, "open")), [[{}, -2]])
      assert.strictEqual(metric(metrics, "temperature").type, "gauge")
      assert.deepStrictEqual(values(metric(metrics, "temperature")), [[{ room: 1 }, -3.5]])
      const [size] = metric(metrics, "size").points as ReadonlyArray<HistogramPoint>
      assert.deepInclude(size, { count: 4, sum: 23.5, min: 1, max: 11, bounds: [1, 10], bucketCounts: [1, 2, 1] })
      assert.deepStrictEqual(values(metric(metrics, "cpu")), [[{ core: 0 }, 7], [{ core: 1 }, 2]])
      assert.deepStrictEqual(values(metric(metrics, "queue")), [[{}, -4]])
      assert.deepStrictEqual(values(metric(metrics, "load")), [[{}, 0.5]])
      assert.deepStrictEqual(lines, [])
    }))

  it.effect("a bound series is the same series, also after it was forgotten", () =>
    Effect.gen(function*() {
      const { meter, reader } = yield* setup({ temporality: "delta" })
      const counter = meter.createCounter("c")
      const bound = counter.bind({ a: 1 })
      bound.add(1)
      counter.add(1, { a: 1 })
      const first = reader.collect()
      assert.deepStrictEqual(values(metric(first.metrics, "c")), [[{ a: 1 }, 2]])
      first.commit()
      // An interval without a measurement: the series goes.
      reader.collect().commit()
      assert.deepStrictEqual(reader.collect().metrics, [])
      bound.add(4)
      counter.add(3, { a: 1 })
      assert.deepStrictEqual(values(metric(reader.collect().metrics, "c")), [[{ a: 1 }, 7]])
    }))

  it.effect("what is no measurement is ignored and told of, and nothing throws", () =>
    Effect.gen(function*() {
      const { lines, meter, reader } = yield* setup()
      const counter = meter.createCounter("c")
      const hostile = Object.defineProperty({}, "a", {
        enumerable: true,
        get: () => {
          throw new Error("no")
        }
      })
      for (const value of [-1, NaN, Infinity, "1", undefined, 1n]) counter.add(value as number)
      counter.add(1, hostile)
      counter.add(
        1,
        new Proxy({}, {
          getPrototypeOf: () => {
            throw new Error("no")
          }
        })
      )
      counter.add(1, null as never)
      meter.createObservableGauge("g", {}, ({ observe }) => {
        observe(1)
        throw new Error("callback")
      })
      const { metrics } = reader.collect()
      assert.deepStrictEqual(values(metric(metrics, "c")), [[{}, 3]])
      assert.deepStrictEqual(values(metric(metrics, "g")), [[{}, 1]])
      assert.lengthOf(lines, 2)
      assert.include(lines[0], "the instrument c ignores -1")
      assert.include(lines[1], "callback")
    }))

  it.effect("functions of the program that throw cost what they are for, and nothing else", () =>
    Effect.gen(function*() {
      const no = (): never => {
        throw new Error("no")
      }
      const { lines, meter, reader } = yield* setup({
        aggregation: (kind) => kind === "gauge" ? no() : { type: "default" },
        producers: [
          { connect: () => no },
          {
            connect: () => () => [{
              name: "p",
              description: "",
              unit: "",
              scope: { name: "p" },
              data: { type: "gauge", points: [] },
              commit: no
            }]
          }
        ]
      }, {
        exemplarFilter: "always_on",
        views: [
          { select: { name: "offers" }, exemplarReservoir: () => ({ offer: no, collect: () => [] }) },
          { select: { name: "collects" }, exemplarReservoir: () => ({ offer: () => {}, collect: no }) }
        ]
      })
      meter.createGauge("gauge").record(1)
      meter.createCounter("offers").add(1)
      meter.createCounter("collects").add(1)
      const { commit, metrics } = reader.collect()
      commit()
      assert.deepStrictEqual(metrics.map(({ name }) => name), ["offers", "collects"])
      assert.deepStrictEqual(lines.map((line) => line.replace(/^effect-telemetry \w+: /, "")), [
        "metrics: the instrument gauge has no stream: Error: no",
        "metrics: the instrument offers has no exemplar: Error: no",
        "metrics: a producer throws: Error: no"
      ])
      const broken = yield* setup(undefined, { currentSpan: no })
      broken.meter.createCounter("c").add(1)
      assert.lengthOf(broken.reader.collect().metrics, 1)
    }))

  it.effect("instruments of the same name: the same one, or both and a word about it", () =>
    Effect.gen(function*() {
      const { lines, meter, provider, reader } = yield* setup()
      meter.createCounter("Hits", { unit: "1" }).add(1)
      meter.createCounter("hits", { unit: "1" }).add(1)
      assert.lengthOf(lines, 0)
      assert.deepStrictEqual(values(metric(reader.collect().metrics, "Hits")), [[{}, 2]])
      meter.createHistogram("hits").record(1)
      assert.lengthOf(lines, 1)
      assert.deepStrictEqual(reader.collect().metrics.map(({ data, name }) => [name, data.type]), [
        ["Hits", "sum"],
        ["Hits", "histogram"]
      ])
      assert.strictEqual(provider.getMeter("test", { version: "1" }), meter)
      provider.getMeter("other").createCounter("hits").add(1)
      assert.lengthOf(reader.collect().metrics, 3)
      meter.createCounter("0 is no name").add(1)
      assert.lengthOf(reader.collect().metrics, 4)
      assert.lengthOf(lines, 2)
    }))

  it.effect("each series starts at its first measurement; a delta, where the last one that arrived ended", () =>
    Effect.gen(function*() {
      const { meter, provider, reader } = yield* setup()
      const delta = provider.addReader({ temporality: "delta" })
      const counter = meter.createCounter("c")
      const starts = (reader: typeof delta) => {
        const collection = reader.collect()
        const points = metric(collection.metrics, "c").points as ReadonlyArray<NumberPoint>
        return {
          ...collection,
          starts: points.map((point) => [point.startTimeUnixNano / 1_000_000n, point.timeUnixNano / 1_000_000n])
        }
      }
      yield* TestClock.adjust(1000)
      counter.add(1, { a: 1 })
      yield* TestClock.adjust(1000)
      counter.add(1, { a: 2 })
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(starts(reader).starts, [[1000n, 3000n], [2000n, 3000n]])
      const first = starts(delta)
      assert.deepStrictEqual(first.starts, [[0n, 3000n], [0n, 3000n]])
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(starts(delta).starts, [[0n, 4000n], [0n, 4000n]])
      first.commit()
      counter.add(1, { a: 1 })
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(starts(delta).starts, [[3000n, 5000n]])
      assert.deepStrictEqual(starts(reader).starts, [[1000n, 5000n], [2000n, 5000n]])
    }))

  it.effect("an idle series expires, and starts anew when it comes back", () =>
    Effect.gen(function*() {
      const { meter, reader } = yield* setup({ expireAfter: "1 minute" })
      const counter = meter.createCounter("c")
      const bound = counter.bind({ a: 1 })
      bound.add(5)
      counter.add(1, { a: 2 })
      reader.collect()
      yield* TestClock.adjust("1 minute")
      counter.add(1, { a: 2 })
      assert.deepStrictEqual(values(metric(reader.collect().metrics, "c")), [[{ a: 1 }, 5], [{ a: 2 }, 2]])
      assert.deepStrictEqual(values(metric(reader.collect().metrics, "c")), [[{ a: 2 }, 2]])
      bound.add(1)
      const points = metric(reader.collect().metrics, "c").points as ReadonlyArray<NumberPoint>
      assert.deepStrictEqual(points.map(({ startTimeUnixNano, value }) => [startTimeUnixNano, value]), [
        [0n, 2],
        [60_000_000_000n, 1]
      ])
    }))

  it.effect("the limit of deltas is one of each interval: what has been reported makes room", () =>
    Effect.gen(function*() {
      const { meter, reader } = yield* setup({ temporality: "delta", cardinalityLimit: () => 2 })
      const counter = meter.createCounter("c")
      const add = (...users: ReadonlyArray<number>) => users.forEach((user) => counter.add(1, { user }))
      add(1, 2)
      reader.collect().commit()
      add(3, 4)
      const second = reader.collect()
      assert.deepStrictEqual(values(metric(second.metrics, "c")), [[{ user: 3 }, 1], [{ user: 4 }, 1]])
      // It has not arrived: its series are still needed.
      add(5)
      assert.deepStrictEqual(values(metric(reader.collect().metrics, "c")), [
        [{ user: 3 }, 1],
        [{ user: 4 }, 1],
        [{ "otel.metric.overflow": true }, 1]
      ])
    }))

  it.effect("observed totals are never counted twice, whoever is observed beyond the limit", () =>
    Effect.gen(function*() {
      const { meter, reader } = yield* setup({ temporality: "delta", cardinalityLimit: () => 1 })
      let totals: Record<string, number> = {}
      meter.createObservableCounter("c", {}, ({ observe }) => {
        for (const [set, total] of Object.entries(totals)) observe(total, { set })
      })
      const report = (next: Record<string, number>) => {
        totals = next
        const { commit, metrics } = reader.collect()
        commit()
        return values(metric(metrics, "c"))
      }
      const overflow = { "otel.metric.overflow": true }
      assert.deepStrictEqual(report({ a: 10, b: 5, c: 7 }), [[{ set: "a" }, 10], [overflow, 12]])
      assert.deepStrictEqual(report({ a: 11, b: 5 }), [[{ set: "a" }, 1], [overflow, 0]])
      assert.deepStrictEqual(report({ b: 8 }), [[overflow, 3]])
      assert.deepStrictEqual(report({ a: 12, b: 8 }), [[{ set: "a" }, 1], [overflow, 0]])
    }))

  it.effect("temporality follows the kind", () =>
    Effect.gen(function*() {
      const { meter, provider, reader } = yield* setup({ temporality: "delta" })
      const low = provider.addReader({ temporality: "lowmemory" })
      meter.createCounter("counter").add(1)
      meter.createUpDownCounter("upDown").add(1)
      meter.createHistogram("histogram").record(1)
      meter.createObservableCounter("observed", {}, ({ observe }) => observe(1))
      meter.createObservableUpDownCounter("observedUpDown", {}, ({ observe }) => observe(1))
      const of = (reader: typeof low) =>
        reader.collect().metrics.map(({ data, name }) => [name, "temporality" in data ? data.temporality : ""])
      assert.deepStrictEqual(of(reader), [
        ["counter", "delta"],
        ["upDown", "cumulative"],
        ["histogram", "delta"],
        ["observed", "delta"],
        ["observedUpDown", "cumulative"]
      ])
      assert.deepStrictEqual(of(low).filter(([, temporality]) => temporality === "delta").map(([name]) => name), [
        "counter",
        "histogram"
      ])
    }))

  it.effect("minimum and maximum of a delta are those of its interval", () =>
    Effect.gen(function*() {
      const { meter, reader } = yield* setup({ temporality: "delta" })
      const histogram = meter.createHistogram("h")
      histogram.record(1)
      histogram.record(100)
      reader.collect().commit()
      histogram.record(7)
      const [point] = metric(reader.collect().metrics, "h").points as ReadonlyArray<HistogramPoint>
      assert.deepInclude(point, { count: 1, sum: 7, min: 7, max: 7 })
      histogram.record(3)
      const [merged] = metric(reader.collect().metrics, "h").points as ReadonlyArray<HistogramPoint>
      assert.deepInclude(merged, { count: 2, sum: 10, min: 3, max: 7 })
    }))

  it.effect("a reader may want exponential histograms", () =>
    Effect.gen(function*() {
      const { meter, reader } = yield* setup({
        aggregation: (kind) => kind === "histogram" ? { type: "exponentialHistogram", maxSize: 4 } : { type: "default" }
      })
      const histogram = meter.createHistogram("h")
      for (const value of [0, 1, 2, 4]) histogram.record(value)
      const [point] = metric(reader.collect().metrics, "h").points as ReadonlyArray<ExponentialHistogramPoint>
      assert.deepInclude(point, { count: 4, sum: 7, min: 0, max: 4, scale: 0, zeroCount: 1, zeroThreshold: 0 })
      assert.deepStrictEqual(point!.positive, { offset: -1, bucketCounts: [1, 1, 1] })
      assert.deepStrictEqual(point!.negative, { offset: 0, bucketCounts: [] })
    }))
})
