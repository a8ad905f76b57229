/** The customers: the same requests in the same order each time, a few at once. */
import type { Card, Item, Order } from "./shop.ts"

interface Visit {
  readonly method: "GET" | "POST"
  readonly path: string
  readonly order?: Order
  /** What the shop should answer. */
  readonly expect: number
}

/** A small generator of pseudo-random numbers in [0, 1): mulberry32. */
const seeded = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}

const answers: Readonly<Record<Card, number>> = {
  "visa": 201,
  "amex": 201,
  "flaky-bank": 201,
  "expired": 402,
  "bank-is-down": 500
}

/** The cards that customers pay with, in turns. */
const cards: ReadonlyArray<Card> = [
  "visa",
  "visa",
  "amex",
  "visa",
  "flaky-bank",
  "expired",
  "visa",
  "bank-is-down",
  "visa",
  "amex"
]

const visits = (count: number): ReadonlyArray<Visit> => {
  const random = seeded(42)
  const pick = <A>(list: ReadonlyArray<A>): A => list[Math.floor(random() * list.length)]!
  const inStock = ["tent", "stove", "rope", "boots", "map"]
  const list: Array<Visit> = []
  let checkouts = 0
  while (list.length < count) {
    const what = random()
    if (what < 0.3) list.push({ method: "GET", path: "/products", expect: 200 })
    else if (what < 0.5) {
      const known = random() < 0.8
      list.push({ method: "GET", path: `/products/${known ? pick(inStock) : "unicorn"}`, expect: known ? 200 : 404 })
    } else if (what < 0.65) {
      // The first order is paid with a card that works, and long there in the second half.
      const known = list.length > count / 2 && random() < 0.7
      list.push({ method: "GET", path: `/orders/${known ? "A-1000" : "A-9999"}`, expect: known ? 200 : 404 })
    } else {
      const card = cards[checkouts % cards.length]!
      const soldOut = checkouts % 8 === 6
      const items: ReadonlyArray<Item> = [
        { sku: inStock[checkouts % inStock.length]!, quantity: 1 + Math.floor(random() * 2) },
        { sku: soldOut ? "lantern" : inStock[(checkouts + 2) % inStock.length]!, quantity: 1 }
      ]
      const order = { id: `A-${1000 + checkouts}`, items, card }
      list.push({ method: "POST", path: "/checkout", order, expect: soldOut ? 409 : answers[card] })
      checkouts++
    }
  }
  return list
}

export interface Drive {
  readonly requests: number
  readonly milliseconds: number
  /** Answers that were not the expected ones. */
  readonly surprises: ReadonlyArray<string>
}

/** Sends `count` requests to the shop, `concurrency` at a time. */
export const drive = async (shop: string, count: number, concurrency: number): Promise<Drive> => {
  const queue = [...visits(count)].values()
  const surprises: Array<string> = []
  const started = performance.now()
  const customer = async (): Promise<void> => {
    for (const { expect, method, order, path } of queue) {
      const response = await fetch(shop + path, {
        method,
        signal: AbortSignal.timeout(10_000),
        ...(order === undefined ? {} : { body: JSON.stringify(order), headers: { "content-type": "application/json" } })
      })
      await response.arrayBuffer()
      if (response.status !== expect) surprises.push(`${method} ${path}: ${response.status} instead of ${expect}`)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, customer))
  return { requests: count, milliseconds: performance.now() - started, surprises }
}
