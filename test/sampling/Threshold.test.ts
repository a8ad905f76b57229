import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Threshold from "../../src/sampling/Threshold.ts"

const Probability = Schema.Finite.check(Schema.isBetween({ minimum: 1e-9, maximum: 1 }))
const Half = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0xfffffff }))

describe("Threshold", () => {
  // trace/tracestate-probability-sampling.md, "Conversion": 1-in-N thresholds at precisions 3, 4 and 5.
  const golden: ReadonlyArray<[number, string, string, string]> = [
    [1, "0", "0", "0"],
    [1 / 2, "8", "8", "8"],
    [1 / 3, "aab", "aaab", "aaaab"],
    [1 / 4, "c", "c", "c"],
    [1 / 5, "ccd", "cccd", "ccccd"],
    [1 / 8, "e", "e", "e"],
    [1 / 10, "e66", "e666", "e6666"],
    [1 / 16, "f", "f", "f"],
    [1 / 100, "fd71", "fd70a", "fd70a4"],
    [1 / 1000, "ffbe7", "ffbe77", "ffbe76d"],
    [1 / 10000, "fff972", "fff9724", "fff97247"],
    [1 / 100000, "ffff584", "ffff583a", "ffff583a5"],
    [1 / 1000000, "ffffef4", "ffffef39", "ffffef391"]
  ]
  for (const [probability, three, four, five] of golden) {
    it(`encodes ${probability} as the specification's table does`, () => {
      assert.deepStrictEqual(
        [3, 4, 5].map((precision) => Threshold.toHex(Threshold.fromProbability(probability, precision))),
        [three, four, five]
      )
    })
  }

  it("has one significant digit at least, and whole ones", () => {
    const encode = (precision: number) => Threshold.toHex(Threshold.fromProbability(0.3, precision))
    assert.deepStrictEqual([0, -1, 0.5, 1, 3.9, Number.NaN, 100].map(encode), [
      encode(1),
      encode(1),
      encode(1),
      "b",
      "b33",
      "b333",
      "b3333333333334"
    ])
  })

  it("keeps nothing below 2^-56, for zero and for what is no number", () => {
    for (const probability of [0, -1, 2 ** -57, Number.NaN]) {
      assert.deepStrictEqual(Threshold.fromProbability(probability), Threshold.never)
    }
    assert.strictEqual(Threshold.keeps(Threshold.never, 0xfffffff, 0xfffffff), false)
    assert.strictEqual(Threshold.adjustedCount(Threshold.never), 0)
  })

  it("compares all 56 bits", () => {
    const threshold = Threshold.fromHex("80000000000001")!
    assert.strictEqual(Threshold.keeps(threshold, 0x8000000, 1), true)
    assert.strictEqual(Threshold.keeps(threshold, 0x8000000, 0), false)
    assert.strictEqual(Threshold.keeps(threshold, 0x7ffffff, 0xfffffff), false)
    assert.strictEqual(Threshold.keeps(threshold, 0x8000001, 0), true)
  })

  it("reads the randomness from the last seven bytes of a trace id", () => {
    // 0x..01_234567 | 0x89abcdef: the byte 0x01 is not part of it
    assert.strictEqual(Threshold.randomnessHi(0x01234567, 0x89abcdef | 0), 0x2345678)
    assert.strictEqual(Threshold.randomnessLo(0x89abcdef | 0), 0x9abcdef)
  })

  it("reads what it writes and refuses anything else", () => {
    for (const hex of ["0", "8", "fd70a", "ffffffffffffff", "00000000000001"]) {
      assert.strictEqual(Threshold.toHex(Threshold.fromHex(hex)!), hex)
    }
    for (const hex of ["", "F", "g", "0123456789abcde", " 8", "-1", "0x8"]) {
      assert.strictEqual(Threshold.fromHex(hex), undefined)
    }
  })

  it.prop(
    "keeps a subset with a smaller probability, which survives within its precision",
    { a: Probability, b: Probability, hi: Half, lo: Half },
    ({ a, b, hi, lo }) => {
      const small = Threshold.fromProbability(Math.min(a, b))
      const large = Threshold.fromProbability(Math.max(a, b))
      if (Threshold.keeps(small, hi, lo)) assert.isTrue(Threshold.keeps(large, hi, lo))
      assert.isBelow(Math.abs(Threshold.toProbability(small) - Math.min(a, b)) / Math.min(a, b), 2 ** -11)
      assert.deepStrictEqual(Threshold.fromHex(Threshold.toHex(small)), small)
    }
  )
})
