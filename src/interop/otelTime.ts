/** Moments of OpenTelemetry JavaScript, and ours: nanoseconds since the Unix epoch. */
import type { HrTime, TimeInput } from "./api.ts"

const second = 1_000_000_000n
const aMinute = 60_000

/** Whether a value may stand for a moment; attributes never do. */
export const isTimeInput = (value: unknown): value is TimeInput =>
  typeof value === "number" || value instanceof Date ||
  (Array.isArray(value) && value.length === 2 && typeof value[0] === "number" && typeof value[1] === "number")

/**
 * Nanoseconds since the epoch; `undefined` for what is no moment.
 *
 * **Details**
 *
 * A number that this process can have seen on its own clock is one of `performance.now()`; the SDK takes anything before
 * the start of the process for one, and so puts what was a second before it into the next century.
 */
export const toNanos = (time: TimeInput | undefined): bigint | undefined => {
  if (time === undefined) return undefined
  if (Array.isArray(time)) {
    const [seconds, nanos] = time
    return Number.isFinite(seconds) && Number.isFinite(nanos)
      ? BigInt(Math.trunc(seconds)) * second + BigInt(Math.trunc(nanos))
      : undefined
  }
  const millis = time instanceof Date ? time.getTime() : time
  if (typeof millis !== "number" || !Number.isFinite(millis)) return undefined
  const isOwnClock = !(time instanceof Date) && millis <= performance.now() + aMinute
  const since = isOwnClock ? millis + performance.timeOrigin : millis
  const whole = Math.trunc(since)
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((since - whole) * 1e6))
}

/** Seconds and nanoseconds. */
export const toHrTime = (nanos: bigint): HrTime => [Number(nanos / second), Number(nanos % second)]
