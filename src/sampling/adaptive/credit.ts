/**
 * What an adaptive sampler may still hand out: a bucket that is filled at the goal's rate and emptied by the expected
 * number of kept traces, that is by the probabilities given, never by what was kept.
 *
 * **Details**
 *
 * The fill level x, between 0 and 1, answers with a factor for all probabilities: x / (1 - x). Half full, it is 1; a
 * burst empties the bucket and the factor falls until as much flows out as in; after the burst it fills and the factor
 * rises above 1, until what the slower estimates withhold is given back. So
 *
 * - over any time W at most `rate * W + capacity` is handed out, whatever arrives;
 * - where enough arrives, exactly `rate * W` is, give or take the capacity: what one burst took, the time after repays;
 * - the factor depends on arrivals in the past alone, so that each threshold is fixed before its trace's randomness is
 *   looked at, and 1/p stays an unbiased weight.
 *
 * The loop settles with the time constant `capacity / (4 * rate)`.
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

  /** Lets time pass. Half of what flows in pays a debt. */
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

  /**
   * Hands out what a reserve grants. It takes half of the level at most and owes the rest, since an empty bucket would
   * leave all others with next to no chance, and enormous weights.
   */
  borrow(amount: number): void {
    const half = this.level / 2
    if (amount <= half) this.level -= amount
    else {
      this.level = half
      this.#debt += amount - half
    }
  }

  /** Hands out. The level ends above 0. */
  take(amount: number): void {
    const level = this.level - amount
    const least = this.capacity * leastFill
    this.level = level > least ? level : least
  }

  /** Another goal, with the same fill. */
  resize(rate: number, capacity: number): void {
    this.level *= capacity / this.capacity
    this.capacity = capacity
    this.rate = rate
  }
}

// Nothing is rarer than 2^-20 of what the estimates say.
const leastFill = 2 ** -20

/** Room for a few traces at least, however low the goal and whatever one of them costs. */
export const capacityOf = (amount: number, cost = 1): number => Math.max(4 * cost, amount)
