/** The series of an observable instrument, for one reader: each collection brings totals, not changes. */
import type * as Clock from "effect/Clock"
import type { Attributes } from "../model/Attributes.ts"
import { LastValue, Sum } from "./accumulators.ts"
import { type AttributeSet, overflowSet, split } from "./attributeSets.ts"
import { type Collected, type Gathered, pointsOf, type StreamSpec } from "./streamSpec.ts"

/** What callbacks have observed: each set of attributes once. */
export type Observations = Iterable<{ readonly attributes: Attributes; readonly value: number }>

interface Slot {
  readonly set: AttributeSet
  startTime: bigint
  /** The total of the last collection. */
  last: number
  /** The total as the last interval that arrived had it. */
  delivered: number
  seenAt: bigint
}

export class ObservedStream {
  readonly spec: StreamSpec
  private readonly slots = new Map<string, Slot>()
  private overflow: Slot | undefined = undefined
  private collectedAt: bigint
  private intervalStart: bigint

  constructor(spec: StreamSpec, clock: Clock.Clock) {
    this.spec = spec
    this.collectedAt = clock.currentTimeNanosUnsafe()
    this.intervalStart = this.collectedAt
  }

  /** Totals by series: what a view makes the same adds up, and of a gauge the last counts. */
  private totals(observations: Observations): Map<string, { readonly set: AttributeSet; total: number }> {
    const totals = new Map<string, { readonly set: AttributeSet; total: number }>()
    for (const { attributes, value } of observations) {
      const { set } = split(attributes, this.spec.filter)
      const known = totals.get(set.key)
      if (known === undefined) totals.set(set.key, { set, total: value })
      else known.total = this.spec.aggregation.type === "sum" ? known.total + value : value
    }
    return totals
  }

  collect(now: bigint, observations: Observations): Collected {
    const { aggregation, cardinalityLimit, temporality } = this.spec
    const totals = this.totals(observations)
    this.expire(now, totals)
    const seen: Array<Slot> = []
    let beyond: number | undefined
    for (const [key, { set, total }] of totals) {
      let slot = this.slots.get(key)
      if (slot === undefined) {
        if (this.slots.size >= cardinalityLimit) {
          beyond = aggregation.type === "sum" ? (beyond ?? 0) + total : total
          continue
        }
        this.slots.set(key, slot = this.makeSlot(set, now))
      }
      seen.push(this.observe(slot, total, now))
    }
    if (beyond !== undefined) seen.push(this.observe(this.overflow ??= this.makeSlot(overflowSet, now), beyond, now))
    this.collectedAt = now

    const isDelta = temporality === "delta" && aggregation.type === "sum"
    const handed = seen.map((slot) => [slot, slot.last] as const)
    return {
      spec: this.spec,
      data: pointsOf(this.spec, seen.map((slot) => this.gather(slot, isDelta, now))),
      commit: () => {
        if (!isDelta) return
        this.intervalStart = now
        for (const [slot, total] of handed) {
          slot.delivered = total
          slot.startTime = now
        }
      }
    }
  }

  private makeSlot(set: AttributeSet, now: bigint): Slot {
    const startTime = this.spec.temporality === "delta" ? this.intervalStart : this.collectedAt
    return { set, startTime, last: 0, delivered: 0, seenAt: now }
  }

  private observe(slot: Slot, total: number, now: bigint): Slot {
    if (this.spec.isMonotonic && total < slot.last) {
      slot.startTime = this.collectedAt
      // The counter behind it started again; but what overflows may shrink, too, as a set is not observed any more, and to
      // count the others again would be worse than to count nothing.
      slot.delivered = slot === this.overflow ? total : 0
    }
    slot.last = total
    slot.seenAt = now
    return slot
  }

  private gather(slot: Slot, isDelta: boolean, now: bigint): Gathered {
    const accumulator = this.spec.aggregation.type === "sum" ? new Sum() : new LastValue()
    accumulator.record(isDelta ? slot.last - slot.delivered : slot.last)
    return {
      accumulator,
      base: {
        attributes: slot.set.attributes,
        startTimeUnixNano: slot.startTime,
        timeUnixNano: now,
        exemplars: []
      }
    }
  }

  // What is not observed is not reported, and keeps its place until it expires or, where that leads to no second count of
  // the same, another needs it.
  private expire(now: bigint, totals: ReadonlyMap<string, unknown>): void {
    const { cardinalityLimit, expireAfter } = this.spec
    if (expireAfter !== undefined) {
      for (const [key, slot] of this.slots) {
        if (!totals.has(key) && now - slot.seenAt >= expireAfter) this.slots.delete(key)
      }
    }
    if (this.spec.temporality === "delta") return
    let missing = 0
    for (const key of totals.keys()) if (!this.slots.has(key)) missing++
    for (const key of this.slots.keys()) {
      if (this.slots.size + missing <= cardinalityLimit) return
      if (!totals.has(key)) this.slots.delete(key)
    }
  }
}
