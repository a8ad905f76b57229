/** An exponential histogram for formats that know explicit bounds only. */
import type { ExponentialHistogramPoint, HistogramPoint } from "../model/MetricData.ts"

/** The upper bound of bucket `index`. */
const upper = (index: number, scale: number): number =>
  scale <= 0 ? 2 ** ((index + 1) * 2 ** -scale) : 2 ** ((index + 1) / 2 ** scale)

/** The same counts under explicit bounds: those of the buckets that hold something, less what a double cannot tell apart. */
export const explicitOf = (point: ExponentialHistogramPoint): HistogramPoint => {
  const { negative, positive, scale, zeroCount, zeroThreshold } = point
  const bounds: Array<number> = []
  const bucketCounts: Array<number> = []
  const add = (bound: number, count: number): void => {
    const last = bounds.length - 1
    if (last >= 0 && bounds[last]! >= bound) bucketCounts[last] = bucketCounts[last]! + count
    else if (Number.isFinite(bound)) {
      bounds.push(bound)
      bucketCounts.push(count)
    } else beyond += count
  }
  let beyond = 0
  // From the largest magnitude on, so that bounds ascend. The bound that is closer to zero is the upper one here.
  for (let i = negative.bucketCounts.length - 1; i >= 0; i--) {
    const count = negative.bucketCounts[i]!
    if (count > 0) add(-upper(negative.offset + i - 1, scale), count)
  }
  if (zeroCount > 0) add(zeroThreshold, zeroCount)
  for (const [i, count] of positive.bucketCounts.entries()) {
    const index = positive.offset + i
    // The bound below is one, too: without it the first bucket would seem to reach down to the one before.
    if (count > 0 && bounds.at(-1) !== upper(index - 1, scale)) add(upper(index - 1, scale), 0)
    if (count > 0) add(upper(index, scale), count)
  }
  const { attributes, count, exemplars, max, min, startTimeUnixNano, sum, timeUnixNano } = point
  return {
    attributes,
    startTimeUnixNano,
    timeUnixNano,
    count,
    sum,
    min,
    max,
    exemplars,
    bounds,
    bucketCounts: [...bucketCounts, beyond]
  }
}
