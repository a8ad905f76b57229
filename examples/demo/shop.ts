/** What the three services and the demo agree on: goods, payment cards, and who is where. */

export const services = ["web", "orders", "payments"] as const

export type ServiceName = typeof services[number]

/** Base URLs of the services. */
export type Peers = Readonly<Record<ServiceName, string>>

export interface Item {
  readonly sku: string
  readonly quantity: number
}

export interface Order {
  readonly id: string
  readonly items: ReadonlyArray<Item>
  readonly card: Card
}

/** How the bank behind a card behaves. */
export type Card = "visa" | "amex" | "expired" | "flaky-bank" | "bank-is-down"

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
