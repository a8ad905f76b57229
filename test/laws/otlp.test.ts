import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { AttributeValue } from "../../src/model/Attributes.ts"
import * as SpanData from "../../src/model/SpanData.ts"
import * as OtlpDecoder from "../../src/otlp/OtlpDecoder.ts"
import type { OtlpSpanBatch } from "../../src/otlp/OtlpEncoder.ts"
import * as OtlpJson from "../../src/otlp/OtlpJson.ts"
import * as OtlpProtobuf from "../../src/otlp/OtlpProtobuf.ts"
import { spans } from "../otlp/spans.ts"

const encoders = [OtlpProtobuf.encoder, OtlpJson.encoder]
const options = { arbitrary: { runs: 60, size: 20 } }

const decode = (contentType: string, body: Uint8Array): ReadonlyArray<SpanData.SpanData> =>
  Result.getOrThrow(OtlpDecoder.decode(contentType, body))

/** What the wire cannot tell apart, made one: integers, unpaired surrogates, absent and empty. */
const canonical = (value: AttributeValue): AttributeValue => {
  if (typeof value === "string") return value.toWellFormed()
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value
  return Array.isArray(value) ? value.map(canonical) : record(value as SpanData.SpanData["attributes"])
}

const record = (attributes: SpanData.SpanData["attributes"]): SpanData.SpanData["attributes"] => {
  const out: Record<string, AttributeValue> = Object.create(null)
  for (const key of Object.keys(attributes)) out[key.toWellFormed()] = canonical(attributes[key]!)
  return out
}

const canonicalSpan = (span: SpanData.SpanData): SpanData.SpanData => ({
  ...span,
  name: span.name.toWellFormed(),
  status: { ...span.status, message: span.status.message.toWellFormed() },
  attributes: record(span.attributes),
  events: span.events.map((event) => ({
    ...event,
    name: event.name.toWellFormed(),
    attributes: record(event.attributes)
  })),
  links: span.links.map((link) => ({ ...link, attributes: record(link.attributes) })),
  scope: {
    name: span.scope.name.toWellFormed(),
    ...(span.scope.version === undefined ? {} : { version: span.scope.version.toWellFormed() }),
    ...(span.scope.attributes === undefined ? {} : { attributes: record(span.scope.attributes) }),
    ...(span.scope.schemaUrl === undefined ? {} : { schemaUrl: span.scope.schemaUrl.toWellFormed() })
  },
  resource: {
    attributes: record(span.resource.attributes),
    ...(span.resource.schemaUrl === undefined ? {} : { schemaUrl: span.resource.schemaUrl.toWellFormed() })
  }
})

/** Spans in the order of a body: by resource, then by scope, as they first appear. */
const grouped = (spans: ReadonlyArray<SpanData.SpanData>): ReadonlyArray<SpanData.SpanData> =>
  [...new Set(spans.map((span) => span.resource))].flatMap((resource) => {
    const own = spans.filter((span) => span.resource === resource)
    return [...new Set(own.map((span) => span.scope))].flatMap((scope) => own.filter((span) => span.scope === scope))
  })

const fill = (batch: OtlpSpanBatch, spans: ReadonlyArray<SpanData.SpanData>, maxBytes = Infinity): Array<boolean> =>
  spans.map((span) => batch.add(SpanData.toReadable(span), maxBytes))

describe("OTLP", () => {
  for (const { contentType, makeSpanBatch, merge, split } of encoders) {
    describe(contentType, () => {
      it.prop("what is decoded is what was encoded", { spans }, ({ spans }) => {
        const batch = makeSpanBatch()
        fill(batch, spans)
        assert.strictEqual(batch.count, spans.length)
        assert.isAtMost(batch.toBody().length, batch.bytes)
        assert.deepStrictEqual(decode(contentType, batch.toBody()), grouped(spans).map(canonicalSpan))
      }, options)

      it.prop("what does not fit leaves no trace", {
        spans,
        maxBytes: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20_000 }))
      }, ({ maxBytes, spans }) => {
        const batch = makeSpanBatch()
        const kept: Array<SpanData.SpanData> = []
        for (const span of spans) {
          const before = { bytes: batch.bytes, count: batch.count, body: batch.toBody() }
          if (batch.add(SpanData.toReadable(span), maxBytes)) {
            kept.push(span)
            assert.isAtMost(batch.bytes, maxBytes)
            assert.isUndefined(batch.refusal)
          } else {
            assert.deepStrictEqual({ bytes: batch.bytes, count: batch.count, body: batch.toBody() }, before)
            assert.strictEqual(batch.refusal, "full")
          }
        }
        assert.strictEqual(batch.count, kept.length)
        if (kept.length > 0) {
          assert.deepStrictEqual(decode(contentType, batch.toBody()), grouped(kept).map(canonicalSpan))
        }
      }, options)

      it.prop("halves of a body hold the spans of the whole, and so do they together", { spans }, ({ spans }) => {
        const whole = makeSpanBatch()
        fill(whole, spans)
        const halves = split(whole.toBody())
        if (spans.length === 1) return assert.isUndefined(halves)
        assert.isDefined(halves)
        const [first, second] = halves
        assert.strictEqual(first.count, Math.ceil(spans.length / 2))
        assert.strictEqual(second.count, Math.floor(spans.length / 2))
        const expected = grouped(spans).map(canonicalSpan)
        const decoded = halves.map(({ body }) => decode(contentType, body))
        assert.deepStrictEqual(decoded.map(({ length }) => length), [first.count, second.count])
        assert.deepStrictEqual(decoded.flat(), expected)
        assert.deepStrictEqual(decode(contentType, merge([first.body, second.body])), expected)
        assert.isUndefined(split(Uint8Array.of(1, 2, 3)))
      }, options)

      it.prop("halves hold the spans of the whole", { spans }, ({ spans }) => {
        const whole = makeSpanBatch()
        fill(whole, spans)
        const halves = whole.split()
        if (spans.length === 1) return assert.isUndefined(halves)
        assert.isDefined(halves)
        const [first, second] = halves
        assert.strictEqual(first.count, Math.ceil(spans.length / 2))
        assert.strictEqual(first.count + second.count, spans.length)
        assert.isAtMost(first.toBody().length, first.bytes)
        assert.isAtMost(second.toBody().length, second.bytes)
        const decoded = [first, second].map((half) => decode(contentType, half.toBody()))
        assert.deepStrictEqual(decoded, [
          grouped(spans.slice(0, first.count)).map(canonicalSpan),
          grouped(spans.slice(first.count)).map(canonicalSpan)
        ])
        // A half is a batch like any other.
        fill(second, spans)
        assert.strictEqual(decode(contentType, second.toBody()).length, spans.length - first.count + spans.length)
        assert.strictEqual(decode(contentType, whole.toBody()).length, spans.length)
      }, options)
    })
  }

  it.prop("garbage is an error, never an exception", {
    bytes: Arbitrary.schema(Schema.Uint8Array),
    spans,
    position: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 })),
    byte: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))
  }, ({ byte, bytes, position, spans }) => {
    for (const { contentType, makeSpanBatch } of encoders) {
      const batch = makeSpanBatch()
      fill(batch, spans)
      const body = batch.toBody()
      const changed = new Uint8Array(body)
      changed[position % changed.length] = byte
      for (const given of [bytes, changed, body.subarray(0, position % body.length)]) {
        const result = OtlpDecoder.decode(contentType, given)
        if (Result.isFailure(result)) {
          assert.strictEqual(result.failure._tag, "OtlpDecodeError")
          assert.notStrictEqual(result.failure.message, "")
        }
      }
    }
  }, options)
})
