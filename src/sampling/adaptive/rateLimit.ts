/** Limiters without keys: a few numbers, and as fast for the first trace as for the millionth. */
import { capacityOf, Credit } from "./credit.ts"
import * as Grid from "./grid.ts"
import { novelty } from "./waterLevel.ts"

const tickSeconds = 1

/** Hands out probabilities so that their sum stays at a goal per second. */
export class RateLimit {
  readonly #goal: number
  readonly #memory: number
  readonly #credit: Credit
  #now: number
  #tickStart: number
  #load = 0
  #arrived = 0
  #age = 0

  /** `burst` and `memory` in seconds, as in `keyedRates.ts`. */
  constructor(goal: number, burst: number, memory: number, nowMillis: number) {
    this.#goal = goal
    this.#memory = memory
    this.#credit = new Credit(goal, capacityOf(goal * burst), 0.5)
    this.#now = nowMillis
    this.#tickStart = nowMillis
  }

  /** The place on the grid of the share that is kept of a trace that would be kept with probability `weight`. */
  next(weight: number, nowMillis: number): number {
    if (nowMillis !== this.#now) this.#pass(nowMillis)
    const credit = this.#credit
    const load = this.#arrived > this.#load ? this.#arrived : this.#load
    this.#arrived += weight
    const index = Grid.indexOf(credit.chance(load > 0 ? this.#goal / load : 1, weight))
    credit.take(weight * Grid.probabilityOf(index))
    return index
  }

  #pass(nowMillis: number): void {
    const elapsed = nowMillis - this.#now
    this.#now = nowMillis
    // A clock that was set back starts over.
    if (elapsed < 0) {
      this.#tickStart = nowMillis
      return
    }
    this.#credit.fill(elapsed / 1_000)
    const seconds = (nowMillis - this.#tickStart) / 1_000
    if (seconds < tickSeconds) return
    this.#tickStart = nowMillis
    this.#age += seconds
    this.#load += (this.#arrived / seconds - this.#load) * novelty(seconds, this.#age, this.#memory)
    this.#arrived = 0
  }
}

/** A bucket of whole traces: whether one more is kept for certain. */
export class Reservoir {
  readonly #perSecond: number
  #level: number
  #now: number

  constructor(perSecond: number, nowMillis: number) {
    this.#perSecond = perSecond
    this.#level = Math.max(1, perSecond)
    this.#now = nowMillis
  }

  take(nowMillis: number): boolean {
    if (nowMillis > this.#now) {
      const level = this.#level + this.#perSecond * (nowMillis - this.#now) / 1_000
      this.#level = Math.min(level, Math.max(1, this.#perSecond))
    }
    this.#now = nowMillis
    if (this.#level < 1 || this.#perSecond === 0) return false
    this.#level--
    return true
  }
}
