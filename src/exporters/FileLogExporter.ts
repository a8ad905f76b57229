/** Log records in a file, as OTLP JSON lines. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { ReadableLogRecord } from "../model/ReadableLogRecord.ts"
import * as OtlpLogJson from "../otlp/OtlpLogJson.ts"
import * as fileExporter from "./fileExporter.ts"
import * as LogExporter from "./LogExporter.ts"

/** The file and its bounds. */
export type Options = fileExporter.FileOptions

/** The file cannot be written to. */
export class FileLogExporterError extends Schema.TaggedError<FileLogExporterError>()("FileLogExporterError", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `cannot write log records to ${this.path}: ${this.detail}`
  }
}

/**
 * An exporter that appends each batch to a file as one line: an OTLP JSON `ExportLogsServiceRequest`
 * (`protocol/file-exporter.md`).
 *
 * **Details**
 *
 * The file is opened, written, rotated and closed as `FileSpanExporter.make` says.
 */
export const make = (
  options: Options
): Effect.Effect<LogExporter.LogExporterShape, FileLogExporterError, Scope.Scope> =>
  Effect.mapError(
    Effect.map(
      fileExporter.open<ReadableLogRecord>(options, "log records"),
      (append) => LogExporter.make({ name: "file", makeBatch: OtlpLogJson.encoder.makeLogBatch, export: append })
    ),
    (detail) => new FileLogExporterError({ path: options.path, detail })
  )

/** Provides the exporter as the {@link LogExporter.LogExporter} service. */
export const layer = (options: Options): Layer.Layer<LogExporter.LogExporter, FileLogExporterError> =>
  Layer.effect(LogExporter.LogExporter)(make(options))
