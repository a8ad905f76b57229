/** A sampling configuration in a file of JSON, looked at again and again. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as NodeFs from "node:fs/promises"
import { sleepUnref } from "../internal/clock.ts"
import { nodeBuiltin } from "../internal/nodeBuiltin.ts"
import type { ConfigSource } from "./configSource.ts"
import { decodeText, type SamplingConfig, SamplingConfigError } from "./SamplingConfig.ts"

/** The file, and how often it is looked at. */
export interface FileOptions {
  readonly path: string
  /** How long a change may go unseen. Default 2 seconds. */
  readonly interval?: Duration.Input | undefined
  /** In force while the file has never been good. Default: without a good file the layer fails. */
  readonly fallback?: SamplingConfig | undefined
}

/** Most bytes of a configuration. */
export const maxConfigBytes = 1_048_576

const explanations: Readonly<Record<string, string>> = {
  ENOENT: "the file does not exist",
  ENOTDIR: "a part of the path is no directory",
  EISDIR: "the path is a directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted"
}

// An editor that writes in place shows half a file for a moment, and one that renames none at all.
const settle = "250 millis"

const decoder = /* @__PURE__ */ new TextDecoder()

/**
 * The file of `options` as a source.
 *
 * **Details**
 *
 * The file is asked for its times, size and inode, and read where they differ from the last time. So it is seen on file
 * systems that announce nothing, through symbolic links that are swapped, and after editors that replace the file. What
 * cannot be read or decoded is read once more a quarter of a second later: no beginning of a JSON text is a JSON text,
 * so a file that is being written is never taken for a finished one.
 */
export const make = (options: FileOptions): ConfigSource => {
  const { path } = options
  const interval = Math.max(10, Duration.toMillis(Duration.fromInputUnsafe(options.interval ?? "2 seconds")))
  const fs = nodeBuiltin<typeof NodeFs>("fs/promises")
  let seen = ""

  const fail = (reason: string): SamplingConfigError => new SamplingConfigError({ source: path, reason })
  const attempt = <A>(run: () => Promise<A>): Effect.Effect<A, SamplingConfigError> =>
    Effect.tryPromise({
      try: run,
      catch: (error) => {
        const { code, message } = error as { readonly code?: string; readonly message?: string }
        const known = code === undefined ? undefined : explanations[code]
        return fail(
          known === undefined ? (message ?? String(error)).replaceAll(path, "the file") : `${known} (${code})`
        )
      }
    })

  const readText = (fs: typeof NodeFs) =>
    Effect.acquireUseRelease(
      attempt(() => fs.open(path, "r")),
      Effect.fnUntraced(function*(file) {
        const chunks: Array<Uint8Array> = []
        let size = 0
        // As far as the bound, however fast it grows.
        while (size <= maxConfigBytes) {
          const { buffer, bytesRead } = yield* attempt(() => file.read({ buffer: new Uint8Array(65_536) }))
          if (bytesRead === 0) break
          chunks.push(buffer.subarray(0, bytesRead))
          size += bytesRead
        }
        if (size > maxConfigBytes) return yield* fail(`it has more than ${maxConfigBytes} bytes`)
        return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode()
      }),
      (file) => Effect.ignore(attempt(() => file.close()))
    )
  const read = Effect.fnUntraced(function*(fs: typeof NodeFs) {
    // Not opened before it is known to be a file: opening a pipe waits for somebody who writes.
    const found = yield* attempt(() => fs.stat(path, { bigint: true }))
    const state = `${found.mtimeNs} ${found.ctimeNs} ${found.ino} ${found.size}`
    if (state === seen) return undefined
    if (!found.isFile()) return yield* fail(found.isDirectory() ? explanations["EISDIR"]! : "it is no regular file")
    const config = yield* Effect.fromResult(decodeText(yield* readText(fs), path))
    seen = state
    return config
  })
  const again = (fs: typeof NodeFs) =>
    Effect.sync(() => seen = "").pipe(
      Effect.andThen(sleepUnref(settle)),
      Effect.andThen(read(fs))
    )

  return {
    name: path,
    interval: Effect.succeed(interval),
    poll: fs === undefined
      ? Effect.fail(fail("this runtime has no file system"))
      : Effect.catch(read(fs), () => again(fs))
  }
}
