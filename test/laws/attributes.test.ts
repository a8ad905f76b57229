import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Attributes from "../../src/model/Attributes.ts"
import { build, Plan } from "./hostile.ts"
import { throughJson } from "./throughJson.ts"

const Limits = Schema.Struct({
  valueLength: Schema.Literals([0, 1, 3, 10, 1e9]),
  depth: Schema.Literals([0, 1, 2, 64, 1e9])
})

const isStrictlyEqual = (left: unknown, right: unknown): boolean => {
  try {
    assert.deepStrictEqual(left, right)
    return true
  } catch {
    return false
  }
}

const isValue = Schema.is(Attributes.AttributeValue)
const isRecord = Schema.is(Attributes.Attributes)

describe("attributes", () => {
  it.prop("whatever is set becomes a valid value or nothing", [Plan, Limits], ([plan, limits]) => {
    const value = Attributes.fromUnknown(build(plan), { ...limits, count: 128 })
    return value === undefined || (isValue(value) && Attributes.isAttributeValue(value))
  }, { arbitrary: { runs: 300, size: 12 } })

  it.prop("normalizing twice is normalizing once", [Plan, Limits], ([plan, limits]) => {
    const bounds = { ...limits, count: 128 }
    const once = Attributes.fromUnknown(build(plan), bounds)
    return once === undefined || isStrictlyEqual(Attributes.fromUnknown(once, bounds), once)
  }, { arbitrary: { runs: 300, size: 12 } })

  it.prop("what is valid stays as it is", [Schema.toType(Attributes.AttributeValue)], ([value]) => {
    const normal = Attributes.fromUnknown(value)
    return isStrictlyEqual(
      Schema.encodeSync(Attributes.AttributeValue)(normal as Attributes.AttributeValue),
      Schema.encodeSync(Attributes.AttributeValue)(value)
    )
  }, { arbitrary: { size: 12 } })

  it.prop("the hand-written check accepts what the Schema accepts", [Plan], ([plan]) => {
    const value = build(plan)
    let expected: boolean
    try {
      expected = isValue(value)
    } catch {
      // The Schema lets a hostile object throw; the check says no.
      expected = false
    }
    return Attributes.isAttributeValue(value) === expected
  }, { arbitrary: { runs: 500, size: 8 } })

  it.prop("so does the check of whole attributes", [Schema.Record(Schema.String, Plan)], ([record]) => {
    const value = Object.fromEntries(Object.entries(record).map(([key, plan]) => [key, build(plan)]))
    let expected: boolean
    try {
      expected = isRecord(value)
    } catch {
      expected = false
    }
    return Attributes.isAttributes(value) === expected
  }, { arbitrary: { runs: 300, size: 6 } })

  it.prop("JSON keeps every value", [Attributes.Attributes], ([attributes]) => {
    const encoded = Schema.encodeSync(Attributes.Attributes)(attributes)
    const back = Schema.decodeUnknownSync(Attributes.Attributes)(throughJson(encoded))
    // Through `fromUnknown` both sides, so that prototypes of maps do not matter.
    return isStrictlyEqual(Attributes.fromUnknown(back), Attributes.fromUnknown(attributes))
  }, { arbitrary: { size: 12 } })
})

const small = (below: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: below - 1 }))

const Operation = Schema.Union([
  Schema.Struct({ op: Schema.Literal("set"), list: Schema.Literals([0, 1]), key: small(60), value: Schema.Int }),
  Schema.Struct({ op: Schema.Literal("fill"), list: Schema.Literals([0, 1]), key: small(60), value: small(40) }),
  Schema.Struct({ op: Schema.Literal("remove"), list: Schema.Literals([0, 1]), key: small(60) }),
  Schema.Struct({ op: Schema.Literal("clear"), list: Schema.Literals([0, 1]) })
])

describe("a list of attributes", () => {
  it.prop(
    "holds what a map with a limit holds, also when several are filled in turns and changed by others",
    [Schema.Array(Operation)],
    ([operations]) => {
      const limits = { ...Attributes.defaultLimits, count: 50 }
      const lists: ReadonlyArray<Attributes.AttributeList> = [[], []]
      const models = [new Map<string, number>(), new Map<string, number>()]
      const set = (which: 0 | 1, key: string, value: number) => {
        const model = models[which]!
        const fits = model.has(key) || model.size < limits.count
        if (fits) model.set(key, value)
        assert.strictEqual(Attributes.set(lists[which]!, key, value, limits), fits)
      }
      for (const operation of operations) {
        const model = models[operation.list]!
        const list = lists[operation.list]!
        switch (operation.op) {
          case "set":
            set(operation.list, `k${operation.key}`, operation.value)
            break
          case "fill":
            for (let i = 0; i < operation.value; i++) set(operation.list, `k${operation.key + i}`, i)
            break
          case "remove":
            assert.strictEqual(Attributes.remove(list, `k${operation.key}`), model.delete(`k${operation.key}`))
            break
          case "clear":
            list.length = 0
            model.clear()
        }
        for (const [i, each] of models.entries()) {
          assert.deepStrictEqual(lists[i], [...each].flat())
        }
      }
    },
    { arbitrary: { runs: 300, size: 25 } }
  )
})
