import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { SpanData } from "../../src/model/SpanData.ts"
import * as OtlpDecoder from "../../src/otlp/OtlpDecoder.ts"
import * as OtlpJson from "../../src/otlp/OtlpJson.ts"
import * as OtlpProtobuf from "../../src/otlp/OtlpProtobuf.ts"
import { Request } from "./official.ts"
import { make } from "./spans.ts"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const failure = <A>(result: Result.Result<A, OtlpDecoder.OtlpDecodeError>): OtlpDecoder.OtlpDecodeError => {
  if (Result.isSuccess(result)) return assert.fail("decoded")
  return result.failure
}

const protobuf = (body: Uint8Array) => OtlpDecoder.decode("application/x-protobuf", body)
const json = (value: unknown) => OtlpDecoder.decode("application/json", bytes(JSON.stringify(value)))

const ids = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" }
const request = (span: object): object => ({ resourceSpans: [{ scopeSpans: [{ spans: [{ ...ids, ...span }] }] }] })
const one = (result: ReturnType<typeof protobuf>): SpanData => {
  const spans = Result.getOrThrow(result)
  assert.strictEqual(spans.length, 1)
  return spans[0]!
}

describe("decode", () => {
  it("takes the format from the media type, whatever its parameters and case", () => {
    for (
      const { encoder, types } of [
        { encoder: OtlpProtobuf.encoder, types: ["application/x-protobuf", "Application/X-Protobuf; a=b"] },
        { encoder: OtlpJson.encoder, types: ["application/json", " application/JSON ;charset=utf-8"] }
      ]
    ) {
      const batch = encoder.makeSpanBatch()
      batch.add(make({ name: "work" }), Infinity)
      for (const type of types) assert.strictEqual(one(OtlpDecoder.decode(type, batch.toBody())).name, "work")
    }
    assert.strictEqual(
      failure(OtlpDecoder.decode("text/html", new Uint8Array(0))).message,
      "text/html: not an OTLP media type (body)"
    )
    assert.include(failure(OtlpDecoder.decode("", new Uint8Array(0))).message, "no content type")
  })

  it("says where a protobuf body breaks", () => {
    assert.deepStrictEqual(Result.getOrThrow(protobuf(new Uint8Array(0))), [])
    for (
      const [body, message] of [
        [[0x0a], "truncated varint (byte 1)"],
        [[0x0a, 5, 1], "5 bytes expected, 1 left (byte 2)"],
        [[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], "4294967295 bytes expected, 0 left (byte 6)"],
        [[0x0a, ...new Array<number>(12).fill(0xff)], "varint longer than ten bytes (byte 11)"],
        [[0x08, 1], "field 1 has wire type 0, not 2 (byte 1)"],
        [[0x00], "field number 0 (byte 1)"],
        [[0x0f], "field 1 has wire type 7, not 2 (byte 1)"],
        [[0x17], "wire type 7 (byte 1)"],
        [[0x13], "group without end (byte 1)"],
        [[0x13, 0x1c], "group ended by another (byte 2)"],
        [new Array<number>(500).fill(0x13), "groups nested too deeply (byte 101)"],
        [[0x0a, 4, 0x12, 2, 0x12, 0], "span without trace_id (byte 6)"],
        [[0x0a, 7, 0x12, 5, 0x12, 3, 0x0a, 1, 7], "id of 1 bytes, not 16 (byte 9)"]
      ] as const
    ) {
      assert.strictEqual(failure(protobuf(Uint8Array.from(body))).message, `application/x-protobuf: ${message}`)
    }
  })

  it("says where a JSON body breaks", () => {
    assert.strictEqual(
      failure(OtlpDecoder.decode("application/json", bytes("{\"secret"))).message,
      "application/json: not JSON (body)"
    )
    const at = "$.resourceSpans[0].scopeSpans[0].spans[0]"
    for (
      const [value, message] of [
        [[], "not an object ($)"],
        [{ resourceSpans: 1 }, "not an array ($.resourceSpans)"],
        [{ resourceSpans: [1] }, "not an object ($.resourceSpans[0])"],
        [request({ traceId: "12" }), `id of 2 digits, not 32 (${at}.traceId)`],
        [request({ traceId: "x".repeat(32) }), `not hexadecimal (${at}.traceId)`],
        [request({ spanId: "0".repeat(16) }), `id of zeros (${at}.spanId)`],
        [request({ name: 1 }), `not a string (${at}.name)`],
        [request({ startTimeUnixNano: "1.5" }), `not an integer (${at}.startTimeUnixNano)`],
        [request({ startTimeUnixNano: "18446744073709551616" }), `out of range (${at}.startTimeUnixNano)`],
        [request({ startTimeUnixNano: -1 }), `out of range (${at}.startTimeUnixNano)`],
        [request({ flags: true }), `not an integer (${at}.flags)`],
        [
          request({ attributes: [{ key: "k", value: { doubleValue: "x" } }] }),
          `not a number (${at}.attributes[0].value.doubleValue)`
        ],
        [
          request({ attributes: [{ key: "k", value: { bytesValue: "*" } }] }),
          `not base64 (${at}.attributes[0].value.bytesValue)`
        ],
        [
          request({ attributes: [{ key: "k", value: { boolValue: 1 } }] }),
          `not a boolean (${at}.attributes[0].value.boolValue)`
        ]
      ] as const
    ) {
      assert.strictEqual(failure(json(value)).message, `application/json: ${message}`)
    }
  })

  it("reads what other writers of JSON write", () => {
    const span = one(json(request({
      traceId: ids.traceId.toUpperCase(),
      parentSpanId: "",
      kind: "SPAN_KIND_CLIENT",
      status: { code: "STATUS_CODE_ERROR", message: null },
      startTimeUnixNano: 5,
      endTimeUnixNano: "7",
      unknown: { nested: [1] },
      events: null,
      attributes: [
        { key: "int", value: { intValue: 12 } },
        { key: "negative", value: { intValue: "-12" } },
        { key: "wide", value: { intValue: "9223372036854775807" } },
        { key: "double", value: { doubleValue: "1.5" } },
        { key: "url", value: { bytesValue: "-_8" } },
        { key: "zero", value: { intValue: 0, stringValue: null } },
        { key: "none" },
        { key: "false", value: { boolValue: false } }
      ]
    })))
    assert.strictEqual(span.traceId, ids.traceId)
    assert.isUndefined(span.parentSpanId)
    assert.strictEqual(span.kind, "CLIENT")
    assert.deepStrictEqual(span.status, { code: "ERROR", message: "" })
    assert.deepStrictEqual([span.startTimeUnixNano, span.endTimeUnixNano], [5n, 7n])
    assert.deepStrictEqual(Object.entries(span.attributes), [
      ["int", 12],
      ["negative", -12],
      ["wide", 9_223_372_036_854_775_807n],
      ["double", 1.5],
      ["url", Uint8Array.of(251, 255)],
      ["zero", 0],
      ["none", null],
      ["false", false]
    ])
  })

  it("reads what the official encoder writes, in whatever order, and skips what it does not know", () => {
    const body = Request.encode(Request.fromObject({
      resourceSpans: [{
        resource: { attributes: [{ key: "a", value: { stringValue: "b" } }], entityRefs: [{ type: "service" }] },
        scopeSpans: [{
          scope: { name: "s", version: "1", droppedAttributesCount: 2 },
          spans: [{
            traceId: Buffer.from(ids.traceId, "hex"),
            spanId: Buffer.from(ids.spanId, "hex"),
            parentSpanId: Buffer.alloc(8),
            kind: 0,
            startTimeUnixNano: 9,
            endTimeUnixNano: 8,
            flags: 0x301
          }]
        }],
        schemaUrl: "u"
      }]
    })).finish()
    const unknown = [0x7a, 1, 0, 0x80, 0x01, 5, 0x8b, 0x01, 0x8c, 0x01, 0x9d, 0x01, 1, 2, 3, 4]
    for (const given of [body, Uint8Array.from([...unknown, ...body, ...unknown])]) {
      const span = one(protobuf(given))
      assert.deepStrictEqual(Object.entries(span.resource.attributes), [["a", "b"]])
      assert.strictEqual(span.resource.schemaUrl, "u")
      assert.deepStrictEqual(span.scope, { name: "s", version: "1" })
      assert.deepStrictEqual([span.traceId, span.spanId, span.parentSpanId], [ids.traceId, ids.spanId, undefined])
      assert.strictEqual(span.kind, "INTERNAL")
      assert.deepStrictEqual([span.startTimeUnixNano, span.endTimeUnixNano], [9n, 9n])
      assert.deepStrictEqual([span.traceFlags, span.parentIsRemote], [1, true])
    }
  })

  it("bounds depth and number of what it makes", () => {
    let value: unknown = 1
    for (let i = 0; i < 200; i++) value = [value]
    const deep = make({ attributeList: ["k", value] as never })
    const wide = make({ attributeList: ["k", new Array<null>(1000).fill(null)] })
    for (const { contentType, makeSpanBatch } of [OtlpProtobuf.encoder, OtlpJson.encoder]) {
      const [deepBatch, wideBatch] = [makeSpanBatch(), makeSpanBatch()]
      assert.isTrue(deepBatch.add(deep, Infinity))
      assert.isTrue(wideBatch.add(wide, Infinity))
      assert.include(failure(OtlpDecoder.decode(contentType, deepBatch.toBody())).message, "nested too deeply")
      const decode = (maxItems: number) => OtlpDecoder.decode(contentType, wideBatch.toBody(), { maxItems })
      // One span, one attribute, a thousand elements, and the service name.
      assert.isTrue(Result.isSuccess(decode(1003)))
      assert.include(failure(decode(1002)).message, "too many items")
    }
  })

  it("takes a key like __proto__ for a key", () => {
    const span = one(json(request({ attributes: [{ key: "__proto__", value: { stringValue: "x" } }] })))
    assert.deepStrictEqual(Object.keys(span.attributes), ["__proto__"])
    assert.isUndefined(({} as { x?: unknown }).x)
  })
})
