import { assert, describe, it } from "@effect/vitest"
import { seeded } from "../../../bench/sampling/random.ts"
import { novelty, shareOf, waterLevel } from "../../../src/sampling/adaptive/waterLevel.ts"

const given = (loads: ReadonlyArray<number>, goal: number, exponent: number): ReadonlyArray<number> => {
  const level = waterLevel(loads, goal, exponent)
  return loads.map((load) => load === 0 ? 0 : load * Math.min(1, level * shareOf(load, exponent)))
}

const sum = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0)

describe("waterLevel", () => {
  it("hands out the goal, and to nobody more than there is", () => {
    const random = seeded(5)
    for (let round = 0; round < 500; round++) {
      const loads = Array.from(
        { length: 1 + Math.floor(random() * 50) },
        () => random() < 0.1 ? 0 : 1000 ** (random() - 0.5)
      )
        .sort((a, b) => a - b)
      const goal = sum(loads) * random()
      for (const exponent of [0, 0.3, 0.5, 1]) {
        const shares = given(loads, goal, exponent)
        assert.closeTo(sum(shares), goal, 1e-6 * goal + 1e-9)
        shares.forEach((share, i) => assert.isAtMost(share, loads[i]! * (1 + 1e-12)))
      }
    }
  })

  it("shares equally, in proportion to the square root, or at one rate for all", () => {
    assert.deepStrictEqual(given([1, 4, 100, 400], 45, 0), [1, 4, 20, 20])
    assert.deepStrictEqual(given([100, 400], 30, 0.5), [10, 20])
    assert.deepStrictEqual(given([100, 400], 50, 1), [10, 40])
  })

  it("has a level also where everything fits, and where there is nothing", () => {
    assert.deepStrictEqual(given([1, 4], 10, 0.5), [1, 4])
    assert.strictEqual(waterLevel([4], 8, 0.5), 4)
    assert.strictEqual(waterLevel([], 8, 0.5), 8)
    assert.strictEqual(waterLevel([0, 0], 8, 0.5), 8)
  })
})

describe("novelty", () => {
  it("begins as a mean, and goes over into a memory", () => {
    assert.strictEqual(novelty(1, 1, 10), 1)
    assert.strictEqual(novelty(1, 4, 10), 0.25)
    assert.closeTo(novelty(1, 50, 10), 1 - Math.exp(-0.1), 1e-12)
  })

  it("does not forget everything in a silence", () => {
    assert.closeTo(novelty(3_600, 7_200, 10), 1 - Math.exp(-1), 1e-12)
    assert.closeTo(novelty(3_600, 3_601, 10), 1 - Math.exp(-1), 1e-12)
  })
})
