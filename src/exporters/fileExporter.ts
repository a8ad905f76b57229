/** What the file exporters of all signals have in common: a batch becomes a line. */
import type * as NodeFs from "node:fs/promises"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Diagnostics from "../diagnostics/Diagnostics.ts"
import { sleepUnref } from "../internal/clock.ts"
import { LineFile } from "../internal/lineFile.ts"
import { nodeBuiltin } from "../internal/nodeBuiltin.ts"
import type { OtlpBatch } from "../otlp/OtlpEncoder.ts"
import { ExportError, type ExportResult } from "./SpanExporter.ts"

/** The file and its bounds. */
export interface FileOptions {
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

/** Opens the file until the scope closes, and answers with what exports a batch to it; fails with why it cannot. */
export const open = Effect.fnUntraced(function*<Item>(
  options: FileOptions,
  items: string
): Effect.fn.Return<(batch: OtlpBatch<Item>) => Effect.Effect<ExportResult, ExportError>, string, Scope.Scope> {
  const { path } = options
  const diagnostics = yield* Effect.service(Diagnostics.Diagnostics)
  const fs = nodeBuiltin<typeof NodeFs>("fs/promises")
  if (fs === undefined) return yield* Effect.fail("this runtime has no file system")
  for (const key of ["maxBytes", "maxFiles"] as const) {
    if (options[key] !== undefined && !(options[key] >= 1)) {
      return yield* Effect.fail(`${key} is ${options[key]}, it must be 1 or more`)
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
          catch: (error) => describe(error, path)
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
  return (batch) =>
    batch.count === 0 ? Effect.succeed({ exported: 0 }) : Effect.as(
      Effect.tryPromise({
        try: () => file.append(batch.toBody()),
        catch: (error) => {
          const detail = describe(error, path)
          report(diagnostics, `${detail}; ${batch.count} ${items} are lost`, path)
          return new ExportError({ destination: "file", reason: "disk_error", detail })
        }
      }),
      { exported: batch.count }
    )
})

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
