/** What a contender makes of a traffic. */
import { BottomK } from "../../src/sampling/tail/budget.ts"
import { seeded } from "./random.ts"
import type { Contender } from "./rivals.ts"
import type { Arrivals } from "./traffic.ts"

export interface Measures {
  /** Kept per second, over the goal. */
  readonly mean: number
  readonly p99: number
  readonly max: number
  /** Error of the estimated number of traces, in standard deviations. */
  readonly z: number
  /** The estimated number of traces over the true one, minus 1. */
  readonly bias: number
  /** Share of the traces with rare keys that are kept. */
  readonly rare: number
  /** Error of the estimated count of the ten most frequent keys in a minute, as a share of the count. */
  readonly headError: number
  /** Kept in each second, over the goal. */
  readonly perSecond: ReadonlyArray<number>
}

// So long everybody may learn.
const warmUp = 20

/** Counts what is kept. */
class Tally {
  readonly perSecond: Array<number>
  readonly #traffic: Arrivals
  readonly #goal: number
  readonly #minutes: number
  readonly #truth: Float64Array
  readonly #estimate: Float64Array
  #weights = 0
  variance = 0
  #rareCount = 0
  #rareKept = 0

  constructor(traffic: Arrivals, goal: number) {
    this.#traffic = traffic
    this.#goal = goal
    this.perSecond = new Array<number>(traffic.seconds).fill(0)
    this.#minutes = Math.ceil(traffic.seconds / 60)
    this.#truth = new Float64Array(head * this.#minutes)
    this.#estimate = new Float64Array(head * this.#minutes)
  }

  #isRare(key: number): boolean {
    const { frequent, rare } = this.#traffic
    return key >= frequent && key < frequent + rare
  }

  arrived(i: number): void {
    const { keyOf, times } = this.#traffic
    const key = keyOf[i]!
    if (times[i]! < warmUp * 1_000) return
    if (key < head) this.#truth[this.#cell(i)]!++
    if (this.#isRare(key)) this.#rareCount++
  }

  kept(i: number, weight: number): void {
    const { keyOf, times } = this.#traffic
    const key = keyOf[i]!
    this.perSecond[Math.floor(times[i]! / 1_000)]! += 1 / this.#goal
    this.#weights += weight
    if (times[i]! < warmUp * 1_000) return
    if (key < head) this.#estimate[this.#cell(i)]! += weight
    if (this.#isRare(key)) this.#rareKept++
  }

  #cell(i: number): number {
    return this.#traffic.keyOf[i]! * this.#minutes + Math.floor(this.#traffic.times[i]! / 60_000)
  }

  measures(): Measures {
    const count = this.#traffic.times.length
    const settled = this.perSecond.slice(warmUp)
    const sorted = settled.toSorted((a, b) => a - b)
    let error = 0
    let cells = 0
    for (const [i, truth] of this.#truth.entries()) {
      if (truth === 0) continue
      error += (this.#estimate[i]! / truth - 1) ** 2
      cells++
    }
    return {
      mean: settled.reduce((a, b) => a + b, 0) / settled.length,
      p99: sorted[Math.floor(sorted.length * 0.99)]!,
      max: sorted[sorted.length - 1]!,
      z: (this.#weights - count) / Math.sqrt(Math.max(1, this.variance)),
      bias: this.#weights / count - 1,
      rare: this.#rareCount === 0 ? Number.NaN : this.#rareKept / this.#rareCount,
      headError: Math.sqrt(error / cells),
      perSecond: this.perSecond
    }
  }
}

const head = 10

/** Puts the arrivals through a contender; where it has a cap, what it keeps also through a bottom-k of each second. */
export const measure = (contender: Contender, traffic: Arrivals, goal: number, seed: number): Measures => {
  const random = seeded(seed ^ 0x5bd1e995)
  const { keyOf, keys, times } = traffic
  const tally = new Tally(traffic, goal)
  const held: Array<number> = []
  const probabilities: Array<number> = []
  const ranks: Array<number> = []
  const selection = new BottomK()
  const flush = (): void => {
    const costs = ranks.map(() => 1)
    const cut = selection.cut(ranks, costs, ranks.length, contender.cap!)
    for (let n = 0; n < held.length; n++) {
      if (ranks[n]! >= cut) continue
      const p = probabilities[n]! * Math.min(1, cut)
      tally.kept(held[n]!, 1 / p)
      tally.variance += (1 - p) / p ** 2
    }
    held.length = 0
    probabilities.length = 0
    ranks.length = 0
  }
  let second = 0
  for (let i = 0; i < times.length; i++) {
    const time = times[i]!
    if (time >= (second + 1) * 1_000) {
      if (contender.cap !== undefined) flush()
      second = Math.floor(time / 1_000)
    }
    const u = random()
    const p = contender.rate(keys[keyOf[i]!]!, time, u)
    tally.arrived(i)
    if (contender.cap === undefined) {
      if (p > 0) tally.variance += 1 / p - 1
      if (u < p) tally.kept(i, 1 / p)
    } else if (u < p) {
      held.push(i)
      probabilities.push(p)
      ranks.push(u / p)
    }
  }
  if (contender.cap !== undefined) flush()
  return tally.measures()
}
