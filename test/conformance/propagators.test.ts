/** What the official propagators write, ours read, and the other way round. */
import { assert, describe, it } from "@effect/vitest"
import { type Context, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api"
import { W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core"
import { B3InjectEncoding, B3Propagator } from "@opentelemetry/propagator-b3"
import { JaegerPropagator } from "@opentelemetry/propagator-jaeger"
import * as Propagator from "../../src/context/Propagator.ts"
import * as Baggage from "../../src/model/Baggage.ts"
import { SpanContext } from "../../src/model/SpanContext.ts"

interface Official {
  inject(context: Context, carrier: unknown, setter: Setter): void
  extract(context: Context, carrier: unknown, getter: Getter): Context
}
interface Setter {
  set(carrier: unknown, key: string, value: string): void
}
interface Getter {
  get(carrier: unknown, key: string): string | undefined
  keys(carrier: unknown): Array<string>
}
type Carrier = Record<string, string>

const setter: Setter = { set: (carrier, key, value) => (carrier as Carrier)[key.toLowerCase()] = value }
const getter: Getter = {
  get: (carrier, key) => (carrier as Carrier)[key.toLowerCase()],
  keys: (carrier) => Object.keys(carrier as Carrier)
}

const pairs: ReadonlyArray<
  readonly [name: string, ours: Propagator.TextMapPropagator, official: Official, flags: number]
> = [
  ["tracecontext", Propagator.traceContext, new W3CTraceContextPropagator(), 3],
  ["b3", Propagator.b3, new B3Propagator(), 1],
  ["b3multi", Propagator.b3multi, new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }), 1],
  ["jaeger", Propagator.jaeger, new JaegerPropagator(), 1]
]

const written = (propagator: Propagator.TextMapPropagator, context: Propagator.PropagationContext): Carrier => {
  const carrier: Carrier = {}
  propagator.inject(context, (name, value) => {
    carrier[name] = value
  })
  return carrier
}

const officiallyWritten = (propagator: Official, context: Context): Carrier => {
  const carrier: Carrier = {}
  propagator.inject(context, carrier, setter)
  return carrier
}

const essence = (
  context: { readonly traceId: string; readonly spanId: string; readonly traceFlags: number },
  flags: number
) => ({
  traceId: context.traceId,
  spanId: context.spanId,
  traceFlags: context.traceFlags & flags
})

describe("beside the official propagators", () => {
  for (const [name, ours, official, flags] of pairs) {
    it.prop(`${name}: each reads what the other writes`, [SpanContext], ([spanContext]) => {
      // Theirs writes whatever flags it is given, in up to two digits.
      const given = { ...spanContext, traceFlags: spanContext.traceFlags & flags, traceState: "" }
      const theirs = officiallyWritten(
        official,
        trace.setSpanContext(ROOT_CONTEXT, { ...given, traceState: undefined } as never)
      )
      assert.deepStrictEqual(
        essence(ours.extract(Propagator.fromRecord(theirs)).spanContext!, flags),
        essence(given, flags)
      )
      const mine = written(ours, { ...Propagator.emptyContext, spanContext: given })
      const back = trace.getSpanContext(official.extract(ROOT_CONTEXT, mine, getter))!
      assert.deepStrictEqual(essence(back, 1), essence(given, 1))
      assert.strictEqual(back.isRemote, true)
      assert.deepStrictEqual(Object.keys(mine).sort(), Object.keys(theirs).sort())
    })
  }

  it("b3: the debug flag crosses from them through us to them", () => {
    const traceId = "80f198ee56343ba864fe8b2a57d3eff7"
    const spanId = "e457b5a2e4d86bd1"
    const single = new B3Propagator()
    const multi = new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER })
    for (
      const [incoming, from] of [[single, { b3: `${traceId}-${spanId}-d` }], [multi, {
        "x-b3-traceid": traceId,
        "x-b3-spanid": spanId,
        "x-b3-flags": "1"
      }]] as const
    ) {
      const theirs = officiallyWritten(incoming, incoming.extract(ROOT_CONTEXT, from, getter))
      const read = Propagator.b3.extract(Propagator.fromRecord(theirs))
      assert.deepStrictEqual(written(Propagator.b3, read), { b3: `${traceId}-${spanId}-d` })
      const mine = written(Propagator.b3multi, read)
      assert.deepStrictEqual(mine, { "x-b3-traceid": traceId, "x-b3-spanid": spanId, "x-b3-flags": "1" })
      assert.deepStrictEqual(officiallyWritten(multi, multi.extract(ROOT_CONTEXT, mine, getter)), mine)
    }
  })

  it.prop("baggage and jaeger: each reads the other's baggage", [Baggage.Baggage], ([baggage]) => {
    const given = new Map(
      [...baggage].flatMap(([key, { value }]) =>
        // Names of headers have no case, and theirs leaves out an empty value; all else is the same.
        /^[a-z0-9]+$/.test(key) && value !== "" ? [[key, { value: value.toWellFormed(), properties: [] }] as const] : []
      )
    ).set("tenant", { value: "blue sky, größer; a=b%41", properties: [] })
    const entries = [...given].map(([key, { value }]) => [key, value])
    for (
      const [ours, official] of [
        [Propagator.baggage, new W3CBaggagePropagator()],
        [Propagator.jaeger, new JaegerPropagator()]
      ] as const
    ) {
      const theirs = officiallyWritten(
        official,
        propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage(Object.fromEntries(given)))
      )
      const read = ours.extract(Propagator.fromRecord(theirs)).baggage
      assert.deepStrictEqual(new Map([...read].map(([key, { value }]) => [key, value])), new Map(entries as never))
      const mine = written(ours, { spanContext: undefined, baggage: given })
      const back = propagation.getBaggage(official.extract(ROOT_CONTEXT, mine, getter))!
      assert.deepStrictEqual(back.getAllEntries().map(([key, { value }]) => [key, value]).sort(), [...entries].sort())
    }
  }, { arbitrary: { size: 8 } })
})
