import { assert, describe, it } from "@effect/vitest"
import * as Grid from "../../../src/sampling/adaptive/grid.ts"
import { RateLimit, Reservoir } from "../../../src/sampling/adaptive/rateLimit.ts"

/** What is handed out of traces of a weight that arrive each `every` milliseconds. */
const play = (limit: RateLimit, weight: number, every: number, from: number, seconds: number): number => {
  let sum = 0
  for (let t = from * 1_000; t < (from + seconds) * 1_000; t += every) {
    sum += weight * Grid.probabilityOf(limit.next(weight, Math.floor(t)))
  }
  return sum
}

describe("RateLimit", () => {
  it("hands out the goal where more arrives, and everything where less does", () => {
    const limit = new RateLimit(25, 0.5, 10, 0)
    play(limit, 1, 1, 0, 10)
    assert.closeTo(play(limit, 1, 1, 10, 20), 500, 15)
    assert.closeTo(play(limit, 1, 0.1, 30, 20), 500, 15)
    play(limit, 1, 100, 50, 20)
    assert.closeTo(play(limit, 1, 100, 70, 20), 200, 0.5)
  })

  it("counts a trace as what it would be kept with", () => {
    const limit = new RateLimit(25, 0.5, 10, 0)
    play(limit, 0.1, 1, 0, 10)
    assert.closeTo(play(limit, 0.1, 1, 10, 20), 500, 15)
    const idle = new RateLimit(25, 0.5, 10, 0)
    play(idle, 0.01, 1, 0, 10)
    assert.closeTo(play(idle, 0.01, 1, 10, 20), 200, 1)
  })

  it("gives no more than a burst at once", () => {
    const limit = new RateLimit(100, 0.5, 10, 0)
    play(limit, 1, 100, 0, 30)
    assert.isBelow(play(limit, 1, 0.05, 30, 1), 151)
  })

  it("survives a clock that goes back", () => {
    const limit = new RateLimit(25, 0.5, 10, 100_000)
    play(limit, 1, 1, 100, 5)
    assert.closeTo(play(limit, 1, 1, 0, 20), 500, 25)
  })
})

describe("Reservoir", () => {
  it("holds a second, and one at least", () => {
    const reservoir = new Reservoir(3, 0)
    const takes = (count: number, millis: number): number =>
      Array.from({ length: count }, () => reservoir.take(millis)).filter(Boolean).length
    assert.strictEqual(takes(10, 0), 3)
    assert.strictEqual(takes(10, 400), 1)
    assert.strictEqual(takes(10, 100_000), 3)
    assert.strictEqual(takes(10, 50_000), 0)
    assert.strictEqual(new Reservoir(0.1, 0).take(0), true)
    assert.strictEqual(new Reservoir(0, 0).take(0), false)
  })
})
