/** One trace across HTTP: an Effect client calls an Effect server, and nobody passes a header by hand. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer } from "effect"
import { ConsoleSpanExporter, TelemetryLayer, Trace } from "effect-telemetry"
import * as Baggage from "effect-telemetry/model/Baggage"
import { FetchHttpClient, HttpClient, HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"

/** What came over the wire, and what the server knows by it. */
const price = Effect.gen(function*() {
  const { headers } = yield* HttpServerRequest.HttpServerRequest
  const baggage = yield* Trace.baggage
  yield* Effect.sleep("15 millis").pipe(Effect.withSpan("price.lookup"))
  return yield* HttpServerResponse.json({
    traceparent: headers["traceparent"],
    baggage: headers["baggage"],
    customer: Baggage.get(baggage, "customer")
  })
})

const Server = HttpRouter.serve(HttpRouter.add("GET", "/price/:sku", price), {
  disableLogger: true,
  disableListenLog: true
}).pipe(
  Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 }))
)

const ask = Effect.gen(function*() {
  const { address } = yield* HttpServer.HttpServer
  const response = yield* HttpClient.get(`${HttpServer.formatAddress(address)}/price/tent`)
  console.log("The server received:", yield* response.json)
}).pipe(
  // Baggage goes to this machine and to private networks; other hosts are named in `propagateBaggageTo`.
  Trace.updateBaggage(Baggage.set("customer", "c-42")),
  Effect.withSpan("buy a tent")
)

const Telemetry = TelemetryLayer({
  serviceName: "shop",
  exporters: [ConsoleSpanExporter.make({
    format: "tree",
    attributes: ["http.route"]
  })]
})

await Effect.runPromise(
  ask.pipe(
    Effect.provide(Server),
    Effect.provide(FetchHttpClient.layer),
    Effect.provide(Telemetry)
  )
)
