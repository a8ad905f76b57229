/**
 * Consistent probability sampling (`trace/tracestate-probability-sampling.md`): a 56-bit randomness R, a 56-bit rejection
 * threshold T, and one rule: keep a span if and only if R >= T.
 *
 * **Details**
 *
 * A double cannot hold 56 bits and a bigint is slow, so both are two unsigned 28-bit halves, compared high half first.
 */

/** A rejection threshold. `hi` and `lo` are unsigned 28-bit halves; `hi` of `2^28` rejects everything. */
export interface Threshold {
  readonly hi: number
  readonly lo: number
}

const halfRange = 0x10000000

/** Keeps everything: T = 0, weight 1. */
export const always: Threshold = { hi: 0, lo: 0 }

/** Keeps nothing. Not a probability: it has no weight. */
export const never: Threshold = { hi: halfRange, lo: 0 }

/** The high half of the randomness of a trace id, given its last two 32-bit words. */
export const randomnessHi = (traceId2: number, traceId3: number): number =>
  ((traceId2 & 0xffffff) << 4) | (traceId3 >>> 28)

/** The low half of the randomness of a trace id, given its last 32-bit word. */
export const randomnessLo = (traceId3: number): number => traceId3 & 0x0fffffff

/** Whether randomness `hi`, `lo` passes the threshold. */
export const keeps = (threshold: Threshold, hi: number, lo: number): boolean =>
  hi > threshold.hi || (hi === threshold.hi && lo >= threshold.lo)

/** Whether the threshold keeps some and rejects some, so that randomness decides. */
export const isSelective = (threshold: Threshold): boolean =>
  threshold.hi < halfRange && (threshold.hi !== 0 || threshold.lo !== 0)

/** The binary exponent e of x = m * 2^e with m in [0.5, 1). */
const exponent = (x: number): number => {
  let e = Math.floor(Math.log2(x)) + 1
  if (x >= 2 ** e) e++
  if (x < 2 ** (e - 1)) e--
  return e
}

/**
 * The threshold of a sampling probability.
 *
 * **Details**
 *
 * `precision` is the number of significant hexadecimal digits kept (1 to 14, default 4), counted after the leading `f`s
 * of a small probability. A probability of 0, or below 2^-56, is {@link never}; 1 and above is {@link always}.
 */
export const fromProbability = (probability: number, precision = 4): Threshold => {
  if (!(probability >= 2 ** -56)) return never
  if (probability >= 1) return always
  const digits = Math.min(
    14,
    Math.max(
      precision + Math.trunc(-exponent(probability) / 4),
      precision + Math.trunc(-exponent(1 - probability) / 4)
    )
  )
  // 2^56 p is a whole double once rounded; its halves are exact, and so is what is left of 2^56 without it.
  const kept = Math.round(probability * 2 ** 56)
  const keptHi = Math.floor(kept / halfRange)
  const keptLo = kept - keptHi * halfRange
  return rounded(
    halfRange - keptHi - (keptLo === 0 ? 0 : 1),
    keptLo === 0 ? 0 : halfRange - keptLo,
    4 * (14 - digits)
  )
}

/** `hi`, `lo` rounded to a multiple of `2^bits`, halves up. */
const rounded = (hi: number, lo: number, bits: number): Threshold => {
  if (bits > 0) {
    if (bits > 28) hi += 2 ** (bits - 29)
    else lo += 2 ** (bits - 1)
    if (lo >= halfRange) {
      lo -= halfRange
      hi++
    }
    if (bits >= 28) {
      lo = 0
      hi -= hi % 2 ** (bits - 28)
    } else {
      lo -= lo % 2 ** bits
    }
  }
  return hi >= halfRange ? never : { hi, lo }
}

/** The probability with which a span passes: `(2^56 - T) / 2^56`; 0 for {@link never}. */
export const toProbability = (threshold: Threshold): number =>
  threshold.hi >= halfRange ? 0 : ((halfRange - threshold.hi) * halfRange - threshold.lo) / 2 ** 56

/** How many spans a kept span stands for: `2^56 / (2^56 - T)`; 0 for {@link never}. */
export const adjustedCount = (threshold: Threshold): number => {
  const probability = toProbability(threshold)
  return probability === 0 ? 0 : 1 / probability
}

const digitsOf = (half: number): string => half.toString(16).padStart(7, "0")

/** The `th` value: hexadecimal digits without trailing zeros, `0` for {@link always}. Not defined for {@link never}. */
export const toHex = (threshold: Threshold): string => {
  const digits = digitsOf(threshold.hi) + (threshold.lo === 0 ? "" : digitsOf(threshold.lo))
  let end = digits.length
  while (end > 1 && digits.charCodeAt(end - 1) === 48) end--
  return digits.slice(0, end)
}

/** Reads a `th` value: 1 to 14 lowercase hexadecimal digits. `undefined` when it is anything else. */
export const fromHex = (text: string): Threshold | undefined => fromHexAt(text, 0, text.length)

/** Reads a `th` value that stands in `text` from `start` to `end`. */
export const fromHexAt = (text: string, start: number, end: number): Threshold | undefined => {
  const length = end - start
  if (length < 1 || length > 14) return undefined
  let hi = 0
  let lo = 0
  for (let i = 0; i < 14; i++) {
    let digit = 0
    if (i < length) {
      const code = text.charCodeAt(start + i)
      if (code >= 48 && code <= 57) digit = code - 48
      else if (code >= 97 && code <= 102) digit = code - 87
      else return undefined
    }
    if (i < 7) hi = (hi << 4) | digit
    else lo = (lo << 4) | digit
  }
  return { hi, lo }
}

/** The lower of two thresholds. */
export const min = (a: Threshold, b: Threshold): Threshold => compare(a, b) <= 0 ? a : b

/** The higher of two thresholds. */
export const max = (a: Threshold, b: Threshold): Threshold => compare(a, b) >= 0 ? a : b

/** Below, above or equal to 0, as `a` is below, above or equal to `b`. */
export const compare = (a: Threshold, b: Threshold): number => a.hi - b.hi || a.lo - b.lo
