import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import { gunzipSync } from "node:zlib"
import { gzip, streamed } from "../../src/internal/gzip.ts"

describe("gzip", () => {
  for (const size of [0, 1, 1_000, 3_000_000]) {
    const bytes = new Uint8Array(randomBytes(size))
    it.live(`writes ${size} bytes that gunzip reads, by the runtime's module and by its stream`, () =>
      Effect.gen(function*() {
        const native = yield* gzip(bytes)
        const stream = yield* Effect.promise(() => streamed(bytes))
        assert.isTrue(gunzipSync(native!).equals(bytes))
        assert.isTrue(gunzipSync(stream).equals(bytes))
      }))
  }
})
