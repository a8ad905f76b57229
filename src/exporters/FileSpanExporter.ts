/** Spans in a file, as OTLP JSON lines. */
import type * as NodeFs from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Diagnostics from "../diagnostics/Diagnostics.ts"
import { sleepUnref } from "../internal/clock.ts"
import { LineFile } from "../internal/lineFile.ts"
import { nodeBuiltin } from "../internal/nodeBuiltin.ts"
import * as OtlpJson from "../otlp/OtlpJson.ts"
import * as SpanExporter from "./SpanExporter.ts"

/** The file and its bounds. */
export interface Options {
  /** Where to; `.jsonl` is the usual ending. The directory must exist; the file is made with mode 0600. */
  readonly path: string
  /**
   * Rotates before a file would hold more than this many bytes: `path` becomes `path.1`, that `path.2`, and so on. A
   * batch longer than this has a file of its own. Default: no rotation.
   */
  readonly maxBytes?: number | undefined
  /** Files kept by rotation, `path` included; the oldest is overwritten. Default 5. */
  readonly maxFiles?: number | undefined
}

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
  Effect.gen(function*() {
    const { path } = options
    const diagnostics = yield* Effect.service(Diagnostics.Diagnostics)
    const fs = nodeBuiltin<typeof NodeFs>("fs/promises")
    if (fs === undefined) return yield* new FileSpanExporterError({ path, detail: "this runtime has no file system" })
    for (const key of ["maxBytes", "maxFiles"] as const) {
      if (options[key] !== undefined && !(options[key] >= 1)) {
        return yield* new FileSpanExporterError({ path, detail: `${key} is ${options[key]}, it must be 1 or more` })
      }
    }
    const file = yield* Effect.acquireRelease(
      Effect.suspend(() => {
        const made = new LineFile(fs, {
          path,
          mode: 0o600,
          maxBytes: options.maxBytes ?? Infinity,
          maxFiles: options.maxFiles ?? 5
        })
        return Effect.as(
          Effect.tryPromise({
            try: () => made.open(),
            catch: (error) => new FileSpanExporterError({ path, detail: describe(error, path) })
          }),
          made
        )
      }),
      (file) =>
        Effect.tryPromise({
          try: () => file.close(),
          catch: (error) => report(diagnostics, `could not be closed: ${describe(error, path)}`, path)
        }).pipe(
          Effect.ignore,
          Effect.interruptible,
          // A disk that hangs must not hold the program's end.
          Effect.raceFirst(sleepUnref("5 seconds"))
        )
    )
    return SpanExporter.make({
      name: "file",
      makeBatch: OtlpJson.encoder.makeSpanBatch,
      export: (batch) =>
        batch.count === 0 ? Effect.succeed({ exported: 0 }) : Effect.as(
          Effect.tryPromise({
            try: () => file.append(batch.toBody()),
            catch: (error) => {
              const detail = describe(error, path)
              report(diagnostics, `${detail}; ${batch.count} spans are lost`, path)
              return new SpanExporter.ExportError({ destination: "file", reason: "disk_error", detail })
            }
          }),
          { exported: batch.count }
        )
    })
  })

/** Provides the exporter as the {@link SpanExporter.SpanExporter} service. */
export const layer = (options: Options): Layer.Layer<SpanExporter.SpanExporter, FileSpanExporterError> =>
  Layer.effect(SpanExporter.SpanExporter)(make(options))

const report = (diagnostics: Diagnostics.Diagnostics, detail: string, path: string): void =>
  diagnostics.report("error", "exporter.file", `file exporter: ${path}: ${detail}`)

const explanations: Readonly<Record<string, string>> = {
  ENOENT: "the directory does not exist",
  ENOTDIR: "a part of the path is no directory",
  EISDIR: "the path is a directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the device",
  EDQUOT: "the disk quota is exceeded",
  EMFILE: "too many open files"
}

const describe = (error: unknown, path: string): string => {
  const { code, message } = error as { readonly code?: string; readonly message?: string }
  const known = code === undefined ? undefined : explanations[code]
  if (known !== undefined) return `${known} (${code})`
  return (message ?? String(error)).replaceAll(path, "the file")
}
