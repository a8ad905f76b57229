import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Memory from "../../src/exporters/InMemorySpanExporter.ts"
import * as SpanDataBatch from "../../src/exporters/SpanDataBatch.ts"
import * as SpanExporter from "../../src/exporters/SpanExporter.ts"
import { readable } from "./spans.ts"

const send = (exporter: SpanExporter.SpanExporterShape, ...names: ReadonlyArray<string>) => {
  const batch = exporter.makeBatch()
  for (const name of names) batch.add(readable({ name }), Infinity)
  return exporter.export(batch)
}

const names = (store: Memory.SpanStore) => Effect.map(store.spans, (spans) => spans.map((span) => span.name))

describe("InMemorySpanExporter", () => {
  it.effect("keeps spans in order and forgets them on reset", () =>
    Effect.gen(function*() {
      const memory = yield* Memory.make()
      assert.deepStrictEqual(yield* send(memory.exporter, "a", "b"), { exported: 2 })
      yield* send(memory.exporter, "c")
      const before = yield* memory.spans
      assert.deepStrictEqual(before.map((span) => span.name), ["a", "b", "c"])
      yield* memory.reset
      assert.deepStrictEqual(yield* memory.spans, [])
      assert.lengthOf(before, 3)
    }))

  it.effect("keeps 10,000 spans unless told otherwise", () =>
    Effect.gen(function*() {
      const memory = yield* Memory.make()
      yield* send(memory.exporter, ...Array.from({ length: 10_001 }, (_, i) => `s${i}`))
      assert.lengthOf(yield* memory.spans, 10_000)
      assert.strictEqual((yield* memory.spans)[0]!.name, "s1")
      assert.strictEqual(yield* memory.evicted, 1)
    }))

  it.effect.prop("keeps the newest spans, and counts the others", {
    batches: Schema.Array(Schema.Array(Schema.String)),
    maxSpans: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8 }))
  }, ({ batches, maxSpans }) =>
    Effect.gen(function*() {
      const memory = yield* Memory.make({ maxSpans })
      for (const batch of batches) yield* send(memory.exporter, ...batch)
      const all = batches.flat()
      assert.deepStrictEqual(yield* names(memory), maxSpans === 0 ? [] : all.slice(-maxSpans))
      assert.strictEqual(yield* memory.evicted, Math.max(all.length - maxSpans, 0))
      yield* memory.reset
      assert.strictEqual(yield* memory.evicted, 0)
    }))

  it.effect("is a layer of the exporter and of the handle", () =>
    Effect.gen(function*() {
      yield* send(yield* SpanExporter.SpanExporter, "a")
      assert.deepStrictEqual(yield* names(yield* Memory.InMemorySpans), ["a"])
    }).pipe(Effect.provide(Memory.layer())))

  it("takes a copy of the span, within the bytes allowed", () => {
    const batch = SpanDataBatch.make()
    const span = readable({
      name: "before",
      attributes: { text: "x".repeat(100), list: ["a", 1, { b: new Uint8Array(10) }] },
      events: [{ name: "e", attributes: { k: "v" } }],
      links: [{ trace: 2, span: 2 }]
    })
    assert.isTrue(batch.add(span, Infinity))
    const bytes = batch.bytes
    assert.isAbove(bytes, 400 + 200 + 10)
    assert.isFalse(batch.add(span, bytes * 2 - 1))
    assert.strictEqual(batch.count, 1)
    assert.strictEqual(batch.bytes, bytes)
    assert.isTrue(batch.add(span, bytes * 2))
    span.name = "after"
    span.attributeList[1] = "changed"
    assert.strictEqual(batch.spans[0]!.name, "before")
    assert.strictEqual(batch.spans[0]!.attributes["text"], "x".repeat(100))
  })
})
