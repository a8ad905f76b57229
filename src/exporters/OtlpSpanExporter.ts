/**
 * Spans over OTLP/HTTP (`protocol/exporter.md`, `opentelemetry-proto/docs/specification.md#otlphttp`).
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { OtlpEncoder, OtlpSpanBatch } from "../otlp/OtlpEncoder.ts"
import * as OtlpJson from "../otlp/OtlpJson.ts"
import * as OtlpProtobuf from "../otlp/OtlpProtobuf.ts"
import * as otlpExporter from "./otlpExporter.ts"
import * as SpanExporter from "./SpanExporter.ts"

/** Options of {@link make}. */
export interface OtlpSpanExporterOptions extends otlpExporter.OtlpExporterOptions {
  /** Default `http/protobuf`. */
  readonly protocol?: "http/protobuf" | "http/json" | undefined
}

/**
 * Makes an exporter that posts spans to an OTLP/HTTP endpoint.
 *
 * **Details**
 *
 * Sends with the `Transport` in context, or else with the runtime's own (then the certificate options hold), which lives
 * as long as the scope. See `Delivery.make` for retries.
 *
 * What a batch comes to: `2xx` exported, less what a partial success reports (`partial_rejected`); a body that is no OTLP
 * answer is a warning. A batch above `maxRequestBytes` is split, and a single span above it is dropped (`oversize`). `413`
 * splits the batch, and later batches are split before they are sent. Any other status: `permanent_status`, with the
 * server's message in diagnostics. No answer within the retry age: `retry_exhausted`; an unusable one: `export_error`.
 *
 * With a `Spool` in context, what could not be delivered at the first attempt goes there, and is sent from there when the
 * destination answers again; what the disk does not take is retried as if there was none. Of what it refuses for good, a copy is kept beside it.
 */
export const make = (
  options: OtlpSpanExporterOptions
): Effect.Effect<SpanExporter.SpanExporterShape, never, Scope.Scope> =>
  makeWith(options.protocol === "http/json" ? OtlpJson.encoder : OtlpProtobuf.encoder, options)

/** {@link make} with a given encoder, so that a bundle carries only that one. */
export const makeWith = (
  encoder: OtlpEncoder,
  options: Omit<OtlpSpanExporterOptions, "protocol">
): Effect.Effect<SpanExporter.SpanExporterShape, never, Scope.Scope> =>
  Effect.map(
    otlpExporter.make(
      { signal: "traces", item: "span", items: "spans", contentType: encoder.contentType, bodies: encoder },
      options
    ),
    (exporter) => SpanExporter.make<OtlpSpanBatch>({ ...exporter, makeBatch: encoder.makeSpanBatch })
  )

/** {@link make} as a layer. */
export const layer = (options: OtlpSpanExporterOptions): Layer.Layer<SpanExporter.SpanExporter> =>
  Layer.effect(SpanExporter.SpanExporter, make(options))
