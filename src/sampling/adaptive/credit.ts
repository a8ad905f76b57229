/**
 * What an adaptive sampler may still hand out: a bucket that is filled at the goal's rate and emptied by the expected
 * number of kept traces, that is by the probabilities given, never by what was kept.
 *
 * **Details**
 *
 * The fill level x, between 0 and 1, answers with a factor for all probabilities: x / (1 - x). Half full, it is 1; a
 * burst empties the bucket and the factor falls until as much flows out as in; after the burst it fills and the factor
 * rises above 1, until what the slower estimates withhold is given back. The loop settles with the time constant
 * `capacity / (4 * rate)`. So
 *
 * - over any time W hardly more than `rate * W + capacity` is handed out, whatever arrives;
 * - where enough arrives, exactly `rate * W` is, give or take the capacity: what one burst took, the time after repays;
 * - the factor depends on arrivals in the past alone, so that each threshold is fixed before its trace's randomness is
 *   looked at, and 1/p stays an unbiased weight.
 *
 * An empty bucket would leave those that come next with next to no chance, and enormous weights. So nobody takes more than
 * half of what is there, and a 50th of what the estimates say is given in any case: on debt, as long as that is small. Half
 * of what flows in pays it.
 */
export class Credit {
  /** What flows in, per second. */
  rate: number
  capacity: number
  level: number
  #debt = 0

  constructor(rate: number, capacity: number, fill: number) {
    this.rate = rate
    this.capacity = capacity
    this.level = capacity * fill
  }

  /** Lets time pass. */
  fill(seconds: number): void {
    let inflow = this.rate * seconds
    if (this.#debt > 0) {
      const paid = this.#debt < inflow / 2 ? this.#debt : inflow / 2
      this.#debt -= paid
      inflow -= paid
    }
    const level = this.level + inflow
    this.level = level < this.capacity ? level : this.capacity
  }

  /** By what all probabilities are multiplied; infinite when the bucket is full. */
  factor(): number {
    return this.level / (this.capacity - this.level)
  }

  /** What becomes of a probability, for a trace of this cost. May exceed 1. */
  chance(base: number, cost: number): number {
    const p = base * this.factor()
    const most = this.level / (2 * cost)
    const given = p < most ? p : most
    if (this.#debt >= this.capacity * mostDebt) return given
    const least = (base < 1 ? base : 1) * leastFactor
    return given > least ? given : least
  }

  /** Hands out. What exceeds half of the level is owed. */
  take(amount: number): void {
    const half = this.level / 2
    if (amount <= half) this.level -= amount
    else {
      this.level = half
      this.#debt += amount - half
    }
  }

  /** Another goal, with the same fill. */
  resize(rate: number, capacity: number): void {
    this.level *= capacity / this.capacity
    this.capacity = capacity
    this.rate = rate
  }
}

const leastFactor = 0.02
// Of the capacity.
const mostDebt = 0.2

/** Room for a few traces at least, however low the goal and whatever one of them costs. */
export const capacityOf = (amount: number, cost = 1): number => Math.max(4 * cost, amount)
