/** The route that Prometheus scrapes, for a program that has an Effect HTTP server. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { PrometheusReader } from "./PrometheusReader.ts"

/**
 * Adds `GET /metrics`, or another path, to the router.
 *
 * **Gotchas**
 *
 * Whoever can reach the route reads all metrics: do not put it where strangers can.
 */
export const layer = (options?: {
  /** Default `/metrics`. */
  readonly path?: HttpRouter.PathInput | undefined
}): Layer.Layer<never, never, HttpRouter.HttpRouter | PrometheusReader> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const router = yield* HttpRouter.HttpRouter
    const reader = yield* PrometheusReader
    yield* router.add(
      "GET",
      options?.path ?? "/metrics",
      Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) => {
        const { body, contentType } = reader.scrape(headers["accept"])
        return HttpServerResponse.text(body, { contentType })
      })
    )
  }))
