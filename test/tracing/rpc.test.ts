import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcClient from "effect/rpc/RpcClient"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import * as RpcTest from "effect/rpc/RpcTest"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"
import * as TestTelemetry from "../../src/testing/TestTelemetry.ts"

class OutOfStock extends Schema.TaggedError<OutOfStock>()("OutOfStock", { sku: Schema.String }) {}

const Shop = RpcGroup.make(
  Rpc.make("Reserve", { payload: { sku: Schema.String }, success: Schema.Int, error: OutOfStock })
)

const handlers = Shop.toLayer({
  Reserve: ({ sku }) => {
    const reserve: Effect.Effect<number, OutOfStock> = sku === "gone"
      ? Effect.fail(new OutOfStock({ sku }))
      : Effect.succeed(1)
    return Effect.withSpan(reserve, "stock.reserve")
  }
})

const liveWith = (options?: TestTelemetry.TestTelemetryOptions) =>
  HttpRouter.serve(
    RpcServer.layerHttp({ group: Shop, path: "/rpc", protocol: "http" }).pipe(Layer.provide(handlers)),
    { disableLogger: true, disableListenLog: true }
  ).pipe(
    Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
    Layer.provideMerge(FetchHttpClient.layer),
    Layer.provideMerge(RpcSerialization.layerNdjson),
    Layer.provideMerge(TestTelemetry.layer(options)),
    Layer.fresh
  )

const live = liveWith()

const reserve = (sku: string) =>
  Effect.gen(function*() {
    const server = yield* HttpServer.HttpServer
    const protocol = RpcClient.layerProtocolHttp({ url: `${HttpServer.formatAddress(server.address)}/rpc` })
    return yield* Effect.provide(
      Effect.scoped(Effect.flatMap(RpcClient.make(Shop), (client) => client.Reserve({ sku }))),
      protocol
    )
  })

/** The spans of one trace as `child < parent`, by name and kind. */
const edges = Effect.map(TestTelemetry.spans, (spans) => {
  const label = (span: (typeof spans)[number] | undefined) =>
    span === undefined ? "-" : `${span.name.replace(/^POST.*|^http\..*/, "POST")} ${span.kind}`
  const byId = new Map(spans.map((span) => [span.spanId, span]))
  assert.strictEqual(new Set(spans.map((span) => span.traceId)).size, 1)
  return spans.map((span) => `${label(span)} < ${label(byId.get(span.parentSpanId ?? ""))}`).sort()
})

const failures = Effect.map(TestTelemetry.spans, (spans) =>
  spans.filter((span) => span.name === "Reserve")
    .map((span) => [span.kind, span.status.code, span.events[0]?.attributes["exception.type"]])
    .sort())

const failed = [["CLIENT", "ERROR", "OutOfStock"], ["SERVER", "ERROR", "OutOfStock"]]

describe("RPC", () => {
  it.live("is one trace over HTTP", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Effect.withSpan(reserve("tea"), "checkout"), 1)
      assert.deepStrictEqual(yield* edges, [
        "POST CLIENT < Reserve CLIENT",
        "POST SERVER < POST CLIENT",
        "Reserve CLIENT < checkout INTERNAL",
        "Reserve SERVER < POST SERVER",
        "checkout INTERNAL < -",
        "stock.reserve INTERNAL < Reserve SERVER"
      ])
    }).pipe(Effect.provide(live)))

  it.live("records a failure of the handler on both sides", () =>
    Effect.gen(function*() {
      assert.isTrue(Exit.isFailure(yield* Effect.exit(reserve("gone"))))
      assert.deepStrictEqual(yield* failures, failed)
    }).pipe(Effect.provide(live)))

  it.live("over HTTP is told of no trace where the host may not be", () =>
    Effect.gen(function*() {
      yield* Effect.withSpan(reserve("tea"), "checkout")
      const spans = yield* TestTelemetry.spans
      const trace = (kind: string) => new Set(spans.filter((span) => span.kind === kind).map(({ traceId }) => traceId))
      assert.deepStrictEqual([trace("CLIENT").size, trace("SERVER").size], [1, 1])
      assert.notDeepEqual(trace("SERVER"), trace("CLIENT"))
    }).pipe(Effect.provide(liveWith({ propagateTo: ["elsewhere.example"] }))))

  // Protocols that carry the ids in their messages, as sockets and workers do.
  it.live("is one trace where the messages carry the ids", () =>
    Effect.gen(function*() {
      const client = yield* RpcTest.makeClient(Shop)
      assert.strictEqual(yield* Effect.withSpan(client.Reserve({ sku: "tea" }), "checkout"), 1)
      assert.deepStrictEqual(yield* edges, [
        "Reserve CLIENT < checkout INTERNAL",
        "Reserve SERVER < Reserve CLIENT",
        "checkout INTERNAL < -",
        "stock.reserve INTERNAL < Reserve SERVER"
      ])
      const server = (yield* TestTelemetry.spans).find((span) => span.kind === "SERVER")!
      assert.strictEqual(server.attributes["rpc.method"], "Reserve")
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(handlers, TestTelemetry.layer()))))
})
