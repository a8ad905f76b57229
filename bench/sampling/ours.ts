/** Our samplers' arithmetic, as contenders. */
import * as Grid from "../../src/sampling/adaptive/grid.ts"
import { defaults, KeyedRates, type KeyedRatesOptions } from "../../src/sampling/adaptive/keyedRates.ts"
import type { Contender } from "./rivals.ts"

/** The adaptive sampler. */
export const adaptive = (goal: number, options?: Partial<KeyedRatesOptions>): Contender => {
  const rates = new KeyedRates({ ...defaults, goal, ...options }, 0)
  return {
    name: "AdaptiveSampler",
    offer: (key, now, u) => {
      rates.decide(key, Math.floor(now))
      const p = Grid.probabilityOf(rates.index)
      return u < p ? 1 / p : 0
    }
  }
}
