import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { HistogramPoint } from "../../src/model/MetricData.ts"
import * as MeterProvider from "../../src/metrics/MeterProvider.ts"
import type { View } from "../../src/metrics/View.ts"
import { metric, setup, values } from "./support.ts"

const withViews = (...views: ReadonlyArray<View>) => setup(undefined, { views })

describe("View", () => {
  it.effect("renames, keeps and leaves out attribute keys, and adds up what that makes the same", () =>
    Effect.gen(function*() {
      const { meter, reader } = yield* withViews(
        { select: { name: "requests" }, name: "by_route", description: "d", attributeKeys: ["route"] },
        { select: { name: "requests" }, name: "by_user", excludedAttributeKeys: ["route"] }
      )
      const counter = meter.createCounter("requests")
      counter.add(1, { route: "/a", user: 1 })
      counter.add(2, { route: "/a", user: 2 })
      counter.add(4, { route: "/b", user: 2 })
      const { metrics } = reader.collect()
      assert.deepStrictEqual(metrics.map(({ description, name }) => [name, description]), [
        ["by_route", "d"],
        ["by_user", ""]
      ])
      assert.deepStrictEqual(values(metric(metrics, "by_route")), [[{ route: "/a" }, 3], [{ route: "/b" }, 4]])
      assert.deepStrictEqual(values(metric(metrics, "by_user")), [[{ user: 1 }, 1], [{ user: 2 }, 6]])
    }))

  it.effect("adds up observations that it makes the same", () =>
    Effect.gen(function*() {
      const { meter, reader } = yield* withViews({ select: { name: "o*" }, attributeKeys: ["a"] })
      meter.createObservableCounter("oc", {}, ({ observe }) => {
        for (const b of [1, 2, 3]) observe(b, { a: "x", b })
      })
      assert.deepStrictEqual(values(metric(reader.collect().metrics, "oc")), [[{ a: "x" }, 6]])
    }))

  it.effect("selects by wildcard, kind, unit and meter, and drops", () =>
    Effect.gen(function*() {
      const { meter, provider, reader } = yield* withViews(
        { select: { name: "HTTP.*", kind: "histogram" }, aggregation: { type: "drop" } },
        { select: { unit: "By" }, aggregation: { type: "drop" } },
        { select: { meterName: "noisy" }, aggregation: { type: "drop" } },
        { select: { name: "x?" }, description: "two letters" }
      )
      meter.createHistogram("http.duration").record(1)
      meter.createCounter("http.requests").add(1)
      meter.createCounter("bytes", { unit: "By" }).add(1)
      meter.createCounter("xy").add(1)
      meter.createCounter("xyz").add(1)
      provider.getMeter("noisy").createCounter("c").add(1)
      assert.deepStrictEqual(reader.collect().metrics.map(({ description, name }) => [name, description]), [
        ["http.requests", ""],
        ["xy", "two letters"],
        ["xyz", ""]
      ])
    }))

  it.effect("gives an aggregation, and where an instrument cannot have it, its default", () =>
    Effect.gen(function*() {
      const { lines, meter, reader } = yield* withViews(
        { select: { name: "h" }, aggregation: { type: "explicitBucketHistogram", bounds: [2], recordMinMax: false } },
        { select: { name: "s" }, aggregation: { type: "sum" } },
        { select: { name: "c" }, aggregation: { type: "lastValue" } },
        { select: { name: "u" }, aggregation: { type: "explicitBucketHistogram" } }
      )
      meter.createHistogram("h", { advice: { explicitBucketBoundaries: [1, 10] } }).record(5)
      meter.createHistogram("s").record(5)
      meter.createCounter("c").add(5)
      meter.createUpDownCounter("u").add(-5)
      const { metrics } = reader.collect()
      const [h] = metric(metrics, "h").points as ReadonlyArray<HistogramPoint>
      assert.deepInclude(h, { bounds: [2], bucketCounts: [0, 1], min: undefined, max: undefined })
      assert.deepStrictEqual(values(metric(metrics, "s")), [[{}, 5]])
      assert.strictEqual(metric(metrics, "c").type, "sum")
      // Where values may be negative, a sum says nothing about a rate (`metrics/data-model.md#histogram`).
      assert.deepStrictEqual(values(metric(metrics, "u")), [[{}, [1, undefined]]])
      assert.lengthOf(lines, 1)
      assert.include(lines[0], "the instrument c cannot have the aggregation lastValue")
    }))

  it.effect("advice of attributes holds until a view says something about them", () =>
    Effect.gen(function*() {
      const { meter, reader } = yield* withViews(
        { select: { name: "b" }, attributeKeys: ["y"] },
        { select: { name: "c" }, description: "nothing about attributes" }
      )
      for (const name of ["a", "b", "c"]) {
        meter.createCounter(name, { advice: { attributes: ["x"] } }).add(1, { x: 1, y: 2 })
      }
      const { metrics } = reader.collect()
      assert.deepStrictEqual(
        ["a", "b", "c"].map((name) => values(metric(metrics, name))[0]![0]),
        [
          { x: 1 },
          { y: 2 },
          { x: 1 }
        ]
      )
    }))

  it.effect("views that cannot be are errors that name them", () =>
    Effect.gen(function*() {
      const wrong: ReadonlyArray<readonly [View, string]> = [
        [
          { select: { name: "a*" }, name: "b" },
          "views[0]: name is \"b\", yet select.name is not the name of one instrument"
        ],
        [{ select: {}, cardinalityLimit: 0 }, "views[0]: cardinalityLimit is 0; expected an integer of 1 or more"],
        [
          { select: {}, aggregation: { type: "explicitBucketHistogram", bounds: [2, 1] } },
          "views[0]: aggregation.bounds must be finite and ascend"
        ],
        [
          { select: {}, aggregation: { type: "exponentialHistogram", maxSize: 1 } },
          "views[0]: aggregation.maxSize is 1; expected an integer from 2 to 16384"
        ],
        [
          { select: {}, aggregation: { type: "exponentialHistogram", maxScale: 21 } },
          "views[0]: aggregation.maxScale is 21; expected an integer from -10 to 20"
        ]
      ]
      for (const [view, message] of wrong) {
        assert.strictEqual((yield* Effect.flip(MeterProvider.make({ views: [view] }))).message, message)
      }
    }))
})
