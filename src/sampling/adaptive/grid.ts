/**
 * The probabilities that adaptive samplers hand out: 128 in each octave, so that neighbours differ by less than 1 %.
 *
 * **Details**
 *
 * A governed probability changes with every arrival. On a grid it becomes one of a few thousand thresholds, which are
 * made once and shared; each is the exact threshold of its probability, in a few hexadecimal digits, without rounding and
 * without big integers. Whoever rounds accounts with the rounded probability, so nothing drifts.
 */
import type { Threshold } from "../Threshold.ts"

const perOctave = 128
const octaves = 24
const halfRange = 0x10000000

/** The place of the smallest probability, 2^-24. */
export const last = octaves * perOctave

const power = Float64Array.from({ length: octaves + 1 }, (_, octave) => 2 ** (octave + 8))

/** The place of the probability nearest to `p`: 0 for 1, larger for smaller ones. */
export const indexOf = (p: number): number => {
  if (p >= 1) return 0
  // Also where p is no number.
  if (!(p > 2 ** -octaves)) return last
  const octave = Math.clz32(p * 0x80000000) - 1
  return octave * perOctave + 256 - ((p * power[octave]! + 0.5) | 0)
}

/** The place of the largest probability that is at most `p`. */
export const indexBelow = (p: number): number => {
  const index = indexOf(p)
  return index < last && probabilityOf(index) > p ? index + 1 : index
}

const probabilities = Float64Array.from(
  { length: last + 1 },
  (_, index) => (256 - index % perOctave) / 2 ** (8 + Math.floor(index / perOctave))
)

/** The probability in a place. */
export const probabilityOf = (index: number): number => probabilities[index]!

const thresholds: Array<Threshold | undefined> = []

/** The threshold of the probability in a place: always the same object. */
export const thresholdOf = (index: number): Threshold => {
  const known = thresholds[index]
  if (known !== undefined) return known
  // Exact: both 2^56 * p and the difference have fewer than 53 significant bits.
  const rejected = 2 ** 56 - probabilityOf(index) * 2 ** 56
  const hi = Math.floor(rejected / halfRange)
  return thresholds[index] = { hi, lo: rejected - hi * halfRange }
}
