/**
 * The base-2 exponential histogram (`metrics/data-model.md#exponentialhistogram`): buckets whose bounds are powers of
 * `2^(2^-scale)`, at a scale that follows the values.
 *
 * **Details**
 *
 * A value lies within a bucket whose bounds differ by the factor `base`, so that what stands in for the bucket, its
 * {@link midpoint}, is off by `(base - 1) / (base + 1)` of the value at most. The scale only ever falls, in steps that
 * join two buckets to one; no step loses a count.
 */

/** Bounds of a histogram. */
export interface ExponentialOptions {
  /** Most buckets of either sign. Default 160. */
  readonly maxSize?: number | undefined
  /** Scale at the start, from -10 to 20. Default 20. */
  readonly maxScale?: number | undefined
}

export const defaultMaxSize = 160
export const defaultMaxScale = 20
// Two buckets hold all doubles there.
const minScale = -11

const double = /* @__PURE__ */ new Float64Array(1)
const words = /* @__PURE__ */ (() => new Uint32Array(double.buffer))()
const isLittleEndian = /* @__PURE__ */ (() => new Uint8Array(new Uint16Array([1]).buffer)[0] === 1)()
const highWord = isLittleEndian ? 1 : 0
const lowWord = isLittleEndian ? 0 : 1

/** The bucket of `value`, which is positive and finite, at `scale`. */
export const indexOf = (value: number, scale: number): number => {
  double[0] = value
  const high = words[highWord]!
  let exponent = (high >>> 20) - 1023
  let isPower = (high & 0xfffff) === 0 && words[lowWord] === 0
  if (exponent === -1023) {
    // A subnormal number has no leading one to go by.
    double[0] = value * 2 ** 52
    const scaled = words[highWord]!
    exponent = (scaled >>> 20) - 1023 - 52
    isPower = (scaled & 0xfffff) === 0 && words[lowWord] === 0
  }
  if (scale <= 0) return (isPower ? exponent - 1 : exponent) >> -scale
  const octave = exponent * 2 ** scale
  // Upper bounds are inclusive, and those at the powers of two are exact: the logarithm has no say in them.
  if (isPower) return octave - 1
  const index = Math.floor(Math.log2(value) * 2 ** scale)
  return index < octave ? octave : Math.min(index, octave + 2 ** scale - 1)
}

/** The lower bound of bucket `index` at `scale`, exclusive; 0 below the smallest and `Infinity` above the largest double. */
export const lowerBound = (index: number, scale: number): number =>
  scale <= 0 ? 2 ** (index * 2 ** -scale) : 2 ** (index / 2 ** scale)

/** The value that is relatively closest to all of bucket `index`. */
export const midpoint = (index: number, scale: number): number =>
  // By the lower bound alone: the upper one of the last bucket is beyond all doubles.
  lowerBound(index, scale) * (2 / (1 + 2 ** -(2 ** -scale)))

/** The largest relative error of {@link midpoint} at `scale`. */
export const relativeError = (scale: number): number => {
  const base = 2 ** (2 ** -scale)
  return Number.isFinite(base) ? (base - 1) / (base + 1) : 1
}

/** Consecutive buckets of one sign, in a ring: bucket `index` stands at `index` modulo the ring's size. */
class Buckets {
  low = 0
  high = -1
  private counts = new Float64Array(0)

  get isEmpty(): boolean {
    return this.high < this.low
  }

  at(index: number): number {
    return index < this.low || index > this.high ? 0 : this.counts[this.slot(index)]!
  }

  private slot(index: number): number {
    // The size is a power of two, and the bits of a negative number continue those of a positive one.
    return index & (this.counts.length - 1)
  }

  add(index: number, count: number): void {
    const low = this.isEmpty ? index : Math.min(this.low, index)
    const high = this.isEmpty ? index : Math.max(this.high, index)
    if (high - low >= this.counts.length) this.resize(high - low + 1)
    this.low = low
    this.high = high
    const slot = this.slot(index)
    this.counts[slot] = this.counts[slot]! + count
  }

  private resize(size: number): void {
    let length = Math.max(8, this.counts.length)
    while (length < size) length *= 2
    const next = new Float64Array(length)
    for (let index = this.low; index <= this.high; index++) next[index & (length - 1)] = this.at(index)
    this.counts = next
  }

  /** Joins `2^by` buckets to one. */
  downscale(by: number): void {
    if (this.isEmpty) return
    const joined = new Float64Array(this.counts.length)
    for (let index = this.low; index <= this.high; index++) {
      const slot = (index >> by) & (joined.length - 1)
      joined[slot] = joined[slot]! + this.at(index)
    }
    this.counts = joined
    this.low >>= by
    this.high >>= by
  }

  clear(): void {
    this.counts.fill(0)
    this.low = 0
    this.high = -1
  }

  toArray(): Array<number> {
    const counts: Array<number> = []
    for (let index = this.low; index <= this.high; index++) counts.push(this.at(index))
    return counts
  }
}

/** A histogram that takes values. */
export class ExponentialHistogram {
  readonly maxSize: number
  private readonly maxScale: number
  scale: number
  count = 0
  sum = 0
  min = Infinity
  max = -Infinity
  zeroCount = 0
  readonly positive = new Buckets()
  readonly negative = new Buckets()

  constructor(options?: ExponentialOptions) {
    this.maxSize = Math.max(2, options?.maxSize ?? defaultMaxSize)
    this.maxScale = options?.maxScale ?? defaultMaxScale
    this.scale = this.maxScale
  }

  /** Takes a value. `NaN` and infinite values are no measurements: they are left out. */
  record(value: number): void {
    // Also false for NaN.
    if (!(value - value === 0)) return
    this.count++
    this.sum += value
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
    if (value === 0) this.zeroCount++
    else if (value > 0) this.take(this.positive, value)
    else this.take(this.negative, -value)
  }

  private take(buckets: Buckets, value: number): void {
    let index = indexOf(value, this.scale)
    if (index < buckets.low || index > buckets.high) {
      const by = this.excess(buckets, index, index)
      if (by > 0) {
        this.downscale(by)
        index >>= by
      }
    }
    buckets.add(index, 1)
  }

  /** How often buckets must be joined for `buckets` to reach from `low` to `high`, too. */
  private excess(buckets: Buckets, low: number, high: number): number {
    let from = buckets.isEmpty ? low : Math.min(buckets.low, low)
    let to = buckets.isEmpty ? high : Math.max(buckets.high, high)
    let by = 0
    for (; to - from >= this.maxSize && this.scale - by > minScale; by++) {
      from >>= 1
      to >>= 1
    }
    return by
  }

  /** Lowers the scale by `by`. */
  downscale(by: number): void {
    if (by <= 0) return
    this.positive.downscale(by)
    this.negative.downscale(by)
    this.scale -= by
  }

  /**
   * Adds what `other` has counted.
   *
   * **Details**
   *
   * Buckets, counts, minimum and maximum come out the same in whatever order histograms of the same options are merged;
   * the sum does but for rounding.
   */
  merge(other: ExponentialHistogram): void {
    if (other.count === 0) return
    this.downscale(this.scale - other.scale)
    let by = 0
    for (const [own, others] of [[this.positive, other.positive], [this.negative, other.negative]] as const) {
      if (others.isEmpty) continue
      const shift = other.scale - this.scale
      by = Math.max(by, this.excess(own, others.low >> shift, others.high >> shift))
    }
    this.downscale(by)
    const shift = other.scale - this.scale
    for (const [own, others] of [[this.positive, other.positive], [this.negative, other.negative]] as const) {
      for (let index = others.low; index <= others.high; index++) {
        const count = others.at(index)
        if (count > 0) own.add(index >> shift, count)
      }
    }
    this.count += other.count
    this.sum += other.sum
    this.zeroCount += other.zeroCount
    this.min = Math.min(this.min, other.min)
    this.max = Math.max(this.max, other.max)
  }

  /** Forgets everything, the scale included. */
  clear(): void {
    this.scale = this.maxScale
    this.count = 0
    this.sum = 0
    this.min = Infinity
    this.max = -Infinity
    this.zeroCount = 0
    this.positive.clear()
    this.negative.clear()
  }

  /**
   * The value below which the share `q` of the values lies, from 0 to 1, with the error of {@link relativeError}; `NaN` of
   * no values.
   */
  quantile(q: number): number {
    if (this.count === 0) return NaN
    const rank = Math.max(1, Math.ceil(q * this.count))
    const within = (value: number): number => Math.min(Math.max(value, this.min), this.max)
    let seen = 0
    for (let index = this.negative.high; index >= this.negative.low; index--) {
      seen += this.negative.at(index)
      if (seen >= rank) return within(-midpoint(index, this.scale))
    }
    seen += this.zeroCount
    if (seen >= rank) return 0
    for (let index = this.positive.low; index <= this.positive.high; index++) {
      seen += this.positive.at(index)
      if (seen >= rank) return within(midpoint(index, this.scale))
    }
    return this.max
  }
}
