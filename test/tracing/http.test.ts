import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import * as Baggage from "../../src/model/Baggage.ts"
import * as TestTelemetry from "../../src/testing/TestTelemetry.ts"
import * as HttpClientPropagation from "../../src/tracing/HttpClientPropagation.ts"
import * as Trace from "../../src/tracing/Trace.ts"

const traceId = "0af7651916cd43dd8448eb211c80319c"
const parentId = "b7ad6b7169203331"

/** Answers with the headers it got and the context its handler saw. */
const routes = HttpRouter.use((router) =>
  Effect.all([
    router.add(
      "GET",
      "/echo",
      Effect.gen(function*() {
        const request = yield* HttpServerRequest.HttpServerRequest
        const outgoing = yield* Effect.withSpan(Trace.headers, "handler")
        return yield* HttpServerResponse.json({ incoming: request.headers, outgoing })
      })
    ),
    router.add("GET", "/fail", Effect.die(new Error("broken handler")))
  ])
)

const liveWith = (options?: TestTelemetry.TestTelemetryOptions) =>
  HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
    Layer.provideMerge(FetchHttpClient.layer),
    Layer.provideMerge(TestTelemetry.layer(options)),
    Layer.fresh
  )

const live = liveWith()

const url = (path: string) =>
  Effect.map(HttpServer.HttpServer, (server) => `${HttpServer.formatAddress(server.address)}${path}`)

interface Echo {
  readonly incoming: Record<string, string>
  readonly outgoing: Record<string, string>
}

const get = (path: string) =>
  Effect.gen(function*() {
    const client = yield* HttpClient.HttpClient
    const response = yield* client.get(yield* url(path))
    return (yield* response.json) as unknown as Echo
  })

/** Sends a request as another program would, past Effect's client. */
const foreign = (path: string, headers: Record<string, string>) =>
  Effect.flatMap(
    url(path),
    (to) => Effect.promise((signal) => fetch(to, { signal, headers }).then((answer) => answer.json() as Promise<Echo>))
  )

describe("Effect's HTTP server and client", () => {
  it.live("sends W3C headers only, and continues them", () =>
    Effect.gen(function*() {
      const echo = yield* get("/echo").pipe(
        Effect.withSpan("caller"),
        Trace.updateBaggage((baggage) => new Map([...baggage, ["tenant", { value: "blue", properties: [] }]]))
      )
      const spans = yield* TestTelemetry.spans
      const [caller, client, server, handler] = yield* Effect.all([
        TestTelemetry.span("caller"),
        Effect.succeed(spans.find((span) => span.kind === "CLIENT")!),
        Effect.succeed(spans.find((span) => span.kind === "SERVER")!),
        TestTelemetry.span("handler")
      ])
      assert.strictEqual(client.parentSpanId, caller.spanId)
      assert.strictEqual(server.parentSpanId, client.spanId)
      assert.isTrue(server.parentIsRemote)
      assert.strictEqual(handler.parentSpanId, server.spanId)
      assert.strictEqual(new Set(spans.map((span) => span.traceId)).size, 1)
      assert.strictEqual(echo.incoming["traceparent"], `00-${caller.traceId}-${client.spanId}-03`)
      assert.strictEqual(echo.incoming["baggage"], "tenant=blue")
      assert.notProperty(echo.incoming, "b3")
      assert.strictEqual(echo.outgoing["baggage"], "tenant=blue")
      assert.strictEqual(server.attributes["http.route"], "/echo")
      assert.strictEqual(server.attributes["http.response.status_code"], 200)
    }).pipe(Effect.provide(live)))

  it.live("continues what Effect itself refuses: a higher version, tracestate, the random flag", () =>
    Effect.gen(function*() {
      const response = yield* foreign("/echo", {
        traceparent: `cc-${traceId}-${parentId}-03-more`,
        tracestate: "a=1,b=2",
        baggage: "k=v"
      })
      const handler = yield* TestTelemetry.span("handler")
      assert.strictEqual(handler.traceId, traceId)
      assert.deepStrictEqual(response.outgoing, {
        traceparent: `00-${traceId}-${handler.spanId}-03`,
        tracestate: "a=1,b=2",
        baggage: "k=v"
      })
    }).pipe(Effect.provide(live)))

  it.live("starts a new trace for an invalid header, also when the server runs within a span", () =>
    Effect.gen(function*() {
      yield* Effect.provide(
        foreign("/echo", { traceparent: `00-${"0".repeat(32)}-${parentId}-01` }),
        HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
          Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
          Layer.fresh
        )
      ).pipe(Effect.withSpan("startup"))
      const spans = yield* TestTelemetry.spans
      const server = spans.find((span) => span.kind === "SERVER")!
      assert.strictEqual(server.parentSpanId, undefined)
      assert.notStrictEqual(server.traceId, spans.find((span) => span.name === "startup")!.traceId)
    }).pipe(Effect.provide(TestTelemetry.layer())))

  it.live("does not send invalid headers where tracing is off, nor any where propagation is off", () =>
    Effect.gen(function*() {
      const untraced = yield* get("/echo").pipe(Effect.withTracerEnabled(false))
      assert.notProperty(untraced.incoming, "traceparent")
      assert.notProperty(untraced.incoming, "b3")
      const unpropagated = yield* get("/echo").pipe(
        Effect.provideService(HttpClient.TracerPropagationEnabled, false),
        Effect.withSpan("caller")
      )
      assert.notProperty(unpropagated.incoming, "traceparent")
    }).pipe(Effect.provide(live)))

  it.live("withPropagation serves any client, and promises the identity of the span that follows", () =>
    Effect.gen(function*() {
      const bare = yield* HttpClient.HttpClient
      const echo = yield* Effect.provideService(
        get("/echo"),
        HttpClient.HttpClient,
        HttpClientPropagation.withPropagation(bare)
      )
        .pipe(Effect.withSpan("caller"))
      const spans = yield* TestTelemetry.spans
      const client = spans.find((span) => span.kind === "CLIENT")!
      assert.strictEqual(echo.incoming["traceparent"], `00-${client.traceId}-${client.spanId}-03`)
      assert.notProperty(echo.incoming, "b3")
      assert.strictEqual(client.attributes["http.response.status_code"], 200)
      assert.strictEqual(client.parentSpanId, spans.find((span) => span.name === "caller")!.spanId)
    }).pipe(
      // Without the layer's own fetch, as for a client over node:http.
      Effect.provideService(FetchHttpClient.Fetch, globalThis.fetch),
      Effect.provide(live)
    ))

  it.live("a failing handler fails the server's span", () =>
    Effect.gen(function*() {
      const client = yield* HttpClient.HttpClient
      const response = yield* client.get(yield* url("/fail"))
      assert.strictEqual(response.status, 500)
      const server = (yield* TestTelemetry.spans).find((span) => span.kind === "SERVER")!
      assert.deepStrictEqual(server.status, { code: "ERROR", message: "broken handler" })
      assert.strictEqual(
        server.events.find((event) => event.name === "exception")?.attributes["exception.type"],
        "Error"
      )
    }).pipe(Effect.provide(live)))

  const clients = {
    "the layer's fetch": Effect.succeed,
    withPropagation: (client: HttpClient.HttpClient) =>
      Effect.succeed(HttpClientPropagation.withPropagation(client)).pipe(
        Effect.map(HttpClient.transform((self) => Effect.provideService(self, FetchHttpClient.Fetch, globalThis.fetch)))
      )
  }
  const told = { propagateTo: ["internal"], propagateBaggageTo: ["internal"] }
  const policies = [
    [
      "all is sent to a host that is named",
      { propagateTo: ["127.0.0.1"], propagateBaggageTo: ["127.0.0.1"] },
      true,
      true
    ],
    ["by default baggage is sent to this machine", {}, true, true],
    ["hosts of the private network", told, true, true],
    ["only the trace", { propagateBaggageTo: ["elsewhere.example"] }, true, false],
    ["only baggage", { propagateTo: ["none"] }, false, true],
    ["nothing", { propagateTo: ["elsewhere.example", "localhost"], propagateBaggageTo: ["none"] }, false, false],
    ["another port", { propagateTo: ["127.0.0.1:1"], propagateBaggageTo: ["127.0.0.1:1"] }, false, false]
  ] as const

  for (const [name, wrap] of Object.entries(clients)) {
    it.live.each(policies)(`${name}: %s`, ([, options, hasTrace, hasBaggage]) =>
      Effect.gen(function*() {
        const client = yield* wrap(yield* HttpClient.HttpClient)
        const echo = yield* Effect.provideService(get("/echo"), HttpClient.HttpClient, client).pipe(
          Effect.withSpan("caller"),
          Trace.updateBaggage(Baggage.set("tenant", "blue"))
        )
        const spans = yield* TestTelemetry.spans
        const span = spans.find(({ kind }) => kind === "CLIENT")!
        assert.strictEqual(echo.incoming["traceparent"], hasTrace ? `00-${span.traceId}-${span.spanId}-03` : undefined)
        assert.strictEqual(echo.incoming["baggage"], hasBaggage ? "tenant=blue" : undefined)
        assert.notProperty(echo.incoming, "b3")
        // What is not sent is recorded all the same.
        assert.strictEqual(span.attributes["http.response.status_code"], 200)
        const server = spans.find(({ kind }) => kind === "SERVER")!
        assert.strictEqual(server.parentSpanId, hasTrace ? span.spanId : undefined)
      }).pipe(Effect.provide(liveWith(options))))
  }

  it.effect("headersFor judges by the URL, headers leaves it to the caller", () =>
    Effect.gen(function*() {
      const [all, out, near] = yield* Effect.all([
        Trace.headers,
        Trace.headersFor("https://partner.example/"),
        Trace.headersFor(new URL("http://orders:8080/"))
      ]).pipe(Trace.span("caller"), Trace.updateBaggage(Baggage.set("tenant", "blue")))
      assert.deepStrictEqual(Object.keys(all), ["traceparent", "baggage"])
      assert.deepStrictEqual(Object.keys(out), ["traceparent"])
      assert.deepStrictEqual(near, all)
    }).pipe(Effect.provide(TestTelemetry.layer())))
})
