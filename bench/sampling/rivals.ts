/**
 * Models of what others do, from their sources: dynsampler-go (`emathroughput.go`, `windowedthroughput.go`), OpenTelemetry
 * Java contrib (`ConsistentRateLimitingSampler`), the token buckets of tracing SDKs.
 *
 * **Details**
 *
 * Each answers with the probability that it claims: the weight of a kept trace is 1 divided by it.
 */

export interface Contender {
  readonly name: string
  /**
   * The probability with which a trace is kept that arrives now. It is kept if `u`, uniform in [0, 1), is less. Who looks
   * at `u` cheats.
   */
  readonly rate: (key: string, millis: number, u: number) => number
  /** So many traces are let through per second at a second stage, a bottom-k over what the first one kept. */
  readonly cap?: number
}

/** Rates by the logarithm of counts, as dynsampler-go allots them. */
const allot = (counts: ReadonlyMap<string, number>, goalCount: number): Map<string, number> => {
  let logs = 0
  for (const count of counts.values()) logs += Math.log10(Math.max(1, count))
  const goalRatio = goalCount / logs
  const rates = new Map<string, number>()
  let left = counts.size
  let extra = 0
  for (const key of [...counts.keys()].sort()) {
    const count = Math.max(1, counts.get(key)!)
    let goal = Math.max(1, Math.log10(count) * goalRatio)
    const share = extra / left
    goal += share
    extra -= share
    left--
    if (count <= goal) {
      rates.set(key, 1)
      extra += goal - count
    } else {
      const rate = Math.ceil(count / goal)
      rates.set(key, rate)
      extra += goal - count / rate
    }
  }
  return rates
}

/** EMAThroughput of dynsampler-go with its defaults and the 500 keys of Refinery. */
export const emaThroughput = (goal: number, maxKeys = 500): Contender => {
  const intervalMillis = 15_000
  const weight = 0.5
  const averages = new Map<string, number>()
  let counts = new Map<string, number>()
  let rates = new Map<string, number>()
  let haveData = false
  let total = 0
  let burstThreshold = 0
  let intervals = 0
  let next = intervalMillis
  const update = (now: number): void => {
    next = now + intervalMillis
    if (counts.size === 0) return
    for (const [key, average] of averages) {
      const moved = average + ((counts.get(key) ?? 0) - average) * weight
      counts.delete(key)
      if (moved < weight) averages.delete(key)
      else averages.set(key, moved)
    }
    for (const [key, count] of counts) {
      const moved = count * weight
      if (moved >= weight) averages.set(key, moved)
    }
    counts = new Map()
    total = 0
    let sum = 0
    for (const average of averages.values()) sum += Math.max(1, average)
    burstThreshold = 2 * sum
    rates = allot(averages, goal * intervalMillis / 1_000)
    haveData = true
    intervals++
  }
  return {
    name: "EMAThroughput, 15 s",
    rate: (key, now) => {
      while (now >= next) update(next)
      const known = counts.get(key)
      if (known !== undefined) counts.set(key, known + 1)
      else if (counts.size < maxKeys) counts.set(key, 1)
      total++
      if (intervals >= 3 && total > burstThreshold && burstThreshold > 0) {
        intervals = 0
        update(now)
      }
      return 1 / (haveData ? rates.get(key) ?? 1 : 10)
    }
  }
}

/** WindowedThroughput of dynsampler-go: updates every second, looks 30 s back. */
export const windowedThroughput = (goal: number, maxKeys = 500): Contender => {
  const lookback = 30
  const windows: Array<Map<string, number>> = []
  const totals = new Map<string, number>()
  let current = new Map<string, number>()
  let rates = new Map<string, number>()
  let next = 1_000
  const update = (): void => {
    next += 1_000
    windows.push(current)
    for (const [key, count] of current) totals.set(key, (totals.get(key) ?? 0) + count)
    current = new Map()
    if (windows.length > lookback) {
      for (const [key, count] of windows.shift()!) {
        const rest = totals.get(key)! - count
        if (rest === 0) totals.delete(key)
        else totals.set(key, rest)
      }
    }
    const perKey = goal * lookback / totals.size
    rates = new Map([...totals].map(([key, count]) => [key, Math.trunc(Math.max(1, count / perKey))]))
  }
  return {
    name: "WindowedThroughput, 1 s of 30 s",
    rate: (key, now) => {
      while (now >= next) update()
      const known = current.get(key)
      if (known !== undefined) current.set(key, known + 1)
      else if (current.size < maxKeys) current.set(key, 1)
      return 1 / (rates.get(key) ?? 1)
    }
  }
}

/** ConsistentRateLimitingSampler of OpenTelemetry Java, over a delegate that keeps everything. */
export const javaRateLimiting = (goal: number, tauSeconds = 5): Contender => {
  let windowCount = 0
  let windowNanos = 0
  let last = 0
  const perNano = goal * 1e-9
  return {
    name: "Java rate limiting, 5 s",
    rate: (_key, now) => {
      const elapsed = Math.max(0, now - last) * 1e6
      last = now
      const decay = Math.exp(-elapsed / (tauSeconds * 1e9))
      windowCount = windowCount * decay + 1
      windowNanos = windowNanos * decay + elapsed
      return Math.min(1, windowNanos * perNano / windowCount)
    }
  }
}

/** A token bucket that holds one second: what it keeps counts once. */
export const tokenBucket = (goal: number): Contender => {
  let tokens = goal
  let last = 0
  return {
    name: "token bucket, weight 1",
    rate: (_key, now) => {
      tokens = Math.min(goal, tokens + (now - last) * goal / 1_000)
      last = now
      if (tokens < 1) return 0
      tokens--
      return 1
    }
  }
}

/** A fixed ratio, all that the samplers of OpenTelemetry JavaScript offer: right for one rate of traffic. */
export const fixedRatio = (ratio: number): Contender => ({
  name: `fixed ratio ${ratio}`,
  rate: () => ratio
})
