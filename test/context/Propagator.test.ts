import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Propagator from "../../src/context/Propagator.ts"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import * as Baggage from "../../src/model/Baggage.ts"

const spanContext = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: 3,
  traceState: "a=1",
  isRemote: false
}
const context: Propagator.PropagationContext = { spanContext, baggage: Baggage.make({ user: "7" }) }
const headers = {
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03",
  tracestate: "a=1",
  baggage: "user=7"
}

const inject = (propagator: Propagator.TextMapPropagator, from = context) => {
  const record: Record<string, string> = {}
  propagator.inject(from, (name, value) => {
    record[name] = value
  })
  return record
}

const recorded = () => {
  const lines: Array<string> = []
  return { lines, diagnostics: Diagnostics.make({ write: (line) => lines.push(line) }) }
}

describe("W3C propagators", () => {
  it("write their headers and nothing else", () => {
    const { baggage: _, ...trace } = headers
    assert.deepStrictEqual(inject(Propagator.traceContext), trace)
    assert.deepStrictEqual(inject(Propagator.baggage), { baggage: "user=7" })
    assert.deepStrictEqual(inject(Propagator.traceContext, Propagator.emptyContext), {})
    assert.deepStrictEqual(inject(Propagator.baggage, Propagator.emptyContext), {})
  })

  it("write nothing for ids that are not valid, and no tracestate that is none", () => {
    for (const change of [{ traceId: "noop" }, { spanId: "0".repeat(16) }, { traceId: "0".repeat(32) }]) {
      const from = { ...context, spanContext: { ...spanContext, ...change } }
      assert.deepStrictEqual(inject(Propagator.traceContext, from), {})
    }
    for (const traceState of ["", "a=1\r\nx-evil: 1", "a=\0", "a=é", "a=1,".repeat(3000)]) {
      const from = { ...context, spanContext: { ...spanContext, traceState } }
      assert.deepStrictEqual(Object.keys(inject(Propagator.traceContext, from)), ["traceparent"])
    }
  })

  it("read what they wrote, as remote", () => {
    const carrier = Propagator.fromRecord(headers)
    assert.deepStrictEqual(Propagator.traceContext.extract(carrier).spanContext, { ...spanContext, isRemote: true })
    assert.deepStrictEqual(Propagator.baggage.extract(carrier).baggage, context.baggage)
  })

  it("leave the context as it is when the carrier says nothing valid", () => {
    for (const record of [{}, { traceparent: "nonsense", baggage: "nonsense" }, { traceparent: [], baggage: [] }]) {
      const carrier = Propagator.fromRecord(record)
      assert.strictEqual(Propagator.traceContext.extract(carrier, context), context)
      assert.strictEqual(Propagator.baggage.extract(carrier, context), context)
      assert.strictEqual(Propagator.traceContext.extract(carrier), Propagator.emptyContext)
    }
  })

  it("several lines: baggage and tracestate are one list, a second traceparent is one too many", () => {
    const read = (record: Propagator.HeaderRecord) =>
      Propagator.composite([Propagator.traceContext, Propagator.baggage]).extract(Propagator.fromRecord(record))
    const { baggage, spanContext } = read({
      traceparent: [headers.traceparent],
      tracestate: ["a=1", "b=2"],
      baggage: ["x=1", "y=2"]
    })
    assert.strictEqual(spanContext?.traceState, "a=1,b=2")
    assert.deepStrictEqual([...baggage.keys()], ["x", "y"])
    assert.isUndefined(read({ traceparent: [headers.traceparent, headers.traceparent] }).spanContext)
    const long = `a=${"x".repeat(250)}`
    assert.strictEqual(
      read({ traceparent: headers.traceparent, tracestate: Array.from({ length: 40 }, () => long) }).spanContext
        ?.traceState,
      ""
    )
  })
})

describe("carriers", () => {
  it("fromRecord finds any case of a name and only own properties", () => {
    const inherited = Object.create({ traceparent: headers.traceparent }) as Propagator.HeaderRecord
    assert.isUndefined(Propagator.fromRecord(inherited).get("traceparent"))
    assert.isUndefined(Propagator.fromRecord({}).get("constructor"))
    const carrier = Propagator.fromRecord({ TraceParent: "x", other: "y" })
    assert.strictEqual(carrier.get("traceparent"), "x")
    assert.deepStrictEqual(carrier.keys(), ["TraceParent", "other"])
  })

  it("fromEntries takes a Headers object and keeps repeated names", () => {
    const fetched = Propagator.fromEntries(new Headers(headers))
    assert.deepStrictEqual(Propagator.traceContext.extract(fetched).spanContext?.spanId, spanContext.spanId)
    const carrier = Propagator.fromEntries([["A", "1"], ["a", "2"], ["__proto__", "3"]])
    assert.deepStrictEqual(carrier.get("a"), ["1", "2"])
    assert.deepStrictEqual(carrier.keys(), ["a", "__proto__"])
  })
})

describe("composite", () => {
  const both = Propagator.composite([Propagator.traceContext, Propagator.baggage])

  it("writes and reads what each of them does", () => {
    assert.deepStrictEqual(both.fields, ["traceparent", "tracestate", "baggage"])
    assert.deepStrictEqual(inject(both), headers)
    assert.deepStrictEqual(both.extract(Propagator.fromRecord(headers)), {
      spanContext: { ...spanContext, isRemote: true },
      baggage: context.baggage
    })
    assert.deepStrictEqual(Propagator.composite([both, both]).fields, both.fields)
  })

  it("a propagator that throws is passed over and reported", () => {
    const { diagnostics } = recorded()
    const broken: Propagator.TextMapPropagator = {
      fields: ["x-broken"],
      inject() {
        throw new Error("inject")
      },
      extract() {
        throw Object.create(null)
      }
    }
    const safe = Propagator.composite([broken, Propagator.traceContext, broken, Propagator.baggage], diagnostics)
    assert.deepStrictEqual(inject(safe), headers)
    assert.strictEqual(safe.extract(Propagator.fromRecord(headers)).baggage.size, 1)
    assert.strictEqual(diagnostics.counts.get("propagator.x-broken"), 4)
  })

  it("a carrier that throws, or that lies about its types, stops nothing", () => {
    const { diagnostics } = recorded()
    const safe = Propagator.composite([Propagator.traceContext, Propagator.baggage], diagnostics)
    const throwing: Propagator.TextMapGetter = {
      get() {
        throw new Error("no")
      },
      keys: () => []
    }
    assert.strictEqual(safe.extract(throwing, context), context)
    for (const value of [5, null, {}, [5], [null, null], true]) {
      safe.extract({ get: () => value as never, keys: () => [] })
    }
    safe.inject(context, () => {
      throw new Error("read-only")
    })
  })

  it("a propagator that returns no context is passed over", () => {
    const { diagnostics } = recorded()
    for (const wrong of [undefined, null, {}, 5, "context"]) {
      const lying = { ...Propagator.none, fields: ["x-lying"], extract: () => wrong as never }
      const read = Propagator.composite([lying, Propagator.baggage], diagnostics).extract(
        Propagator.fromRecord(headers)
      )
      assert.deepStrictEqual(read.baggage, context.baggage)
    }
    assert.strictEqual(diagnostics.counts.get("propagator.x-lying"), 5)
  })

  it("a header that HTTP does not allow is not written", () => {
    const { diagnostics, lines } = recorded()
    const evil = (name: string, value: string): Propagator.TextMapPropagator => ({
      fields: [name],
      inject: (_, set) => set(name, value),
      extract: (_, from = Propagator.emptyContext) => from
    })
    for (const value of ["a\r\nb: c", "a\nb", "a\0", "é", "\u{1f600}", "\x7f"]) {
      assert.deepStrictEqual(inject(Propagator.composite([evil("x", value)], diagnostics)), {})
    }
    for (const name of ["", "a b", "a:b", "a\r\nb", "é"]) {
      assert.deepStrictEqual(inject(Propagator.composite([evil(name, "v")], diagnostics)), {})
    }
    assert.deepStrictEqual(inject(Propagator.composite([evil("x-ok", "a b\tc")], diagnostics)), { "x-ok": "a b\tc" })
    assert.isTrue(lines.length > 0)
  })
})

describe("layers", () => {
  const use = Effect.map(Propagator.Propagator, (propagator) => inject(propagator))

  it.effect("each provides its propagators", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Effect.provide(use, Propagator.layerDefault), headers)
      assert.deepStrictEqual(Object.keys(yield* Effect.provide(use, Propagator.layerTraceContext)), [
        "traceparent",
        "tracestate"
      ])
      assert.deepStrictEqual(Object.keys(yield* Effect.provide(use, Propagator.layerBaggage)), ["baggage"])
      assert.deepStrictEqual(yield* Effect.provide(use, Propagator.layerNone), {})
    }))

  it("none reads nothing", () => {
    assert.strictEqual(Propagator.none.extract(Propagator.fromRecord(headers), context), context)
    assert.strictEqual(Propagator.none.extract(Propagator.fromRecord(headers)), Propagator.emptyContext)
  })

  it.effect("a layer reports to the diagnostics in context", () =>
    Effect.gen(function*() {
      const { diagnostics } = recorded()
      const broken: Propagator.TextMapPropagator = {
        ...Propagator.none,
        fields: ["x-broken"],
        inject() {
          throw new Error("no")
        }
      }
      const sent = yield* use.pipe(
        Effect.provide(Propagator.layer(broken, Propagator.baggage)),
        Effect.provideService(Diagnostics.Diagnostics, diagnostics)
      )
      assert.deepStrictEqual(sent, { baggage: "user=7" })
      assert.strictEqual(diagnostics.counts.get("propagator.x-broken"), 1)
    }))
})
