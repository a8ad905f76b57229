/**
 * What samplers that learn say about weights: the sum of adjusted counts is the number of traces, in total and for each
 * kind of key, whatever the traffic. Every check is also shown something that is wrong in a way that really occurred.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { adaptive, rateLimit, reservoir } from "../../bench/sampling/ours.ts"
import { seeded } from "../../bench/sampling/random.ts"
import { type Contender, tokenBucket } from "../../bench/sampling/rivals.ts"
import { type Arrivals, arrivals } from "../../bench/sampling/traffic.ts"
import * as AdaptiveSampler from "../../src/sampling/AdaptiveSampler.ts"
import * as RateLimitSampler from "../../src/sampling/RateLimitSampler.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import { BottomK } from "../../src/sampling/tail/budget.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"

const seeds = 30
const goal = 30

/** Ten times as much for a third of the time, keys that come once, keys that come rarely. */
const hardTraffic = Array.from({ length: seeds }, (_, seed) =>
  arrivals({
    name: "hard",
    rate: (t) => t % 30 >= 10 && t % 30 < 20 ? 3_000 : 300,
    keys: 50,
    churn: 10,
    seconds: 40
  }, seed + 1))

const classes = ["all", "head", "body", "rare", "once"] as const
const classOf = (traffic: Arrivals, key: number): (typeof classes)[number] =>
  key < 5 ? "head" : key < traffic.frequent ? "body" : key < traffic.frequent + traffic.rare ? "rare" : "once"

/** The errors of the estimated counts, in standard deviations, for each class of keys and seed. */
const errorsOf = (make: () => Contender): ReadonlyMap<string, ReadonlyArray<number>> => {
  const errors = new Map<string, Array<number>>(classes.map((name) => [name, []]))
  hardTraffic.forEach((traffic, seed) => {
    const contender = make()
    const random = seeded(1_000 + seed)
    const sums = new Map(classes.map((name) => [name, { error: 0, variance: 0 }]))
    traffic.times.forEach((time, i) => {
      const key = traffic.keyOf[i]!
      const u = random()
      const p = contender.rate(traffic.keys[key]!, time, u)
      for (const name of ["all", classOf(traffic, key)] as const) {
        const sum = sums.get(name)!
        sum.error += (u < p ? 1 / p : 0) - 1
        if (p > 0) sum.variance += 1 / p - 1
      }
    })
    for (const [name, { error, variance }] of sums) {
      errors.get(name)!.push(error === 0 ? 0 : error / Math.sqrt(Math.max(1e-9, variance)))
    }
  })
  return errors
}

const mean = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0) / values.length

const deviation = (values: ReadonlyArray<number>): number =>
  Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)) * values.length / (values.length - 1))

const isUnbiased = (errors: ReadonlyArray<number>): boolean => Math.abs(mean(errors)) < 4 / Math.sqrt(seeds)

/** The classes in which an algorithm is biased, or varies by more or less than its probabilities say. */
const faultsOf = (make: () => Contender): ReadonlyArray<string> =>
  [...errorsOf(make)].flatMap(([name, errors]) => {
    const spread = deviation(errors)
    // Classes of few traces, most of them kept for certain, are far from normal.
    const isNormal = name === "all" || name === "head" || name === "body"
    return isUnbiased(errors) && spread < 1.3 && (!isNormal || spread > 0.75)
      ? []
      : [`${name}: mean ${mean(errors).toFixed(2)}, deviation ${spread.toFixed(2)}`]
  })

describe("adjusted counts are unbiased", () => {
  it("of the adaptive sampler", () => assert.deepStrictEqual(faultsOf(() => adaptive(goal)), []))

  it("of the adaptive sampler with room for few keys", () =>
    assert.deepStrictEqual(faultsOf(() => adaptive(goal, { maxKeys: 16 })), []))

  it("of the adaptive sampler with equal shares", () =>
    assert.deepStrictEqual(faultsOf(() => adaptive(goal, { exponent: 0 })), []))

  it("of the rate limit", () => assert.deepStrictEqual(faultsOf(() => rateLimit(goal)), []))

  it("of the reservoir", () => assert.deepStrictEqual(faultsOf(() => reservoir(5, 0.05)), []))

  it("not of a token bucket whose traces count once", () =>
    assert.isFalse(isUnbiased(errorsOf(() => tokenBucket(goal)).get("all")!)))

  it("not of one that looks at the randomness: lucky traces are given more", () => {
    const cheating = (): Contender => {
      const honest = adaptive(goal)
      return {
        name: "cheat",
        rate(key, millis, u) {
          const p = honest.rate(key, millis, u)
          return u < p / 2 ? Math.min(1, 2 * p) : p
        }
      }
    }
    assert.isFalse(isUnbiased(errorsOf(cheating).get("all")!))
  })

  it("of bottom-k with the first excluded, not with the last included", () => {
    const count = 100
    const k = 10
    const costs = new Float64Array(count).fill(1)
    const ranks = new Float64Array(count)
    const selection = new BottomK()
    const errors = { first: [] as Array<number>, last: [] as Array<number> }
    for (let seed = 0; seed < seeds; seed++) {
      const random = seeded(2_000 + seed)
      const sums = { first: { error: 0, variance: 0 }, last: { error: 0, variance: 0 } }
      for (let batch = 0; batch < 200; batch++) {
        for (let i = 0; i < count; i++) ranks[i] = random()
        const first = selection.cut(ranks, costs, count, k)
        const kept = ranks.filter((rank) => rank < first)
        assert.strictEqual(kept.length, k)
        for (const [name, p] of [["first", first], ["last", Math.max(...kept)]] as const) {
          sums[name].error += k / p - count
          sums[name].variance += k * (1 - p) / p ** 2
        }
      }
      for (const name of ["first", "last"] as const) {
        errors[name].push(sums[name].error / Math.sqrt(sums[name].variance))
      }
    }
    assert.isTrue(isUnbiased(errors.first), `${mean(errors.first)}`)
    assert.isFalse(isUnbiased(errors.last))
  })
})

const halfRange = 0x10000000

/** A clock that stands where it is put. */
const makeClock = () => {
  const clock = { millis: 0 }
  return {
    at: clock,
    service: { currentTimeMillisUnsafe: () => clock.millis } as unknown as Clock.Clock
  }
}

const input = (name: string, parent?: Sampler.SamplingParent): Sampler.SamplingInput => ({
  name,
  kind: "server",
  parent,
  traceId: "0af7651916cd43dd8448eb211c80319c",
  attributes: {},
  links: []
})

const toNumber = ({ hi, lo }: Threshold.Threshold): number => hi * halfRange + lo

/** The probability of a distance of `d` or more between the uniform distribution and `n` values of it (Kolmogorov). */
const kolmogorov = (d: number, n: number): number => {
  const x = (Math.sqrt(n) + 0.12 + 0.11 / Math.sqrt(n)) * d
  let sum = 0
  for (let i = 1; i <= 100; i++) sum += 2 * (-1) ** (i - 1) * Math.exp(-2 * i * i * x * x)
  return Math.min(1, Math.max(0, sum))
}

const distance = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b).reduce(
    (most, value, i) => Math.max(most, value - i / values.length, (i + 1) / values.length - value),
    0
  )

/** 100,000 ids through a sampler: where those that are kept lie above their thresholds, from 0 to 1. */
const placesAbove = (
  make: Effect.Effect<Sampler.SamplerShape, unknown>,
  change: (threshold: Threshold.Threshold, hi: number) => Threshold.Threshold
) =>
  Effect.gen(function*() {
    const clock = makeClock()
    const sampler = yield* Effect.provideService(make, Clock.Clock, clock.service)
    const random = seeded(77)
    const places: Array<number> = []
    for (let i = 0; i < 100_000; i++) {
      clock.at.millis = Math.floor(i / 2)
      const hi = Math.floor(random() * halfRange)
      const lo = Math.floor(random() * halfRange)
      const name = `route ${Math.floor(20 * random() ** 3)}`
      const threshold = change(sampler.decide(input(name)).threshold, hi)
      if (Threshold.keeps(threshold, hi, lo)) {
        places.push((toNumber({ hi, lo }) - toNumber(threshold)) / (2 ** 56 - toNumber(threshold)))
      }
    }
    return places
  })

describe("what is kept lies evenly above its threshold", () => {
  const samplers = {
    adaptive: AdaptiveSampler.make({ tracesPerSecond: 200 }),
    "rate limit": RateLimitSampler.make({ tracesPerSecond: 200, sampler: Sampler.probability(0.3) }),
    reservoir: RateLimitSampler.makeReservoir({ tracesPerSecond: 50, probability: 0.1 })
  }
  for (const [name, make] of Object.entries(samplers)) {
    it.effect(name, () =>
      Effect.gen(function*() {
        const places = yield* placesAbove(make, (threshold) => threshold)
        assert.isAbove(places.length, 5_000)
        assert.isAbove(kolmogorov(distance(places), places.length), 1e-3)
      }))
  }

  it.effect("not where the threshold follows the randomness", () =>
    Effect.gen(function*() {
      const places = yield* placesAbove(
        samplers.adaptive,
        (threshold, hi) => hi > 0.99 * halfRange ? Threshold.always : threshold
      )
      assert.isBelow(kolmogorov(distance(places), places.length), 1e-3)
    }))
})

/** G of a table of counts, and its degrees of freedom. */
const gOf = (table: ReadonlyArray<ReadonlyArray<number>>): { readonly g: number; readonly freedom: number } => {
  const rows = table.map((row) => row.reduce((a, b) => a + b, 0))
  const columns = table[0]!.map((_, j) => table.reduce((sum, row) => sum + row[j]!, 0))
  const total = rows.reduce((a, b) => a + b, 0)
  let g = 0
  table.forEach((row, i) =>
    row.forEach((count, j) => {
      if (count > 0) g += 2 * count * Math.log(count * total / (rows[i]! * columns[j]!))
    })
  )
  return { g, freedom: (rows.length - 1) * (columns.length - 1) }
}

/**
 * A service samples by key, the next one limits what arrives: how many of the traces that passed the first, by octave of
 * its probability, passed the second.
 */
const nestedStages = (second: Effect.Effect<Sampler.SamplerShape, unknown>) =>
  Effect.gen(function*() {
    const clock = makeClock()
    const first = yield* Effect.provideService(
      AdaptiveSampler.make({ tracesPerSecond: 400 }),
      Clock.Clock,
      clock.service
    )
    const next = yield* Effect.provideService(second, Clock.Clock, clock.service)
    const random = seeded(99)
    const table = [[0, 0], [0, 0], [0, 0], [0, 0]]
    for (let i = 0; i < 200_000; i++) {
      clock.at.millis = Math.floor(i / 4)
      const hi = Math.floor(random() * halfRange)
      const lo = Math.floor(random() * halfRange)
      const { threshold } = first.decide(input(`route ${Math.floor(50 * random() ** 3)}`))
      if (!Threshold.keeps(threshold, hi, lo)) continue
      const traceState = `ot=th:${Threshold.toHex(threshold)}`
      const decision = next.decide(input("next", { traceFlags: 3, traceState, isRemote: true }))
      const octave = Math.min(3, Math.max(0, Math.floor(-Math.log2(Threshold.toProbability(threshold))) - 1))
      table[octave]![Threshold.keeps(decision.threshold, hi, lo) ? 1 : 0]!++
    }
    return table
  })

// The 0.999 quantile of chi-square with 3 degrees of freedom.
const unlikely = 16.27

describe("two stages are independent", () => {
  for (
    const [name, make] of [
      ["adaptive", AdaptiveSampler.make({ tracesPerSecond: 100 })],
      ["rate limit", RateLimitSampler.make({ tracesPerSecond: 100, sampler: Sampler.parentThreshold })]
    ] as const
  ) {
    it.effect(name, () =>
      Effect.gen(function*() {
        const table = yield* nestedStages(make)
        const { freedom, g } = gOf(table)
        assert.strictEqual(freedom, 3)
        assert.isAbove(Math.min(...table.flat()), 20)
        assert.isBelow(g, unlikely, JSON.stringify(table))
      }))
  }

  it.effect("not where the second one ignores what the first one did", () =>
    Effect.gen(function*() {
      const { g } = gOf(yield* nestedStages(AdaptiveSampler.make({ tracesPerSecond: 100, remoteParent: "ignore" })))
      assert.isAbove(g, unlikely)
    }))
})
