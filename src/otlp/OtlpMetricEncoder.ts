/** The port between collected metrics and how they are written. */
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { MetricData } from "../model/MetricData.ts"
import type { Resource } from "../model/Resource.ts"

/** A way of writing metrics in OTLP. */
export interface OtlpMetricEncoder {
  /** `application/x-protobuf` or `application/json`. */
  readonly contentType: string
  /** The body of one `ExportMetricsServiceRequest`, grouped by the identity of resource and scope. */
  readonly encode: (metrics: ReadonlyArray<MetricData>) => Uint8Array
}

/** Metrics of one scope. */
export interface ScopeGroup {
  readonly scope: InstrumentationScope
  readonly metrics: ReadonlyArray<MetricData>
}

/** Scopes of one resource. */
export interface ResourceGroup {
  readonly resource: Resource
  readonly scopes: ReadonlyArray<ScopeGroup>
}

/** Metrics by resource and scope, each in the order in which they first appear. */
export const group = (metrics: ReadonlyArray<MetricData>): ReadonlyArray<ResourceGroup> => {
  const resources = new Map<Resource, Map<InstrumentationScope, Array<MetricData>>>()
  for (const metric of metrics) {
    let scopes = resources.get(metric.resource)
    if (scopes === undefined) resources.set(metric.resource, scopes = new Map())
    const known = scopes.get(metric.scope)
    if (known === undefined) scopes.set(metric.scope, [metric])
    else known.push(metric)
  }
  return [...resources].map(([resource, scopes]) => ({
    resource,
    scopes: [...scopes].map(([scope, metrics]) => ({ scope, metrics }))
  }))
}
