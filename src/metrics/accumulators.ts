/**
 * What a series has counted: one class for each aggregation, with one shape, so that recording is one call. Each can take
 * in another of its kind, which is how an interval that was not delivered lives on in the next one.
 */
import type { Attributes } from "../model/Attributes.ts"
import type {
  Exemplar,
  ExponentialHistogramPoint,
  HistogramPoint,
  MetricValue,
  NumberPoint
} from "../model/MetricData.ts"
import { ExponentialHistogram, type ExponentialOptions } from "./ExponentialHistogram.ts"

/** What all points have, as a collection knows it. */
export interface PointBase {
  readonly attributes: Attributes
  readonly startTimeUnixNano: bigint
  readonly timeUnixNano: bigint
  readonly exemplars: ReadonlyArray<Exemplar>
}

/** How values of an instrument are written. */
export type ValueType = "int" | "double"

/** A value as the instrument's type has it. */
export const valueOf = (value: number, type: ValueType): MetricValue =>
  type === "double" || !Number.isFinite(value) ? value : BigInt.asIntN(64, BigInt(Math.trunc(value)))

// Member by member: to spread an object takes ten times as long, and a report has thousands.
const numberPoint = (
  { attributes, exemplars, startTimeUnixNano, timeUnixNano }: PointBase,
  value: number,
  type: ValueType
): NumberPoint => ({ attributes, startTimeUnixNano, timeUnixNano, value: valueOf(value, type), exemplars })

/** Measurements of one series, gathered. */
export interface Accumulator {
  /** Whether something was recorded since this was last set to `false`. */
  isDirty: boolean
  /** Takes a finite value. */
  record(value: number): void
  /** Takes in what a later one of the same kind has gathered. */
  merge(later: this): void
  /** What an exemplar of `value` shares its place with. */
  bucketOf(value: number): number
}

export class Sum implements Accumulator {
  isDirty = false
  value = 0

  record(value: number): void {
    this.value += value
    this.isDirty = true
  }

  merge(later: Sum): void {
    this.value += later.value
  }

  bucketOf(): number {
    return 0
  }

  point(base: PointBase, type: ValueType): NumberPoint {
    return numberPoint(base, this.value, type)
  }
}

export class LastValue implements Accumulator {
  isDirty = false
  value = 0

  record(value: number): void {
    this.value = value
    this.isDirty = true
  }

  merge(later: LastValue): void {
    this.value = later.value
  }

  bucketOf(): number {
    return 0
  }

  point(base: PointBase, type: ValueType): NumberPoint {
    return numberPoint(base, this.value, type)
  }
}

/** The bounds of the specification (`metrics/sdk.md#explicit-bucket-histogram-aggregation`), meant for milliseconds. */
export const defaultBounds: ReadonlyArray<number> = [
  0,
  5,
  10,
  25,
  50,
  75,
  100,
  250,
  500,
  750,
  1000,
  2500,
  5000,
  7500,
  10000
]

/** How distributions are reported. */
export interface DistributionOptions {
  /** Whether minimum and maximum are kept. */
  readonly recordMinMax: boolean
  /** Whether the sum has a meaning: not where values may be negative. */
  readonly recordSum: boolean
}

/** Shared by {@link Explicit} and {@link Exponential}: what is known of a distribution beside its buckets. */
const summaryOf = (
  { count, max, min, sum }: {
    readonly count: number
    readonly sum: number
    readonly min: number
    readonly max: number
  },
  { recordMinMax, recordSum }: DistributionOptions
) => ({
  count,
  sum: recordSum ? sum : undefined,
  min: recordMinMax && count > 0 ? min : undefined,
  max: recordMinMax && count > 0 ? max : undefined
})

/** From this many bounds on, a search by halves is faster than one from the start. */
const halvedFrom = 16

export class Explicit implements Accumulator {
  isDirty = false
  readonly bounds: ReadonlyArray<number>
  private readonly counts: Array<number> = []
  count = 0
  sum = 0
  min = Infinity
  max = -Infinity

  constructor(bounds: ReadonlyArray<number>) {
    this.bounds = bounds
    for (let i = 0; i <= bounds.length; i++) this.counts.push(0)
  }

  record(value: number): void {
    const bucket = this.bucketOf(value)
    this.counts[bucket] = this.counts[bucket]! + 1
    this.count++
    this.sum += value
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
    this.isDirty = true
  }

  bucketOf(value: number): number {
    const { bounds } = this
    let from = 0
    if (bounds.length < halvedFrom) {
      while (from < bounds.length && value > bounds[from]!) from++
      return from
    }
    let to = bounds.length
    while (from < to) {
      const middle = (from + to) >>> 1
      if (value > bounds[middle]!) from = middle + 1
      else to = middle
    }
    return from
  }

  merge(later: Explicit): void {
    for (let i = 0; i < this.counts.length; i++) this.counts[i] = this.counts[i]! + later.counts[i]!
    this.count += later.count
    this.sum += later.sum
    this.min = Math.min(this.min, later.min)
    this.max = Math.max(this.max, later.max)
  }

  point(base: PointBase, options: DistributionOptions): HistogramPoint {
    return { ...base, ...summaryOf(this, options), bounds: this.bounds, bucketCounts: [...this.counts] }
  }
}

export class Exponential implements Accumulator {
  isDirty = false
  private readonly histogram: ExponentialHistogram

  constructor(options: ExponentialOptions) {
    this.histogram = new ExponentialHistogram(options)
  }

  record(value: number): void {
    this.histogram.record(value)
    this.isDirty = true
  }

  bucketOf(): number {
    return 0
  }

  merge(later: Exponential): void {
    this.histogram.merge(later.histogram)
  }

  point(base: PointBase, options: DistributionOptions): ExponentialHistogramPoint {
    const { histogram } = this
    return {
      ...base,
      ...summaryOf(histogram, options),
      scale: histogram.scale,
      zeroCount: histogram.zeroCount,
      zeroThreshold: 0,
      positive: bucketsOf(histogram.positive),
      negative: bucketsOf(histogram.negative)
    }
  }
}

const bucketsOf = (buckets: ExponentialHistogram["positive"]) => {
  const bucketCounts = buckets.toArray()
  return { offset: bucketCounts.length === 0 ? 0 : buckets.low, bucketCounts }
}
