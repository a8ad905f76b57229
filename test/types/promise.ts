/** What the types of the Promise facade promise. Checked by the compiler, never run. */
import type { SpanData } from "../../src/model/SpanData.ts"
import {
  type ActiveSpan,
  BatchSpanProcessor,
  ConsoleExporter,
  getBaggage,
  getCurrentSpan,
  getTracer,
  inject,
  InMemoryExporter,
  linkSpan,
  OTLPExporter,
  SimpleSpanProcessor,
  startSpan,
  trace,
  TraceContext,
  traced,
  Tracer,
  withBaggage
} from "../../src/promise/index.ts"
import { type Equal, expectTrue, type Order, Shop } from "./support.ts"

// `trace` answers with what the function does.
const sync = trace("sync", () => 1 as number)
expectTrue<Equal<typeof sync, number>>()
const asynchronous = trace("async", { kind: "client" }, async (span) => span.name)
expectTrue<Equal<typeof asynchronous, Promise<string>>>()
const generator = trace("generator", function*(span): Generator<string, "r", boolean> {
  const heard = yield span.name
  expectTrue<Equal<typeof heard, boolean>>()
  return "r"
})
expectTrue<Equal<typeof generator, Generator<string, "r", boolean>>>()
const asyncGenerator = trace("async generator", {}, async function*(): AsyncGenerator<1> {
  yield 1
})
expectTrue<Equal<typeof asyncGenerator, AsyncGenerator<1>>>()

trace("span", (span) => expectTrue<Equal<typeof span, ActiveSpan>>())
// @ts-expect-error no such kind
trace("kind", { kind: "database" }, () => 1)
// @ts-expect-error nothing to run
trace("nothing")
// @ts-expect-error the function comes last
trace("order", () => 1, {})

// `traced` keeps the type of the function as it is: overloads, type parameters, `this`, guards, properties.
function overloaded(id: number): Order
function overloaded(sku: string): ReadonlyArray<Order>
function overloaded(_key: number | string): Order | ReadonlyArray<Order> {
  return []
}
const identity = <A>(value: A): A => value
const guard = (value: unknown): value is Order => typeof value === "object"
const method = function(this: Shop, amount: number, note?: string): string {
  return `${amount} ${this.currency} ${note}`
}
const withProperty = Object.assign((a: number) => a, { version: 1 })
async function* pages(size: number): AsyncGenerator<Order, number, string> {
  yield { id: Number(yield { id: size }) }
  return 1
}
const wrapped = {
  overloaded: traced(overloaded),
  identity: traced("identity", identity),
  guard: traced({ kind: "internal" }, guard),
  method: traced("method", { attributes: (amount, note) => ({ amount, note }) }, method),
  withProperty: traced(withProperty),
  pages: traced("pages", { root: true }, pages)
}
expectTrue<Equal<typeof wrapped.overloaded, typeof overloaded>>()
expectTrue<Equal<typeof wrapped.identity, typeof identity>>()
expectTrue<Equal<typeof wrapped.guard, typeof guard>>()
expectTrue<Equal<typeof wrapped.method, typeof method>>()
expectTrue<Equal<typeof wrapped.withProperty, typeof withProperty>>()
expectTrue<Equal<typeof wrapped.pages, typeof pages>>()
wrapped.method.call(new Shop(), 1)
// @ts-expect-error `this` is missing
wrapped.method(1)
// @ts-expect-error one argument is missing
wrapped.method.call(new Shop())

// Attributes see the function's own arguments.
traced("attributes", {
  attributes: (...args) => {
    expectTrue<Equal<typeof args, [amount: number, note?: string | undefined]>>()
    return {}
  }
}, method)
traced("readonly rest", {
  attributes: (...args) => {
    expectTrue<Equal<typeof args, ReadonlyArray<string>>>()
    return {}
  }
}, (...skus: ReadonlyArray<string>) => skus.length)
// @ts-expect-error the function takes a number
traced("attributes", { attributes: (amount: string) => ({ amount }) }, method)
// @ts-expect-error no function
traced("nothing", {}, 1)
// @ts-expect-error a call of `traced` has no one parent
traced("parent", { parent: startSpan("p") }, () => 1)

// Spans.
using span = startSpan("s", { links: [startSpan("a"), { span: startSpan("b"), attributes: {} }], root: true })
expectTrue<Equal<typeof span, ActiveSpan>>()
span.setAttribute("a", 1).setAttributes({ b: [1] }).addEvent("e").recordException("x").setStatus("ERROR").updateName(
  "t"
)
// @ts-expect-error no such status
span.setStatus("BAD")
linkSpan(span, { why: "batch" })
const current = getCurrentSpan()
expectTrue<Equal<typeof current, ActiveSpan | undefined>>()
expectTrue<Equal<typeof TraceContext.current, typeof getCurrentSpan>>()

// Context.
const within = withBaggage({ tenant: "blue", old: undefined }, async () => getBaggage())
expectTrue<Equal<typeof within, Promise<ReadonlyMap<string, string>>>>()
// @ts-expect-error baggage is text
withBaggage({ tenant: 1 }, () => 1)
const headers = inject(new URL("http://localhost"))
expectTrue<Equal<typeof headers, Record<string, string>>>()

// Tracers, exporters and processors.
const exporter = new InMemoryExporter({ maxSpans: 10 })
const stored = exporter.getSpans()
expectTrue<Equal<typeof stored, ReadonlyArray<SpanData>>>()
const tracer = new Tracer("svc", { exporter, processor: new SimpleSpanProcessor(new ConsoleExporter()) })
const answer = tracer.span("x", async (span) => span.name)
expectTrue<Equal<typeof answer, Promise<string>>>()
expectTrue<Equal<typeof tracer.trace, typeof trace>>()
expectTrue<Equal<typeof tracer.traced, typeof traced>>()
const scoped = getTracer("cart", "1.0.0").traced("add", method)
expectTrue<Equal<typeof scoped, typeof method>>()
void TraceContext.initialize({
  serviceName: "shop",
  exporters: [exporter, new OTLPExporter({ endpoint: "http://localhost:4318", compression: "gzip" })],
  processors: [new BatchSpanProcessor(exporter, { maxQueueSize: 10 })]
})
// @ts-expect-error the name comes first
void new Tracer({ exporter })
// @ts-expect-error a processor is no exporter
void new Tracer("svc", { exporter: new SimpleSpanProcessor(exporter) })
// @ts-expect-error a processor needs an exporter
void new BatchSpanProcessor()
// @ts-expect-error the service's name is the first argument
void new Tracer("svc", { serviceName: "other" })
