/** Log records over OTLP/HTTP. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { OtlpLogBatch, OtlpLogEncoder } from "../otlp/OtlpEncoder.ts"
import * as OtlpLogJson from "../otlp/OtlpLogJson.ts"
import * as OtlpLogProtobuf from "../otlp/OtlpLogProtobuf.ts"
import * as LogExporter from "./LogExporter.ts"
import * as otlpExporter from "./otlpExporter.ts"

/** Options of {@link make}. */
export interface OtlpLogExporterOptions extends otlpExporter.OtlpExporterOptions {
  /** Default `http/protobuf`. */
  readonly protocol?: "http/protobuf" | "http/json" | undefined
}

/**
 * Makes an exporter that posts log records to an OTLP/HTTP endpoint, as in `http://localhost:4318/v1/logs`.
 *
 * **Details**
 *
 * What a batch comes to, how it is split and retried, and what a `Spool` in context does is as `OtlpSpanExporter.make`
 * says. With the `delivery` of an exporter to the same server, both share what is learned about the server.
 */
export const make = (
  options: OtlpLogExporterOptions
): Effect.Effect<LogExporter.LogExporterShape, never, Scope.Scope> =>
  makeWith(options.protocol === "http/json" ? OtlpLogJson.encoder : OtlpLogProtobuf.encoder, options)

/** {@link make} with a given encoder, so that a bundle carries only that one. */
export const makeWith = (
  encoder: OtlpLogEncoder,
  options: Omit<OtlpLogExporterOptions, "protocol">
): Effect.Effect<LogExporter.LogExporterShape, never, Scope.Scope> =>
  Effect.map(
    otlpExporter.make(
      { signal: "logs", item: "log record", items: "log records", contentType: encoder.contentType, bodies: encoder },
      options
    ),
    (exporter) => LogExporter.make<OtlpLogBatch>({ ...exporter, makeBatch: encoder.makeLogBatch })
  )

/** {@link make} as a layer. */
export const layer = (options: OtlpLogExporterOptions): Layer.Layer<LogExporter.LogExporter> =>
  Layer.effect(LogExporter.LogExporter, make(options))
