/** The program of the contenders that trace Effect: the same code, under another tracer or another operator. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Scheduler from "effect/Scheduler"
import type { SpanAttributes } from "./attributes.ts"
import { cartAttributes, queryAttributes, renderAttributes, requestAttributes } from "./attributes.ts"
import type { Contender, Load, Setup } from "./Load.ts"
import { everyday } from "./everyday.ts"
import { requestsPerTurn } from "./Load.ts"
import { type Shop, shop, shopLayer } from "./shop.ts"

/** Puts a span around an effect. */
export type SpanOperator = (
  self: Effect.Effect<number>,
  name: string,
  attributes: SpanAttributes
) => Effect.Effect<number>

/**
 * `Effect.withSpan`. Without the stack trace of the place that built the span: it costs the same under every tracer,
 * several times what most of them cost, and hides them in its noise.
 */
export const withSpan: SpanOperator = (self, name, attributes) =>
  Effect.withSpan(self, name, { attributes, captureStackTrace: false })

/** No span at all. */
export const withoutSpan: SpanOperator = (self, _name, attributes) =>
  attributes === undefined ? Effect.die("no attributes") : self

const requestWith = (span: SpanOperator, { carts, orders, views }: Shop) => (i: number): Effect.Effect<number> => {
  const cart = span(carts.load(i), "cart.load", cartAttributes(i))
  const query = span(orders.query(i), "db.query", queryAttributes(i))
  const render = span(views.render(i), "render", renderAttributes(i))
  return span(
    Effect.flatMap(cart, (a) => Effect.flatMap(query, (b) => Effect.map(render, (c) => a + b + c))),
    "GET /orders/:id",
    requestAttributes(i)
  )
}

const prebuiltCount = 64

/** Requests one after the other in one fiber, with a turn of the event loop after every few. */
const steady = (requests: number, request: (i: number) => Effect.Effect<number>) =>
  Effect.gen(function*() {
    let sum = 0
    for (let i = 0; i < requests; i++) {
      sum += yield* request(i)
      if (i % requestsPerTurn === requestsPerTurn - 1) yield* Effect.yieldNow
    }
    return sum
  })

const paced = (load: Load, request: (i: number) => Effect.Effect<number>) =>
  Effect.gen(function*() {
    const rate = load.requests / load.millis
    const start = performance.now()
    let sum = 0
    let made = 0
    while (made < load.requests) {
      // An open loop: what fell due during a stall is made up for, so that no contender is spared by its own stalls.
      const due = Math.min(load.requests, Math.floor((performance.now() - start) * rate) + 1)
      while (made < due) {
        sum += yield* request(made++)
        if (made % requestsPerTurn === 0) yield* Effect.yieldNow
      }
      yield* Effect.sleep(1)
    }
    return sum
  })

const burst = (requests: number, request: (i: number) => Effect.Effect<number>) =>
  Effect.gen(function*() {
    let sum = 0
    for (let i = 0; i < requests; i++) sum += yield* request(i)
    return sum
  }).pipe(Effect.provideService(Scheduler.PreventSchedulerYield, true))

/** A contender from its span operator and the layer that installs its tracer. */
export const effectContender = <R>(options: {
  readonly span: SpanOperator
  readonly layer: (setup: Setup) => Layer.Layer<R, unknown>
  readonly countedLost?: (context: Context.Context<R>) => () => number
}): Contender => {
  const load = (load: Load, shop: Shop): Effect.Effect<number> => {
    const request = requestWith(options.span, shop)
    switch (load.kind) {
      case "calls":
        return steady(load.requests, request)
      case "prebuilt": {
        const prebuilt = Array.from({ length: prebuiltCount }, (_, i) => request(i))
        return steady(load.requests, (i) => prebuilt[i % prebuiltCount]!)
      }
      case "paced":
        return paced(load, request)
      case "burst":
        return burst(load.requests, request)
    }
  }
  let begun: Promise<void> | undefined
  return {
    open: async (setup) => {
      await (begun ??= Effect.runPromise(everyday))
      const runtime = ManagedRuntime.make(Layer.merge(shopLayer, options.layer(setup)))
      const context = await runtime.context()
      return {
        run: (phase) => runtime.runPromise(Effect.flatMap(shop, (shop) => load(phase, shop))),
        close: () => runtime.dispose(),
        countedLost: options.countedLost?.(context)
      }
    }
  }
}
