import { assert, describe, it } from "@effect/vitest"
import * as Grid from "../../../src/sampling/adaptive/grid.ts"
import { defaults, KeyedRates, type KeyedRatesOptions, others } from "../../../src/sampling/adaptive/keyedRates.ts"

const make = (options?: Partial<KeyedRatesOptions>): KeyedRates =>
  new KeyedRates({ ...defaults, goal: 10, ...options }, 0)

/** `perSecond` traces of each key for some seconds; what was handed out of each. */
const play = (
  rates: KeyedRates,
  perSecond: Readonly<Record<string, number>>,
  from: number,
  seconds: number
): Record<string, number> => {
  const sums: Record<string, number> = {}
  for (let millis = from * 1_000; millis < (from + seconds) * 1_000; millis++) {
    for (const [key, count] of Object.entries(perSecond)) {
      const due = Math.floor((millis + 1) * count / 1_000) - Math.floor(millis * count / 1_000)
      for (let i = 0; i < due; i++) {
        rates.decide(key, millis)
        sums[key] = (sums[key] ?? 0) + Grid.probabilityOf(rates.index)
      }
    }
  }
  return sums
}

describe("KeyedRates", () => {
  it("keeps a program's first traces", () => {
    const rates = make()
    for (let i = 0; i < 3; i++) {
      rates.decide(`step ${i}`, 0)
      assert.strictEqual(rates.index, 0)
    }
  })

  it("hands out the goal from the first second on", () => {
    for (const options of [{}, { exponent: 0 }, { exponent: 1 }, { burst: 1 }]) {
      const { a } = play(make(options), { a: 2_000 }, 0, 2)
      assert.isAbove(a!, 15)
      assert.isBelow(a!, 28)
    }
  })

  it("shares the goal by the square root of the traffic, or equally, or in proportion", () => {
    for (const [exponent, ratio] of [[0.5, 3], [0, 1], [1, 9]] as const) {
      const rates = make({ exponent })
      play(rates, { loud: 900, quiet: 100 }, 0, 30)
      const { loud, quiet } = play(rates, { loud: 900, quiet: 100 }, 30, 30)
      assert.closeTo(loud! / quiet!, ratio, 0.15 * ratio)
      assert.closeTo(loud! + quiet!, 300, 6)
    }
  })

  it("keeps what is rare, also in a burst of what is frequent", () => {
    const rates = make()
    play(rates, { frequent: 500, rare: 0.1 }, 0, 60)
    assert.isAbove(play(rates, { frequent: 5_000, rare: 0.1 }, 60, 40)["rare"]!, 3.5)
  })

  it("takes a key that suddenly is loud for loud within the second", () => {
    const rates = make()
    play(rates, { a: 100, b: 0.2 }, 0, 60)
    const { a, b } = play(rates, { a: 100, b: 1_000 }, 60, 1)
    assert.isBelow(a! + b!, 20)
    assert.isAbove(a!, 1)
  })

  it("holds no more keys than it may, and pools those without a place", () => {
    const rates = make({ maxKeys: 40 })
    let pooled = 0
    for (let i = 0; i < 20_000; i++) {
      if (rates.decide(`order ${i}`, i).key === others) pooled++
      rates.decide("home", i)
      assert.isAtMost(rates.keys, 40)
    }
    assert.strictEqual(pooled, 20_000)
    assert.isAbove(rates.overflows, 19_000)
    assert.deepStrictEqual(rates.save().map(({ key }) => key).filter((key) => key === "home"), ["home"])
  })

  it("lets a key that comes back into the places of the quietest", () => {
    const rates = make({ maxKeys: 4 })
    for (let second = 0; second < 10; second++) {
      for (let i = 0; i < 8; i++) for (let n = 0; n <= i; n++) rates.decide(`key ${i}`, second * 1_000 + i)
    }
    assert.includeMembers(rates.save().map(({ key }) => key), ["key 7", "key 6"])
    assert.isAtMost(rates.keys, 4)
  })

  it("goes on where another one stopped", () => {
    const first = make()
    play(first, { loud: 900, quiet: 100 }, 0, 30)
    const second = new KeyedRates({ ...defaults, goal: 10 }, 1_000_000)
    second.restore(first.save())
    second.decide("loud", 1_000_000)
    const restored = Grid.probabilityOf(second.index)
    const loud = play(first, { loud: 900, quiet: 100 }, 30, 1)["loud"]! / 900
    assert.closeTo(restored / loud, 1, 0.3)
    assert.deepStrictEqual(
      second.save(),
      first.save().map((state) => second.save().find(({ key }) => key === state.key)!)
    )
  })

  it("does not restore more keys than it may hold, and the pool as the pool", () => {
    const rates = make({ maxKeys: 8 })
    rates.restore(
      Array.from({ length: 100 }, (_, i) => ({ key: i === 99 ? others : `${i}`, load: i, age: 10, cost: 1 }))
    )
    assert.isAtMost(rates.keys, 8)
    assert.deepStrictEqual(rates.save().slice(0, 2).map(({ key }) => key), [others, "98"])
  })

  it("survives a clock that goes back or stands still", () => {
    const rates = make()
    play(rates, { a: 500 }, 100, 5)
    const { a } = play(rates, { a: 500 }, 0, 5)
    assert.isBelow(a!, 60)
    for (let i = 0; i < 100_000; i++) rates.decide("a", 5_000)
    assert.isAbove(Grid.probabilityOf(rates.index), 0)
    assert.isAbove(play(rates, { a: 500 }, 5, 5)["a"]!, 40)
  })

  it("learns on after the clock was set back", () => {
    const rates = make()
    play(rates, { a: 500 }, 1_000, 5)
    play(rates, { b: 500 }, 0, 15)
    assert.closeTo(rates.save().find(({ key }) => key === "b")!.load, 500, 50)
  })

  it("leaves something for the next one, whatever one trace takes", () => {
    const rates = make({ goal: 1, rareShare: 0, newShare: 0 })
    let least = 1
    for (let i = 0; i < 200_000; i++) {
      // A loud key, and one in 50 seconds that is worth keeping for certain.
      rates.decide("loud", 5 * i)
      if (i > 50_000) least = Math.min(least, Grid.probabilityOf(rates.index))
      if (i % 10_000 === 0) { for (let k = 0; k < 10; k++) rates.decide(`quiet ${k}`, 5 * i) }
    }
    // The mean is 1 of 200.
    assert.isAbove(least, 1 / 200 / 100)
  })

  it("counts spans where it is told of them, and of each key where that is known", () => {
    const rates = make({ goal: 100 })
    const sums: Record<string, number> = { small: 0, big: 0 }
    const random = (i: number): number => ((i * 2654435761) >>> 0) / 2 ** 32
    for (let i = 0; i < 60_000; i++) {
      for (const [key, spans] of [["small", 2], ["big", 40]] as const) {
        rates.decide(key, i)
        const p = Grid.probabilityOf(rates.index)
        if (i > 30_000) sums[key]! += p * spans
        if (random(i * 2 + spans) < p) {
          for (let n = 1; n < spans; n++) rates.countSpan()
          rates.learnCost(key, spans)
        }
      }
    }
    assert.closeTo((sums["small"]! + sums["big"]!) / 30, 100, 5)
  })

  it("learns the mean number of spans without being told of keys", () => {
    const rates = make({ goal: 100 })
    let spans = 0
    const random = (i: number): number => ((i * 2654435761) >>> 0) / 2 ** 32
    for (let i = 0; i < 60_000; i++) {
      rates.decide("a", i)
      const p = Grid.probabilityOf(rates.index)
      if (i > 30_000) spans += p * 20
      if (random(i) < p) { for (let n = 1; n < 20; n++) rates.countSpan() }
    }
    assert.closeTo(spans / 30, 100, 10)
  })

  it("keeps few large traces, where they are less than the goal", () => {
    const rates = make({ goal: 100 })
    let kept = 0
    for (let i = 0; i < 100; i++) {
      rates.decide("nightly", i * 20_000)
      const p = Grid.probabilityOf(rates.index)
      if (i >= 50) kept += p
      for (let n = 1; n < 1_000 * p; n++) rates.countSpan()
    }
    assert.isAbove(kept, 45)
  })

  it("takes another goal without forgetting", () => {
    const rates = make()
    play(rates, { loud: 900, quiet: 100 }, 0, 30)
    rates.reconfigure({ ...defaults, goal: 100 })
    const { loud, quiet } = play(rates, { loud: 900, quiet: 100 }, 30, 10)
    assert.closeTo(loud! + quiet!, 1_000, 60)
  })
})
