/** Effect's HTTP server and client. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { TelemetryLayer } from "effect-telemetry"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import { Actions } from "./action.ts"

const test = Effect.gen(function*() {
  const client = yield* HttpClient.HttpClient
  const actions = yield* HttpServerRequest.schemaBodyJson(Actions)
  for (const action of actions) {
    const request = yield* HttpClientRequest.bodyJson(HttpClientRequest.post(action.url), action.arguments)
    yield* Effect.flatMap(client.execute(request), (response) => response.text)
  }
  return HttpServerResponse.empty({ status: 200 })
})

/** Serves until the process ends. */
export const serveEffect = (port: number, onListen: (url: string) => void): Promise<never> =>
  HttpRouter.serve(HttpRouter.add("POST", "/test", test), { disableLogger: true, disableListenLog: true }).pipe(
    Layer.tap(() => Effect.map(HttpServer.HttpServer, ({ address }) => onListen(HttpServer.formatAddress(address)))),
    Layer.provide(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port })),
    Layer.provide(FetchHttpClient.layer),
    Layer.provide(TelemetryLayer({ serviceName: "w3c-service", tracesExporters: ["none"] })),
    Layer.launch,
    Effect.runPromise
  )
