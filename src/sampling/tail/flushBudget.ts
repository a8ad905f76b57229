/**
 * A budget over time: each flush shares out what has come in since the last one, by class, and each class keeps what fits
 * into its part.
 */
import { BottomK, waterFill } from "./budget.ts"

/** A trace that competes. */
export interface Candidate {
  /** `u` of `budget.ts`: the rank over the probability with which it is here. */
  readonly rank: number
  readonly weight: number
  readonly cost: number
  readonly class: string
  readonly always: boolean
}

/** What a flush says about a candidate: the cut of its group, or that it has to wait. */
export type Outcome = number | undefined

/** How much may be kept. */
export interface FlushBudgetOptions {
  readonly perSecond: number
  readonly shares: Readonly<Record<string, number>>
  /** So much is saved at most: what comes in within these milliseconds. */
  readonly intervalMillis: number
}

/** Flushes that a group in debt lets pass before one of its candidates is let through nevertheless. */
const mostPostponed = 10

class Group {
  readonly share: number
  /** What was kept beyond what it had. */
  debt = 0
  /** The cut of the last flush that had something to spend. */
  cut = Infinity
  postponed = 0
  priorities = new Float64Array(64)
  costs = new Float64Array(64)
  members: Array<number> = []

  constructor(share: number) {
    this.share = share
  }

  begin(): void {
    this.members.length = 0
  }

  add(index: number, candidate: Candidate): void {
    const at = this.members.length
    if (at === this.priorities.length) {
      this.priorities = grown(this.priorities)
      this.costs = grown(this.costs)
    }
    this.priorities[at] = candidate.rank / candidate.weight
    this.costs[at] = candidate.cost
    this.members.push(index)
  }

  get demand(): number {
    let sum = 0
    for (let i = 0; i < this.members.length; i++) sum += this.costs[i]!
    return sum
  }
}

const grown = (array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
  const larger = new Float64Array(2 * array.length)
  larger.set(array)
  return larger
}

/**
 * Decides batches of candidates against a rate.
 *
 * **Details**
 *
 * A class with a share is a group of its own, all others are one, and those that are `always` kept come before all groups;
 * inside a group the cut is that of weighted bottom-k. A candidate that costs more than its group has is kept when it is
 * the first, and leaves a debt. A group in debt waits until it is paid, with all its candidates: if some were refused
 * without a chance, nothing could stand for them.
 *
 * A forced flush waits for nothing. Where nothing is left to spend, the cut is the last one, halved for each interval's
 * income that the group owes. It does not depend on who is judged by it, so the weights stay right; and of an x-fold
 * overload only about log(x) is kept beyond the budget.
 */
export class FlushBudget {
  #options: FlushBudgetOptions
  readonly #bottom = new BottomK()
  readonly #always = new Group(1)
  readonly #rest: Group
  readonly #groups: Array<Group>
  readonly #byClass = new Map<string, Group>()
  #last: number
  /** What has come in and was not spent. */
  #saved = 0
  /** What late spans of kept traces cost, still to be paid. */
  #late = 0

  constructor(options: FlushBudgetOptions, now: number) {
    this.#options = options
    this.#last = now - options.intervalMillis
    let left = 1
    for (const [name, share] of Object.entries(options.shares)) {
      left -= share
      this.#byClass.set(name, new Group(Math.max(share, 1e-9)))
    }
    this.#rest = new Group(Math.max(left, 1e-9))
    this.#groups = [this.#rest, ...this.#byClass.values()]
  }

  /** Debts over all groups. */
  get debt(): number {
    return this.#groups.reduce((sum, group) => sum + group.debt, this.#always.debt + this.#late)
  }

  /** Books spans of kept traces that came late. They take half of what comes in at most. */
  charge(cost: number): void {
    this.#late += cost
  }

  /** Takes over what another budget owes. */
  inherit(from: FlushBudget): void {
    this.#last = from.#last
    this.#saved = Math.min(from.#saved, this.#options.perSecond * this.#options.intervalMillis / 1000)
    this.#late = from.#late
    this.#always.debt = from.#always.debt
    this.#rest.debt = from.#rest.debt
    for (const [name, group] of from.#byClass) (this.#byClass.get(name) ?? this.#rest).debt += group.debt
  }

  /** The outcome of each candidate. `factor` scales what has come in. */
  settle(candidates: ReadonlyArray<Candidate>, now: number, isForced: boolean, factor = 1): Array<Outcome> {
    const { intervalMillis, perSecond } = this.#options
    const most = perSecond * factor * intervalMillis / 1000
    const income = perSecond * factor * Math.max(0, now - this.#last) / 1000
    this.#last = now
    this.#repay(this.#saved + income - most)
    this.#saved = Math.min(most, this.#saved + income)
    const paid = Math.min(this.#late, this.#saved / 2)
    this.#late -= paid
    const left = this.#saved - paid

    const always = this.#always
    always.begin()
    for (const group of this.#groups) group.begin()
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[i]!
      const group = candidate.always ? always : this.#byClass.get(candidate.class) ?? this.#rest
      group.add(i, candidate)
    }
    const outcomes = new Array<Outcome>(candidates.length).fill(undefined)
    const first = Math.min(left, always.demand + always.debt)
    this.#saved = this.#decide(always, first, most, isForced, outcomes)
    const parts: Array<number> = []
    this.#saved += waterFill(
      this.#groups.map((group) => group.demand + group.debt),
      this.#groups.map((group) => group.share),
      left - first,
      parts
    )
    for (let i = 0; i < this.#groups.length; i++) {
      this.#saved += this.#decide(this.#groups[i]!, parts[i]!, most, isForced, outcomes)
    }
    return outcomes
  }

  #repay(amount: number): void {
    let left = Math.max(0, amount)
    for (const group of [this.#always, ...this.#groups]) {
      const paid = Math.min(left, group.debt)
      group.debt -= paid
      left -= paid
    }
    this.#late = Math.max(0, this.#late - left)
  }

  // Returns what of its part the group did not need.
  #decide(group: Group, part: number, most: number, isForced: boolean, outcomes: Array<Outcome>): number {
    const count = group.members.length
    // A hair more, so that what was asked for is enough although sums are rounded.
    const available = (part - group.debt) * (1 + 1e-9)
    let cost = 0
    if (count > 0) {
      let cut: number
      if (available > 1e-9 || (!isForced && group.postponed >= mostPostponed)) {
        cut = group.cut = this.#bottom.cut(group.priorities, group.costs, count, available)
        cost = this.#bottom.cost
      } else if (isForced) {
        cut = Math.min(group.cut, 1) * 2 ** (available / (group.share * most))
        for (let i = 0; i < count; i++) if (group.priorities[i]! < cut) cost += group.costs[i]!
      } else {
        group.postponed++
        group.debt = Math.max(0, -available)
        return 0
      }
      group.postponed = 0
      for (const index of group.members) outcomes[index] = cut
    }
    group.debt = Math.max(0, cost - available)
    return Math.max(0, part === 0 ? 0 : available - cost)
  }
}
