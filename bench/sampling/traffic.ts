/** The traffic that samplers are compared under: arrivals of traces, each with a key, the same in every run. */
import { exponential, seeded } from "./random.ts"

export interface Arrivals {
  /** Milliseconds since the start, ascending. */
  readonly times: Float64Array
  /** Places in `keys`. */
  readonly keyOf: Int32Array
  readonly keys: ReadonlyArray<string>
  /** Keys below this place are frequent ones, most frequent first; then come rare ones, then ones that come once. */
  readonly frequent: number
  readonly rare: number
  readonly seconds: number
}

export interface Traffic {
  readonly name: string
  /** Traces per second at a second. */
  readonly rate: (second: number) => number
  /** Exponent of the frequencies of keys: the k-th has k^-s. Default 1.1. */
  readonly zipf?: number
  /** Frequent keys. Default 200. */
  readonly keys?: number
  /** Keys per second that come once each. Default 0. */
  readonly churn?: number
  readonly seconds?: number
}

const base = 2_000
const rareKeys = 20

/** Name by name, what a row of the table stands for. */
export const traffics: Readonly<Record<string, Traffic>> = {
  steady: { name: "steady", rate: () => base },
  burst: {
    name: "burst: 10 times as much for 10 s of each 60 s",
    rate: (t) => t % 60 >= 30 && t % 60 < 40 ? 10 * base : base
  },
  onOff: { name: "on and off: 6 times as much for 5 s, nothing for 25 s", rate: (t) => t % 30 < 5 ? 6 * base : 0 },
  ramp: { name: "ramp: from 1 to 10 times in 300 s", rate: (t) => base * (1 + 9 * t / 300) },
  churn: { name: "churn: 50 new keys per second", rate: () => base, churn: 50 },
  diurnal: {
    name: "diurnal: a day in 300 s, trough to peak 1 to 10",
    rate: (t) => base * (1.1 - 0.9 * Math.cos(2 * Math.PI * t / 300))
  },
  zipf8: { name: "Zipf 0.8", rate: () => base, zipf: 0.8 },
  zipf11: { name: "Zipf 1.1, 100,000 keys", rate: () => base, keys: 100_000 },
  zipf15: { name: "Zipf 1.5", rate: () => base, zipf: 1.5 },
  step: { name: "step: 10 times as much from second 60", rate: (t) => t >= 60 ? 10 * base : base, seconds: 90 }
}

/** Draws the arrivals of a traffic. */
export const arrivals = (traffic: Traffic, seed: number): Arrivals => {
  const { churn = 0, keys: frequent = 200, rate, seconds = 300, zipf = 1.1 } = traffic
  const random = seeded(seed)
  const cumulative = new Float64Array(frequent)
  let sum = 0
  for (let k = 0; k < frequent; k++) cumulative[k] = sum += (k + 1) ** -zipf
  const pick = (): number => {
    const wanted = random() * sum
    let low = 0
    let high = frequent - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (cumulative[middle]! > wanted) high = middle
      else low = middle + 1
    }
    return low
  }
  const keys = Array.from({ length: frequent }, (_, k) => `GET /frequent/${k}`)
  for (let k = 0; k < rareKeys; k++) keys.push(`GET /rare/${k}`)
  const few: Array<{ readonly time: number; readonly key: number }> = []
  const process = (perSecond: number, key: () => number): void => {
    for (let t = exponential(random) / perSecond; t < seconds; t += exponential(random) / perSecond) {
      few.push({ time: t * 1_000, key: key() })
    }
  }
  for (let k = 0; k < rareKeys; k++) process(1 / 60, () => frequent + k)
  if (churn > 0) process(churn, () => keys.push(`GET /once/${keys.length}`) - 1)
  few.sort((a, b) => a.time - b.time)
  let most = 0
  let expected = 0
  for (let second = 0; second <= seconds; second++) {
    most = Math.max(most, rate(second))
    expected += rate(second)
  }
  const room = Math.ceil(few.length + expected + 6 * Math.sqrt(expected) + most)
  const times = new Float64Array(room)
  const keyOf = new Int32Array(room)
  let count = 0
  let next = 0
  const add = (time: number, key: number): void => {
    times[count] = time
    keyOf[count++] = key
  }
  for (let t = exponential(random) / most; t < seconds; t += exponential(random) / most) {
    if (random() * most >= rate(t)) continue
    while (next < few.length && few[next]!.time < t * 1_000) add(few[next]!.time, few[next++]!.key)
    add(t * 1_000, pick())
  }
  while (next < few.length) add(few[next]!.time, few[next++]!.key)
  return { times: times.subarray(0, count), keyOf: keyOf.subarray(0, count), keys, frequent, rare: rareKeys, seconds }
}
