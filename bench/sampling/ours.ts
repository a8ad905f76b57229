/** Our samplers' arithmetic, as contenders. */
import * as Grid from "../../src/sampling/adaptive/grid.ts"
import { defaults, KeyedRates, type KeyedRatesOptions } from "../../src/sampling/adaptive/keyedRates.ts"
import { RateLimit, Reservoir } from "../../src/sampling/adaptive/rateLimit.ts"
import { shareOf, waterLevel } from "../../src/sampling/adaptive/waterLevel.ts"
import type { Contender } from "./rivals.ts"

/** The adaptive sampler. */
export const adaptive = (goal: number, options?: Partial<KeyedRatesOptions>): Contender => {
  const rates = new KeyedRates({ ...defaults, goal, ...options }, 0)
  return {
    name: "AdaptiveSampler",
    rate(key, now) {
      rates.decide(key, Math.floor(now))
      return Grid.probabilityOf(rates.index)
    }
  }
}

/** The adaptive sampler, and behind it the budget of the tail stage at 1.2 times the goal. */
export const capped = (goal: number): Contender => ({
  ...adaptive(goal),
  name: "AdaptiveSampler, then a tail budget of 1.2",
  cap: Math.floor(1.2 * goal)
})

/** The budget of the tail stage alone. */
export const tailBudget = (goal: number): Contender => ({
  name: "tail budget alone",
  rate: () => 1,
  cap: goal
})

/**
 * What we did not take: the same shares, corrected by an average over a quarter of a second of what they hand out, at most
 * twofold (docs/decisions/0013-credit.md).
 */
export const averaging = (goal: number): Contender => {
  const memory = 10
  const window = 0.25
  const mostFactor = 2
  const keys = new Map<string, { load: number; arrived: number; p: number }>()
  let tick = 1_000
  let last = 0
  let handedOut = goal
  let unseen = 0
  const share = (): void => {
    for (const key of keys.values()) {
      key.load += (key.arrived - key.load) * (tick === 1_000 ? 1 : 1 - Math.exp(-1 / memory))
      key.arrived = 0
    }
    const level = waterLevel([...keys.values()].map(({ load }) => load).sort((a, b) => a - b), goal, 0.5)
    for (const key of keys.values()) key.p = key.load > 0 ? Math.min(1, level * shareOf(key.load, 0.5)) : 1
  }
  return {
    name: "not taken: a governor that averages",
    rate(name, now) {
      while (now >= tick) {
        share()
        tick += 1_000
        unseen = 0
      }
      let key = keys.get(name)
      let p: number
      if (key === undefined) {
        key = { load: 0, arrived: 0, p: 1 }
        keys.set(name, key)
        p = tick === 1_000 ? Math.min(1, goal / keys.size) : Math.min(1, goal / 10 / ++unseen)
        key.p = p
      } else p = key.p
      key.arrived++
      handedOut = handedOut * Math.exp((last - now) / 1_000 / window) + p / window
      last = now
      return Math.min(1, p * Math.min(mostFactor, goal / handedOut))
    }
  }
}

/** The rate limit over a sampler that keeps everything. */
export const rateLimit = (goal: number): Contender => {
  const limit = new RateLimit(goal, 0.5, 10, 0)
  return {
    name: "RateLimitSampler",
    rate: (_key, now) => Grid.probabilityOf(limit.next(1, Math.floor(now)))
  }
}

/** The reservoir. */
export const reservoir = (perSecond: number, probability: number): Contender => {
  const bucket = new Reservoir(perSecond, 0)
  return {
    name: "Reservoir",
    rate: (_key, now) => bucket.take(Math.floor(now)) ? 1 : probability
  }
}
