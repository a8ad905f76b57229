/**
 * The same measurements through OpenTelemetry JS and through us, compared point by point as the official decoder reads
 * them; and where the two differ, the sentence of the specification that says who is right.
 */
import { ValueType } from "@opentelemetry/api"
import { resourceFromAttributes } from "@opentelemetry/resources"
import * as Sdk from "@opentelemetry/sdk-metrics"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { createRequire } from "node:module"
import type { Meter, ValueType as OwnValueType } from "../../src/metrics/Meter.ts"
import * as MeterProvider from "../../src/metrics/MeterProvider.ts"
import * as Resource from "../../src/model/Resource.ts"
import * as OtlpMetricsProtobuf from "../../src/otlp/OtlpMetricsProtobuf.ts"
import { metricsFromProtobuf } from "../otlp/official.ts"

// Their ES modules import without file extensions, which only a bundler resolves.
const { ProtobufMetricsSerializer } = createRequire(import.meta.url)(
  "@opentelemetry/otlp-transformer"
) as typeof import("@opentelemetry/otlp-transformer")

class Reader extends Sdk.MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve()
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve()
  }
}

type Preference = "cumulative" | "delta"

interface Setup {
  readonly temporality?: Preference
  readonly limit?: number
  readonly exponential?: boolean
  readonly views?: ReadonlyArray<Sdk.ViewOptions>
}

/** What both meters have in common, so that one program drives either. */
type Program = (
  meter: Pick<
    Meter,
    | "createCounter"
    | "createUpDownCounter"
    | "createGauge"
    | "createHistogram"
    | "createObservableCounter"
    | "createObservableGauge"
    | "createObservableUpDownCounter"
  >,
  int: OwnValueType
) => void

interface Driven {
  readonly meter: Parameters<Program>[0]
  readonly int: OwnValueType
  readonly collect: Effect.Effect<ReadonlyArray<object>>
}

const isDelta = (type: Sdk.InstrumentType): boolean =>
  type === Sdk.InstrumentType.COUNTER || type === Sdk.InstrumentType.HISTOGRAM ||
  type === Sdk.InstrumentType.OBSERVABLE_COUNTER

const theirs = ({ exponential, limit = 2000, temporality = "cumulative", views = [] }: Setup): Driven => {
  const reader = new Reader({
    aggregationTemporalitySelector: (type) =>
      temporality === "delta" && isDelta(type)
        ? Sdk.AggregationTemporality.DELTA
        : Sdk.AggregationTemporality.CUMULATIVE,
    aggregationSelector: (type) =>
      exponential === true && type === Sdk.InstrumentType.HISTOGRAM
        ? { type: Sdk.AggregationType.EXPONENTIAL_HISTOGRAM }
        : { type: Sdk.AggregationType.DEFAULT },
    cardinalitySelector: () => limit
  })
  const provider = new Sdk.MeterProvider({
    resource: resourceFromAttributes({ "service.name": "shop" }),
    readers: [reader],
    views: [...views]
  })
  return {
    meter: provider.getMeter("m", "1") as unknown as Driven["meter"],
    int: ValueType.INT as unknown as OwnValueType,
    collect: Effect.map(
      Effect.promise(() => reader.collect()),
      ({ resourceMetrics }) => decode(ProtobufMetricsSerializer.serializeRequest(resourceMetrics)!)
    )
  }
}

const ours = Effect.fnUntraced(
  function*(
    { exponential, limit = 2000, temporality = "cumulative" }: Setup,
    options?: MeterProvider.MeterProviderOptions
  ) {
    const provider = yield* MeterProvider.make({ resource: Resource.make({ "service.name": "shop" }), ...options })
    const reader = provider.addReader({
      temporality,
      cardinalityLimit: () => limit,
      aggregation: (kind) => ({
        type: exponential === true && kind === "histogram" ? "exponentialHistogram" : "default"
      })
    })
    const driven: Driven = {
      meter: provider.getMeter("m", { version: "1" }),
      int: "int",
      collect: Effect.sync(() => {
        const { commit, metrics } = reader.collect()
        commit()
        return decode(OtlpMetricsProtobuf.encoder.encode(metrics))
      })
    }
    return driven
  }
)

type Json = { readonly [key: string]: unknown }

/** The metrics of a body, without what two runs cannot share: times, and the order of attributes and of points. */
const decode = (body: Uint8Array): ReadonlyArray<object> => {
  const { resourceMetrics } = metricsFromProtobuf(body) as {
    readonly resourceMetrics: ReadonlyArray<{
      readonly resource: Json
      readonly scopeMetrics: ReadonlyArray<{ readonly scope: Json; readonly metrics: ReadonlyArray<Json> }>
    }>
  }
  return resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics, scope }) =>
      metrics.map((metric) => ({ resource, scope, ...clean(metric) as object }))
    )
  )
}

const byText = (a: unknown, b: unknown): number => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1

const clean = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(clean)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).filter(([key]) => !key.endsWith("imeUnixNano")).map(([key, inner]) => {
      const cleaned = clean(inner)
      const isSet = key === "attributes" || key === "dataPoints"
      return [key, isSet ? (cleaned as Array<unknown>).sort(byText) : cleaned]
    })
  )
}

/** The values of all points of the metric `name`, and how many points there are. */
const numbers = (metrics: ReadonlyArray<object>, name: string): ReadonlyArray<number> => {
  const metric = (metrics as ReadonlyArray<Json>).find((metric) => metric["name"] === name)
  const { dataPoints } = (metric?.["sum"] ?? { dataPoints: [] }) as { readonly dataPoints: ReadonlyArray<Json> }
  return dataPoints.map((point) => Number(point["asInt"] ?? point["asDouble"]))
}

const sum = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0)

const Attributes = Schema.Struct({
  text: Schema.Literals(["a", "b", "ü"]),
  number: Schema.Literals([1, 2.5]),
  flag: Schema.Boolean
})
const Step = Schema.Union([
  Schema.Struct({
    instrument: Schema.Literals(["counter", "upDown", "gauge", "histogram", "latency"]),
    value: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20_000 })),
    attributes: Attributes
  }),
  Schema.Literal("collect")
])

// Of zeros alone the two have other scales, see below.
const withoutZero = (step: typeof Step.Type): typeof Step.Type =>
  step === "collect" ? step : { ...step, value: step.value + 1 }

const run = Effect.fnUntraced(function*({ collect, int, meter }: Driven, steps: ReadonlyArray<typeof Step.Type>) {
  const instruments = {
    counter: meter.createCounter("counter", { unit: "{thing}", description: "things", valueType: int }),
    upDown: meter.createUpDownCounter("upDown"),
    gauge: meter.createGauge("gauge"),
    histogram: meter.createHistogram("histogram", { unit: "ms" }),
    latency: meter.createHistogram("latency", { advice: { explicitBucketBoundaries: [1, 100, 1000] } })
  }
  const totals = new Map<string, readonly [number, object]>()
  const observe = (result: { readonly observe: (value: number, attributes: never) => void }): void =>
    totals.forEach(([value, attributes]) => result.observe(value, attributes as never))
  meter.createObservableCounter("observedCounter", { valueType: int }).addCallback(observe)
  meter.createObservableUpDownCounter("observedUpDown").addCallback(observe)
  meter.createObservableGauge("observedGauge").addCallback(observe)
  const collected: Array<ReadonlyArray<object>> = []
  for (const step of [...steps, "collect" as const]) {
    if (step === "collect") {
      collected.push(yield* collect)
      continue
    }
    const { attributes, instrument, value } = step
    if (instrument === "counter") instruments.counter.add(value, attributes)
    else if (instrument === "upDown") instruments.upDown.add(value % 2 === 0 ? value : -value, attributes)
    else instruments[instrument].record(value, attributes)
    const key = JSON.stringify(attributes)
    totals.set(key, [(totals.get(key)?.[0] ?? 0) + value, attributes])
  }
  return collected
})

describe("metrics beside OpenTelemetry JS", () => {
  for (const temporality of ["cumulative", "delta"] as const) {
    for (const exponential of [false, true]) {
      it.effect.prop(
        `the same points: ${temporality}, ${exponential ? "exponential" : "explicit"} histograms`,
        { steps: Schema.Array(Step) },
        ({ steps }) =>
          Effect.gen(function*() {
            const setup = { temporality, exponential }
            const measured = exponential ? steps.map(withoutZero) : steps
            assert.deepStrictEqual(yield* run(yield* ours(setup), measured), yield* run(theirs(setup), measured))
          }),
        { arbitrary: { runs: 60, size: 30 } }
      )
    }
  }

  // `metrics/sdk.md#maintain-the-ideal-scale`: "When the histogram contains not more than one value in either of the
  // positive or negative ranges, the implementation SHOULD use the maximum scale."
  it.effect("the scale of zeros is the maximum, where theirs is 0", () =>
    Effect.gen(function*() {
      const program = Effect.fnUntraced(function*({ collect, meter }: Driven) {
        meter.createHistogram("h").record(0)
        const [metric] = (yield* collect) as ReadonlyArray<{
          readonly exponentialHistogram: { readonly dataPoints: ReadonlyArray<Json> }
        }>
        return metric!.exponentialHistogram.dataPoints[0]!
      })
      const setup = { exponential: true }
      assert.deepInclude(yield* program(theirs(setup)), { count: "1", zeroCount: "1", scale: 0 })
      assert.deepInclude(yield* program(yield* ours(setup)), { count: "1", zeroCount: "1", scale: 20 })
    }))

  it.effect("the same through views", () =>
    Effect.gen(function*() {
      const { AggregationType, createAllowListAttributesProcessor } = Sdk
      const program = Effect.fnUntraced(function*({ collect, meter }: Driven) {
        const counter = meter.createCounter("requests")
        for (let i = 0; i < 6; i++) counter.add(i, { route: `/${i % 2}`, user: i })
        meter.createHistogram("sizes").record(3)
        meter.createCounter("noise.a").add(1)
        return yield* collect
      })
      const left = yield* program(
        yield* ours({}, {
          views: [
            { select: { name: "requests" }, name: "by_route", description: "d", attributeKeys: ["route"] },
            { select: { name: "sizes" }, aggregation: { type: "explicitBucketHistogram", bounds: [1, 2] } },
            { select: { name: "noise.*" }, aggregation: { type: "drop" } }
          ]
        })
      )
      const right = yield* program(theirs({
        views: [
          {
            instrumentName: "requests",
            name: "by_route",
            description: "d",
            attributesProcessors: [createAllowListAttributesProcessor(["route"])]
          },
          {
            instrumentName: "sizes",
            aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: [1, 2] } }
          },
          { instrumentName: "noise.*", aggregation: { type: AggregationType.DROP } }
        ]
      }))
      assert.deepStrictEqual(left, right)
    }))

  // `metrics/sdk.md#cardinality-limits`: "the cardinality limit is a hard limit on the number of Metric Points that can be
  // collected during a collection cycle".
  it.effect("the limit holds for cumulative series, where theirs grow by as many in every cycle", () =>
    Effect.gen(function*() {
      const program = Effect.fnUntraced(function*({ collect, meter }: Driven) {
        const counter = meter.createCounter("c")
        const points: Array<readonly [number, number]> = []
        for (let cycle = 0; cycle < 5; cycle++) {
          for (let i = 0; i < 8; i++) counter.add(1, { user: cycle * 8 + i })
          const values = numbers(yield* collect, "c")
          points.push([values.length, sum(values)])
        }
        return points
      })
      assert.deepStrictEqual((yield* program(theirs({ limit: 10 }))).map(([count]) => count), [8, 16, 24, 32, 40])
      assert.deepStrictEqual(yield* program(yield* ours({ limit: 10 })), [
        [8, 8],
        [11, 16],
        [11, 24],
        [11, 32],
        [11, 40]
      ])
    }))

  // `metrics/sdk.md#overflow-attribute`: "overflow would not happen if the maximum number of distinct, non-overflow
  // attribute sets is less than or equal to the limit".
  it.effect("as many sets as the limit allows do not overflow, where theirs do", () =>
    Effect.gen(function*() {
      const program = Effect.fnUntraced(function*({ collect, meter }: Driven) {
        const counter = meter.createCounter("c")
        for (let i = 0; i < 10; i++) counter.add(1, { user: i })
        return JSON.stringify(yield* collect).includes("otel.metric.overflow")
      })
      for (const temporality of ["cumulative", "delta"] as const) {
        assert.isTrue(yield* program(theirs({ limit: 10, temporality })))
        assert.isFalse(yield* program(yield* ours({ limit: 10, temporality })))
      }
    }))

  // `metrics/sdk.md#asynchronous-instrument-cardinality-limits` and `#overflow-attribute`: measurements must not be
  // dropped, and are counted once.
  it.effect("observations beyond the limit are counted, where theirs lose some", () =>
    Effect.gen(function*() {
      const program = Effect.fnUntraced(function*({ collect, meter }: Driven) {
        let cycle = 0
        meter.createObservableCounter("c").addCallback(({ observe }: {
          readonly observe: (value: number, attributes: never) => void
        }) => {
          cycle++
          for (let i = 0; i < 6; i++) observe(100 * cycle + i, { shard: i } as never)
        })
        return [sum(numbers(yield* collect, "c")), sum(numbers(yield* collect, "c"))]
      })
      const [first, second] = yield* program(theirs({ limit: 3 }))
      assert.isBelow(first!, 615)
      assert.isBelow(second!, 1215)
      assert.deepStrictEqual(yield* program(yield* ours({ limit: 3 })), [615, 1215])
    }))
})
