/** Many deadlines, one timer. */

/** What can stand in a wheel: the wheel keeps its place on the object itself. */
export interface Timed<A> {
  /** When it is due, in milliseconds. */
  dueAt: number
  /** @internal The slot it stands in, -1 for none. */
  slot: number
  /** @internal */
  nextTimed: A | undefined
  /** @internal */
  previousTimed: A | undefined
}

const slotMillis = 100
const slotCount = 512

/**
 * Deadlines in slots of 100 ms, on rings through the objects themselves: setting, moving and taking one back is a few
 * writes, whatever their number.
 *
 * **Details**
 *
 * A deadline is met up to 100 ms late. One further away than the wheel reaches (51 s) stands in its last slot, and is put
 * off when its turn comes.
 */
export class TimerWheel<A extends Timed<A>> {
  private readonly slots = new Array<A | undefined>(slotCount).fill(undefined)
  // Everything in slots before this one was handed out.
  private tick = 0
  #size = 0

  /** How many stand in the wheel. */
  get size(): number {
    return this.#size
  }

  /** Sets the deadline of `item`, in place of one that it had. */
  set(item: A, dueAt: number, now: number): void {
    if (item.slot >= 0) this.remove(item)
    if (this.#size === 0) this.tick = Math.floor(now / slotMillis)
    item.dueAt = dueAt
    const tick = Math.min(Math.max(Math.ceil(dueAt / slotMillis), this.tick), this.tick + slotCount - 1)
    const slot = tick & (slotCount - 1)
    const first = this.slots[slot]
    item.slot = slot
    item.nextTimed = first
    if (first !== undefined) first.previousTimed = item
    this.slots[slot] = item
    this.#size++
  }

  /** Takes the deadline of `item` back, if it has one. */
  remove(item: A): void {
    if (item.slot < 0) return
    const { nextTimed, previousTimed } = item
    if (nextTimed !== undefined) nextTimed.previousTimed = previousTimed
    if (previousTimed !== undefined) previousTimed.nextTimed = nextTimed
    else this.slots[item.slot] = nextTimed
    item.slot = -1
    item.nextTimed = undefined
    item.previousTimed = undefined
    this.#size--
  }

  /** Hands out everything that is due, out of the wheel already. `ring` must leave the wheel alone. */
  advance(now: number, ring: (item: A) => void): void {
    const until = Math.floor(now / slotMillis)
    const steps = Math.min(until - this.tick + 1, slotCount)
    for (let step = 0; step < steps && this.#size > 0; step++) {
      const slot = (this.tick + step) & (slotCount - 1)
      let item = this.slots[slot]
      while (item !== undefined) {
        const next: A | undefined = item.nextTimed
        if (item.dueAt <= now) {
          this.remove(item)
          ring(item)
        }
        item = next
      }
    }
    // What is not due yet stood in the last slot because the wheel does not reach further.
    const early: Array<A> = []
    for (let step = 0; step < steps; step++) {
      for (let item = this.slots[(this.tick + step) & (slotCount - 1)]; item !== undefined; item = item.nextTimed) {
        early.push(item)
      }
    }
    if (until > this.tick) this.tick = until
    for (const item of early) this.set(item, item.dueAt, now)
  }

  /** When {@link advance} has something to do next, in milliseconds; `undefined` with an empty wheel. */
  get next(): number | undefined {
    if (this.#size === 0) return undefined
    for (let step = 0; step < slotCount; step++) {
      if (this.slots[(this.tick + step) & (slotCount - 1)] !== undefined) return (this.tick + step) * slotMillis
    }
    return undefined
  }
}
