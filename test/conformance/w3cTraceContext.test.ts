/** The cases of the W3C trace-context test suite, run against the propagator. */
import { assert, describe, it } from "@effect/vitest"
import * as Propagator from "../../src/context/Propagator.ts"
import { advancedCases, cases, type Header, levelTwoCases, parentId, type Sent, sentBy, traceId } from "./w3cCases.ts"

let spans = 0

/** A service: takes a request, calls another one within a span of its own. */
const serve = (carrier: Propagator.TextMapGetter): Sent => {
  const incoming = Propagator.traceContext.extract(carrier)
  const own = {
    traceId: incoming.spanContext?.traceId ?? "0af7651916cd43dd8448eb211c80319c",
    spanId: `b7ad6b7169${String(++spans).padStart(6, "0")}`,
    traceFlags: incoming.spanContext?.traceFlags ?? 3,
    traceState: incoming.spanContext?.traceState ?? "",
    isRemote: false
  }
  const sent: Array<Header> = []
  Propagator.traceContext.inject({ ...incoming, spanContext: own }, (name, value) => sent.push([name, value]))
  return sentBy(sent)
}

/** As Node and Effect give headers: names in lower case, repeated ones joined. */
const joined = (headers: ReadonlyArray<Header>): Propagator.HeaderRecord => {
  const record: Record<string, string> = {}
  for (const [name, value] of headers) {
    const key = name.toLowerCase()
    record[key] = key in record ? `${record[key]}, ${value}` : value
  }
  return record
}

const carriers: ReadonlyArray<readonly [string, (headers: ReadonlyArray<Header>) => Propagator.TextMapGetter]> = [
  ["header lines", (headers) => Propagator.fromEntries(headers)],
  ["joined headers", (headers) => Propagator.fromRecord(joined(headers))]
]

describe("W3C trace-context", () => {
  const all = { ...cases, ...levelTwoCases }

  it("has the suite's 41 cases", () => {
    assert.deepStrictEqual(
      [cases, advancedCases, levelTwoCases].map((list) => Object.keys(list).length),
      [37, 3, 1]
    )
  })

  for (const [carrier, make] of carriers) {
    describe(carrier, () => {
      it.each(Object.keys(all))("%s", (name) => {
        for (const [headers, expect] of all[name]!) expect(serve(make(headers)))
      })

      it.each(Object.keys(advancedCases))("%s", (name) => {
        const [headers, expect] = advancedCases[name]!
        expect([1, 2, 3].map(() => serve(make(headers))))
      })
    })
  }

  it("level 2: the random flag travels on, unknown flags do not", () => {
    for (const [flags, expected] of [["00", 0], ["01", 1], ["02", 2], ["03", 3], ["fc", 0], ["ff", 3]] as const) {
      const carrier = Propagator.fromEntries([["traceparent", `00-${traceId}-${parentId}-${flags}`]])
      const { spanContext } = Propagator.traceContext.extract(carrier)
      assert.strictEqual(spanContext?.traceFlags, expected)
      const sent: Array<string> = []
      Propagator.traceContext.inject(
        { ...Propagator.emptyContext, spanContext: { ...spanContext!, traceFlags: parseInt(flags, 16) } },
        (_, value) => sent.push(value)
      )
      assert.deepStrictEqual(sent, [`00-${traceId}-${parentId}-0${expected}`])
    }
  })

  it("digits in upper case are invalid", () => {
    const upper = "ABCDEF78901234567890123456789012"
    assert.isUndefined(
      Propagator.traceContext.extract(Propagator.fromEntries([["traceparent", `00-${upper}-${parentId}-01`]]))
        .spanContext
    )
    assert.isUndefined(
      Propagator.traceContext.extract(Propagator.fromEntries([["traceparent", `0A-${traceId}-${parentId}-01`]]))
        .spanContext
    )
  })
})
