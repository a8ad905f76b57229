import * as Effect from "effect/Effect"
import type * as Zlib from "node:zlib"
import { nodeBuiltin } from "./nodeBuiltin.ts"

/**
 * `bytes` as gzip, off the main thread where the runtime has one; `undefined` where it cannot compress. Level 1 in Node:
 * higher levels take twice the time for a twentieth of the size.
 */
export const gzip = (bytes: Uint8Array): Effect.Effect<Uint8Array | undefined> => {
  const zlib = nodeBuiltin<typeof Zlib>("zlib")
  if (zlib !== undefined) {
    return Effect.callback((resume) =>
      zlib.gzip(bytes, { level: 1 }, (error, result) => resume(Effect.succeed(error === null ? result : undefined)))
    )
  }
  if (typeof CompressionStream === "undefined") return Effect.succeed(undefined)
  return Effect.promise(() => streamed(bytes).catch(() => undefined))
}

/** `bytes` as gzip by the platform's `CompressionStream`. */
export const streamed = async (bytes: Uint8Array): Promise<Uint8Array> => {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream("gzip"))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}
