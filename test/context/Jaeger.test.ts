import { assert, describe, it } from "@effect/vitest"
import * as Jaeger from "../../src/context/Jaeger.ts"
import * as Propagator from "../../src/context/Propagator.ts"
import * as Baggage from "../../src/model/Baggage.ts"

const traceId = "80f198ee56343ba864fe8b2a57d3eff7"
const spanId = "e457b5a2e4d86bd1"

const read = (headers: Propagator.HeaderRecord) => Jaeger.propagator.extract(Propagator.fromRecord(headers))
const context = (traceFlags: number) => ({ traceId, spanId, traceFlags, traceState: "", isRemote: true })
const values = (baggage: Baggage.Baggage) => [...baggage].map(([key, { value }]) => [key, value])

const written = (from: Partial<Propagator.PropagationContext>) => {
  const lines: Array<readonly [string, string]> = []
  Jaeger.propagator.inject({ ...Propagator.emptyContext, ...from }, (name, value) => lines.push([name, value]))
  return lines
}

describe("Jaeger, read", () => {
  it.each([
    ["sampled", `${traceId}:${spanId}:0:1`, context(1)],
    ["not sampled", `${traceId}:${spanId}:0:00`, context(0)],
    ["debug", `${traceId}:${spanId}:0:02`, context(1)],
    ["flags of a later time", `${traceId}:${spanId}:0:f0`, context(0)],
    ["with a parent", `${traceId}:${spanId}:05e3ac9a4f6e3b90:03`, context(1)],
    ["encoded", `${traceId}%3A${spanId}%3a0%3A1`, context(1)],
    ["upper case", `${traceId.toUpperCase()}:${spanId.toUpperCase()}:0:1`, context(1)],
    ["short ids", "f7:d1:0:1", { ...context(1), traceId: "f7".padStart(32, "0"), spanId: "d1".padStart(16, "0") }]
  ])("%s", (_, header, expected) => {
    assert.deepStrictEqual(read({ "uber-trace-id": header }).spanContext, expected)
    assert.deepStrictEqual(read({ "Uber-Trace-Id": [header, "x"] }).spanContext, expected)
  })

  it.each([
    "",
    ":::",
    `${traceId}:${spanId}:0`,
    `${traceId}:${spanId}:0:1:1`,
    `${traceId}:${spanId}:0:x`,
    `${traceId}:${spanId}:0:`,
    `${traceId}:${spanId}:0:100`,
    `0:${spanId}:0:1`,
    `${traceId}:0:0:1`,
    `1${traceId}:${spanId}:0:1`,
    `${traceId}:1${spanId}:0:1`,
    `${traceId}:${spanId}:0:1, ${traceId}:${spanId}:0:1`,
    `x${traceId.slice(1)}:${spanId}:0:1`,
    `${"%3A".repeat(40)}`
  ])("not valid: %s", (header) => assert.isUndefined(read({ "uber-trace-id": header }).spanContext))

  it("baggage, a header for each entry", () => {
    const { baggage } = read({
      "uberctx-tenant": "blue%20sky",
      "UberCtx-User": ["7", "8"],
      "uberctx-": "x",
      "uberctx-b d": "x",
      "uberctx-bad": "a b",
      "uberctx-__proto__": "1",
      other: "y"
    })
    assert.deepStrictEqual(values(baggage), [["tenant", "blue sky"], ["User", "7"], ["__proto__", "1"]])
    const empty = read({ other: "y" })
    assert.strictEqual(empty, Propagator.emptyContext)
  })

  it("baggage within the bounds of W3C Baggage", () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`uberctx-k${i}`, "v"]))
    assert.strictEqual(read(many).baggage.size, 64)
    const big = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`uberctx-k${i}`, "v".repeat(4000)]))
    assert.deepStrictEqual([...read(big).baggage.keys()], ["k0", "k1"])
  })
})

describe("Jaeger, written", () => {
  it("the span and the baggage", () => {
    assert.deepStrictEqual(
      written({ spanContext: { ...context(3), isRemote: false }, baggage: Baggage.make({ a: "1 2", "b c": "x" }) }),
      [["uber-trace-id", `${traceId}:${spanId}:0:01`], ["uberctx-a", "1%202"]]
    )
    assert.deepStrictEqual(written({ spanContext: context(2) }), [["uber-trace-id", `${traceId}:${spanId}:0:00`]])
    assert.deepStrictEqual(written({ spanContext: { ...context(1), spanId: "x\r\ny" } }), [])
  })

  it("whole entries within the bounds", () => {
    const many = Baggage.make(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, "v"])))
    assert.strictEqual(written({ baggage: many }).length, 64)
    const mixed = Baggage.make({ a: "1", big: "x".repeat(9000), wide: "é".repeat(2000), b: "2" })
    assert.deepStrictEqual(written({ baggage: mixed }), [["uberctx-a", "1"], ["uberctx-b", "2"]])
  })
})
