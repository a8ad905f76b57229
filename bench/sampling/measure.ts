/** What a contender makes of a traffic. */
import { seeded } from "./random.ts"
import type { Contender } from "./rivals.ts"
import type { Arrivals } from "./traffic.ts"

export interface Measures {
  /** Kept per second, over the goal. */
  readonly mean: number
  readonly p99: number
  readonly max: number
  /** Bias of the estimated number of traces in standard deviations; of no meaning where everything has weight 1. */
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

export const measure = (contender: Contender, traffic: Arrivals, goal: number, seed: number): Measures => {
  const random = seeded(seed ^ 0x5bd1e995)
  const { frequent, keyOf, keys, rare, seconds, times } = traffic
  const perSecond = new Array<number>(seconds).fill(0)
  const minutes = Math.ceil(seconds / 60)
  const head = Math.min(10, frequent)
  const truth = new Float64Array(head * minutes)
  const estimate = new Float64Array(head * minutes)
  let count = 0
  let weights = 0
  let variance = 0
  let rareCount = 0
  let rareKept = 0
  for (let i = 0; i < times.length; i++) {
    const time = times[i]!
    const key = keyOf[i]!
    const u = random()
    const p = contender.rate(keys[key]!, time, u)
    const weight = u < p ? 1 / p : 0
    if (weight > 0) perSecond[Math.floor(time / 1_000)]! += 1 / goal
    count++
    weights += weight
    if (p > 0) variance += 1 / p - 1
    if (time < warmUp * 1_000) continue
    if (key < head) {
      const cell = key * minutes + Math.floor(time / 60_000)
      truth[cell]!++
      estimate[cell]! += weight
    }
    if (key >= frequent && key < frequent + rare) {
      rareCount++
      if (weight > 0) rareKept++
    }
  }
  const settled = perSecond.slice(warmUp)
  const sorted = settled.toSorted((a, b) => a - b)
  let error = 0
  let cells = 0
  for (let i = 0; i < truth.length; i++) {
    const count = truth[i]!
    if (count === 0) continue
    error += (estimate[i]! / count - 1) ** 2
    cells++
  }
  return {
    mean: settled.reduce((a, b) => a + b, 0) / settled.length,
    p99: sorted[Math.floor(sorted.length * 0.99)]!,
    max: sorted[sorted.length - 1]!,
    z: (weights - count) / Math.sqrt(Math.max(1, variance)),
    bias: weights / count - 1,
    rare: rareKept / rareCount,
    headError: Math.sqrt(error / cells),
    perSecond
  }
}
