/**
 * Collected metrics as immutable values: their types, their JSON, and the values that tests generate, all from one
 * Schema (`metrics/data-model.md`).
 *
 * **Details**
 *
 * In JSON, times are decimal strings, a double that JSON has no number for is its name, and an integer value is an object
 * of one key, `int`. This is the library's own form, for snapshots and tests; OTLP has another.
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { Attributes, type AttributesEncoded } from "./Attributes.ts"
import { InstrumentationScope, type InstrumentationScopeEncoded } from "./InstrumentationScope.ts"
import { Resource, type ResourceEncoded } from "./Resource.ts"
import { SpanId, TraceId } from "./SpanContext.ts"
import { UnixNano } from "./SpanData.ts"

/** Whether a point covers the time since the last one, or since its start (`metrics/data-model.md#temporality`). */
export type Temporality = "delta" | "cumulative"

/** A value of a point: a `bigint` is a 64-bit integer, a `number` a double, whatever it holds. */
export type MetricValue = number | bigint

/** One measurement that went into a point, and the span it was taken in (`metrics/data-model.md#exemplars`). */
export interface Exemplar {
  readonly timeUnixNano: bigint
  readonly value: MetricValue
  readonly traceId: string | undefined
  readonly spanId: string | undefined
  /** Attributes of the measurement that its point does not have, since a view left them out. */
  readonly filteredAttributes: Attributes
}

interface Point {
  readonly attributes: Attributes
  /** The first moment that the point covers. */
  readonly startTimeUnixNano: bigint
  readonly timeUnixNano: bigint
}

/** A point of a sum or a gauge. */
export interface NumberPoint extends Point {
  readonly value: MetricValue
  readonly exemplars: ReadonlyArray<Exemplar>
}

interface Distribution extends Point {
  readonly count: number
  /** Absent where values may be negative. */
  readonly sum: number | undefined
  readonly min: number | undefined
  readonly max: number | undefined
  readonly exemplars: ReadonlyArray<Exemplar>
}

/** A point of a histogram with explicit bounds. */
export interface HistogramPoint extends Distribution {
  /** Upper bounds, inclusive, ascending and finite. */
  readonly bounds: ReadonlyArray<number>
  /** One more than there are bounds, or none when only count and sum are known. */
  readonly bucketCounts: ReadonlyArray<number>
}

/** Consecutive buckets of an exponential histogram: bucket `offset + i` holds `(base^(offset + i), base^(offset + i + 1)]`. */
export interface ExponentialBuckets {
  readonly offset: number
  readonly bucketCounts: ReadonlyArray<number>
}

/** A point of an exponential histogram, of which the base is `2^(2^-scale)`. */
export interface ExponentialHistogramPoint extends Distribution {
  readonly scale: number
  readonly zeroCount: number
  readonly zeroThreshold: number
  readonly positive: ExponentialBuckets
  readonly negative: ExponentialBuckets
}

/** A point of a summary: quantiles that were computed before. */
export interface SummaryPoint extends Point {
  readonly count: number
  readonly sum: number
  readonly quantiles: ReadonlyArray<{ readonly quantile: number; readonly value: number }>
}

/** The points of a metric, by its kind. */
export type MetricPoints =
  | {
    readonly type: "sum"
    readonly temporality: Temporality
    readonly isMonotonic: boolean
    readonly points: ReadonlyArray<NumberPoint>
  }
  | { readonly type: "gauge"; readonly points: ReadonlyArray<NumberPoint> }
  | { readonly type: "histogram"; readonly temporality: Temporality; readonly points: ReadonlyArray<HistogramPoint> }
  | {
    readonly type: "exponentialHistogram"
    readonly temporality: Temporality
    readonly points: ReadonlyArray<ExponentialHistogramPoint>
  }
  | { readonly type: "summary"; readonly points: ReadonlyArray<SummaryPoint> }

/** A metric as one collection found it. */
export interface MetricData {
  readonly name: string
  /** `""` for none. */
  readonly description: string
  /** In the case-sensitive form of UCUM, as in `ms` or `By`; `""` for none. */
  readonly unit: string
  readonly scope: InstrumentationScope
  readonly resource: Resource
  readonly data: MetricPoints
}

/** A double as JSON has it. */
export type DoubleEncoded = number | "NaN" | "Infinity" | "-Infinity" | "-0"

/** {@link MetricValue} as JSON has it. */
export type MetricValueEncoded = DoubleEncoded | { readonly int: string }

/** {@link Exemplar} as JSON has it. */
export interface ExemplarEncoded {
  readonly timeUnixNano: string
  readonly value: MetricValueEncoded
  readonly traceId: string | null
  readonly spanId: string | null
  readonly filteredAttributes: AttributesEncoded
}

interface PointEncoded {
  readonly attributes: AttributesEncoded
  readonly startTimeUnixNano: string
  readonly timeUnixNano: string
}

/** {@link NumberPoint} as JSON has it. */
export interface NumberPointEncoded extends PointEncoded {
  readonly value: MetricValueEncoded
  readonly exemplars: ReadonlyArray<ExemplarEncoded>
}

interface DistributionEncoded extends PointEncoded {
  readonly count: number
  readonly sum: DoubleEncoded | null
  readonly min: DoubleEncoded | null
  readonly max: DoubleEncoded | null
  readonly exemplars: ReadonlyArray<ExemplarEncoded>
}

/** {@link HistogramPoint} as JSON has it. */
export interface HistogramPointEncoded extends DistributionEncoded {
  readonly bounds: ReadonlyArray<DoubleEncoded>
  readonly bucketCounts: ReadonlyArray<number>
}

/** {@link ExponentialHistogramPoint} as JSON has it. */
export interface ExponentialHistogramPointEncoded extends DistributionEncoded {
  readonly scale: number
  readonly zeroCount: number
  readonly zeroThreshold: DoubleEncoded
  readonly positive: ExponentialBuckets
  readonly negative: ExponentialBuckets
}

/** {@link SummaryPoint} as JSON has it. */
export interface SummaryPointEncoded extends PointEncoded {
  readonly count: number
  readonly sum: DoubleEncoded
  readonly quantiles: ReadonlyArray<{ readonly quantile: DoubleEncoded; readonly value: DoubleEncoded }>
}

/** {@link MetricPoints} as JSON has them. */
export type MetricPointsEncoded =
  | {
    readonly type: "sum"
    readonly temporality: Temporality
    readonly isMonotonic: boolean
    readonly points: ReadonlyArray<NumberPointEncoded>
  }
  | { readonly type: "gauge"; readonly points: ReadonlyArray<NumberPointEncoded> }
  | {
    readonly type: "histogram"
    readonly temporality: Temporality
    readonly points: ReadonlyArray<HistogramPointEncoded>
  }
  | {
    readonly type: "exponentialHistogram"
    readonly temporality: Temporality
    readonly points: ReadonlyArray<ExponentialHistogramPointEncoded>
  }
  | { readonly type: "summary"; readonly points: ReadonlyArray<SummaryPointEncoded> }

/** {@link MetricData} as JSON has it. */
export interface MetricDataEncoded {
  readonly name: string
  readonly description: string
  readonly unit: string
  readonly scope: InstrumentationScopeEncoded
  readonly resource: ResourceEncoded
  readonly data: MetricPointsEncoded
}

/** Schema of {@link Temporality}. */
export const Temporality: Schema.Codec<Temporality> = Schema.Literals(["delta", "cumulative"])

const isJsonNumber = (value: number): boolean => Number.isFinite(value) && !Object.is(value, -0)

const Double: Schema.Codec<number, DoubleEncoded> = Schema.Union([
  Schema.Finite,
  Schema.Literals(["NaN", "Infinity", "-Infinity", "-0"])
]).pipe(Schema.decodeTo(
  Schema.Number,
  SchemaTransformation.transform<number, DoubleEncoded>({
    decode: Number,
    encode: (value) =>
      isJsonNumber(value) ? value : Object.is(value, -0) ? "-0" : String(value) as Exclude<DoubleEncoded, number>
  })
))

const Int: Schema.Codec<bigint, { readonly int: string }> = Schema.Struct({
  int: Schema.String.check(Schema.isPattern(/^-?\d{1,19}$/))
}).pipe(Schema.decodeTo(
  Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: -(2n ** 63n), maximum: 2n ** 63n - 1n })),
  SchemaTransformation.transform<bigint, { readonly int: string }>({
    decode: ({ int }) => BigInt(int),
    encode: (int) => ({ int: String(int) })
  })
))

/** Schema of {@link MetricValue}. */
export const MetricValue: Schema.Codec<MetricValue, MetricValueEncoded> = Schema.Union([Int, Double])

const orNull = <A, E>(codec: Schema.Codec<A, E>): Schema.Codec<A | undefined, E | null> =>
  Schema.NullOr(codec).pipe(Schema.decodeTo(
    Schema.UndefinedOr(Schema.toType(codec)),
    SchemaTransformation.transform<A | undefined, A | null>({
      decode: (value) => value ?? undefined,
      encode: (value) => value ?? null
    })
  ))

const Count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))

/** Schema of {@link Exemplar}. */
export const Exemplar: Schema.Codec<Exemplar, ExemplarEncoded> = Schema.Struct({
  timeUnixNano: UnixNano,
  value: MetricValue,
  traceId: orNull(TraceId),
  spanId: orNull(SpanId),
  filteredAttributes: Attributes
})

const point = { attributes: Attributes, startTimeUnixNano: UnixNano, timeUnixNano: UnixNano }

const distribution = {
  ...point,
  count: Count,
  sum: orNull(Double),
  min: orNull(Double),
  max: orNull(Double),
  exemplars: Schema.Array(Exemplar)
}

/** Schema of {@link NumberPoint}. */
export const NumberPoint: Schema.Codec<NumberPoint, NumberPointEncoded> = Schema.Struct({
  ...point,
  value: MetricValue,
  exemplars: Schema.Array(Exemplar)
})

/** Schema of {@link HistogramPoint}. */
export const HistogramPoint: Schema.Codec<HistogramPoint, HistogramPointEncoded> = Schema.Struct({
  ...distribution,
  bounds: Schema.Array(Double),
  bucketCounts: Schema.Array(Count)
})

const Int32 = Schema.Int.check(Schema.isInt32())

/** Schema of {@link ExponentialBuckets}. */
export const ExponentialBuckets: Schema.Codec<ExponentialBuckets> = Schema.Struct({
  offset: Int32,
  bucketCounts: Schema.Array(Count)
})

/** Schema of {@link ExponentialHistogramPoint}. */
export const ExponentialHistogramPoint: Schema.Codec<ExponentialHistogramPoint, ExponentialHistogramPointEncoded> =
  Schema.Struct({
    ...distribution,
    scale: Int32,
    zeroCount: Count,
    zeroThreshold: Double,
    positive: ExponentialBuckets,
    negative: ExponentialBuckets
  })

/** Schema of {@link SummaryPoint}. */
export const SummaryPoint: Schema.Codec<SummaryPoint, SummaryPointEncoded> = Schema.Struct({
  ...point,
  count: Count,
  sum: Double,
  quantiles: Schema.Array(Schema.Struct({ quantile: Double, value: Double }))
})

/** Schema of {@link MetricPoints}. */
export const MetricPoints: Schema.Codec<MetricPoints, MetricPointsEncoded> = Schema.Union([
  Schema.Struct({
    type: Schema.Literal("sum"),
    temporality: Temporality,
    isMonotonic: Schema.Boolean,
    points: Schema.Array(NumberPoint)
  }),
  Schema.Struct({ type: Schema.Literal("gauge"), points: Schema.Array(NumberPoint) }),
  Schema.Struct({ type: Schema.Literal("histogram"), temporality: Temporality, points: Schema.Array(HistogramPoint) }),
  Schema.Struct({
    type: Schema.Literal("exponentialHistogram"),
    temporality: Temporality,
    points: Schema.Array(ExponentialHistogramPoint)
  }),
  Schema.Struct({ type: Schema.Literal("summary"), points: Schema.Array(SummaryPoint) })
])

/** Schema of {@link MetricData}. */
export const MetricData: Schema.Codec<MetricData, MetricDataEncoded> = Schema.Struct({
  name: Schema.String,
  description: Schema.String,
  unit: Schema.String,
  scope: InstrumentationScope,
  resource: Resource,
  data: MetricPoints
})
