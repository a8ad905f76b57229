import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as SpanData from "../../src/model/SpanData.ts"
import { ExpectationError } from "../../src/testing/ExpectationError.ts"
import * as SpanTree from "../../src/testing/SpanTree.ts"
import {
  expectTree,
  type ForestExpectation,
  matchTree,
  type TreeExpectation
} from "../../src/testing/TreeExpectation.ts"
import { type Fields, readable } from "../exporters/spans.ts"

const spansOf = (fields: ReadonlyArray<Fields>) => fields.map((one) => SpanData.fromReadable(readable(one)))

const shop = spansOf([
  { id: 2, parent: 1, name: "reserve", start: 1, end: 3, attributes: { items: 2, big: 2n ** 60n } },
  {
    id: 4,
    parent: 3,
    name: "POST",
    kind: "CLIENT",
    start: 5,
    end: 8,
    status: "ERROR",
    message: "declined",
    events: [{ name: "sent", attributes: { bytes: 10 } }, {
      name: "exception",
      attributes: { "exception.type": "Declined" }
    }]
  },
  { id: 3, parent: 1, name: "pay", start: 4, end: 9, status: "ERROR", message: "declined" },
  {
    id: 1,
    name: "checkout",
    kind: "SERVER",
    end: 10,
    attributes: { "http.route": "/checkout" },
    links: [{ trace: 9, span: 9 }]
  }
])

const printed = [
  "checkout SERVER 10.0ms {http.route=\"/checkout\"} links=1",
  "├─ reserve 2.00ms {items=2, big=1152921504606846976n}",
  "└─ pay ERROR(\"declined\") 5.00ms",
  "   └─ POST CLIENT ERROR(\"declined\") 3.00ms events=[sent, exception]"
].join("\n")

const message = (expected: ForestExpectation, spans = shop): string | undefined => matchTree(spans, expected)?.message

const mismatch = (...lines: ReadonlyArray<string>): string =>
  ["The spans do not make the expected tree.", "", ...lines, "", "Found:", printed].join("\n")

describe("expectTree", () => {
  it("passes what is as expected, and asks nothing that is left out", () => {
    const good: ReadonlyArray<ForestExpectation> = [
      {},
      { name: "checkout" },
      { name: /^check/, kind: "SERVER", status: "UNSET", service: "api", scope: "effect-telemetry", links: 1 },
      { name: (name) => name.length === 8, attributes: { "http.route": /^\//, absent: undefined } },
      { children: [{ name: "pay" }, { name: "reserve" }] },
      { children: { of: [{ name: "reserve" }, { name: "pay" }], ordered: true } },
      { children: { of: [{ name: "pay" }], atLeast: true } },
      { children: { of: [{ name: "pay" }], ordered: true, atLeast: true } },
      { children: { of: [], atLeast: true } },
      {
        name: "checkout",
        children: [
          { name: "reserve", attributes: { items: 2n, big: 2n ** 60n }, children: [] },
          {
            name: "pay",
            status: { code: "ERROR", message: /declined/ },
            children: [{
              kind: "CLIENT",
              status: "ERROR",
              events: ["sent", { name: /^exc/, attributes: { "exception.type": "Declined" } }],
              children: []
            }]
          }
        ]
      },
      [{ name: "checkout" }],
      { of: [{ name: "checkout" }], atLeast: true }
    ]
    for (const expected of good) {
      expectTree(shop, expected)
      assert.isUndefined(matchTree(shop, expected))
    }
    expectTree([], [])
  })

  it("throws an error with the message and the mismatches", () => {
    try {
      expectTree(shop, { name: "basket" })
    } catch (error) {
      assert.instanceOf(error, ExpectationError)
      assert.instanceOf(error, Error)
      assert.strictEqual(error.name, "ExpectationError")
      assert.strictEqual(error.message, message({ name: "basket" }))
      assert.deepStrictEqual(error.mismatches, [
        { path: ["checkout"], message: "name: expected \"basket\", found \"checkout\"" }
      ])
      return
    }
    assert.fail("did not throw")
  })

  it("says what differs in a span, with the path to it and the whole tree", () => {
    assert.strictEqual(
      message({
        name: "checkout",
        status: "OK",
        children: [
          { name: "reserve", attributes: { items: 3, missing: true, big: undefined } },
          { name: "pay", children: [{ name: "POST", kind: "SERVER", status: { code: "OK", message: "" }, links: 2 }] }
        ]
      }),
      mismatch(
        "at checkout",
        "  status: expected OK, found UNSET",
        "at checkout > reserve",
        "  attribute \"items\": expected 3, found 2",
        "  attribute \"missing\": expected true, found none",
        "  attribute \"big\": expected none, found 1152921504606846976n",
        "at checkout > pay > POST",
        "  kind: expected SERVER, found CLIENT",
        "  status: expected OK, found ERROR (\"declined\")",
        "  status message: expected \"\", found \"declined\"",
        "  links: expected 2, found 0"
      )
    )
  })

  it("names what is missing and what was not expected", () => {
    assert.strictEqual(
      message({ children: [{ name: "reserve" }, { name: "refund", kind: "CLIENT" }, { name: /^audit/ }] }),
      mismatch(
        "at checkout",
        "  missing child: refund CLIENT",
        "  missing child: match of /^audit/",
        "  unexpected child: pay ERROR(\"declined\") 5.00ms"
      )
    )
    assert.strictEqual(
      message({ children: [] }),
      mismatch(
        "at checkout",
        "  unexpected child: reserve 2.00ms {items=2, big=1152921504606846976n}",
        "  unexpected child: pay ERROR(\"declined\") 5.00ms"
      )
    )
    assert.strictEqual(
      message({ children: { of: [{ name: "refund" }], atLeast: true } }),
      mismatch("at checkout", "  missing child: refund")
    )
  })

  it("takes the last of each for the same span, and says what differs", () => {
    assert.strictEqual(
      message({ children: [{ name: "reserve" }, { name: "paid", status: "ERROR" }] }),
      mismatch("at checkout > pay", "  name: expected \"paid\", found \"pay\"")
    )
  })

  it("says what is out of order", () => {
    assert.strictEqual(
      message({ children: { of: [{ name: "pay" }, { name: "reserve" }], ordered: true } }),
      mismatch("at checkout", "  child out of order: pay")
    )
  })

  it("compares roots: one, several, among others", () => {
    assert.strictEqual(
      matchTree([], { name: "a" })?.message,
      "The spans do not make the expected tree.\n\nmissing root: a\n\nFound:\nno spans"
    )
    const two = spansOf([{ trace: 1, name: "a" }, { trace: 2, name: "b", parent: 7 }])
    assert.strictEqual(
      message({ name: "a" }, two),
      "The spans do not make the expected tree.\n\nunexpected root: b 1.00ms\n\nFound:\n" +
        "a 1.00ms\nb 1.00ms  (parent 0000000000000007 is not here)"
    )
    assert.isUndefined(message([{ name: "b" }, { name: "a" }], two))
    assert.isUndefined(message({ of: [{ name: "b" }], atLeast: true }, two))
  })

  it("says which event is missing or different", () => {
    const post = (events: TreeExpectation["events"]) =>
      matchTree(shop.slice(1, 2), { events })?.mismatches.map((found) => found.message)
    assert.isUndefined(post(["exception"]))
    assert.deepStrictEqual(post(["received"]), ["events: expected \"received\", found \"sent\", \"exception\""])
    assert.deepStrictEqual(post(["exception", "sent"]), [
      "events: expected \"sent\" in order, found \"sent\", \"exception\""
    ])
    assert.deepStrictEqual(post([{ name: "sent", attributes: { bytes: 11 } }]), [
      "event \"sent\": attribute \"bytes\": expected 11, found 10"
    ])
    assert.deepStrictEqual(
      matchTree(shop.slice(0, 1), { events: [{}] })?.mismatches[0]?.message,
      "events: expected any event, found none"
    )
  })

  it("compares values by content", () => {
    const value = (expected: unknown, found: unknown): boolean =>
      matchTree([{ ...shop[0]!, attributes: { v: found as never } }], { attributes: { v: expected as never } }) ===
        undefined
    assert.isTrue(value(["a", 1], ["a", 1n]))
    assert.isTrue(value({ a: { b: null } }, { a: { b: null } }))
    assert.isTrue(value(new Uint8Array([1, 2]), new Uint8Array([1, 2])))
    assert.isTrue(value(NaN, NaN))
    assert.isTrue(value((found: unknown) => found === 7, 7))
    assert.isFalse(value(["a"], ["a", "b"]))
    assert.isFalse(value({ a: 1 }, { b: 1 }))
    assert.isFalse(value({ 0: "a" }, ["a"]))
    assert.isFalse(value(new Uint8Array([1]), [1]))
    assert.isFalse(value("1", 1))
    assert.isFalse(value(1n, "1"))
    assert.isFalse(value(/1/, 1))
    assert.isFalse(value(null, undefined))
    assert.isFalse(value(undefined, null))
    assert.isFalse(matchTree(shop, { attributes: { toString: (found: unknown) => found !== undefined } }) === undefined)
  })

  it("uses a pattern with state like any other", () => {
    const name = /check/g
    for (let i = 0; i < 3; i++) expectTree(shop, { name })
  })

  it("gives a span to the expectation that needs it, whichever comes first", () => {
    const spans = spansOf([
      { id: 1, name: "root" },
      { id: 2, parent: 1, name: "a", attributes: { n: 1 } },
      { id: 3, parent: 1, name: "a" },
      { id: 4, parent: 1, name: "b" }
    ])
    expectTree(spans, { children: [{ name: /a|b/ }, { name: "a" }, { name: "a", attributes: { n: 1 } }] })
    assert.include(
      message(
        { children: [{ name: "a", attributes: { n: 1 } }, { name: "a", attributes: { n: 1 } }, { name: "b" }] },
        spans
      ),
      "at root > a\n  attribute \"n\": expected 1, found none"
    )
  })

  it("stays quick on deep and wide trees that differ", () => {
    const deep = spansOf(
      Array.from({ length: 60 }, (_, i) => ({ id: i + 1, name: `n${i}`, ...(i > 0 ? { parent: i } : {}) }))
    )
    let expected: TreeExpectation = { name: "n60" }
    for (let i = 59; i >= 0; i--) expected = { name: `n${i}`, children: [expected] }
    assert.include(message(expected, deep), "missing child: n60")
    const wide = spansOf(
      Array.from({ length: 200 }, (_, i) => ({ id: i + 1, name: "w", ...(i > 0 ? { parent: 1 } : {}) }))
    )
    assert.include(message({ children: Array.from({ length: 200 }, () => ({ name: "w" })) }, wide), "missing child: w")
  })

  const fieldsOf = (parents: ReadonlyArray<number>): ReadonlyArray<Fields> =>
    parents.map((parent, i) => ({
      id: i + 1,
      name: `n${i}`,
      start: i,
      ...(i === 0 ? {} : { parent: (parent % i) + 1 })
    }))
  const expectationOf = (node: SpanTree.SpanTree, ordered: boolean): TreeExpectation => ({
    name: node.span.name,
    children: {
      of: (ordered ? node.children : [...node.children].reverse()).map((child) => expectationOf(child, ordered)),
      ordered
    }
  })
  const Parents = Schema.NonEmptyArray(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 50 })))

  it.prop("accepts any tree described by itself, and refuses it with one span changed", {
    parents: Parents,
    ordered: Schema.Boolean,
    changed: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 50 }))
  }, ({ changed, ordered, parents }) => {
    const fields = fieldsOf(parents)
    const expected = expectationOf(SpanTree.fromSpans(spansOf(fields))[0]!, ordered)
    assert.isUndefined(message(expected, spansOf(fields)))
    assert.isUndefined(message(expected, spansOf([...fields].reverse())))
    const other = fields.map((one, i) => i === changed % fields.length ? { ...one, name: "changed" } : one)
    assert.isString(message(expected, spansOf(other)))
  })
})

describe("SpanTree", () => {
  it("prints values so that they can be told apart", () => {
    const values: ReadonlyArray<readonly [SpanData.SpanData["attributes"][string] | undefined, string]> = [
      [undefined, "none"],
      [null, "null"],
      ["1", "\"1\""],
      [1, "1"],
      [1n, "1n"],
      [-0, "-0"],
      [true, "true"],
      [new Uint8Array([1, 255]), "bytes(1 255)"],
      [["a", 1, [null]], "[\"a\", 1, [null]]"],
      [{ a: { b: 1n } }, "{a={b=1n}}"],
      ["x".repeat(100), `"${"x".repeat(79)}…`]
    ]
    for (const [value, text] of values) assert.strictEqual(SpanTree.printValue(value), text)
  })
})
