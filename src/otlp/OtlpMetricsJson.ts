/** Metrics in JSON (`opentelemetry-proto`, `docs/specification.md#json-protobuf-encoding`). It mirrors `OtlpMetricsProtobuf.ts`. */
import type { Attributes, AttributeValue } from "../model/Attributes.ts"
import type {
  Exemplar,
  ExponentialHistogramPoint,
  HistogramPoint,
  MetricData,
  MetricPoints,
  MetricValue,
  NumberPoint,
  SummaryPoint
} from "../model/MetricData.ts"
import { group, type OtlpMetricEncoder } from "./OtlpMetricEncoder.ts"

// What JSON has no number for is its name; a member that is `undefined` is not written.
const double = (value: number | undefined): number | string | undefined =>
  value === undefined || (Number.isFinite(value) && !Object.is(value, -0))
    ? value
    : Object.is(value, -0)
    ? "-0"
    : String(value)

const anyValue = (value: AttributeValue): object => {
  switch (typeof value) {
    case "string":
      return { stringValue: value.toWellFormed() }
    case "boolean":
      return { boolValue: value }
    case "bigint":
      return { intValue: String(value) }
    case "number":
      return Number.isSafeInteger(value) && !Object.is(value, -0)
        ? { intValue: String(value) }
        : { doubleValue: double(value) }
  }
  if (value === null) return {}
  if (value instanceof Uint8Array) return { bytesValue: base64(value) }
  return Array.isArray(value)
    ? { arrayValue: { values: (value as ReadonlyArray<AttributeValue>).map(anyValue) } }
    : { kvlistValue: { values: keyValues(value as Attributes) } }
}

const base64 = (bytes: Uint8Array): string => {
  let text = ""
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

const keyValues = (attributes: Attributes | undefined): ReadonlyArray<object> =>
  Object.keys(attributes ?? {}).map((key) => ({ key: key.toWellFormed(), value: anyValue(attributes![key]!) }))

const number = (value: MetricValue): object =>
  typeof value === "number" ? { asDouble: double(value) } : { asInt: String(value) }

const exemplars = (list: ReadonlyArray<Exemplar>): ReadonlyArray<object> | undefined =>
  list.length === 0 ? undefined : list.map((exemplar) => ({
    timeUnixNano: String(exemplar.timeUnixNano),
    ...number(exemplar.value),
    spanId: exemplar.spanId,
    traceId: exemplar.traceId,
    filteredAttributes: keyValues(exemplar.filteredAttributes)
  }))

const base = (point: NumberPoint | HistogramPoint | ExponentialHistogramPoint | SummaryPoint) => ({
  attributes: keyValues(point.attributes),
  startTimeUnixNano: String(point.startTimeUnixNano),
  timeUnixNano: String(point.timeUnixNano)
})

const distribution = (point: HistogramPoint | ExponentialHistogramPoint) => ({
  ...base(point),
  count: String(point.count),
  sum: double(point.sum),
  min: double(point.min),
  max: double(point.max),
  exemplars: exemplars(point.exemplars)
})

const buckets = ({ bucketCounts, offset }: ExponentialHistogramPoint["positive"]): object => ({
  offset,
  bucketCounts: bucketCounts.map(String)
})

// Member by member: there are thousands of these, and to spread an object takes ten times as long.
const numberPoint = ({ attributes, exemplars: list, startTimeUnixNano, timeUnixNano, value }: NumberPoint): object => ({
  attributes: keyValues(attributes),
  startTimeUnixNano: String(startTimeUnixNano),
  timeUnixNano: String(timeUnixNano),
  asDouble: typeof value === "number" ? double(value) : undefined,
  asInt: typeof value === "bigint" ? String(value) : undefined,
  exemplars: exemplars(list)
})

const histogramPoint = (point: HistogramPoint): object => ({
  ...distribution(point),
  bucketCounts: point.bucketCounts.map(String),
  explicitBounds: point.bounds.map(double)
})

const exponentialPoint = (point: ExponentialHistogramPoint): object => ({
  ...distribution(point),
  scale: point.scale,
  zeroCount: String(point.zeroCount),
  zeroThreshold: double(point.zeroThreshold),
  positive: buckets(point.positive),
  negative: buckets(point.negative)
})

const summaryPoint = (point: SummaryPoint): object => ({
  ...base(point),
  count: String(point.count),
  sum: double(point.sum),
  quantileValues: point.quantiles.map(({ quantile, value }) => ({ quantile: double(quantile), value: double(value) }))
})

const temporality = { delta: 1, cumulative: 2 } as const

const data = (data: MetricPoints): object => {
  switch (data.type) {
    case "gauge":
      return { gauge: { dataPoints: data.points.map(numberPoint) } }
    case "sum":
      return {
        sum: {
          dataPoints: data.points.map(numberPoint),
          aggregationTemporality: temporality[data.temporality],
          isMonotonic: data.isMonotonic
        }
      }
    case "histogram":
      return {
        histogram: {
          dataPoints: data.points.map(histogramPoint),
          aggregationTemporality: temporality[data.temporality]
        }
      }
    case "exponentialHistogram":
      return {
        exponentialHistogram: {
          dataPoints: data.points.map(exponentialPoint),
          aggregationTemporality: temporality[data.temporality]
        }
      }
    case "summary":
      return { summary: { dataPoints: data.points.map(summaryPoint) } }
  }
}

const metric = (value: MetricData): object => ({
  name: value.name.toWellFormed(),
  description: value.description.toWellFormed(),
  unit: value.unit.toWellFormed(),
  ...data(value.data)
})

/**
 * Writes `ExportMetricsServiceRequest` in JSON, with the same content as `OtlpMetricsProtobuf.encoder`.
 *
 * **Details**
 *
 * Ids in lowercase hexadecimal, enumerations as integers, 64-bit integers, counts and times as decimal strings, bytes in
 * base64; `"NaN"`, `"Infinity"`, `"-Infinity"` and `"-0"` are strings.
 */
export const encoder: OtlpMetricEncoder = {
  contentType: "application/json",
  encode: (metrics) =>
    new TextEncoder().encode(JSON.stringify({
      resourceMetrics: group(metrics).map(({ resource, scopes }) => ({
        resource: { attributes: keyValues(resource.attributes) },
        scopeMetrics: scopes.map(({ metrics, scope }) => ({
          scope: {
            name: scope.name.toWellFormed(),
            version: scope.version?.toWellFormed(),
            attributes: keyValues(scope.attributes)
          },
          metrics: metrics.map(metric),
          schemaUrl: scope.schemaUrl?.toWellFormed()
        })),
        schemaUrl: resource.schemaUrl?.toWellFormed()
      }))
    }))
}
