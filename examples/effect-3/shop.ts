/** Two HTTP services on Effect 3: the front takes an order and has the stock reserve it. */
import { createServer } from "node:http"
import {
  FetchHttpClient,
  HttpClient,
  HttpClientRequest,
  HttpRouter,
  HttpServer,
  HttpServerRequest,
  HttpServerResponse
} from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import * as Schema from "@effect/schema/Schema"
import { Data, Effect, Layer } from "effect"
import { traced } from "telemetry"

class Order extends Schema.Class<Order>("Order")({
  sku: Schema.NonEmptyString,
  quantity: Schema.Number.pipe(Schema.int(), Schema.positive())
}) {}

export class Refused extends Data.TaggedError("Refused")<{ readonly status: number }> {}

/** Plain asynchronous code, which knows of no Effect. */
const writeToLedger = traced("write to ledger", async (_order: Order) => {
  await new Promise((resolve) => setTimeout(resolve, 2))
})

/** The headers that requests for the stock came with. */
export const received: Array<Readonly<Record<string, string | undefined>>> = []

const reserve = Effect.gen(function*() {
  const request = yield* HttpServerRequest.HttpServerRequest
  received.push(request.headers)
  const order = yield* request.json.pipe(
    Effect.flatMap(Schema.decodeUnknown(Order)),
    Effect.withSpan("validate")
  )
  yield* Effect.log(`reserving ${order.quantity} of ${order.sku}`)
  yield* Effect.promise(() => writeToLedger(order)).pipe(
    Effect.withSpan("reserve", { attributes: { sku: order.sku, quantity: order.quantity } })
  )
  return yield* HttpServerResponse.json({ reserved: order.quantity })
}).pipe(
  Effect.catchTag("ParseError", (error) => HttpServerResponse.json({ error: error.message }, { status: 422 }))
)

const stock = HttpRouter.empty.pipe(HttpRouter.post("/reservations", reserve))

const order = (stockUrl: string) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const client = yield* HttpClient.HttpClient
    const body = yield* request.json
    const response = yield* client.execute(
      HttpClientRequest.post(`${stockUrl}/reservations`).pipe(HttpClientRequest.bodyUnsafeJson(body))
    )
    if (response.status !== 200) return yield* new Refused({ status: response.status })
    return yield* HttpServerResponse.json(yield* response.json)
  }).pipe(
    Effect.withSpan("order"),
    Effect.catchTag("Refused", ({ status }) => HttpServerResponse.empty({ status }))
  )

const front = (stockUrl: string) => HttpRouter.empty.pipe(HttpRouter.post("/orders", order(stockUrl)))

const served = <E, R>(router: HttpRouter.HttpRouter<E, R>) =>
  Effect.gen(function*() {
    yield* HttpServer.serveEffect(router)
    return yield* HttpServer.addressFormattedWith((address) => Effect.succeed(address.replace("0.0.0.0", "127.0.0.1")))
  })

const listening = NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })

/** Starts both services in the scope, and gives the address of the front. */
export const start = Effect.gen(function*() {
  const stockUrl = yield* served(stock).pipe(Effect.provide(yield* Layer.build(Layer.fresh(listening))))
  return yield* served(front(stockUrl)).pipe(Effect.provide(yield* Layer.build(Layer.fresh(listening))))
}).pipe(Effect.provide(FetchHttpClient.layer))
