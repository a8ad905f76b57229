/** Our samplers' arithmetic, as contenders. */
import * as Grid from "../../src/sampling/adaptive/grid.ts"
import { defaults, KeyedRates, type KeyedRatesOptions } from "../../src/sampling/adaptive/keyedRates.ts"
import { RateLimit, Reservoir } from "../../src/sampling/adaptive/rateLimit.ts"
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
