/** A server of its own for Prometheus, on Node. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Http from "node:http"
import type * as Net from "node:net"
import { nodeBuiltin } from "../internal/nodeBuiltin.ts"
import { PrometheusReader } from "./PrometheusReader.ts"

/** Options of {@link make}. */
export interface PrometheusServerOptions {
  /** `OTEL_EXPORTER_PROMETHEUS_HOST`. Default `localhost`: nobody on the network. */
  readonly host?: string | undefined
  /** `OTEL_EXPORTER_PROMETHEUS_PORT`; 0 for any that is free. Default 9464. */
  readonly port?: number | undefined
  /** Default `/metrics`. */
  readonly path?: string | undefined
}

/** The server could not be started. */
export class PrometheusServerError extends Data.TaggedError("PrometheusServerError")<{
  readonly host: string
  readonly port: number
  readonly detail: string
}> {
  override get message(): string {
    return `no Prometheus server on ${this.host}:${this.port}: ${this.detail}`
  }
}

/** A running server. */
export class PrometheusServer extends Context.Service<PrometheusServer, {
  readonly port: number
}>()("effect-telemetry/metrics/PrometheusServer") {}

/**
 * Starts a server that answers `GET` and `HEAD` of one path, until the scope closes.
 *
 * **Details**
 *
 * It keeps no process alive. A request has 10 seconds to arrive, with 16 KiB of headers at most; anything but the path is
 * `404`, any other method `405`.
 */
export const make = Effect.fnUntraced(function*(
  options: PrometheusServerOptions = {}
): Effect.fn.Return<PrometheusServer["Service"], PrometheusServerError, PrometheusReader | Scope.Scope> {
  const { host = "localhost", path = "/metrics", port = 9464 } = options
  const reader = yield* PrometheusReader
  const http = nodeBuiltin<typeof Http>("http")
  if (http === undefined) {
    return yield* new PrometheusServerError({ host, port, detail: "this runtime has no node:http" })
  }
  const server = yield* Effect.acquireRelease(
    Effect.callback<Http.Server, PrometheusServerError>((resume) => {
      const limits = {
        requestTimeout: 10_000,
        headersTimeout: 10_000,
        maxHeaderSize: 16_384,
        connectionsCheckingInterval: 5_000
      }
      const server = http.createServer(limits, (request, response) => answer(reader, path, request, response))
      server.once("error", (error) => resume(new PrometheusServerError({ host, port, detail: error.message })))
      server.listen(port, host, () => resume(Effect.succeed(server)))
      server.unref()
    }),
    (server) =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  // Connections keep the process alive by themselves, a server that is not referenced or not.
  server.on("connection", (socket) => socket.unref())
  return PrometheusServer.of({ port: (server.address() as Net.AddressInfo).port })
})

/** {@link make} as a layer. */
export const layer = (
  options?: PrometheusServerOptions
): Layer.Layer<PrometheusServer, PrometheusServerError, PrometheusReader> =>
  Layer.effect(PrometheusServer, make(options))

const answer = (
  reader: PrometheusReader["Service"],
  path: string,
  request: Http.IncomingMessage,
  response: Http.ServerResponse
): void => {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end()
  } else if ((request.url ?? "").split("?")[0] !== path) {
    response.writeHead(404).end()
  } else {
    const { body, contentType } = reader.scrape(request.headers.accept)
    const bytes = new TextEncoder().encode(body)
    response.writeHead(200, { "content-type": contentType, "content-length": bytes.length })
    response.end(request.method === "HEAD" ? undefined : bytes)
  }
}
