/** The orders service: stock and orders, on Effect's HTTP server. Sends OTLP as JSON, compressed. */
import * as Trace from "effect-telemetry/tracing/Trace"
import * as Outcome from "effect-telemetry/tracing/Outcome"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { otlpEndpoint } from "./channel.ts"
import { Peers, runService } from "./effectService.ts"
import { goods, type Item, Order, workload } from "./shop.ts"

class OutOfStock extends Schema.TaggedError<OutOfStock>()("OutOfStock", {
  sku: Schema.String,
  asked: Schema.Number,
  left: Schema.Number
}) {
  override get message(): string {
    return `${this.asked} of ${this.sku} asked for, ${this.left} left`
  }
  [HttpServerRespondable.symbol]() {
    return HttpServerResponse.json({ error: "out_of_stock", sku: this.sku }, { status: 409 })
  }
}

class OrderNotFound extends Schema.TaggedError<OrderNotFound>()("OrderNotFound", { id: Schema.String }) {
  override get message(): string {
    return `no order ${this.id}`
  }
  [HttpServerRespondable.symbol]() {
    return HttpServerResponse.json({ error: "order_not_found" }, { status: 404 })
  }
}

class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { reason: Schema.String }) {
  override get message(): string {
    return `card declined: ${this.reason}`
  }
  [HttpServerRespondable.symbol]() {
    return HttpServerResponse.json({ error: "card_declined" }, { status: 402 })
  }
}

class PaymentUnavailable extends Schema.TaggedError<PaymentUnavailable>()("PaymentUnavailable", {
  order: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `no payment for ${this.order}: ${this.detail}`
  }
  [HttpServerRespondable.symbol]() {
    return HttpServerResponse.json({ error: "payment_unavailable" }, { status: 502 })
  }
}

/** What a customer may run into every day is no error of ours. */
const everyday: Outcome.OutcomePolicy = {
  failure: (error) =>
    error instanceof OutOfStock || error instanceof CardDeclined || error instanceof OrderNotFound
      ? Outcome.expected
      : undefined
}

const stock = new Map(Object.entries(goods).map(([sku, { stock }]) => [sku, stock]))
const orders = new Map<string, { readonly order: Order; status: "held" | "paid" }>()

const query = (name: string, attributes: Readonly<Record<string, unknown>>) =>
  Trace.span(Effect.sleep(workload(name + JSON.stringify(attributes))), name, {
    kind: "client",
    attributes: { "db.system.name": "postgresql", ...attributes }
  })

const showStock = Effect.gen(function*() {
  const { sku = "" } = yield* HttpRouter.params
  yield* query("SELECT stock", { sku })
  return yield* HttpServerResponse.json({ left: stock.get(sku) ?? 0, price: goods[sku]?.price ?? 0 })
})

const reserve = (item: Item) =>
  Effect.gen(function*() {
    yield* query("UPDATE stock", { sku: item.sku })
    const left = stock.get(item.sku) ?? 0
    if (left < item.quantity) {
      yield* Effect.logWarning("out of stock")
      return yield* new OutOfStock({ sku: item.sku, asked: item.quantity, left })
    }
    stock.set(item.sku, left - item.quantity)
  }).pipe(Trace.span("stock.reserve", { attributes: { sku: item.sku }, outcome: everyday }))

const release = (items: ReadonlyArray<Item>) =>
  Effect.sync(() => {
    for (const { quantity, sku } of items) stock.set(sku, (stock.get(sku) ?? 0) + quantity)
  }).pipe(Trace.span("stock.release", { attributes: { items: items.length } }))

const charge = Effect.fnUntraced(function*(order: Order) {
  const client = yield* HttpClient.HttpClient
  const { payments } = yield* Peers
  const amount = order.items.reduce((sum, { quantity, sku }) => sum + quantity * (goods[sku]?.price ?? 0), 0)
  const response = yield* HttpClientRequest.post(`${payments}/charges`).pipe(
    HttpClientRequest.bodyJsonUnsafe({ order: order.id, amount, card: order.card }),
    client.execute,
    Effect.catch((error) => new PaymentUnavailable({ order: order.id, detail: error.message }))
  )
  if (response.status === 402) return yield* new CardDeclined({ reason: order.card })
  if (response.status >= 300) {
    return yield* new PaymentUnavailable({ order: order.id, detail: `payments answered ${response.status}` })
  }
})

const pay = (order: Order) =>
  charge(order).pipe(
    Effect.tapError((error) =>
      error._tag === "PaymentUnavailable" ? Effect.logWarning("payment failed", error.detail) : Effect.void
    ),
    Effect.retry({
      while: (error) => error._tag === "PaymentUnavailable",
      times: 1,
      schedule: Schedule.exponential("15 millis")
    }),
    Trace.span("order.pay", { outcome: everyday })
  )

const place = Effect.gen(function*() {
  const order = yield* HttpServerRequest.schemaBodyJson(Order)
  yield* Trace.attributes({ "order.id": order.id, "order.items": order.items.length })
  yield* Effect.forEach(order.items, reserve, { concurrency: 2, discard: true })
  orders.set(order.id, { order, status: "held" })
  yield* Effect.onError(pay(order), () => {
    orders.delete(order.id)
    return release(order.items)
  })
  yield* query("INSERT order", { "order.id": order.id })
  orders.set(order.id, { order, status: "paid" })
  yield* Effect.log("order placed")
  return yield* HttpServerResponse.json({ id: order.id, status: "paid" }, { status: 201 })
})

const find = Effect.gen(function*() {
  const { id = "" } = yield* HttpRouter.params
  yield* query("SELECT order", { "order.id": id })
  const known = orders.get(id)
  if (known === undefined) return yield* new OrderNotFound({ id })
  return yield* HttpServerResponse.json({ id, status: known.status })
})

/** Traces of their own, and many of them: of these the sampler keeps one in ten. */
const restock = Effect.gen(function*() {
  yield* query("SELECT low stock", {})
  yield* query("SELECT suppliers", {})
}).pipe(
  Trace.root("stock.restock", { attributes: { "job.schedule": "40 ms" } }),
  Effect.repeat(Schedule.spaced("40 millis"))
)

await runService(
  {
    serviceName: "orders",
    serviceVersion: "2.3.1",
    sampler: { parentBased: { root: { traceIdRatio: 0.1 } } },
    otlp: { endpoint: otlpEndpoint, protocol: "http/json", compression: "gzip" },
    batch: { scheduleDelay: "500 millis" }
  },
  Layer.mergeAll(
    HttpRouter.serve(
      HttpRouter.addAll([
        HttpRouter.route("GET", "/stock/:sku", showStock),
        HttpRouter.route("POST", "/orders", place),
        HttpRouter.route("GET", "/orders/:id", find),
        HttpRouter.route("GET", "/holds/:id", find)
      ]),
      { disableLogger: true, disableListenLog: true }
    ),
    Layer.effectDiscard(Effect.forkScoped(restock))
  )
)
