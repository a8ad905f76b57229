import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { DroppedTraces, KeptTraces } from "../../../src/sampling/tail/decisionCache.ts"

type Id = readonly [number, number, number, number]

const Word = Schema.Int.check(Schema.isBetween({ minimum: -(2 ** 31), maximum: 2 ** 31 - 1 }))
const IdSchema = Schema.Tuple([Word, Word, Word, Word])

/** Ids of a fixed sequence; `spread` says how many of the words are random. */
const idsFrom = (seed: number, spread: number) => {
  let state = seed
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    const mixed = Math.imul(state ^ (state >>> 16), 0x45d9f3b)
    return mixed ^ (mixed >>> 16)
  }
  let count = 0
  return (): Id => {
    count++
    return [spread > 3 ? next() : 0, spread > 2 ? next() : 0, spread > 1 ? next() : 7, spread > 0 ? next() : count]
  }
}

describe("dropped traces", () => {
  it.prop(
    "the last ones are all found, whatever the ids",
    {
      ids: Schema.Array(IdSchema).check(Schema.isMaxLength(200)),
      capacity: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 }))
    },
    ({ capacity, ids }) => {
      const dropped = new DroppedTraces(capacity)
      for (const [i, id] of ids.entries()) {
        dropped.add(...id)
        for (const known of ids.slice(Math.max(0, i + 1 - capacity), i + 1)) assert.isTrue(dropped.has(...known))
      }
    },
    { arbitrary: { runs: 200, size: 100 } }
  )

  it("hardly any other is, also where ids are random in one word only, and a table takes at most 16 bytes for each", () => {
    for (const spread of [4, 2, 1, 0]) {
      const next = idsFrom(42, spread)
      const dropped = new DroppedTraces(65_536)
      const known = new Set<string>()
      for (let i = 0; i < 200_000; i++) {
        const id = next()
        known.add(id.join())
        dropped.add(...id)
      }
      let wrong = 0
      for (let i = 0; i < 200_000; i++) {
        const id = next()
        if (!known.has(id.join()) && dropped.has(...id)) wrong++
      }
      assert.isAtMost(wrong, 2, `${spread} random words`)
      // Of two tables both are full to the half at most.
      assert.isAtMost(dropped.bytes / (2 * 65_536), 16)
    }
  })

  it("takes no memory before the first", () => {
    const dropped = new DroppedTraces(1000)
    assert.isFalse(dropped.has(1, 2, 3, 4))
    assert.strictEqual(dropped.bytes, 0)
  })
})

describe("kept traces", () => {
  it.prop(
    "are those of a map that forgets the one asked for longest ago",
    {
      capacity: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 6 })),
      steps: Schema.Array(Schema.Struct({
        add: Schema.Boolean,
        id: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))
      })).check(Schema.isMaxLength(100))
    },
    ({ capacity, steps }) => {
      const kept = new KeptTraces(capacity)
      const model = new Map<number, number>()
      for (const [i, { add, id }] of steps.entries()) {
        const known = model.get(id)
        if (add) {
          kept.add(0, 0, id, -id, i, i + 1, `rule${i}`)
          model.delete(id)
          model.set(id, i)
          if (model.size > capacity) model.delete(model.keys().next().value!)
        } else {
          const row = kept.find(0, 0, id, -id)
          assert.strictEqual(row >= 0, known !== undefined)
          if (row < 0 || known === undefined) continue
          assert.deepStrictEqual(
            [kept.thresholdHi(row), kept.thresholdLo(row), kept.ruleId(row)],
            [known, known + 1, `rule${known}`]
          )
          model.delete(id)
          model.set(id, known)
        }
        assert.strictEqual(kept.size, model.size)
      }
    },
    { arbitrary: { runs: 300, size: 100 } }
  )

  it("take at most 200 bytes each", () => {
    const kept = new KeptTraces(10_000)
    const next = idsFrom(7, 4)
    for (let i = 0; i < 20_000; i++) kept.add(...next(), 1, 2, "rule")
    assert.strictEqual(kept.size, 10_000)
    assert.isAtMost(kept.bytes / 10_000, 200)
  })
})
