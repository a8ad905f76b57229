import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Exemplar, MetricPoints } from "../../src/model/MetricData.ts"
import type { Measurement } from "../../src/metrics/Exemplars.ts"
import { metric, setup } from "./support.ts"

const exemplars = (data: MetricPoints): ReadonlyArray<Exemplar> =>
  data.points.flatMap((point) => "exemplars" in point ? point.exemplars : [])

describe("exemplars", () => {
  it.effect("lead from a point to the sampled span of the fiber, with what the view left out", () =>
    Effect.gen(function*() {
      const { meter, reader } = yield* setup(undefined, { views: [{ select: {}, attributeKeys: ["route"] }] })
      const counter = meter.createCounter("c", { valueType: "int" })
      counter.add(1, { route: "/a" })
      yield* TestClock.adjust(1000)
      const span = yield* Effect.gen(function*() {
        counter.add(2, { route: "/a", user: 7 })
        return yield* Effect.currentSpan
      }).pipe(Effect.withSpan("s"))
      assert.deepStrictEqual(
        exemplars(metric(reader.collect().metrics, "c")).map((exemplar) => ({
          ...exemplar,
          filteredAttributes: { ...exemplar.filteredAttributes }
        })),
        [{
          value: 2n,
          timeUnixNano: 1_000_000_000n,
          traceId: span.traceId,
          spanId: span.spanId,
          filteredAttributes: { user: 7 }
        }]
      )
      // Each is reported once.
      assert.deepStrictEqual(exemplars(metric(reader.collect().metrics, "c")), [])
      yield* Effect.withSpan(Effect.sync(() => counter.add(1)), "unsampled", { sampled: false })
      assert.deepStrictEqual(exemplars(metric(reader.collect().metrics, "c")), [])
    }))

  it.effect("of a histogram: one for each bucket", () =>
    Effect.gen(function*() {
      const { meter, reader } = yield* setup(undefined, { exemplarFilter: "always_on" })
      const histogram = meter.createHistogram("h", { advice: { explicitBucketBoundaries: [1, 10] } })
      for (const value of [0.5, 5, 6, 7, 100]) histogram.record(value)
      const kept = exemplars(metric(reader.collect().metrics, "h"))
      assert.deepStrictEqual(kept.map(({ value }) => Number(value) <= 1 ? 0 : Number(value) <= 10 ? 1 : 2), [0, 1, 2])
      assert.deepStrictEqual(kept.map(({ spanId, traceId }) => [traceId, spanId]), [
        [undefined, undefined],
        [undefined, undefined],
        [undefined, undefined]
      ])
    }))

  it.effect("can be had none of, or by a reservoir of one's own", () =>
    Effect.gen(function*() {
      const off = yield* setup(undefined, { exemplarFilter: "always_off" })
      off.meter.createCounter("c").add(1)
      assert.deepStrictEqual(exemplars(metric(off.reader.collect().metrics, "c")), [])

      const offered: Array<Measurement> = []
      const own = yield* setup(undefined, {
        exemplarFilter: "always_on",
        views: [{
          select: { name: "h" },
          exemplarReservoir: (buckets) => {
            assert.strictEqual(buckets, 16)
            return { offer: (measurement) => offered.push(measurement), collect: () => [] }
          }
        }]
      })
      own.meter.createHistogram("h").record(30)
      assert.deepStrictEqual(offered.map(({ bucket, value }) => [bucket, value]), [[4, 30]])
    }))
})
