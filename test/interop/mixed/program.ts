/**
 * A program with instrumented libraries and Effect: requests through an instrumented client, Effect's HTTP server, undici,
 * PostgreSQL, Redis and Effect's HTTP client. Prints its spans as JSON.
 *
 * Its arguments: the folder of one line of OpenTelemetry JavaScript, the ports of PostgreSQL and Redis, how many requests
 * at a time, and whose pipeline it is: `ours` stands behind the API, or Effect runs on `theirs`, an SDK that is there.
 */
import { createRequire } from "node:module"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { pathToFileURL } from "node:url"
import { NodeHttpServer } from "@effect/platform-node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { FetchHttpClient, HttpClient, HttpRouter, HttpServerResponse } from "effect/http"
import * as InMemorySpanExporter from "../../../src/exporters/InMemorySpanExporter.ts"
import * as ForeignTracer from "../../../src/interop/ForeignTracer.ts"
import * as OpenTelemetry from "../../../src/interop/OpenTelemetry.ts"
import * as ToOpenTelemetry from "../../../src/interop/ToOpenTelemetry.ts"
import { TelemetryLayer } from "../../../src/Telemetry.ts"

const [folder, pgPort, redisPort, concurrency, pipeline] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  "ours" | "theirs"
]
const require = createRequire(pathToFileURL(join(folder, "package.json")))

const api = require("@opentelemetry/api")
const { registerInstrumentations } = require("@opentelemetry/instrumentation")
const { HttpInstrumentation } = require("@opentelemetry/instrumentation-http")
const { UndiciInstrumentation } = require("@opentelemetry/instrumentation-undici")
const { PgInstrumentation } = require("@opentelemetry/instrumentation-pg")
const { RedisInstrumentation } = require("@opentelemetry/instrumentation-redis")
registerInstrumentations({
  instrumentations: [
    new HttpInstrumentation(),
    new UndiciInstrumentation(),
    new PgInstrumentation(),
    new RedisInstrumentation()
  ]
})
const http = require("node:http") as typeof import("node:http")
const undici = require("undici") as {
  readonly request: (url: string) => Promise<{ body: { text: () => Promise<string> } }>
}
const pg = require("pg")
const redis = require("redis")

const memory = InMemorySpanExporter.makeUnsafe({ maxSpans: 100_000 })

const ours = () =>
  OpenTelemetry.layer({ api }).pipe(
    Layer.provideMerge(TelemetryLayer({
      serviceName: "mixed",
      env: {},
      detectors: ["none"],
      exporters: [memory.exporter],
      batch: { maxQueueSize: 100_000 }
    }))
  )

/** As an application has it that was there before: a provider of the SDK, registered with its own context manager. */
const theirs = () => {
  const { AsyncLocalStorageContextManager } = require("@opentelemetry/context-async-hooks")
  const { W3CTraceContextPropagator } = require("@opentelemetry/core")
  const exporter = ToOpenTelemetry.spanExporter(memory.exporter)
  const { BasicTracerProvider, SimpleSpanProcessor, TracerProvider } = folder.endsWith("line-2")
    ? require("@opentelemetry/sdk-trace-base")
    : require("@opentelemetry/sdk-trace")
  const provider = TracerProvider === undefined
    ? new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
    : new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  api.propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  api.trace.setGlobalTracerProvider(provider)
  return ForeignTracer.layer(api)
}

const telemetry: Layer.Layer<never, unknown> = pipeline === "ours" ? ours() : theirs()

// Somebody else's service, of which the instrumentation of node:http makes spans.
const downstream = http.createServer((request, response) => {
  setTimeout(() => response.end(String(request.headers["traceparent"])), 1)
})
await new Promise<void>((resolve) => downstream.listen(0, "127.0.0.1", resolve))
const downstreamUrl = `http://127.0.0.1:${(downstream.address() as { port: number }).port}`

const pool = new pg.Pool({ host: "127.0.0.1", port: Number(pgPort), user: "postgres", database: "postgres", max: 4 })
const cache = redis.createClient({ url: `redis://127.0.0.1:${redisPort}` })
await cache.connect()

const port = await new Promise<number>((resolve) => {
  const probe = http.createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address() as { port: number }
    probe.close(() => resolve(port))
  })
})

const route = Effect.gen(function*() {
  yield* Effect.promise(() => undici.request(`${downstreamUrl}/undici`).then(({ body }) => body.text())).pipe(
    Effect.withSpan("call")
  )
  yield* Effect.promise(() => pool.query("SELECT 1 AS one")).pipe(Effect.withSpan("query"))
  yield* Effect.promise(() => cache.get("key")).pipe(Effect.withSpan("read"))
  const client = yield* HttpClient.HttpClient
  const answer = yield* client.get(`${downstreamUrl}/effect`)
  return HttpServerResponse.text(yield* answer.text)
}).pipe(Effect.withSpan("handle"))

const server = HttpRouter.serve(HttpRouter.add("GET", "/work", route), { disableLogger: true, disableListenLog: true })
  .pipe(
    Layer.provide(NodeHttpServer.layer(() => http.createServer(), { port, host: "127.0.0.1" })),
    Layer.provide(FetchHttpClient.layer)
  )
const runtime = ManagedRuntime.make(server.pipe(Layer.provideMerge(telemetry)))
await runtime.runPromise(Effect.void)

const get = (path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    http.get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      let text = ""
      response.on("data", (chunk) => text += chunk)
      response.on("end", () => resolve(text))
    }).on("error", reject)
  })

await runtime.runPromise(
  Effect.forEach(
    Array.from({ length: Number(concurrency) }, (_, i) => i),
    (i) => Effect.promise(() => get("/work")).pipe(Effect.withSpan(`client ${i}`)),
    { concurrency: "unbounded" }
  )
)
const leaked = api.trace.getActiveSpan() !== undefined
await sleep(100)
await pool.end()
await cache.quit()
downstream.closeAllConnections()
downstream.close()
await runtime.dispose()
const spans = await Effect.runPromise(memory.spans)
const printed = JSON.stringify({
  leaked,
  spans: spans.map(({ name, traceId, spanId, parentSpanId, scope, kind, traceState, attributes }) => ({
    name,
    traceId,
    spanId,
    parentSpanId,
    scope: scope.name,
    kind,
    traceState,
    url: attributes["url.full"] ?? attributes["http.url"]
  }))
})
process.stdout.write(printed, () => process.exit(0))
