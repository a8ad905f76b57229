/** Items through several stations, in order: one that fails is isolated, and loses nothing. */
import type { Account, DropReason } from "../diagnostics/Ledger.ts"

/** The rest of the road. */
export interface Sink<in Item> {
  readonly emit: (item: Item) => void
  readonly drop: (reason: DropReason, count: number) => void
  /** Books items that the station keeps back for now as queued; a negative count takes them back. */
  readonly hold: (count: number) => void
  /** Books items that were not selected. */
  readonly sampledOut: (count: number) => void
}

/** One station of the road. */
export interface Station<Item> {
  /** Hands the item on, or drops it. */
  readonly pass: (item: Item, next: Sink<Item>) => void
  readonly accounts: ReadonlyArray<Account>
  /** Told what was thrown. */
  readonly failed: (error: unknown) => void
}

/** Passes an item through `stations`, and then to `tail`. */
export const chain = <Item>(
  stations: ReadonlyArray<Station<Item>>,
  tail: Sink<Item>,
  index = 0
): (item: Item) => void => {
  const station = stations[index]
  if (station === undefined) return (item) => tail.emit(item)
  const rest = chain(stations, tail, index + 1)
  const behind = stations.slice(index + 1).flatMap((next) => next.accounts)
  // The item that the station is busy with, which an exception must neither lose nor emit twice.
  let current: Item | undefined
  let isEmitted = false
  // How often it has accounted for an item in another way.
  let booked = 0
  const sink: Sink<Item> = {
    emit(item) {
      if (item === current) isEmitted = true
      rest(item)
    },
    drop(reason, count) {
      booked++
      for (const account of behind) account.drop(reason, count)
      tail.drop(reason, count)
    },
    hold(count) {
      booked++
      for (const account of behind) account.queued += count
      tail.hold(count)
    },
    sampledOut(count) {
      booked++
      for (const account of behind) account.sampledOut += count
      tail.sampledOut(count)
    }
  }
  return (item) => {
    const before = booked
    const outer = current
    const wasEmitted = isEmitted
    current = item
    isEmitted = false
    try {
      station.pass(item, sink)
    } catch (error) {
      station.failed(error)
      if (!isEmitted && booked === before) rest(item)
    }
    current = outer
    isEmitted = wasEmitted
  }
}
