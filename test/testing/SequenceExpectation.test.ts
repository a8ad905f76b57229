import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as SpanData from "../../src/model/SpanData.ts"
import { ExpectationError } from "../../src/testing/ExpectationError.ts"
import { ended, event, expectSequence, matchSequence, started } from "../../src/testing/SequenceExpectation.ts"
import { type Fields, readable } from "../exporters/spans.ts"

const spansOf = (...fields: ReadonlyArray<Fields>) => fields.map((one) => SpanData.fromReadable(readable(one)))

const shop = spansOf(
  { id: 2, parent: 1, name: "reserve", start: 1, end: 3, events: [{ name: "locked", at: 2 }] },
  { id: 3, parent: 1, name: "pay", start: 4, end: 9, status: "ERROR" },
  { id: 1, name: "checkout", end: 10 }
)

describe("expectSequence", () => {
  it("passes what happens in this order among others", () => {
    expectSequence(shop, [])
    expectSequence(shop, [started("checkout"), event("reserve", "locked"), ended("pay", "ERROR"), ended(/^check/)])
    expectSequence(shop, [ended("reserve"), started((name) => name === "pay")])
  })

  it("passes what happens exactly so", () => {
    expectSequence(shop, [
      started("checkout"),
      started("reserve"),
      event("reserve", /lock/),
      ended("reserve", "UNSET"),
      started("pay"),
      ended("pay"),
      ended("checkout")
    ], { exact: true })
  })

  it("says which step is not there, and what was", () => {
    const found = matchSequence(shop, [started("checkout"), ended("pay"), started("reserve")])
    assert.strictEqual(
      found?.message,
      [
        "The spans are not in the expected sequence.",
        "",
        "step 3 of 3 is not there: start of reserve, not before end of pay",
        "",
        "Found:",
        "✓      +0µs  start of checkout",
        "    +1.00ms  start of reserve",
        "    +2.00ms  event locked of reserve",
        "    +3.00ms  end of reserve",
        "    +4.00ms  start of pay",
        "✓   +9.00ms  end of pay with ERROR",
        "    +10.0ms  end of checkout"
      ].join("\n")
    )
    assert.throws(
      () => expectSequence(shop, [ended("pay", "OK")]),
      ExpectationError,
      "step 1 of 1 is not there: end of pay with OK"
    )
    assert.throws(() => expectSequence([], [event("a", "b")]), ExpectationError, "event b of a\n\nFound:\nno spans")
  })

  it("says what else happened where nothing else may", () => {
    const found = matchSequence(shop.slice(1, 2), [started("pay")], { exact: true })
    assert.deepStrictEqual(found?.mismatches, [{ path: [], message: "not expected: end of pay" }])
  })

  it("counts a moment once", () => {
    assert.isDefined(matchSequence(shop, [started("pay"), started("pay")]))
    const twice = spansOf({ id: 1, name: "a", start: 0, end: 1 }, { id: 2, name: "a", start: 2, end: 3 })
    expectSequence(twice, [started("a"), ended("a"), started("a"), ended("a")], { exact: true })
    assert.isDefined(matchSequence(twice, [started("a"), started("a"), ended("a"), ended("a")]))
  })

  describe("where all have the same time", () => {
    const still = spansOf(
      { id: 2, parent: 1, name: "left", start: 0, end: 0, events: [{ name: "e1", at: 0 }, { name: "e2", at: 0 }] },
      { id: 3, parent: 1, name: "right", start: 0, end: 0 },
      { id: 1, name: "root", start: 0, end: 0 }
    )

    it("takes either order of what is not known", () => {
      expectSequence(still, [started("left"), started("right")])
      expectSequence(still, [started("right"), started("left")])
      expectSequence(still, [started("left"), ended("left"), started("right"), ended("right")])
      expectSequence(still, [started("right"), event("left", "e1")])
      expectSequence(still, [
        started("root"),
        started("right"),
        started("left"),
        event("left", "e1"),
        event("left", "e2"),
        ended("left"),
        ended("right"),
        ended("root")
      ], { exact: true })
    })

    it("refuses what is known to be otherwise", () => {
      assert.isDefined(matchSequence(still, [started("left"), started("root")]))
      assert.isDefined(matchSequence(still, [event("left", "e2"), event("left", "e1")]))
      assert.isDefined(matchSequence(still, [ended("left"), started("left")]))
      assert.isDefined(matchSequence(still, [event("left", "e1"), started("left")]))
      assert.isDefined(matchSequence(still, [ended("right"), ended("left")]))
      assert.isDefined(matchSequence(still, [ended("root"), ended("right")]))
    })

    it("finds an order that the first choice would spoil", () => {
      const same = spansOf(
        { id: 1, name: "a", start: 0, end: 0 },
        { id: 2, name: "a", start: 0, end: 0, events: [{ name: "x", at: 0 }] }
      )
      expectSequence(same, [started("a"), event("a", "x"), started("a")])
    })

    it("gives up in time", () => {
      const many = spansOf(...Array.from({ length: 40 }, (_, i) => ({ id: i + 1, name: "a", start: 0, end: 0 })))
      assert.isDefined(matchSequence(many, [...Array.from({ length: 30 }, () => started("a")), started("b")]))
    })
  })

  it.prop("accepts every beginning of what happened", {
    times: Schema.Array(Schema.Struct({
      start: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 })),
      length: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 }))
    })),
    take: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 }))
  }, ({ take, times }) => {
    const spans = spansOf(
      ...times.map(({ length, start }, i) => ({ id: i + 1, name: `n${i}`, start, end: start + length }))
    )
    const steps = times.flatMap(({ length, start }, i) => [
      { at: start, rank: 0, step: started(`n${i}`) },
      { at: start + length, rank: 1, step: ended(`n${i}`) }
    ]).sort((left, right) => left.at - right.at || left.rank - right.rank).map(({ step }) => step)
    expectSequence(spans, steps.slice(0, take))
    expectSequence(spans, steps, { exact: true })
  })
})
