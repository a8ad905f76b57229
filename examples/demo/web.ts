/** The web service: what a customer's browser talks to, on Effect's HTTP server. Sends OTLP as protobuf. */
import * as Outcome from "effect-telemetry/tracing/Outcome"
import * as Trace from "effect-telemetry/tracing/Trace"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { otlpEndpoint } from "./channel.ts"
import { Peers, runService } from "./effectService.ts"
import { goods, Order, Stock, workload } from "./shop.ts"

class ProductNotFound extends Schema.TaggedError<ProductNotFound>()("ProductNotFound", { sku: Schema.String }) {
  override get message(): string {
    return `no product ${this.sku}`
  }
  [HttpServerRespondable.symbol]() {
    return HttpServerResponse.json({ error: "product_not_found" }, { status: 404 })
  }
}

/** Nobody turns this one into an answer: Effect makes it a 500. */
class CheckoutFailed extends Schema.TaggedError<CheckoutFailed>()("CheckoutFailed", {
  order: Schema.String,
  status: Schema.Number
}) {
  override get message(): string {
    return `checkout of ${this.order} failed: orders answered ${this.status}`
  }
}

/** The stock of a good, asked of the orders service. */
const stockOf = Effect.fnUntraced(function*(sku: string) {
  const client = yield* HttpClient.HttpClient
  const { orders } = yield* Peers
  const response = yield* client.get(`${orders}/stock/${sku}`)
  return yield* HttpClientResponse.schemaBodyJson(Stock)(response)
})

const render = (template: string) =>
  Effect.sleep(workload(template)).pipe(Trace.span("page.render", { attributes: { template } }))

const listProducts = Effect.gen(function*() {
  const products = yield* Effect.forEach(Object.keys(goods).slice(0, 3), stockOf, { concurrency: "unbounded" })
  yield* render("products")
  return yield* HttpServerResponse.json(products)
})

const showProduct = Effect.gen(function*() {
  const { sku = "" } = yield* HttpRouter.params
  if (goods[sku] === undefined) return yield* new ProductNotFound({ sku })
  const product = yield* stockOf(sku)
  yield* render("product")
  return yield* HttpServerResponse.json(product)
})

// `Effect.fn` opens its own span: nothing of ours is needed in code that is already traced.
const priceCart = Effect.fn("cart.price")(function*(order: Order) {
  const lines = yield* Effect.forEach(
    order.items,
    ({ quantity, sku }) => Effect.map(stockOf(sku), ({ price }) => quantity * price),
    { concurrency: 3 }
  )
  const total = lines.reduce((sum, line) => sum + line, 0)
  yield* Trace.attribute("cart.total", total)
  return total
})

const checkout = Effect.gen(function*() {
  const order = yield* HttpServerRequest.schemaBodyJson(Order)
  yield* Trace.attributes({ "order.id": order.id })
  yield* Effect.sleep(workload(order.id)).pipe(Effect.withSpan("cart.load"))
  yield* priceCart(order)
  const client = yield* HttpClient.HttpClient
  const { orders } = yield* Peers
  const response = yield* HttpClientRequest.post(`${orders}/orders`).pipe(
    HttpClientRequest.bodyJsonUnsafe(order),
    client.execute
  )
  if (response.status >= 500) return yield* new CheckoutFailed({ order: order.id, status: response.status })
  return yield* HttpServerResponse.json(yield* response.json, { status: response.status })
}).pipe(Trace.span("checkout", { outcome: { failure: () => Outcome.error("the order was not placed") } }))

const showOrder = Effect.gen(function*() {
  const { id = "" } = yield* HttpRouter.params
  const client = yield* HttpClient.HttpClient
  const { orders } = yield* Peers
  const response = yield* client.get(`${orders}/orders/${id}`)
  return yield* HttpServerResponse.json(yield* response.json, { status: response.status })
})

await runService(
  {
    serviceName: "web",
    serviceVersion: "1.8.0",
    otlp: { endpoint: otlpEndpoint },
    batch: { scheduleDelay: "500 millis" }
  },
  HttpRouter.serve(
    HttpRouter.addAll([
      HttpRouter.route("GET", "/products", listProducts),
      HttpRouter.route("GET", "/products/:sku", showProduct),
      HttpRouter.route("POST", "/checkout", checkout),
      HttpRouter.route("GET", "/orders/:id", showOrder)
    ]),
    { disableLogger: true, disableListenLog: true }
  )
)
