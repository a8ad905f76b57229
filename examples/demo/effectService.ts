/** How both Effect services run: telemetry around everything, routes behind an HTTP server, a client for the others. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Telemetry, TelemetryLayer, type TelemetryLayerOptions } from "effect-telemetry"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { createServer } from "node:http"
import { announce, signOff, untilStopped } from "./channel.ts"
import type { Peers as PeersShape } from "./shop.ts"

/** Where the other services are. */
export class Peers extends Context.Service<Peers, PeersShape>()("demo/Peers") {}

const routes = [
  [/^\/(products|stock)\/[^/]+$/, "/$1/:sku"],
  [/^\/(orders|holds)\/[^/]+$/, "/$1/:id"]
] as const

/** The name of a request's span: with the route, and never with an id, so that there are few names. */
const spanName = (request: { readonly method: string; readonly url: string }): string => {
  const path = new URL(request.url, "http://shop").pathname
  return `${request.method} ${routes.reduce((path, [pattern, route]) => path.replace(pattern, route), path)}`
}

/** Runs a service until the demo stops it. */
export const runService = <E>(
  telemetry: TelemetryLayerOptions,
  service: Layer.Layer<never, E, HttpServer.HttpServer | HttpClient.HttpClient | Peers>
): Promise<void> => {
  const serve = Effect.gen(function*() {
    const { address } = yield* HttpServer.HttpServer
    const url = HttpServer.formatAddress(address)
    const peers = yield* Effect.promise(() => announce(url))
    yield* Layer.build(
      Layer.provide(service, [
        Layer.succeed(Peers, peers),
        FetchHttpClient.layer,
        Layer.succeed(HttpMiddleware.SpanNameGenerator, spanName)
      ])
    )
    yield* Effect.promise(untilStopped)
  }).pipe(
    Effect.provide(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 })),
    Effect.scoped
  )

  const program = Effect.gen(function*() {
    const { ledger } = yield* Telemetry
    yield* serve
    // Read outside of the layer: once it is closed, and everything has been sent.
    return ledger
  }).pipe(
    // Logs become events of the spans they are written in; the console is the demo's.
    Effect.provide([TelemetryLayer(telemetry), Logger.layer([Logger.tracerLogger])]),
    Effect.flatten,
    Effect.flatMap((books) => Effect.promise(() => signOff(books)))
  )
  return Effect.runPromise(program)
}
