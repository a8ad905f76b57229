import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { BottomK, keptProbability, passing, rank, roundedUp, waterFill } from "../../../src/sampling/tail/budget.ts"
import * as Threshold from "../../../src/sampling/Threshold.ts"

const Half = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0xfffffff }))
const Cost = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 50 }))
const Weight = Schema.Literals([1, 5, 10, 20])

/** A generator with a fixed seed (xorshift32), so that what is said about chance is said once and for all. */
const random = (seed: number) => {
  let state = seed >>> 0 || 1
  return (): number => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
}

const draw = (next: () => number) => ({ hi: Math.floor(next() * 2 ** 28), lo: Math.floor(next() * 2 ** 28) })

/** The rule in the plainest words: sort, walk, stop at the first that does not fit. */
const plainCut = (priorities: ReadonlyArray<number>, costs: ReadonlyArray<number>, budget: number): number => {
  const distinct = [...new Set(priorities)].sort((a, b) => a - b)
  const costUpTo = (limit: number) => costs.reduce((sum, cost, i) => priorities[i]! <= limit ? sum + cost : sum, 0)
  const cut = distinct.find((priority) => costUpTo(priority) > budget) ?? Infinity
  if (cut !== distinct[0]) return cut
  const firsts = priorities.filter((priority) => priority === cut).length
  return firsts > 1 ? cut : distinct[1] ?? Infinity
}

describe("the cut", () => {
  it.prop(
    "is that of a sort, whatever the order, ties included",
    {
      items: Schema.Array(
        Schema.Struct({ q: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 30 })), c: Cost })
      )
        .check(Schema.isMaxLength(60)),
      budget: Schema.Int.check(Schema.isBetween({ minimum: -5, maximum: 400 }))
    },
    ({ budget, items }) => {
      const q = items.map((item) => item.q)
      const c = items.map((item) => item.c)
      const bottom = new BottomK()
      const cut = bottom.cut(q, c, q.length, budget)
      assert.strictEqual(cut, plainCut(q, c, budget))
      const kept = items.filter((item) => item.q < cut)
      assert.strictEqual(bottom.kept, kept.length)
      assert.strictEqual(bottom.cost, kept.reduce((sum, item) => sum + item.c, 0))
      assert.isTrue(bottom.kept <= 1 || bottom.cost <= budget)
    },
    { arbitrary: { runs: 500, size: 60 } }
  )

  it.prop(
    "does not move when a kept candidate moves to the front, which is what makes it unbiased",
    {
      items: Schema.Array(
        Schema.Struct({ q: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })), c: Cost })
      )
        .check(Schema.isMaxLength(30)),
      budget: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 200 }))
    },
    ({ budget, items }) => {
      const bottom = new BottomK()
      const c = items.map((item) => item.c)
      const q = items.map((item) => item.q)
      const cut = bottom.cut(q, c, q.length, budget)
      for (const [i, item] of items.entries()) {
        const moved = bottom.cut(q.with(i, -1), c, q.length, budget)
        assert.strictEqual(item.q < cut, item.q < moved)
        if (item.q < cut) assert.strictEqual(moved, cut)
      }
    },
    { arbitrary: { runs: 500, size: 30 } }
  )
})

/** Batches of candidates with weights and upstream probabilities; z of the estimated number per weight class. */
const estimate = (
  seed: number,
  cutOf: (q: Float64Array, c: Float64Array, budget: number) => number,
  settings: {
    readonly batches: number
    readonly size: number
    readonly budget: number
    readonly unitCosts: boolean
    readonly isTestedAgain?: boolean
  }
) => {
  const next = random(seed)
  const classes = [0, 1, 2].map(() => ({ count: 0, estimated: 0, variance: 0 }))
  const weights = [1, 5, 20]
  for (let batch = 0; batch < settings.batches; batch++) {
    const { size } = settings
    const q = new Float64Array(size)
    const c = new Float64Array(size)
    const items: Array<{ weight: number; p0: number; kind: number; hi: number; lo: number }> = []
    let here = 0
    for (let i = 0; i < size; i++) {
      const kind = i % 20 === 0 ? 2 : i % 5 === 0 ? 1 : 0
      const upstream = Threshold.fromProbability([1, 0.5, 0.1][i % 3]!)
      const { hi, lo } = draw(next)
      const cost = settings.unitCosts ? 1 : 1 + (i * 7) % 11
      classes[kind]!.count++
      if (!Threshold.keeps(upstream, hi, lo)) continue
      const p0 = passing(upstream)
      q[here] = rank(hi, lo) / p0 / weights[kind]!
      c[here] = cost
      items[here++] = { weight: weights[kind]!, p0, kind, hi, lo }
    }
    const cut = cutOf(q.subarray(0, here), c.subarray(0, here), settings.budget)
    for (let i = 0; i < here; i++) {
      const { hi, kind, lo, p0, weight } = items[i]!
      if (!(q[i]! < cut)) continue
      const threshold = cut === Infinity ? Threshold.fromProbability(p0) : roundedUp(keptProbability(p0, weight, cut))
      if (settings.isTestedAgain !== false && !Threshold.keeps(threshold, hi, lo)) continue
      const p = passing(threshold)
      classes[kind]!.estimated += 1 / p
      classes[kind]!.variance += (1 - p) / p / p
    }
  }
  const all = classes.reduce((sum, one) => ({
    count: sum.count + one.count,
    estimated: sum.estimated + one.estimated,
    variance: sum.variance + one.variance
  }))
  return [...classes, all].map(({ count, estimated, variance }) => ({
    z: variance === 0 ? 0 : (estimated - count) / Math.sqrt(variance),
    bias: estimated / count - 1
  }))
}

const firstExcluded = (q: Float64Array, c: Float64Array, budget: number): number =>
  new BottomK().cut(q, c, q.length, budget)

const seeds = Array.from({ length: 30 }, (_, i) => 7919 * (i + 1))

describe("weights", () => {
  for (const unitCosts of [true, false]) {
    it(`are unbiased in each class and in total, with ${unitCosts ? "equal" : "unequal"} costs`, () => {
      const settings = { batches: 60, size: 300, budget: unitCosts ? 40 : 200, unitCosts }
      const runs = seeds.map((seed) => estimate(seed, firstExcluded, settings))
      for (let kind = 0; kind < 4; kind++) {
        const z = runs.map((run) => run[kind]!.z)
        const mean = z.reduce((a, b) => a + b) / z.length
        assert.isBelow(Math.abs(mean), 4 / Math.sqrt(30), `class ${kind}: mean z ${mean}`)
      }
      const bias = runs.reduce((sum, run) => sum + run[3]!.bias, 0) / runs.length
      assert.isBelow(Math.abs(bias), 0.01)
    })
  }

  it("leave the randomness of what is kept uniform above its threshold, for the stages behind", () => {
    const next = random(4242)
    const fractions: Array<number> = []
    const bottom = new BottomK()
    for (let batch = 0; batch < 500; batch++) {
      const items = Array.from({ length: 200 }, (_, i) => ({ ...draw(next), weight: i % 10 === 0 ? 10 : 1 }))
      const q = items.map(({ hi, lo, weight }) => rank(hi, lo) / weight)
      const cut = bottom.cut(q, items.map(() => 1), items.length, 40)
      for (const { hi, lo, weight } of items) {
        const threshold = roundedUp(keptProbability(1, weight, cut))
        if (!(rank(hi, lo) / weight < cut) || !Threshold.keeps(threshold, hi, lo)) continue
        fractions.push(1 - rank(hi, lo) / passing(threshold))
      }
    }
    // Kolmogorov and Smirnov: beyond 1.95 in one of a thousand cases.
    fractions.sort((a, b) => a - b)
    const n = fractions.length
    const distance = Math.max(...fractions.map((x, i) => Math.max(Math.abs(x - i / n), Math.abs(x - (i + 1) / n))))
    assert.isAbove(n, 19_000)
    assert.isBelow(distance * Math.sqrt(n), 1.95)
  })

  it("would not be with the last included as the cut: the law can tell", () => {
    const lastIncluded = (q: Float64Array, c: Float64Array, budget: number): number => {
      const cut = firstExcluded(q, c, budget)
      let last = 0
      for (const priority of q) if (priority < cut && priority > last) last = priority
      // Just above it, so that the last one is kept; its own priority becomes the cut.
      return last * (1 + 1e-12)
    }
    const settings = { batches: 60, size: 300, budget: 10, unitCosts: true }
    const runs = seeds.map((seed) => estimate(seed, lastIncluded, { ...settings, isTestedAgain: false }))
    const z = runs.map((run) => run[3]!.z).reduce((a, b) => a + b) / runs.length
    const bias = runs.reduce((sum, run) => sum + run[3]!.bias, 0) / runs.length
    assert.isAbove(z, 4 / Math.sqrt(30))
    assert.isAbove(bias, 0.05)
    const right = seeds.map((seed) => estimate(seed, firstExcluded, settings))
    assert.isBelow(Math.abs(right.reduce((sum, run) => sum + run[3]!.bias, 0) / right.length), 0.02)
  })
})

describe("shares", () => {
  it.prop(
    "never exceed the budget or a demand, waste nothing, and are in proportion where scarce",
    {
      rows: Schema.Array(Schema.Struct({
        demand: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 })),
        share: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 }))
      })).check(Schema.isMaxLength(8)),
      budget: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3000 }))
    },
    ({ budget, rows }) => {
      const demands = rows.map((row) => row.demand)
      const shares = rows.map((row) => row.share)
      const got: Array<number> = []
      const left = waterFill(demands, shares, budget, got)
      const sum = got.reduce((a, b) => a + b, 0)
      const wanted = demands.reduce((a, b) => a + b, 0)
      assert.isTrue(sum <= budget + 1e-6)
      assert.isTrue(Math.abs(sum - Math.min(budget, wanted)) < 1e-6)
      assert.isTrue(Math.abs(sum + left - budget) < 1e-6)
      const scarce = got.flatMap((value, i) => value < demands[i]! - 1e-9 ? [value / shares[i]!] : [])
      for (const level of scarce) assert.isTrue(Math.abs(level - scarce[0]!) < 1e-6)
      for (const [i, value] of got.entries()) {
        assert.isTrue(value <= demands[i]!)
        if (scarce.length > 0) assert.isTrue(value / shares[i]! <= scarce[0]! + 1e-6)
      }
    },
    { arbitrary: { runs: 500, size: 30 } }
  )
})

describe("the final threshold", () => {
  it.prop(
    "is rounded up, to at most 4 digits after the leading f's, by less than 1 part in 4096",
    { hi: Half, lo: Half, weight: Weight },
    ({ hi, lo, weight }) => {
      const p = rank(hi, lo) / weight
      const rounded = roundedUp(p)
      if (rounded.hi >= 2 ** 28) return assert.isBelow(p, 2 ** -55)
      assert.match(Threshold.toHex(rounded), /^f*[0-9a-f]{1,4}$/)
      const kept = Threshold.toProbability(rounded)
      assert.isTrue(kept < p)
      if (p > 2 ** -40) assert.isTrue(kept > p * (1 - 1 / 4095))
      assert.strictEqual(passing(rounded), kept)
    }
  )

  it.prop("never lets the first that is left out pass", { hi: Half, lo: Half }, ({ hi, lo }) => {
    // Closer to 1 than a double can say.
    if (rank(hi, lo) === 1) return
    for (const precision of [1, 3, 4, 14]) assert.isFalse(Threshold.keeps(roundedUp(rank(hi, lo), precision), hi, lo))
  })

  it("keeps what is certain", () => {
    assert.deepStrictEqual(roundedUp(1), Threshold.always)
    assert.deepStrictEqual(roundedUp(0).hi, 2 ** 28)
    assert.deepStrictEqual(Threshold.toHex(roundedUp(0.1)), "e667")
  })
})
