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
const maxAdjusted = 1n << 56n

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

const fromBigInt = (value: bigint): Threshold => ({ hi: Number(value >> 28n), lo: Number(value & 0xfffffffn) })

const toBigInt = (threshold: Threshold): bigint => (BigInt(threshold.hi) << 28n) | BigInt(threshold.lo)

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
  let threshold = maxAdjusted - BigInt(Math.round(probability * 2 ** 56))
  const shift = BigInt(4 * (14 - digits))
  if (shift > 0n) threshold = ((threshold + (1n << (shift - 1n))) >> shift) << shift
  return threshold >= maxAdjusted ? never : fromBigInt(threshold)
}

/** The probability with which a span passes: `(2^56 - T) / 2^56`; 0 for {@link never}. */
export const toProbability = (threshold: Threshold): number =>
  threshold.hi >= halfRange ? 0 : Number(maxAdjusted - toBigInt(threshold)) / 2 ** 56

/** How many spans a kept span stands for: `2^56 / (2^56 - T)`; 0 for {@link never}. */
export const adjustedCount = (threshold: Threshold): number => {
  const probability = toProbability(threshold)
  return probability === 0 ? 0 : 1 / probability
}

/** The `th` value: hexadecimal digits without trailing zeros, `0` for {@link always}. Not defined for {@link never}. */
export const toHex = (threshold: Threshold): string =>
  toBigInt(threshold).toString(16).padStart(14, "0").replace(/0+$/, "") || "0"

/** Reads a `th` value: 1 to 14 lowercase hexadecimal digits. `undefined` when it is anything else. */
export const fromHex = (text: string): Threshold | undefined =>
  /^[0-9a-f]{1,14}$/.test(text) ? fromBigInt(BigInt(`0x${text.padEnd(14, "0")}`)) : undefined
