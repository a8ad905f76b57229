/** A figure over the rounds of a run. */
export interface Figure {
  readonly median: number
  /** The quartiles. */
  readonly low: number
  readonly high: number
}

/** The value below which `share` of the sorted values lie, between neighbours in proportion. */
const quantile = (sorted: ReadonlyArray<number>, share: number): number => {
  const position = (sorted.length - 1) * share
  const below = Math.floor(position)
  const lower = sorted[below]!
  return lower + ((sorted[below + 1] ?? lower) - lower) * (position - below)
}

export const figure = (values: ReadonlyArray<number>): Figure => {
  if (values.length === 0) throw new Error("a figure needs values")
  const sorted = values.toSorted((a, b) => a - b)
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) }
}

export const sum = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0)

export const geometricMean = (values: ReadonlyArray<number>): number =>
  Math.exp(sum(values.map((value) => Math.log(value))) / values.length)
