import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Resource from "../../src/model/Resource.ts"
import { isValid, SpanContext } from "../../src/model/SpanContext.ts"
import * as SpanData from "../../src/model/SpanData.ts"

const span: SpanData.SpanData = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  parentSpanId: undefined,
  parentIsRemote: false,
  traceFlags: 3,
  traceState: "ot=th:8",
  name: "checkout",
  kind: "SERVER",
  startTimeUnixNano: 0n,
  endTimeUnixNano: 2n ** 64n - 1n,
  status: { code: "ERROR", message: "no stock" },
  attributes: { "http.request.method": "POST", "order.id": 2n ** 60n },
  droppedAttributesCount: 1,
  events: [{ name: "exception", timeUnixNano: 5n, attributes: {}, droppedAttributesCount: 0 }],
  droppedEventsCount: 2,
  links: [{
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    spanId: "00f067aa0ba902b7",
    traceFlags: 1,
    isRemote: true,
    traceState: "",
    attributes: {},
    droppedAttributesCount: 0
  }],
  droppedLinksCount: 3,
  scope: { name: "shop", version: "1.0.0" },
  resource: Resource.make({ "service.name": "shop" })
}

const decode = Schema.decodeUnknownSync(SpanData.SpanData)
const encoded = Schema.encodeSync(SpanData.SpanData)(span)

describe("SpanData", () => {
  it("in JSON: times and 64-bit integers as decimal strings, null for no parent", () => {
    assert.deepStrictEqual(JSON.parse(JSON.stringify(encoded)), {
      ...span,
      parentSpanId: null,
      startTimeUnixNano: "0",
      endTimeUnixNano: "18446744073709551615",
      attributes: { "http.request.method": "POST", "order.id": { int: "1152921504606846976" } },
      events: [{ name: "exception", timeUnixNano: "5", attributes: {}, droppedAttributesCount: 0 }],
      resource: { attributes: { "service.name": "shop" } }
    })
  })

  it.each([
    ["a trace id of zeros", { traceId: "0".repeat(32) }],
    ["a trace id in upper case", { traceId: span.traceId.toUpperCase() }],
    ["a short span id", { spanId: "b7ad" }],
    ["a parent of zeros", { parentSpanId: "0".repeat(16) }],
    ["flags beyond a byte", { traceFlags: 256 }],
    ["a tracestate that would break a header", { traceState: "a=1\r\nx: y" }],
    ["a time beyond 64 bits", { endTimeUnixNano: "18446744073709551616" }],
    ["a negative time", { startTimeUnixNano: "-1" }],
    ["a time that is a number", { startTimeUnixNano: 5 }],
    ["an end before the start", { startTimeUnixNano: "2", endTimeUnixNano: "1" }],
    ["an unknown kind", { kind: "internal" }],
    ["an unknown status", { status: { code: "ok", message: "" } }],
    ["a negative count", { droppedLinksCount: -1 }],
    ["a count that is no integer", { droppedLinksCount: 0.5 }],
    ["an attribute without a key", { attributes: { "": 1 } }],
    ["no name", { name: undefined }],
    ["an invalid link", { links: [{ ...span.links[0], spanId: "" }] }]
  ])("refuses %s", (_, change) => {
    assert.isTrue(Schema.is(SpanData.SpanData)(decode(encoded)))
    assert.throws(() => decode({ ...encoded, ...change }))
  })

  it("an error names the place", () => {
    assert.throws(() => decode({ ...encoded, events: [{ ...encoded.events[0], timeUnixNano: "x" }] }), /timeUnixNano/)
    assert.throws(() => decode({ ...encoded, startTimeUnixNano: "2", endTimeUnixNano: "1" }), /endTimeUnixNano/)
  })

  it("kinds are upper case in data and Effect's on a readable span", () => {
    for (const kind of ["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"] as const) {
      const readable = SpanData.toReadable({ ...span, kind })
      assert.strictEqual(readable.kind, kind.toLowerCase())
      assert.strictEqual(SpanData.fromReadable(readable).kind, kind)
    }
  })
})

describe("SpanContext", () => {
  const context = { traceId: span.traceId, spanId: span.spanId, traceFlags: 1, traceState: "", isRemote: true }

  it("is valid with two ids that are well-formed and not zero", () => {
    assert.isTrue(isValid(context))
    assert.isFalse(isValid({ ...context, traceId: "noop" }))
    assert.isFalse(isValid({ ...context, traceId: "0".repeat(32) }))
    assert.isFalse(isValid({ ...context, spanId: "0".repeat(16) }))
    assert.isFalse(isValid({ ...context, spanId: context.spanId.toUpperCase() }))
  })

  it("Schema and isValid agree on ids", () => {
    for (const spanId of ["0".repeat(16), "0".repeat(15), "g".repeat(16), "1".repeat(16), ""]) {
      assert.strictEqual(Schema.is(SpanContext)({ ...context, spanId }), isValid({ ...context, spanId }))
    }
  })
})
