/**
 * The adaptive head sampler as arithmetic: which probability a trace with this key has at this moment.
 *
 * **Details**
 *
 * Three clocks. Each second the load of every key is estimated (exponentially, over `memory`) and the goal is shared
 * between keys ({@link waterLevel}). Within the second a key that arrives more often than estimated is counted as what it
 * is. With each arrival the {@link Credit} of what may still be handed out corrects all of them.
 *
 * Two reserves, of `rareShare` and `newShare` of the goal, add to that where the shared rate would be low: for keys that
 * are rarer than an equal share of the reserve, and for the first trace of a key. What they give is taken from the same
 * credit.
 *
 * Nothing here knows the randomness of a trace: every probability depends on earlier arrivals alone.
 */
import { capacityOf, Credit } from "./credit.ts"
import * as Grid from "./grid.ts"
import { Recurrence } from "./recurrence.ts"
import { novelty, shareOf, waterLevel } from "./waterLevel.ts"

/** How a {@link KeyedRates} behaves. */
export interface KeyedRatesOptions {
  /** What is kept per second. */
  readonly goal: number
  /** Keys with a rate of their own, at most. */
  readonly maxKeys: number
  /** How a key's share grows with its load: 0 for equal shares, 1 for equal probabilities. */
  readonly exponent: number
  /** Seconds over which loads are averaged. */
  readonly memory: number
  /** Seconds of the goal that may be handed out at once. */
  readonly burst: number
  readonly rareShare: number
  readonly newShare: number
}

/** The defaults of a goal. */
export const defaults = {
  maxKeys: 500,
  exponent: 0.5,
  memory: 10,
  burst: 0.5,
  rareShare: 0.2,
  newShare: 0.1
}

/** The name of the key that stands for all keys without a rate of their own. */
export const others = "__other__"

/** A key and what is known of it. */
export class Entry {
  readonly key: string
  /** Estimated cost that arrives per second. */
  load = 0
  /** Cost that arrived in this tick. */
  arrived = 0
  /** What other instances report of it, per second. */
  elsewhere = 0
  /** Seconds since it was first seen. */
  age = 0
  /** Cost of one trace: that of a mean one until more is known. */
  cost: number
  isCostKnown = false
  /** Probability before the governor's factor. */
  base = 0
  /** Probability that the reserve for rare keys tops up to. */
  floor = 0
  /** When this much arrived within a tick, base and floor are computed again. */
  recount = 0
  /** On probation until it is seen in a second tick. */
  isProven: boolean
  ticks = 0
  /** Place of the probability that was handed out last, and what the caller made of it. */
  index = -8
  decision: unknown = undefined

  constructor(key: string, cost: number, isProven: boolean) {
    this.key = key
    this.cost = cost
    this.isProven = isProven
  }
}

/** What is known of a key, to be kept over a restart. */
export interface KeyState {
  readonly key: string
  readonly load: number
  readonly age: number
  readonly cost: number
}

/** What other instances report. */
export interface Elsewhere {
  readonly loads: ReadonlyMap<string, number>
  /** Of all instances together. */
  readonly goal: number
  /** How many there are, this one included. */
  readonly instances: number
}

const tickSeconds = 1
// An instance without traffic has this part of an equal share for what may come.
const leastShare = 0.05
const bloomCapacity = 30_000
const bloomSeconds = 600

/** Hands out probabilities; {@link decide} is the hot path. */
export class KeyedRates {
  #options: KeyedRatesOptions
  readonly #entries = new Map<string, Entry>()
  // Keys on probation in the order of their arrival; the oldest gives way.
  #probation: Array<Entry> = []
  #nextOut = 0
  readonly #others = new Entry(others, 1, true)
  readonly #recurrence = new Recurrence(bloomCapacity, bloomSeconds)
  readonly #credit: Credit
  readonly #rare: Credit
  readonly #new: Credit
  #level: number
  #floorLoad = 0
  #cost = 1
  #elsewhere: Elsewhere | undefined = undefined
  #isCounting = false
  #spans = 0
  #handedOut = 0
  #now: number
  #tickStart: number
  #overflows = 0
  /** Where `decide` leaves the place of the probability on the grid. */
  index = 0

  constructor(options: KeyedRatesOptions, nowMillis: number) {
    this.#options = options
    const { goal, burst, newShare, rareShare } = options
    this.#credit = new Credit(goal, capacityOf(goal * burst), 0.5)
    this.#rare = new Credit(goal * rareShare, capacityOf(goal * rareShare * burst), 1)
    this.#new = new Credit(goal * newShare, capacityOf(goal * newShare * burst), 1)
    this.#now = nowMillis
    this.#tickStart = nowMillis
    this.#level = goal
    this.#share()
  }

  get keys(): number {
    return this.#entries.size
  }

  /** First traces of keys that came while all places were taken. */
  get overflows(): number {
    return this.#overflows
  }

  /** What may still be handed out at once. */
  get credit(): number {
    return this.#credit.level
  }

  /** Decides about one trace with `key`: its probability is that of {@link index}. Returns the key that it counts for. */
  decide(key: string, nowMillis: number): Entry {
    if (nowMillis !== this.#now) this.#pass(nowMillis)
    const entry = this.#entries.get(key)
    if (entry === undefined) return this.#decideFirst(key)
    if (entry.arrived >= entry.recount) this.#rate(entry)
    entry.arrived += entry.cost
    this.#handOut(entry, entry.floor, this.#rare)
    return entry
  }

  // Of a key without an entry nobody knows how often it comes: the rate that all of them share, and a reserve.
  #decideFirst(key: string): Entry {
    const entry = new Entry(key, this.#cost, this.#recurrence.seen(key, this.#now / 1_000))
    entry.arrived = entry.cost
    entry.elsewhere = this.#elsewhere?.loads.get(key) ?? 0
    this.#place(entry)
    const pool = this.#others
    pool.cost = this.#cost
    if (pool.arrived >= pool.recount) this.#rate(pool)
    pool.arrived += pool.cost
    this.#handOut(pool, 1, entry.isProven ? this.#rare : this.#new)
    return pool
  }

  // The shared rate, or what the reserve tops it up to.
  #handOut(entry: Entry, floor: number, reserve: Credit): void {
    const credit = this.#credit
    const { cost, index: last } = entry
    let p = credit.chance(entry.base, cost)
    if (p < floor && p < 1) {
      const topped = floor * Math.min(1, reserve.factor(), reserve.level / (2 * cost))
      if (topped > p) {
        reserve.take((topped - p) * cost)
        p = topped
      }
    }
    let index = Grid.indexOf(p)
    if (index !== last) {
      // A neighbour will do, since what counts is what was handed out; so few decisions are made anew.
      if (index > 0 && index <= last + 2 && index >= last - 2) index = last
      else {
        entry.index = index
        entry.decision = undefined
      }
    }
    const rounded = Grid.probabilityOf(index)
    credit.take(rounded * cost)
    this.#handedOut += rounded
    this.index = index
  }

  // What a key's load, as far as it is known by now, makes of its probability.
  #rate(entry: Entry): void {
    const here = entry.arrived > entry.load ? entry.arrived : entry.load
    const soon = entry.arrived + entry.cost
    entry.recount = here * 1.1 > soon ? here * 1.1 : soon
    const load = here + entry.elsewhere
    entry.base = this.#level * shareOf(load, this.#options.exponent)
    entry.floor = load > this.#floorLoad ? this.#floorLoad / load : 1
  }

  #place(entry: Entry): void {
    const { maxKeys } = this.#options
    const room = Math.max(1, maxKeys >> 2)
    if (this.#probation.length < room) this.#probation.push(entry)
    else {
      const gone = this.#probation[this.#nextOut]!
      this.#probation[this.#nextOut] = entry
      this.#nextOut = (this.#nextOut + 1) % room
      this.#entries.delete(gone.key)
      this.#overflows++
    }
    this.#entries.set(entry.key, entry)
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
    this.#rare.fill(elapsed / 1_000)
    this.#new.fill(elapsed / 1_000)
    const seconds = (nowMillis - this.#tickStart) / 1_000
    if (seconds >= tickSeconds) {
      this.#tickStart = nowMillis
      this.#tick(seconds)
    }
  }

  #tick(elapsed: number): void {
    const { memory } = this.#options
    if (this.#isCounting) this.#learnSpans(1 - Math.exp(-Math.min(elapsed, memory) / memory))
    this.#learn(this.#others, elapsed)
    for (const entry of this.#entries.values()) this.#learn(entry, elapsed)
    this.#promote()
    this.#share()
  }

  // Spans per trace, over the memory: sums that fade.
  #learnSpans(decay: number): void {
    if (this.#handedOut > 0) {
      const cost = 1 + this.#spans / this.#handedOut
      const ratio = cost / this.#cost
      this.#cost = cost
      this.#others.cost = cost
      this.#fund(this.#credit.rate)
      for (const entry of this.#entries.values()) {
        if (!entry.isCostKnown) {
          entry.cost = cost
          entry.load *= ratio
        }
      }
    }
    this.#spans *= 1 - decay
    this.#handedOut *= 1 - decay
  }

  #learn(entry: Entry, elapsed: number): void {
    if (entry.arrived > 0) entry.ticks++
    entry.age += elapsed
    entry.load += (entry.arrived / elapsed - entry.load) * novelty(elapsed, entry.age, this.#options.memory)
    entry.arrived = 0
  }

  // Keys seen in a second tick leave the probation; the quietest of all keys make room for them.
  #promote(): void {
    const probation = this.#probation
    const kept = probation.slice(this.#nextOut).concat(probation.slice(0, this.#nextOut))
      .filter((entry) => !entry.isProven && entry.ticks < 2)
    if (kept.length < probation.length) {
      for (const entry of probation) if (entry.ticks >= 2) entry.isProven = true
      this.#probation = kept
      this.#nextOut = 0
    }
    const room = this.#options.maxKeys - Math.max(1, this.#options.maxKeys >> 2)
    const excess = this.#entries.size - this.#probation.length - room
    if (excess <= 0) return
    const proven = [...this.#entries.values()].filter((entry) => entry.isProven || entry.ticks >= 2)
    proven.sort((a, b) => a.load - b.load)
    for (const gone of proven.slice(0, excess)) this.#entries.delete(gone.key)
    this.#overflows += excess
  }

  // The goal, shared anew.
  #share(): void {
    const { exponent, rareShare } = this.#options
    const elsewhere = this.#elsewhere
    const goal = elsewhere?.goal ?? this.#options.goal
    const loads: Array<number> = [this.#others.load + this.#others.elsewhere]
    for (const entry of this.#entries.values()) loads.push(entry.load + entry.elsewhere)
    if (elsewhere !== undefined) {
      for (const [key, load] of elsewhere.loads) if (key !== others && !this.#entries.has(key)) loads.push(load)
    }
    const sorted = Float64Array.from(loads).sort()
    this.#level = waterLevel(sorted, goal, exponent)
    this.#floorLoad = rareShare * goal / loads.length
    if (elsewhere !== undefined) this.#fund(Math.max(this.#shareHere(loads), leastShare / elsewhere.instances) * goal)
    this.#rate(this.#others)
    for (const entry of this.#entries.values()) this.#rate(entry)
  }

  // How much of what all instances are expected to keep is kept here.
  #shareHere(loads: ReadonlyArray<number>): number {
    const { exponent } = this.#options
    const kept = (part: number, whole: number): number =>
      whole > 0 ? part * Math.min(1, this.#level * shareOf(whole, exponent)) : 0
    let here = kept(this.#others.load, this.#others.load + this.#others.elsewhere)
    for (const entry of this.#entries.values()) here += kept(entry.load, entry.load + entry.elsewhere)
    const everywhere = loads.reduce((sum, load) => sum + kept(load, load), 0)
    return everywhere > 0 ? here / everywhere : 1
  }

  #fund(goal: number): void {
    const { burst, newShare, rareShare } = this.#options
    this.#credit.resize(goal, capacityOf(goal * burst, this.#cost))
    this.#rare.resize(goal * rareShare, capacityOf(goal * rareShare * burst, this.#cost))
    this.#new.resize(goal * newShare, capacityOf(goal * newShare * burst, this.#cost))
  }

  /** What other instances count, and the goal of all together; `undefined` where that is not known any more. */
  setElsewhere(elsewhere: Elsewhere | undefined): void {
    this.#elsewhere = elsewhere
    this.#others.elsewhere = elsewhere?.loads.get(others) ?? 0
    for (const entry of this.#entries.values()) entry.elsewhere = elsewhere?.loads.get(entry.key) ?? 0
    if (elsewhere === undefined) this.#fund(this.#options.goal)
    this.#share()
  }

  /** Counts a span of a kept trace beside its first: so the mean cost of a trace is learned. */
  countSpan(): void {
    this.#isCounting = true
    this.#spans++
  }

  /** What a trace of `key` turned out to cost. */
  learnCost(key: string, cost: number): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    entry.cost = entry.isCostKnown ? entry.cost + (cost - entry.cost) * 0.1 : cost
    entry.isCostKnown = true
  }

  /** Another goal; what was learned stays. */
  reconfigure(options: KeyedRatesOptions): void {
    this.#options = options
    this.#fund(options.goal)
    this.#promote()
    this.#share()
  }

  /** What is known of the proven keys and of the pool, loudest first. */
  save(): ReadonlyArray<KeyState> {
    return [this.#others, ...this.#entries.values()]
      .filter((entry) => entry.load > 0 && (entry.isProven || entry.ticks >= 2))
      .sort((a, b) => b.load - a.load)
      .map(({ age, cost, key, load }) => ({ key, load, age: Math.min(age, this.#options.memory), cost }))
  }

  /** Takes over what another instance knew. */
  restore(states: ReadonlyArray<KeyState>): void {
    for (const { age, cost, key, load } of states) {
      const entry = key === others ? this.#others : new Entry(key, cost, true)
      entry.load = load
      entry.age = age
      if (key === others) continue
      this.#entries.set(key, entry)
      this.#recurrence.seen(key, this.#now / 1_000)
    }
    this.#promote()
    this.#share()
  }
}
