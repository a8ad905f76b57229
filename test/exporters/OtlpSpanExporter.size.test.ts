/** What a destination that answers 413 teaches, and for how long. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Transport } from "../../src/delivery/Transport.ts"
import * as OtlpSpanExporter from "../../src/exporters/OtlpSpanExporter.ts"
import { readable } from "./spans.ts"

const kib = 1024

/** An exporter before a server that takes bodies of up to `limit` bytes. */
const setUp = Effect.fnUntraced(function*(limit: number) {
  let sizes: Array<number> = []
  let takes = limit
  const transport = Transport.of({
    send: ({ body: { byteLength } }) =>
      Effect.sync(() => {
        sizes.push(byteLength)
        return { status: byteLength > takes ? 413 : 200, headers: {}, body: new Uint8Array() }
      })
  })
  const exporter = yield* OtlpSpanExporter.make({ url: "http://localhost:4318/v1/traces" }).pipe(
    Effect.provideService(Transport, transport)
  )
  /** Exports `count` spans of about `bytes` each, and says how large the requests were. */
  const send = Effect.fnUntraced(function*(count: number, bytes: number) {
    sizes = []
    const batch = exporter.makeBatch()
    for (let id = 1; id <= count; id++) batch.add(readable({ id, name: "x".repeat(bytes) }), Infinity)
    const result = yield* exporter.export(batch)
    assert.strictEqual(result.exported, count)
    return sizes
  })
  const large = send(512, kib)
  const small = (times: number) => Effect.replicateEffect(send(1, 10), times, { discard: true })
  return { large, send, small, take: (bytes: number) => takes = bytes }
})

/** Sizes in halves of the large batch. */
const halves = (sizes: ReadonlyArray<number>) => sizes.map((size) => Math.round(size / (265 * kib)))

describe("after 413", () => {
  it.effect("a batch is sent in halves, no smaller than they need be, and so is the next one", () =>
    Effect.gen(function*() {
      const { large } = yield* setUp(300 * kib)
      assert.deepStrictEqual(halves(yield* large), [2, 1, 1])
      assert.deepStrictEqual(halves(yield* large), [1, 1])
    }))

  it.effect("the halves are halved again until they are taken", () =>
    Effect.gen(function*() {
      const { large } = yield* setUp(200 * kib)
      assert.deepStrictEqual((yield* large).map((size) => Math.round(size / (132 * kib))), [4, 2, 1, 1, 1, 1])
    }))

  it.effect("nothing below 64 KiB is learned, since a server that refuses so little refuses everything", () =>
    Effect.gen(function*() {
      const { send } = yield* setUp(10 * kib)
      yield* send(256, kib)
      const largest = Math.max(...yield* send(256, kib))
      assert.isTrue(largest > 32 * kib && largest <= 64 * kib, String(largest))
    }))

  it.effect("a larger request is tried when 100 were accepted, and costs one request where it is refused again", () =>
    Effect.gen(function*() {
      const { large, small, take } = yield* setUp(300 * kib)
      assert.deepStrictEqual(halves(yield* large), [2, 1, 1])
      // The two halves were the first of them.
      yield* small(98)
      assert.deepStrictEqual(halves(yield* large), [2, 1, 1])
      // It counts anew.
      yield* small(97)
      assert.deepStrictEqual(halves(yield* large), [1, 1])
      take(Infinity)
      assert.deepStrictEqual(halves(yield* large), [2])
    }))

  it.effect("what a larger batch was refused for does not hold up smaller ones", () =>
    Effect.gen(function*() {
      const { large, send } = yield* setUp(300 * kib)
      yield* large
      assert.strictEqual((yield* send(200, kib)).length, 1)
    }))

  it.effect("it takes several steps back to the size of before", () =>
    Effect.gen(function*() {
      const { large, small, take } = yield* setUp(100 * kib)
      const requests = Effect.map(large, (sizes) => sizes.length)
      // Refused once whole, as a half and as a quarter; eighths are taken.
      assert.strictEqual(yield* requests, 3 + 8)
      take(Infinity)
      const counts: Array<number> = []
      for (let i = 0; i < 4; i++) {
        yield* small(100)
        counts.push(yield* requests)
      }
      assert.deepStrictEqual(counts, [4, 2, 1, 1])
    }))
})
