import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { isSpanId, isTraceId, wordToHex } from "../../src/internal/hex.ts"
import { SpanContext } from "../../src/model/SpanContext.ts"
import * as SpanData from "../../src/model/SpanData.ts"
import { throughJson } from "./throughJson.ts"

const encode = Schema.encodeSync(SpanData.SpanData)
const decode = Schema.decodeUnknownSync(SpanData.SpanData)
const max = 2n ** 64n - 1n

const text = (span: SpanData.SpanData): string => JSON.stringify(encode(span))

const options = { arbitrary: { runs: 60, size: 5 } }

describe("span data", () => {
  it.prop("generated spans are valid: ids, order of times, bounds", [SpanData.SpanData], ([span]) => {
    assert.isTrue(isTraceId(span.traceId) && isSpanId(span.spanId))
    assert.isTrue(span.parentSpanId === undefined || isSpanId(span.parentSpanId))
    assert.isTrue(span.startTimeUnixNano >= 0n && span.endTimeUnixNano <= max)
    assert.isTrue(span.startTimeUnixNano <= span.endTimeUnixNano)
    for (const event of span.events) assert.isTrue(event.timeUnixNano >= 0n && event.timeUnixNano <= max)
    for (const link of span.links) assert.isTrue(isTraceId(link.traceId) && isSpanId(link.spanId))
    assert.isTrue(Schema.is(SpanData.SpanData)(span))
  }, options)

  it.effect("the generator reaches what matters", () =>
    Effect.gen(function*() {
      const spans = yield* Arbitrary.sampleEffect(Arbitrary.schema(SpanData.SpanData), {
        count: 300,
        size: 12,
        seed: 1
      })
      const some = (is: (span: SpanData.SpanData) => boolean) => assert.isTrue(spans.some(is))
      for (const kind of ["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]) some((span) => span.kind === kind)
      for (const code of ["UNSET", "OK", "ERROR"]) some((span) => span.status.code === code)
      some((span) => span.parentSpanId === undefined)
      some((span) => span.parentSpanId !== undefined)
      some((span) => span.events.length > 1)
      some((span) => span.links.length > 1)
      some((span) => !span.name.isWellFormed())
      some((span) => Object.values(span.attributes).some((value) => typeof value === "bigint"))
      some((span) => Object.values(span.attributes).some((value) => value instanceof Uint8Array))
      some((span) => Object.values(span.attributes).some(Array.isArray))
      some((span) => span.endTimeUnixNano > 2n ** 63n)
      some((span) => span.startTimeUnixNano < span.endTimeUnixNano)
    }))

  it.effect("lists of spans are generated as well", () =>
    Effect.gen(function*() {
      const lists = yield* Arbitrary.sampleEffect(Arbitrary.schema(Schema.Array(SpanData.SpanData)), {
        count: 20,
        size: 10,
        seed: 1
      })
      assert.isTrue(lists.some((spans) => spans.length > 5))
    }))

  it.prop("JSON keeps every span", [SpanData.SpanData], ([span]) => {
    const back = decode(throughJson(encode(span)))
    return text(back) === text(span) && back.endTimeUnixNano === span.endTimeUnixNano && back.name === span.name
  }, options)

  it.prop("a readable span and back is the same span", [SpanData.SpanData], ([span]) => {
    const readable = SpanData.toReadable(span)
    const words = [readable.traceId0, readable.traceId1, readable.traceId2, readable.traceId3]
    assert.strictEqual(words.map(wordToHex).join(""), span.traceId)
    assert.strictEqual(wordToHex(readable.spanId0) + wordToHex(readable.spanId1), span.spanId)
    assert.strictEqual(
      wordToHex(readable.parentSpanId0) + wordToHex(readable.parentSpanId1),
      span.parentSpanId ?? "0".repeat(16)
    )
    assert.strictEqual(text(SpanData.fromReadable(readable)), text(span))
  }, options)

  it.prop("data does not change with the readable span it came from", [SpanData.SpanData], ([span]) => {
    const readable = SpanData.toReadable(span)
    const data = SpanData.fromReadable(readable)
    readable.name += "!"
    readable.statusMessage = "changed"
    readable.attributeList.push("changed", true)
    readable.eventList.length = 0
    readable.linkList.length = 0
    assert.strictEqual(text(data), text(span))
  }, options)

  it.prop("an end before the start is refused, with its path", [SpanData.SpanData], ([span]) => {
    if (span.startTimeUnixNano === span.endTimeUnixNano) return
    const wrong = { ...span, startTimeUnixNano: span.endTimeUnixNano, endTimeUnixNano: span.startTimeUnixNano }
    assert.isFalse(Schema.is(SpanData.SpanData)(wrong))
    const json = { ...encode(span), startTimeUnixNano: String(wrong.startTimeUnixNano) }
    if (wrong.startTimeUnixNano > span.endTimeUnixNano) assert.throws(() => decode(json), /endTimeUnixNano/)
  }, options)

  it.prop("span contexts survive JSON", [SpanContext], ([context]) => {
    const back = Schema.decodeUnknownSync(SpanContext)(throughJson(context))
    assert.deepStrictEqual(back, context)
  })
})
