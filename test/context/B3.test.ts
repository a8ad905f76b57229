import { assert, describe, it } from "@effect/vitest"
import * as B3 from "../../src/context/B3.ts"
import * as Propagator from "../../src/context/Propagator.ts"
import * as Baggage from "../../src/model/Baggage.ts"

const traceId = "80f198ee56343ba864fe8b2a57d3eff7"
const spanId = "e457b5a2e4d86bd1"
const parentId = "05e3ac9a4f6e3b90"

const read = (headers: Propagator.HeaderRecord, propagator = B3.single) =>
  propagator.extract(Propagator.fromRecord(headers)).spanContext

const written = (propagator: Propagator.TextMapPropagator, traceFlags: number, traceState = "") => {
  const record: Record<string, string> = {}
  const spanContext = { traceId, spanId, traceFlags, traceState, isRemote: false }
  propagator.inject({ spanContext, baggage: Baggage.empty }, (name, value) => {
    record[name] = value
  })
  return record
}

const context = (traceFlags: number, traceState = "") => ({ traceId, spanId, traceFlags, traceState, isRemote: true })

describe("B3, read", () => {
  it.each([
    ["accepted", `${traceId}-${spanId}-1`, context(1)],
    ["denied", `${traceId}-${spanId}-0`, context(0)],
    ["debug", `${traceId}-${spanId}-d`, context(1, "b3=d")],
    ["deferred", `${traceId}-${spanId}`, context(0)],
    ["with a parent", `${traceId}-${spanId}-1-${parentId}`, context(1)],
    ["64 bits", `64fe8b2a57d3eff7-${spanId}-1`, { ...context(1), traceId: "000000000000000064fe8b2a57d3eff7" }],
    ["upper case", `${traceId.toUpperCase()}-${spanId.toUpperCase()}-1`, context(1)]
  ])("one header: %s", (_, b3, expected) => {
    assert.deepStrictEqual(read({ b3 }), expected)
    assert.deepStrictEqual(read({ b3: [b3, "0"] }, B3.multi), expected)
  })

  it.each([
    "",
    "0",
    "1",
    "d",
    `${traceId}-${spanId}-2`,
    `${traceId}-${spanId}-true`,
    `${traceId}-${spanId}-`,
    `${traceId}-${spanId}-1-`,
    `${traceId}-${spanId}-1-${parentId}-1`,
    `${traceId}-${spanId}-1-${parentId}x`,
    `${traceId}-${spanId}-1, ${traceId}-${spanId}-1`,
    `x${traceId}-${spanId}-1`,
    `${"0".repeat(32)}-${spanId}-1`,
    `${traceId}-${"0".repeat(16)}-1`,
    `${traceId.slice(1)}-${spanId}-1`,
    `${traceId}-${spanId.slice(1)}-1`,
    `${traceId.slice(0, 24)}-${spanId}-1`,
    " ".repeat(70)
  ])("one header, not valid: %s", (b3) => {
    assert.isUndefined(read({ b3 }))
    const both = { b3, "x-b3-traceid": traceId, "x-b3-spanid": spanId, "x-b3-sampled": "1" }
    assert.deepStrictEqual(read(both), context(1), "the other form is asked then")
  })

  it.each([
    ["accepted", { "x-b3-sampled": "1" }, context(1)],
    ["accepted, in words", { "x-b3-sampled": "true" }, context(1)],
    ["denied", { "X-B3-Sampled": "0" }, context(0)],
    ["denied, in words", { "x-b3-sampled": "False" }, context(0)],
    ["deferred", {}, context(0)],
    ["debug", { "x-b3-flags": "1" }, context(1, "b3=d")],
    ["debug above all", { "x-b3-flags": "1", "x-b3-sampled": "0" }, context(1, "b3=d")],
    ["other flags", { "x-b3-flags": "2", "x-b3-sampled": "1" }, context(1)],
    ["no state", { "x-b3-sampled": "maybe" }, undefined],
    ["no trace", { "x-b3-traceid": "xyz" }, undefined],
    ["zeros", { "x-b3-spanid": "0".repeat(16) }, undefined],
    ["64 bits", { "x-b3-traceid": traceId.slice(16), "x-b3-sampled": "1" }, {
      ...context(1),
      traceId: "0".repeat(16) + traceId.slice(16)
    }],
    ["the first line wins", { "x-b3-sampled": ["1", "0"] }, context(1)]
  ])("several headers: %s", (_, headers, expected) => {
    const record = { "x-b3-traceid": traceId, "x-b3-spanid": spanId, "x-b3-parentspanid": parentId, ...headers }
    assert.deepStrictEqual(read(record), expected)
    assert.deepStrictEqual(read(record, B3.multi), expected)
  })

  it("the single header wins", () => {
    const multi = { "x-b3-traceid": "1".repeat(32), "x-b3-spanid": spanId, "x-b3-sampled": "0" }
    assert.deepStrictEqual(read({ b3: `${traceId}-${spanId}-1`, ...multi }), context(1))
  })
})

describe("B3, written", () => {
  it("in one header or in several", () => {
    assert.deepStrictEqual(written(B3.single, 3), { b3: `${traceId}-${spanId}-1` })
    assert.deepStrictEqual(written(B3.single, 2), { b3: `${traceId}-${spanId}-0` })
    assert.deepStrictEqual(written(B3.single, 1, "a=1,b3=d"), { b3: `${traceId}-${spanId}-d` })
    assert.deepStrictEqual(written(B3.single, 1, "a=b3:d,xb3=d"), { b3: `${traceId}-${spanId}-1` })
    const ids = { "x-b3-traceid": traceId, "x-b3-spanid": spanId }
    assert.deepStrictEqual(written(B3.multi, 3), { ...ids, "x-b3-sampled": "1" })
    assert.deepStrictEqual(written(B3.multi, 0), { ...ids, "x-b3-sampled": "0" })
    assert.deepStrictEqual(written(B3.multi, 1, "b3=d"), { ...ids, "x-b3-flags": "1" })
  })

  it("not at all for what is no context", () => {
    for (const propagator of [B3.single, B3.multi]) {
      for (
        const spanContext of [undefined, { ...context(1), traceId: "0".repeat(32) }, {
          ...context(1),
          spanId: "x\r\ny"
        }]
      ) {
        propagator.inject({ spanContext, baggage: Baggage.empty }, () => assert.fail("nothing to write"))
      }
    }
  })
})

describe("B3 beside W3C", () => {
  const all = Propagator.composite([Propagator.traceContext, Propagator.b3])

  it("keeps the tracestate of the same span, and a debug flag over a hop of W3C alone", () => {
    const traceparent = `00-${traceId}-${spanId}-03`
    const known = all.extract(Propagator.fromRecord({ traceparent, tracestate: "a=1", b3: `${traceId}-${spanId}-1` }))
    assert.deepStrictEqual(known.spanContext, context(3, "a=1"))
    const other = all.extract(Propagator.fromRecord({ traceparent, b3: `${traceId}-${parentId}-0` }))
    assert.deepStrictEqual(other.spanContext, { ...context(0), spanId: parentId })

    const sent = new Map<string, string>()
    all.inject(
      all.extract(Propagator.fromRecord({ b3: `${traceId}-${spanId}-d` })),
      (name, value) => sent.set(name, value)
    )
    assert.strictEqual(sent.get("tracestate"), "b3=d")
    const beyond = Propagator.traceContext.extract(Propagator.fromEntries(sent))
    assert.deepStrictEqual(written(B3.single, 1, beyond.spanContext!.traceState), { b3: `${traceId}-${spanId}-d` })
  })
})
