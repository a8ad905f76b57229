/**
 * Weighted bottom-k over one batch of candidates: what fits into a budget is kept, and everything that is kept knows the
 * probability with which it was.
 *
 * **Details**
 *
 * A candidate that is here with probability `p0` because its randomness R passed a threshold has a rank
 * `u = (2^56 - R) / 2^56 / p0`, uniform in (0, 1]. With weight `w` its priority is `q = u / w`; the lowest priorities are
 * kept while their costs fit. The priority of the first candidate that is left out is the cut: a candidate is kept if and
 * only if `q < cut`, so with probability `p0 * min(1, cut * w)` (priority sampling; Duffield, Lund and Thorup 2007; Ting,
 * arXiv 1708.04970). The last one that is kept would be the wrong cut: it overstates the counts by `1 / (k - 1)`.
 *
 * With unequal costs the cut stays unbiased because the batch stops at the first candidate that does not fit: move a kept
 * candidate to the front, and the cut is the same. That needs classes, costs and weights that do not depend on R.
 */
import type { Threshold } from "../Threshold.ts"

const halfRange = 0x10000000
const two56 = 2 ** 56

/** `(2^56 - R) / 2^56` of randomness `hi`, `lo`: in (0, 1], small for what is kept longest. */
export const rank = (hi: number, lo: number): number => ((halfRange - hi) * halfRange - lo) / two56

/** The probability with which a span passes the threshold, without big integers. */
export const passing = (threshold: Threshold): number =>
  threshold.hi >= halfRange ? 0 : ((halfRange - threshold.hi) * halfRange - threshold.lo) / two56

/** The probability with which a candidate is kept, all stages together. */
export const keptProbability = (p0: number, weight: number, cut: number): number => p0 * Math.min(1, cut * weight)

/**
 * Partitions candidates by priority and finds the cut.
 *
 * **Details**
 *
 * A selection, not a sort: linear in the number of candidates. Arrays are reused from batch to batch.
 */
export class BottomK {
  private order = new Uint32Array(256)
  /** How many candidates of the last batch have a priority below its cut. */
  kept = 0
  /** What they cost together. */
  cost = 0

  /**
   * The priority at and beyond which candidates are left out; `Infinity` when all fit.
   *
   * **Details**
   *
   * Of `count` candidates with `priorities` and positive `costs`, those with the lowest priorities are kept as long as the
   * sum of their costs is at most `budget`. The first one is kept even if it costs more than that. Candidates of equal
   * priority share one fate; where even the first ones are equal and do not fit, none is kept.
   */
  cut(priorities: ArrayLike<number>, costs: ArrayLike<number>, count: number, budget: number): number {
    if (this.order.length < count) this.order = new Uint32Array(Math.max(count, 2 * this.order.length))
    const { order } = this
    const most = Math.max(0, budget)
    for (let i = 0; i < count; i++) order[i] = i
    let from = 0
    let to = count
    // What everything before `from` costs.
    let before = 0
    let cut = Infinity
    while (from < to) {
      const pivot = median(
        priorities[order[from]!]!,
        priorities[order[(from + to) >>> 1]!]!,
        priorities[order[to - 1]!]!
      )
      // Three parts: below, equal to and above the pivot.
      let below = from
      let above = to
      let costBelow = 0
      let costEqual = 0
      for (let i = from; i < above;) {
        const item = order[i]!
        const priority = priorities[item]!
        if (priority < pivot) {
          order[i++] = order[below]!
          order[below++] = item
          costBelow += costs[item]!
        } else if (priority > pivot) {
          order[i] = order[--above]!
          order[above] = item
        } else {
          costEqual += costs[item]!
          i++
        }
      }
      if (before + costBelow > most) {
        to = below
      } else if (before + costBelow + costEqual > most) {
        cut = pivot
        this.kept = below
        this.cost = before + costBelow
        break
      } else {
        before += costBelow + costEqual
        from = above
      }
    }
    if (cut === Infinity) {
      this.kept = count
      this.cost = before
    } else if (this.kept === 0) cut = this.#second(priorities, costs, count)
    return cut
  }

  // The first one passes although it does not fit: the cut is the priority behind it.
  #second(priorities: ArrayLike<number>, costs: ArrayLike<number>, count: number): number {
    let first = -1
    let lowest = Infinity
    let second = Infinity
    for (let i = 0; i < count; i++) {
      const priority = priorities[i]!
      if (first < 0 || priority < lowest) {
        if (first >= 0) second = lowest
        lowest = priority
        first = i
      } else if (priority < second) second = priority
    }
    this.kept = lowest < second ? 1 : 0
    this.cost = this.kept === 1 ? costs[first]! : 0
    return second
  }
}

const median = (a: number, b: number, c: number): number =>
  a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b)

/**
 * Shares a budget out: each of `demands` gets at most what it asks for, and of what is scarce in proportion to `shares`;
 * what one does not need flows on to the others. Writes to `into`, and returns what is left over.
 */
export const waterFill = (
  demands: ArrayLike<number>,
  shares: ArrayLike<number>,
  budget: number,
  into: { [index: number]: number }
): number => {
  const count = demands.length
  let left = Math.max(0, budget)
  const isOpen = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    into[i] = 0
    if (demands[i]! > 0 && shares[i]! > 0) isOpen[i] = 1
  }
  for (;;) {
    let open = 0
    for (let i = 0; i < count; i++) if (isOpen[i] === 1) open += shares[i]!
    if (open === 0) return left
    const level = left / open
    let hasChanged = false
    for (let i = 0; i < count; i++) {
      if (isOpen[i] === 0 || demands[i]! > level * shares[i]!) continue
      isOpen[i] = 0
      into[i] = demands[i]!
      left = Math.max(0, left - demands[i]!)
      hasChanged = true
    }
    if (hasChanged) continue
    for (let i = 0; i < count; i++) if (isOpen[i] === 1) into[i] = level * shares[i]!
    return 0
  }
}

/**
 * The threshold of a final probability, rounded up to `precision` hexadecimal digits after the leading `f`s (default 4).
 *
 * **Details**
 *
 * Rounded up, so that what passes it also passes the exact one. The caller tests R against this threshold again: then
 * `th` always says the test that was used. For a probability below 2^-56 nothing passes.
 */
export const roundedUp = (probability: number, precision = 4): Threshold => {
  if (probability >= 1) return { hi: 0, lo: 0 }
  // A little less than asked for: the candidate at the cut itself must not pass by the last bit of a double.
  const kept = probability * (1 - 2 ** -50) * two56
  const keptHi = Math.floor(kept / halfRange)
  const keptLo = Math.floor(kept - keptHi * halfRange)
  if (!(keptHi > 0 || keptLo > 0)) return { hi: halfRange, lo: 0 }
  let hi = keptLo === 0 ? halfRange - keptHi : halfRange - 1 - keptHi
  let lo = keptLo === 0 ? 0 : halfRange - keptLo
  const digits = leadingFs(hi, lo) + precision
  if (digits >= 14) return { hi, lo }
  if (digits > 7) {
    const unit = 2 ** (4 * (14 - digits))
    lo = Math.ceil(lo / unit) * unit
    if (lo >= halfRange) {
      lo = 0
      hi++
    }
  } else {
    const unit = 2 ** (4 * (7 - digits))
    hi = Math.ceil((lo > 0 ? hi + 1 : hi) / unit) * unit
    lo = 0
  }
  return { hi, lo }
}

const leadingFs = (hi: number, lo: number): number => {
  let count = 0
  while (count < 7 && ((hi >>> (24 - 4 * count)) & 0xf) === 0xf) count++
  if (count < 7) return count
  while (count < 14 && ((lo >>> (24 - 4 * (count - 7))) & 0xf) === 0xf) count++
  return count
}
