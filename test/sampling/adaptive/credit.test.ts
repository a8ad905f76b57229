import { assert, describe, it } from "@effect/vitest"
import { capacityOf, Credit } from "../../../src/sampling/adaptive/credit.ts"

describe("Credit", () => {
  it("asks for no correction when half full, for a lower rate below, for a higher one above", () => {
    const credit = new Credit(10, 20, 0.5)
    assert.strictEqual(credit.factor(), 1)
    credit.take(5)
    assert.strictEqual(credit.factor(), 1 / 3)
    credit.fill(1)
    assert.strictEqual(credit.factor(), 3)
    credit.fill(100)
    assert.strictEqual(credit.factor(), Infinity)
  })

  it("hands out the rate, give or take the capacity, however much is asked for", () => {
    for (const base of [1, 0.1, 0.01, 1e-4]) {
      const credit = new Credit(100, 50, 1)
      let handedOut = 0
      let excess = 0
      for (let millis = 0; millis < 20_000; millis++) {
        credit.fill(0.001)
        // 20,000 per second.
        for (let i = 0; i < 20; i++) {
          const p = Math.min(1, credit.chance(base, 1))
          credit.take(p)
          handedOut += p
        }
        excess = Math.max(excess, handedOut - 100 * millis / 1_000)
      }
      assert.isAtMost(excess, 61)
      if (base * 20_000 > 100) assert.isAbove(handedOut, 100 * 20)
    }
  })

  it("leaves half of itself to the next, and pays the rest back", () => {
    const credit = new Credit(10, 20, 0.1)
    credit.take(0.5)
    assert.strictEqual(credit.level, 1.5)
    credit.take(2)
    assert.strictEqual(credit.level, 0.75)
    credit.fill(0.1)
    assert.strictEqual(credit.level, 1.25)
    // The debt was 1.25: what is left of it is paid first, by half of what flows in.
    credit.fill(0.2)
    assert.strictEqual(credit.level, 2.5)
    credit.fill(0.1)
    assert.strictEqual(credit.level, 3.5)
  })

  it("gives a 50th of what is asked for, but not on too much debt", () => {
    const credit = new Credit(1, 10, 1e-6)
    assert.strictEqual(credit.chance(0.5, 1), 0.01)
    assert.strictEqual(credit.chance(1e9, 1), 0.02)
    credit.take(3)
    assert.isBelow(credit.chance(0.5, 1), 1e-5)
    assert.isAbove(credit.chance(0.5, 1), 0)
  })

  it("gives no more than half of what is there to one", () => {
    const credit = new Credit(1, 10, 0.5)
    assert.strictEqual(credit.chance(1e9, 1), 2.5)
    assert.strictEqual(credit.chance(1e9, 10), 0.25)
  })

  it("keeps its fill when the goal changes", () => {
    const credit = new Credit(10, 20, 0.25)
    credit.resize(100, 200)
    assert.strictEqual(credit.level, 50)
    assert.strictEqual(credit.factor(), 1 / 3)
  })

  it("has room for single traces at a low goal", () => assert.strictEqual(capacityOf(0.01), 4))
})
