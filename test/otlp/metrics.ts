/** What the official decoder must see of metrics, built by the plainest code there is. */
import * as Schema from "effect/Schema"
import * as MetricData from "../../src/model/MetricData.ts"
import { base64, distinct, keyValues } from "./official.ts"

const number = (value: MetricData.MetricValue): object =>
  typeof value === "bigint" ? { asInt: String(value) } : { asDouble: value }

const exemplar = (exemplar: MetricData.Exemplar): object => ({
  filteredAttributes: keyValues(exemplar.filteredAttributes),
  timeUnixNano: String(exemplar.timeUnixNano),
  ...number(exemplar.value),
  spanId: base64(exemplar.spanId ?? ""),
  traceId: base64(exemplar.traceId ?? "")
})

const base = (point: MetricData.MetricPoints["points"][number]) => ({
  attributes: keyValues(point.attributes),
  startTimeUnixNano: String(point.startTimeUnixNano),
  timeUnixNano: String(point.timeUnixNano),
  flags: 0
})

const numberPoint = (point: MetricData.NumberPoint): object => ({
  ...base(point),
  ...number(point.value),
  exemplars: point.exemplars.map(exemplar)
})

const optional = (name: string, value: number | undefined): object => value === undefined ? {} : { [name]: value }

const distribution = (point: MetricData.HistogramPoint | MetricData.ExponentialHistogramPoint): object => ({
  ...base(point),
  count: String(point.count),
  ...optional("sum", point.sum),
  ...optional("min", point.min),
  ...optional("max", point.max),
  exemplars: point.exemplars.map(exemplar)
})

const buckets = ({ bucketCounts, offset }: MetricData.ExponentialBuckets): object => ({
  offset,
  bucketCounts: bucketCounts.map(String)
})

const temporality = (value: MetricData.Temporality): object => ({ aggregationTemporality: value === "delta" ? 1 : 2 })

const data = (data: MetricData.MetricPoints): object => {
  switch (data.type) {
    case "gauge":
      return { gauge: { dataPoints: data.points.map(numberPoint) } }
    case "sum":
      return {
        sum: {
          dataPoints: data.points.map(numberPoint),
          ...temporality(data.temporality),
          isMonotonic: data.isMonotonic
        }
      }
    case "histogram":
      return {
        histogram: {
          dataPoints: data.points.map((point) => ({
            ...distribution(point),
            bucketCounts: point.bucketCounts.map(String),
            explicitBounds: [...point.bounds]
          })),
          ...temporality(data.temporality)
        }
      }
    case "exponentialHistogram":
      return {
        exponentialHistogram: {
          dataPoints: data.points.map((point) => ({
            ...distribution(point),
            scale: point.scale,
            zeroCount: String(point.zeroCount),
            positive: buckets(point.positive),
            negative: buckets(point.negative),
            zeroThreshold: point.zeroThreshold
          })),
          ...temporality(data.temporality)
        }
      }
    case "summary":
      return {
        summary: {
          dataPoints: data.points.map((point) => ({
            ...base(point),
            count: String(point.count),
            sum: point.sum,
            quantileValues: point.quantiles.map(({ quantile, value }) => ({ quantile, value }))
          }))
        }
      }
  }
}

/** The request that holds `metrics`, grouped by the identity of resource and scope in order of appearance. */
export const expected = (metrics: ReadonlyArray<MetricData.MetricData>): object => ({
  resourceMetrics: distinct(metrics.map((metric) => metric.resource)).map((resource) => {
    const ofResource = metrics.filter((metric) => metric.resource === resource)
    return {
      resource: { attributes: keyValues(resource.attributes), droppedAttributesCount: 0, entityRefs: [] },
      scopeMetrics: distinct(ofResource.map((metric) => metric.scope)).map((scope) => ({
        scope: {
          name: scope.name.toWellFormed(),
          version: (scope.version ?? "").toWellFormed(),
          attributes: keyValues(scope.attributes ?? {}),
          droppedAttributesCount: 0
        },
        metrics: ofResource.filter((metric) => metric.scope === scope).map((metric) => ({
          name: metric.name.toWellFormed(),
          description: metric.description.toWellFormed(),
          unit: metric.unit.toWellFormed(),
          metadata: [],
          ...data(metric.data)
        })),
        schemaUrl: (scope.schemaUrl ?? "").toWellFormed()
      })),
      schemaUrl: (resource.schemaUrl ?? "").toWellFormed()
    }
  })
})

/** Some metrics, of which neighbours share resource and scope. */
export const metrics = Schema.Array(MetricData.MetricData)

export const shared = (metrics: ReadonlyArray<MetricData.MetricData>): ReadonlyArray<MetricData.MetricData> =>
  metrics.map((metric, i) => {
    const other = metrics[i - i % 3]!
    return { ...metric, resource: other.resource, scope: i % 2 === 0 ? other.scope : metric.scope }
  })
