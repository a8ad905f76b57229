/** What one reader gets of one instrument: the outcome of views, defaults and the reader's own preferences. */
import type { MetricPoints, Temporality } from "../model/MetricData.ts"
import {
  type Accumulator,
  Explicit,
  Exponential,
  LastValue,
  type PointBase,
  Sum,
  type ValueType
} from "./accumulators.ts"
import type { KeyFilter } from "./attributeSets.ts"
import type { ExemplarReservoir } from "./Exemplars.ts"

/** How measurements become points, with nothing left open. */
export type ResolvedAggregation =
  | { readonly type: "sum" }
  | { readonly type: "lastValue" }
  | { readonly type: "explicitBucketHistogram"; readonly bounds: ReadonlyArray<number>; readonly recordMinMax: boolean }
  | {
    readonly type: "exponentialHistogram"
    readonly maxSize: number
    readonly maxScale: number
    readonly recordMinMax: boolean
  }

export interface StreamSpec {
  readonly name: string
  readonly description: string
  readonly unit: string
  readonly valueType: ValueType
  readonly aggregation: ResolvedAggregation
  readonly isMonotonic: boolean
  /** Whether values may be negative, which makes the sum of a histogram worthless. */
  readonly isSigned: boolean
  readonly temporality: Temporality
  readonly filter: KeyFilter | undefined
  /** Most series beside the one for overflow. */
  readonly cardinalityLimit: number
  /** After how long without a measurement a series is forgotten, in nanoseconds. */
  readonly expireAfter: bigint | undefined
  readonly makeReservoir: (() => ExemplarReservoir) | undefined
}

export const makeAccumulator = ({ aggregation }: StreamSpec): Accumulator => {
  switch (aggregation.type) {
    case "sum":
      return new Sum()
    case "lastValue":
      return new LastValue()
    case "explicitBucketHistogram":
      return new Explicit(aggregation.bounds)
    case "exponentialHistogram":
      return new Exponential(aggregation)
  }
}

/** A series with what it has gathered. */
export interface Gathered {
  readonly accumulator: Accumulator
  readonly base: PointBase
}

export const pointsOf = (spec: StreamSpec, gathered: ReadonlyArray<Gathered>): MetricPoints => {
  const { aggregation, isMonotonic, temporality, valueType } = spec
  switch (aggregation.type) {
    case "sum":
      return {
        type: "sum",
        temporality,
        isMonotonic,
        points: gathered.map(({ accumulator, base }) => (accumulator as Sum).point(base, valueType))
      }
    case "lastValue":
      return {
        type: "gauge",
        points: gathered.map(({ accumulator, base }) => (accumulator as LastValue).point(base, valueType))
      }
    case "explicitBucketHistogram": {
      const options = { recordMinMax: aggregation.recordMinMax, recordSum: !spec.isSigned }
      return {
        type: "histogram",
        temporality,
        points: gathered.map(({ accumulator, base }) => (accumulator as Explicit).point(base, options))
      }
    }
    case "exponentialHistogram": {
      const options = { recordMinMax: aggregation.recordMinMax, recordSum: !spec.isSigned }
      return {
        type: "exponentialHistogram",
        temporality,
        points: gathered.map(({ accumulator, base }) => (accumulator as Exponential).point(base, options))
      }
    }
  }
}

/** What a stream hands out at a collection. */
export interface Collected {
  readonly spec: StreamSpec
  readonly data: MetricPoints
  /** The points have arrived: what they cover is not reported again. */
  readonly commit: () => void
}
