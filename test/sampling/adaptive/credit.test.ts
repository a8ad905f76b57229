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
          const p = Math.min(1, base * credit.factor(), credit.level / 2)
          credit.take(p)
          handedOut += p
        }
        excess = Math.max(excess, handedOut - 100 * millis / 1_000)
      }
      assert.isAtMost(excess, 51)
      if (base * 20_000 > 100) assert.isAbove(handedOut, 100 * 20)
    }
  })

  it("leaves half of itself to what a reserve grants, and pays the rest back", () => {
    const credit = new Credit(10, 20, 0.1)
    credit.borrow(0.5)
    assert.strictEqual(credit.level, 1.5)
    credit.borrow(2)
    assert.strictEqual(credit.level, 0.75)
    credit.fill(0.1)
    assert.strictEqual(credit.level, 1.25)
    // The debt was 1.25: what is left of it is paid first, up to half.
    credit.fill(0.2)
    assert.strictEqual(credit.level, 2.5)
    credit.fill(0.1)
    assert.strictEqual(credit.level, 3.5)
  })

  it("never says never", () => {
    const credit = new Credit(1, 4, 1)
    credit.take(1e9)
    assert.isAbove(credit.factor(), 0)
  })

  it("keeps its fill when the goal changes", () => {
    const credit = new Credit(10, 20, 0.25)
    credit.resize(100, 200)
    assert.strictEqual(credit.level, 50)
    assert.strictEqual(credit.factor(), 1 / 3)
  })

  it("has room for single traces at a low goal", () => assert.strictEqual(capacityOf(0.01), 4))
})
