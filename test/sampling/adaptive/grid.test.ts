import { assert, describe, it } from "@effect/vitest"
import * as Grid from "../../../src/sampling/adaptive/grid.ts"
import * as Threshold from "../../../src/sampling/Threshold.ts"

describe("grid", () => {
  it("each place is where its own probability lies, and its threshold says so exactly", () => {
    for (let index = 0; index <= Grid.last; index++) {
      const p = Grid.probabilityOf(index)
      assert.strictEqual(Grid.indexOf(p), index)
      assert.strictEqual(Grid.indexBelow(p), index)
      assert.strictEqual(Threshold.toProbability(Grid.thresholdOf(index)), p)
      assert.strictEqual(Grid.thresholdOf(index), Grid.thresholdOf(index))
      assert.deepStrictEqual(Threshold.fromHex(Threshold.toHex(Grid.thresholdOf(index))), Grid.thresholdOf(index))
    }
    assert.strictEqual(Grid.probabilityOf(0), 1)
    assert.strictEqual(Grid.probabilityOf(128), 0.5)
    assert.strictEqual(Grid.probabilityOf(Grid.last), 2 ** -24)
  })

  it("rounds by less than 0.4 %, and below when asked to", () => {
    for (let p = 1; p > 1e-7; p *= 0.9973) {
      assert.isBelow(Math.abs(Grid.probabilityOf(Grid.indexOf(p)) / p - 1), 0.004)
      assert.isAtMost(Grid.probabilityOf(Grid.indexBelow(p)), p)
      assert.isAbove(Grid.probabilityOf(Grid.indexBelow(p)), p * 0.992)
    }
  })

  it("takes what is no probability for the nearest one", () => {
    assert.strictEqual(Grid.indexOf(Infinity), 0)
    assert.strictEqual(Grid.indexOf(1.5), 0)
    for (const p of [0, -1, 2 ** -40, Number.NaN]) assert.strictEqual(Grid.indexOf(p), Grid.last)
  })
})
