/** What the three services and the demo agree on: goods, payment cards, and who is where. */
import * as Schema from "effect/Schema"

export const services = ["web", "orders", "payments"] as const

export type ServiceName = typeof services[number]

/** Base URLs of the services. */
export type Peers = Readonly<Record<ServiceName, string>>

/** How the bank behind a card behaves. */
export const Card = Schema.Literals(["visa", "amex", "expired", "flaky-bank", "bank-is-down"])

export type Card = typeof Card.Type

export const Item = Schema.Struct({ sku: Schema.String, quantity: Schema.Int })

export type Item = typeof Item.Type

export const Order = Schema.Struct({ id: Schema.String, items: Schema.Array(Item), card: Card })

export type Order = typeof Order.Type

/** What the orders service says of a good. */
export const Stock = Schema.Struct({ left: Schema.Int, price: Schema.Int })

/** Cents and pieces by sku. There is never a lantern left. */
export const goods: Readonly<Record<string, { readonly price: number; readonly stock: number }>> = {
  tent: { price: 24_900, stock: 900 },
  stove: { price: 6_450, stock: 900 },
  rope: { price: 3_900, stock: 900 },
  boots: { price: 15_900, stock: 900 },
  map: { price: 1_290, stock: 900 },
  lantern: { price: 2_990, stock: 0 }
}

/** Milliseconds that some work takes: 2 to 11, always the same for the same work. */
export const workload = (work: string): number => {
  let hash = 7
  for (const char of work) hash = (hash * 31 + char.charCodeAt(0)) % 10_007
  return 2 + hash % 10
}
