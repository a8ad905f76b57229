/** What is believed of a context that came in. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as RpcTest from "effect/rpc/RpcTest"
import { type ExternalSpan, ParentSpan } from "effect/Tracer"
import { createServer } from "node:http"
import * as Baggage from "../../src/model/Baggage.ts"
import type { SpanData } from "../../src/model/SpanData.ts"
import * as TestTelemetry from "../../src/testing/TestTelemetry.ts"
import * as Trace from "../../src/tracing/Trace.ts"

const traceId = "0af7651916cd43dd8448eb211c80319c"
const parentId = "b7ad6b7169203331"
const incoming = (flags: string) => ({
  traceparent: `00-${traceId}-${parentId}-${flags}`,
  tracestate: "a=1",
  baggage: "role=admin"
})

const link = (traceFlags: number) => [{
  traceId,
  spanId: parentId,
  traceFlags,
  isRemote: true,
  traceState: "a=1",
  attributes: {},
  droppedAttributesCount: 0
}]

const isNewTrace = (span: SpanData) => {
  assert.notStrictEqual(span.traceId, traceId)
  assert.isUndefined(span.parentSpanId)
  assert.strictEqual(span.traceState, "")
}

const routes = HttpRouter.use((router) =>
  router.add(
    "GET",
    "/",
    Effect.gen(function*() {
      const headers = yield* Trace.headers
      return yield* HttpServerResponse.json(headers)
    }).pipe(Effect.withSpan("handler"))
  )
)

const server = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
)

/** The headers that the server would send on when it is sent `headers`. */
const ask = (headers: Record<string, string>) =>
  Effect.flatMap(
    HttpServer.HttpServer,
    ({ address }) =>
      Effect.promise((signal) =>
        fetch(`${HttpServer.formatAddress(address)}/`, { signal, headers }).then((answer) =>
          answer.json() as Promise<Record<string, string>>
        )
      )
  ).pipe(Effect.provide(Layer.fresh(server)))

const settings = [["edge", "edge"], ["false", false]] as const

describe("Effect's HTTP server", () => {
  it.live.each(settings)(
    "trustIncoming %s: a new trace, no baggage, no tracestate",
    ([, trustIncoming]) =>
      Effect.gen(function*() {
        const sentOn = yield* ask(incoming("03"))
        const spans = yield* TestTelemetry.spans
        const root = spans.find(({ kind }) => kind === "SERVER")!
        const handler = spans.find(({ name }) => name === "handler")!
        isNewTrace(root)
        assert.deepStrictEqual([...root.links], trustIncoming === "edge" ? link(3) : [])
        assert.strictEqual(handler.parentSpanId, root.spanId)
        assert.deepStrictEqual([...handler.links], [])
        assert.deepStrictEqual(sentOn, { traceparent: `00-${root.traceId}-${handler.spanId}-03` })
      }).pipe(Effect.provide(TestTelemetry.layer({ trustIncoming })))
  )

  it.live.each(settings)(
    "trustIncoming %s: a sampled flag forces nothing, a cleared one hides nothing",
    ([, trustIncoming]) =>
      Effect.gen(function*() {
        const off = TestTelemetry.layer({ trustIncoming, sampler: { parentBased: { root: "always_off" } } })
        const [sentOn, kept] = yield* Effect.all([ask(incoming("01")), TestTelemetry.spans]).pipe(Effect.provide(off))
        assert.deepStrictEqual(kept, [])
        assert.match(sentOn["traceparent"]!, /-0[02]$/)
        const spans = yield* Effect.andThen(ask(incoming("00")), TestTelemetry.spans).pipe(
          Effect.provide(TestTelemetry.layer({ trustIncoming }))
        )
        assert.strictEqual(spans.length, 2)
      })
  )

  it.live("trusted, which is the default, it is continued, and a sampled flag counts", () =>
    Effect.gen(function*() {
      const sentOn = yield* ask(incoming("01"))
      const root = (yield* TestTelemetry.spans).find(({ kind }) => kind === "SERVER")!
      assert.deepStrictEqual([root.traceId, root.parentSpanId], [traceId, parentId])
      assert.deepStrictEqual([...root.links], [])
      assert.strictEqual(sentOn["baggage"], "role=admin")
    }).pipe(Effect.provide(TestTelemetry.layer({ sampler: { parentBased: { root: "always_off" } } }))))

  it.live("at an edge a request without a usable context is a root without a link", () =>
    Effect.gen(function*() {
      yield* ask({ traceparent: "00-x", tracestate: "a=1", baggage: "role=admin" })
      const root = (yield* TestTelemetry.spans).find(({ kind }) => kind === "SERVER")!
      isNewTrace(root)
      assert.deepStrictEqual([...root.links], [])
    }).pipe(Effect.provide(TestTelemetry.layer({ trustIncoming: "edge" }))))
})

describe("Trace.withHeaders", () => {
  it.effect("at an edge: what starts within is a root with a link, its children are not", () =>
    Effect.gen(function*() {
      const seen = yield* Effect.all([Trace.baggage, Trace.headers, Trace.current]).pipe(
        Trace.withHeaders(incoming("01"))
      )
      assert.deepStrictEqual<unknown>([seen[0].size, seen[1], seen[2]._tag], [0, {}, "None"])
      yield* Effect.void.pipe(
        Trace.span("child"),
        Trace.span("ours"),
        Trace.withHeaders(incoming("01")),
        Trace.span("outer")
      )
      yield* Effect.void.pipe(Effect.withSpan("effect's"), Trace.withHeaders(incoming("00")))
      const outer = yield* TestTelemetry.span("outer")
      const ours = yield* TestTelemetry.span("ours")
      const child = yield* TestTelemetry.span("child")
      const effects = yield* TestTelemetry.span("effect's")
      for (const span of [ours, effects]) isNewTrace(span)
      assert.notStrictEqual(ours.traceId, outer.traceId)
      assert.deepStrictEqual([[...ours.links], [...effects.links]], [link(1), link(0)])
      assert.deepStrictEqual([child.parentSpanId, [...child.links]], [ours.spanId, []])
    }).pipe(Effect.provide(TestTelemetry.layer({ trustIncoming: "edge" }))))

  it.effect("not trusted at all: as if there were no headers", () =>
    Effect.gen(function*() {
      yield* Effect.void.pipe(Trace.span("inner"), Trace.withHeaders(incoming("01")), Trace.span("outer"))
      const [inner, outer] = [yield* TestTelemetry.span("inner"), yield* TestTelemetry.span("outer")]
      assert.strictEqual(inner.parentSpanId, outer.spanId)
      assert.deepStrictEqual([...inner.links], [])
    }).pipe(Effect.provide(TestTelemetry.layer({ trustIncoming: false }))))

  it.effect("at an edge, where telemetry is off, nothing passes through", () =>
    Effect.gen(function*() {
      const through = Trace.headers.pipe(Trace.span("off"), Trace.withHeaders(incoming("01")))
      assert.deepStrictEqual(yield* through, {})
    }).pipe(Effect.provide(TestTelemetry.layer({ trustIncoming: "edge", disabled: true }))))

  it.effect("own baggage stays at an edge", () =>
    Effect.gen(function*() {
      const baggage = yield* Trace.baggage.pipe(
        Trace.span("inner"),
        Trace.withHeaders(incoming("01")),
        Trace.updateBaggage(Baggage.set("role", "user"))
      )
      assert.strictEqual(Baggage.get(baggage, "role"), "user")
    }).pipe(Effect.provide(TestTelemetry.layer({ trustIncoming: "edge" }))))
})

describe("a parent that is none", () => {
  const hostile = [
    { _tag: "ExternalSpan", traceId: "x", spanId: "y", sampled: true },
    { _tag: "ExternalSpan", traceId, spanId: parentId, sampled: true, annotations: null },
    new Proxy({ _tag: "ExternalSpan" }, {
      get(target, key) {
        if (key === "_tag") return target._tag
        throw new Error("no")
      }
    })
  ] as unknown as ReadonlyArray<ExternalSpan>

  it.effect.each([true, false, "edge"] as const)(
    "does not throw into the program, trustIncoming %s",
    (trustIncoming) =>
      Effect.gen(function*() {
        for (const parent of hostile) {
          assert.strictEqual(yield* Trace.span(Effect.succeed(1), "ours", { parent }), 1)
          yield* Effect.all([Trace.baggage, Trace.headers]).pipe(Effect.provideService(ParentSpan, parent))
        }
      }).pipe(Effect.provide(TestTelemetry.layer({ trustIncoming })))
  )
})

describe("RPC whose messages carry the ids", () => {
  const Shop = RpcGroup.make(Rpc.make("Reserve"))
  const handlers = Shop.toLayer({ Reserve: () => Effect.void })

  it.live.each(settings)(
    "trustIncoming %s: the server's span is a root",
    ([, trustIncoming]) =>
      Effect.gen(function*() {
        const client = yield* RpcTest.makeClient(Shop)
        yield* Effect.withSpan(client.Reserve(), "checkout")
        const spans = yield* TestTelemetry.spans
        const [caller, callee] = ["CLIENT", "SERVER"].map((kind) => spans.find((span) => span.kind === kind)!)
        assert.isUndefined(callee!.parentSpanId)
        assert.notStrictEqual(callee!.traceId, caller!.traceId)
        // Effect itself links to the span that the server's fiber was forked in, which here is the caller's own.
        const remote = callee!.links.filter(({ isRemote }) => isRemote).map(({ spanId, traceId }) => [traceId, spanId])
        assert.deepStrictEqual(remote, trustIncoming === "edge" ? [[caller!.traceId, caller!.spanId]] : [])
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(handlers, TestTelemetry.layer({ trustIncoming }))))
  )
})
