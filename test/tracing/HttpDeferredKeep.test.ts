import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import * as InMemorySpanExporter from "../../src/exporters/InMemorySpanExporter.ts"
import * as TailSampler from "../../src/processors/TailSampler.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import { TelemetryLayer } from "../../src/Telemetry.ts"
import * as HttpDeferredKeep from "../../src/tracing/HttpDeferredKeep.ts"
import * as Trace from "../../src/tracing/Trace.ts"

const routes = HttpRouter.use((router) =>
  Effect.all([
    router.add("GET", "/good", Effect.succeed(HttpServerResponse.empty())),
    router.add(
      "GET",
      "/flags",
      Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) =>
        HttpServerResponse.text(headers["traceparent"]!.slice(-1)))
    ),
    router.add("GET", "/broken", Effect.die(new Error("broken"))),
    router.add(
      "GET",
      "/hidden",
      Effect.as(
        Effect.ignore(Trace.span(Effect.fail("inside"), "query")),
        HttpServerResponse.empty({ headers: { "server-timing": "db;dur=5" } })
      )
    )
  ])
)

const telemetryOf = (memory: InMemorySpanExporter.InMemorySpanExporter, rules: TailSampler.Options["policy"]) =>
  Layer.fresh(
    TelemetryLayer({ env: {}, detectors: ["none"], exporters: [memory.exporter] }).pipe(
      // Nothing is decided before the end.
      Layer.provideMerge(TailSampler.layer({ policy: rules, flushInterval: "1 hour", timeout: "1 hour" }))
    )
  )

const served = (memory: InMemorySpanExporter.InMemorySpanExporter) =>
  HttpRouter.serve(routes, {
    disableLogger: true,
    disableListenLog: true,
    middleware: HttpDeferredKeep.middleware
  }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
    Layer.provideMerge(telemetryOf(memory, {
      rules: [{ id: "error", when: { errorCount: { ge: 1 } }, weight: 20 }, { id: "rest", drop: true }]
    })),
    // What the caller has not selected is recorded here nevertheless.
    Layer.provide(Sampler.layer(Sampler.alwaysRecord(Sampler.parentBased())))
  )

/** What the caller's and the callee's exporters were given, when the caller has asked for each of `paths`. */
const call = Effect.fnUntraced(function*(paths: ReadonlyArray<string>, options: HttpDeferredKeep.Options) {
  const callee = yield* InMemorySpanExporter.make()
  const caller = yield* InMemorySpanExporter.make()
  const headers: Array<string | undefined> = []
  yield* Effect.scoped(Effect.gen(function*() {
    const server = yield* Layer.build(served(callee))
    const base = HttpServer.formatAddress(Context.get(server, HttpServer.HttpServer).address)
    const program = Effect.gen(function*() {
      const client = HttpDeferredKeep.withDeferredKeep(options)(yield* HttpClient.HttpClient)
      for (const path of paths) {
        const response = yield* Trace.span(client.get(base + path), path)
        headers.push(response.headers["server-timing"])
      }
    })
    yield* Effect.provide(
      program,
      FetchHttpClient.layer.pipe(
        Layer.provideMerge(telemetryOf(caller, { rules: [{ id: "hardly", probability: 1e-12 }] }))
      )
    )
  }))
  const names = (spans: ReadonlyArray<{ readonly name: string }>) => spans.map(({ name }) => name)
  return { headers, caller: names(yield* caller.spans), callee: names(yield* callee.spans) }
})

describe("deferred keep", () => {
  it.live("keeps the caller's part of a trace that the callee wants, and of no other", () =>
    Effect.gen(function*() {
      const { callee, caller, headers } = yield* call(["/good", "/broken", "/hidden"], { trusted: ["127.0.0.1"] })
      assert.deepStrictEqual(caller.filter((name) => name.startsWith("/")), ["/broken", "/hidden"])
      assert.strictEqual(caller.length, 4)
      assert.include(callee, "query")
      assert.strictEqual(headers[0], undefined)
      assert.match(headers[1]!, /^trace;desc=00-[0-9a-f]{32}-[0-9a-f]{16}-03$/)
      assert.match(headers[2]!, /^db;dur=5, trace;desc=00-/)
    }))

  it.live("says in later requests of the same span that they are sampled", () =>
    Effect.gen(function*() {
      const memory = yield* InMemorySpanExporter.make()
      const sampler = Sampler.layer(Sampler.alwaysRecord(Sampler.parentBased({ root: Sampler.probability(1e-12) })))
      const flags = yield* Effect.scoped(Effect.gen(function*() {
        const server = yield* Layer.build(served(memory))
        const base = HttpServer.formatAddress(Context.get(server, HttpServer.HttpServer).address)
        return yield* Effect.gen(function*() {
          const client = HttpDeferredKeep.withDeferredKeep({ trusted: ["internal"] })(yield* HttpClient.HttpClient)
          const flags = Effect.flatMap(client.get(`${base}/flags`), ({ text }) => text)
          return yield* Trace.span(
            Effect.all([flags, Effect.andThen(client.get(`${base}/broken`), flags)]),
            "caller"
          )
        }).pipe(Effect.provide(
          FetchHttpClient.layer.pipe(
            Layer.provideMerge(Layer.provide(telemetryOf(memory, { rules: [] }), sampler))
          )
        ))
      }))
      assert.deepStrictEqual(flags, ["2", "3"])
    }))

  it.live("believes nobody who is not trusted, and no more often than it may", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* call(["/broken"], { trusted: ["api.example"] })).caller, [])
      assert.deepStrictEqual((yield* call(["/broken"], { trusted: ["all"], maxPerSecond: 0 })).caller, [])
    }))

  it("reads what a response says, and nothing else", () => {
    const id = "0af7651916cd43dd8448eb211c80319c"
    const value = (flags: string) => `00-${id}-b7ad6b7169203331-${flags}`
    const timing = (text: string) => HttpDeferredKeep.keptTrace({ "server-timing": text })
    assert.strictEqual(timing(`trace;desc=${value("01")}`), id)
    assert.strictEqual(timing(`cache;dur=1, trace;desc="${value("03")}", db`), id)
    assert.strictEqual(timing(`trace;desc=${value("02")}`), undefined)
    assert.strictEqual(timing(`subtrace;desc=${value("01")}`), undefined)
    assert.strictEqual(timing("x".repeat(5000) + `,trace;desc=${value("01")}`), undefined)
    assert.strictEqual(HttpDeferredKeep.keptTrace({ traceresponse: value("01") }), id)
    assert.strictEqual(HttpDeferredKeep.keptTrace({ traceresponse: "00-zz" }), undefined)
    assert.strictEqual(HttpDeferredKeep.keptTrace({}), undefined)
  })
})
