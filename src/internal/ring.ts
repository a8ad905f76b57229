/** What is newest, in memory: a ring that counts what gives way. */
import * as Effect from "effect/Effect"

/** A bounded store of items. */
export interface Ring<Item> {
  readonly keep: (item: Item) => void
  /** The items kept, in order. A copy. */
  readonly items: Effect.Effect<ReadonlyArray<Item>>
  /** How many gave way to newer ones since the start or the last reset. */
  readonly evicted: Effect.Effect<number>
  readonly reset: Effect.Effect<void>
}

export const make = <Item>(most: number): Ring<Item> => {
  // Once full, `oldest` is the place of the next one.
  let ring: Array<Item> = []
  let oldest = 0
  let evicted = 0
  return {
    keep(item) {
      if (ring.length < most) {
        ring.push(item)
        return
      }
      evicted++
      if (most === 0) return
      ring[oldest] = item
      oldest = (oldest + 1) % most
    },
    items: Effect.sync(() => [...ring.slice(oldest), ...ring.slice(0, oldest)]),
    evicted: Effect.sync(() => evicted),
    reset: Effect.sync(() => {
      ring = []
      oldest = 0
      evicted = 0
    })
  }
}
