/** Spans in a file, as OTLP JSON lines. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { ReadableSpan } from "../model/ReadableSpan.ts"
import * as OtlpJson from "../otlp/OtlpJson.ts"
import * as fileExporter from "./fileExporter.ts"
import * as SpanExporter from "./SpanExporter.ts"

/** The file and its bounds. */
export type Options = fileExporter.FileOptions

/** The file cannot be written to. */
export class FileSpanExporterError extends Schema.TaggedError<FileSpanExporterError>()("FileSpanExporterError", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `cannot write spans to ${this.path}: ${this.detail}`
  }
}

/**
 * An exporter that appends each batch to a file as one line: an OTLP JSON `ExportTraceServiceRequest`
 * (`protocol/file-exporter.md`).
 *
 * **Details**
 *
 * The file is opened at once, and the effect fails where that is impossible: no such directory, no permission, no file
 * system. Later failures are `ExportError`s with reason `disk_error`, told once in diagnostics; the next batch tries
 * anew. A line that could be written only in part is taken back, or, where the file holds one from an earlier run,
 * ended before the next. Closing the scope waits for what is being written and asks the system to put it on the disk, for
 * 5 seconds at most.
 *
 * **Gotchas**
 *
 * A file that exists keeps its mode. Rotation is for one writer: two processes that rotate the same file lose lines. A
 * batch whose export is interrupted may still be written. Devices and pipes (`/dev/stdout`) are never rotated.
 */
export const make = (
  options: Options
): Effect.Effect<SpanExporter.SpanExporterShape, FileSpanExporterError, Scope.Scope> =>
  Effect.mapError(
    Effect.map(
      fileExporter.open<ReadableSpan>(options, "spans"),
      (append) => SpanExporter.make({ name: "file", makeBatch: OtlpJson.encoder.makeSpanBatch, export: append })
    ),
    (detail) => new FileSpanExporterError({ path: options.path, detail })
  )

/** Provides the exporter as the {@link SpanExporter.SpanExporter} service. */
export const layer = (options: Options): Layer.Layer<SpanExporter.SpanExporter, FileSpanExporterError> =>
  Layer.effect(SpanExporter.SpanExporter)(make(options))
