/**
 * The services of the shop. They do nearly nothing, but they are services: a program that has none is one in which the
 * engine specialises Effect's own code for the only tracer it ever sees, and no program of some size is like that.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

class Carts extends Context.Service<Carts, { readonly load: (id: number) => Effect.Effect<number> }>()("bench/Carts") {}

class Orders extends Context.Service<Orders, { readonly query: (id: number) => Effect.Effect<number> }>()(
  "bench/Orders"
) {}

class Views extends Context.Service<Views, { readonly render: (id: number) => Effect.Effect<number> }>()(
  "bench/Views"
) {}

class Settings extends Context.Service<Settings, { readonly mask: number }>()("bench/Settings") {}

class Users extends Context.Service<Users, { readonly count: number }>()("bench/Users") {}

class Mailer extends Context.Service<Mailer, { readonly sent: number }>()("bench/Mailer") {}

export interface Shop {
  readonly carts: Carts["Service"]
  readonly orders: Orders["Service"]
  readonly views: Views["Service"]
}

/** Asks for the services, as a program does when it starts. */
export const shop: Effect.Effect<Shop, never, Carts | Orders | Views | Settings | Users | Mailer> = Effect.gen(
  function*() {
    const carts = yield* Carts
    const orders = yield* Orders
    const views = yield* Views
    yield* Settings
    yield* Users
    yield* Mailer
    return { carts, orders, views }
  }
)

export const shopLayer = Layer.mergeAll(
  Layer.succeed(Carts, { load: (id) => Effect.sync(() => id & 7) }),
  Layer.succeed(Orders, { query: (id) => Effect.sync(() => id & 3) }),
  Layer.succeed(Views, { render: (id) => Effect.sync(() => id & 1) }),
  Layer.succeed(Settings, { mask: 7 }),
  Layer.succeed(Users, { count: 1 }),
  Layer.succeed(Mailer, { sent: 0 })
)
