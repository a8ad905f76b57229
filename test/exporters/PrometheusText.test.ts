import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { explicitOf } from "../../src/exporters/explicitBuckets.ts"
import { format, negotiate, type Options } from "../../src/exporters/PrometheusText.ts"
import * as EH from "../../src/metrics/ExponentialHistogram.ts"
import type { ExponentialHistogramPoint, MetricData } from "../../src/model/MetricData.ts"
import * as Resource from "../../src/model/Resource.ts"
import { setup } from "../metrics/support.ts"

const point = { startTimeUnixNano: 0n, timeUnixNano: 1_000_000_000n, exemplars: [] }

const metric = (name: string, data: MetricData["data"], more?: Partial<MetricData>): MetricData => ({
  name,
  description: "",
  unit: "",
  scope: { name: "lib", version: "1.0" },
  resource: Resource.empty,
  data,
  ...more
})

const counter = (name: string, attributes = {}, unit = "", description = ""): MetricData =>
  metric(name, {
    type: "sum",
    temporality: "cumulative",
    isMonotonic: true,
    points: [{ ...point, attributes, value: 3n }]
  }, { unit, description })

const lines = (metrics: ReadonlyArray<MetricData>, options?: Options): ReadonlyArray<string> =>
  format(metrics, { scopeLabels: false, ...options }).trimEnd().split("\n")

describe("PrometheusText", () => {
  it("names have their unit and counters their _total, once", () => {
    const names = (metric: MetricData, options?: Options) => lines([metric], options).at(-1)!.split(/[{ ]/)[0]
    assert.strictEqual(
      names(counter("http.server.request.duration", {}, "s")),
      "http_server_request_duration_seconds_total"
    )
    assert.strictEqual(names(counter("bytes_total", {}, "By")), "bytes_total")
    assert.strictEqual(names(counter("io", {}, "By/s")), "io_bytes_per_second_total")
    assert.strictEqual(names(counter("requests", {}, "{request}")), "requests_total")
    assert.strictEqual(names(counter("2xx--a")), "_2xx_a_total")
    assert.strictEqual(names(counter("requests", {}, "s"), { suffixes: false }), "requests")
    const gauge = (unit: string) =>
      metric("load", { type: "gauge", points: [{ ...point, attributes: {}, value: 0.5 }] }, { unit })
    assert.strictEqual(names(gauge("1")), "load_ratio")
    assert.strictEqual(names(gauge("ms")), "load_milliseconds")
  })

  it("labels are escaped, sanitized, joined where they become the same, and tell the scope", () => {
    const attributes = { "a.b": "x", "a/b": "y", "1st": "q\"\\\n", tags: ["a", 1], big: 7n, "__name": "z" }
    assert.strictEqual(
      lines([counter("c", attributes)]).at(-1),
      String.raw`c_total{key_1st="q\"\\\n",_name="z",a_b="x;y",big="7",tags="[\"a\",1]"} 3`
    )
    assert.strictEqual(
      lines([counter("c", {})], { scopeLabels: true }).at(-1),
      `c_total{otel_scope_name="lib",otel_scope_version="1.0"} 3`
    )
  })

  it("UTF-8 names stay as they are, among the labels", () => {
    assert.deepStrictEqual(lines([counter("http.requests", { "http.route": "/a" })], { escaping: "allow-utf-8" }), [
      `# TYPE "http.requests_total" counter`,
      `{"http.requests_total","http.route"="/a"} 3`
    ])
  })

  it("type, help and unit stand once for each name; another type of the same name is left out", () => {
    const gauge = metric("c_total", { type: "gauge", points: [{ ...point, attributes: {}, value: 1 }] })
    const resource = Resource.make({ "service.name": "shop" })
    const metrics = [{ ...counter("c", { a: 1 }, "s", "what\n\"it\" is"), resource }, counter("c", { a: 2 }, "s")]
    assert.deepStrictEqual(lines(metrics), [
      "# TYPE target_info gauge",
      "# HELP target_info Target metadata",
      `target_info{service_name="shop"} 1`,
      "# TYPE c_seconds_total counter",
      String.raw`# HELP c_seconds_total what\n"it" is`,
      `c_seconds_total{a="1"} 3`,
      `c_seconds_total{a="2"} 3`
    ])
    assert.deepStrictEqual(lines(metrics, { format: "openmetrics", targetInfo: false }), [
      "# TYPE c_seconds counter",
      "# UNIT c_seconds seconds",
      String.raw`# HELP c_seconds what\n\"it\" is`,
      `c_seconds_total{a="1"} 3`,
      `c_seconds_total{a="2"} 3`,
      "# EOF"
    ])
    const upDown = metric("c", { type: "gauge", points: [{ ...point, attributes: {}, value: 1 }] })
    assert.lengthOf(lines([counter("c"), upDown]), 2)
    assert.lengthOf(lines([counter("c"), { ...gauge, name: "d" }]), 4)
    const delta = metric("d", { type: "sum", temporality: "delta", isMonotonic: true, points: [] })
    assert.strictEqual(format([delta]), "")
  })

  it("histograms are cumulative, with exemplars in OpenMetrics; summaries have quantiles", () => {
    const exemplar = {
      timeUnixNano: 1_500_000_000n,
      value: 5,
      traceId: "0".repeat(31) + "1",
      spanId: "0".repeat(15) + "2",
      filteredAttributes: { user: "x".repeat(200) }
    }
    const histogram = metric("h", {
      type: "histogram",
      temporality: "cumulative",
      points: [{
        ...point,
        attributes: {},
        count: 4,
        sum: 17.5,
        min: 1,
        max: 11,
        bounds: [1, 10],
        bucketCounts: [1, 2, 1],
        exemplars: [exemplar]
      }]
    })
    assert.deepStrictEqual(lines([histogram]), [
      "# TYPE h histogram",
      `h_bucket{le="1"} 1`,
      `h_bucket{le="10"} 3`,
      `h_bucket{le="+Inf"} 4`,
      "h_sum 17.5",
      "h_count 4"
    ])
    assert.deepStrictEqual(lines([histogram], { format: "openmetrics" }).slice(1, 4), [
      `h_bucket{le="1.0"} 1`,
      `h_bucket{le="10.0"} 3 # {trace_id="${exemplar.traceId}",span_id="${exemplar.spanId}"} 5 1.500000000`,
      `h_bucket{le="+Inf"} 4`
    ])
    const summary = metric("s", {
      type: "summary",
      points: [{ ...point, attributes: {}, count: 2, sum: 3, quantiles: [{ quantile: 0.5, value: NaN }] }]
    })
    assert.deepStrictEqual(lines([summary]), ["# TYPE s summary", `s{quantile="0.5"} NaN`, "s_sum 3", "s_count 2"])
  })

  it.effect("an Accept header chooses the format", () =>
    Effect.sync(() => {
      assert.strictEqual(negotiate(undefined).contentType, "text/plain; version=0.0.4; charset=utf-8")
      // Prometheus 2.42 and 3.
      const old = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
      assert.deepInclude(negotiate(old), { format: "openmetrics", escaping: "underscores" })
      const recent =
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;q=0.5"
      assert.deepStrictEqual(negotiate(recent), {
        format: "openmetrics",
        escaping: "allow-utf-8",
        contentType: "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
      })
      assert.strictEqual(negotiate("text/html, */*;q=0.1").format, "text")
      assert.strictEqual(negotiate("application/openmetrics-text;version=9;q=1").format, "text")
      assert.strictEqual(negotiate("application/openmetrics-text;q=0").format, "text")
    }))

  it.effect.prop("an exponential histogram under explicit bounds keeps its counts, and where they lie", {
    values: Schema.Array(Schema.Finite)
  }, ({ values }) =>
    Effect.gen(function*() {
      const { meter, reader } = yield* setup(undefined, {
        views: [{ select: { name: "h" }, aggregation: { type: "exponentialHistogram" } }]
      })
      const upDown = meter.createUpDownCounter("h")
      for (const value of values) upDown.add(value)
      const histogram = new EH.ExponentialHistogram()
      values.forEach((value) => histogram.record(value))
      const [found] = reader.collect().metrics.flatMap(({ data }) =>
        data.points as ReadonlyArray<ExponentialHistogramPoint>
      )
      if (found === undefined) return
      const explicit = explicitOf(found)
      assert.strictEqual(explicit.bucketCounts.reduce((a, b) => a + b, 0), values.length)
      explicit.bounds.forEach((bound, i) => assert.isTrue(i === 0 || bound > explicit.bounds[i - 1]!))
      let below = 0
      explicit.bounds.forEach((bound, i) => {
        below += explicit.bucketCounts[i]!
        // The bounds are rounded, and those of negative values are exclusive.
        const slack = Math.abs(bound) * 1e-9 + Number.MIN_VALUE
        assert.isAtLeast(below, values.filter((value) => value < bound - slack).length)
        assert.isAtMost(below, values.filter((value) => value <= bound + slack).length)
      })
    }), { arbitrary: { runs: 100, size: 40 } })
})
