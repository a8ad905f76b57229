/** Metrics over OTLP/HTTP (`protocol/exporter.md`, `opentelemetry-proto/docs/specification.md#otlphttp`). */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { MetricData } from "../model/MetricData.ts"
import type { OtlpPayload } from "../otlp/OtlpEncoder.ts"
import type { OtlpMetricEncoder } from "../otlp/OtlpMetricEncoder.ts"
import * as OtlpMetricsJson from "../otlp/OtlpMetricsJson.ts"
import * as OtlpMetricsProtobuf from "../otlp/OtlpMetricsProtobuf.ts"
import { batches, countPoints, MetricExporter, type MetricExporterShape } from "./MetricExporter.ts"
import * as otlpExporter from "./otlpExporter.ts"

/** Options of {@link make}. */
export interface OtlpMetricExporterOptions extends otlpExporter.OtlpExporterOptions {
  /** Default `http/protobuf`. */
  readonly protocol?: "http/protobuf" | "http/json" | undefined
}

/**
 * Makes an exporter that posts metrics to an OTLP/HTTP endpoint.
 *
 * **Details**
 *
 * Sends and retries as `OtlpSpanExporter.make` says. With the `delivery` of an exporter to the same server, both share
 * what is learned about the server.
 *
 * What a batch comes to, point by point: `2xx` exported, less what a partial success reports (`partial_rejected`). A batch
 * above `maxRequestBytes`, or one that is answered by `413`, is split, and a single point that is still too large is
 * dropped (`oversize`). Any other status: `permanent_status`, with the server's message in diagnostics. No answer within
 * the retry age: `retry_exhausted`; an unusable one: `export_error`. There is no spool: what is delta waits in its series,
 * and what is cumulative is in the next report, too.
 */
export const make = (
  options: OtlpMetricExporterOptions
): Effect.Effect<MetricExporterShape, never, Scope.Scope> =>
  makeWith(options.protocol === "http/json" ? OtlpMetricsJson.encoder : OtlpMetricsProtobuf.encoder, options)

/** {@link make} with a given encoder, so that a bundle carries only that one. */
export const makeWith = (
  encoder: OtlpMetricEncoder,
  options: Omit<OtlpMetricExporterOptions, "protocol">
): Effect.Effect<MetricExporterShape, never, Scope.Scope> =>
  Effect.map(
    otlpExporter.make(
      { signal: "metrics", item: "data point", items: "data points", contentType: encoder.contentType },
      options
    ),
    ({ check, component, export: send, failing, name, retryAge }) =>
      MetricExporter.of({
        name,
        check,
        component,
        failing,
        retryAge,
        export: (metrics) => send(payload(encoder, metrics))
      })
  )

/** Metrics as one request, to be taken apart between any two points. */
const payload = (encoder: OtlpMetricEncoder, metrics: ReadonlyArray<MetricData>): OtlpPayload => {
  const count = countPoints(metrics)
  return {
    count,
    toBody: () => encoder.encode(metrics),
    split: () => {
      const [first, second] = batches(metrics, Math.ceil(count / 2))
      return second === undefined ? undefined : [payload(encoder, first!), payload(encoder, second)]
    }
  }
}

/** {@link make} as a layer. */
export const layer = (options: OtlpMetricExporterOptions): Layer.Layer<MetricExporter> =>
  Layer.effect(MetricExporter, make(options))
