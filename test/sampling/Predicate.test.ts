import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Predicate from "../../src/sampling/Predicate.ts"

const subject = (given?: Partial<Predicate.Subject>, attributes: Record<string, unknown> = {}): Predicate.Subject => ({
  name: "GET /cart",
  kind: "server",
  parent: "none",
  attribute: (key) => attributes[key],
  ...given
})

const asks = (predicate: Predicate.Predicate, of: Predicate.Subject): boolean => {
  // What is asked is what JSON carries.
  const decoded = Schema.decodeUnknownSync(Predicate.Predicate)(JSON.parse(JSON.stringify(predicate)))
  return Predicate.compile(decoded)(of)
}

const refusal = (input: unknown): string => {
  const result = Schema.decodeUnknownResult(Predicate.Predicate)(input, { onExcessProperty: "error" })
  return Result.isFailure(result) ? result.failure.message : ""
}

describe("Predicate", () => {
  it("compares each field", () => {
    const ended = subject({
      parent: "remote",
      status: "ERROR",
      durationNanos: 1.5e9,
      resource: (key) => key === "service.name" ? "shop" : undefined,
      request: { method: "GET", path: "/cart", header: (name) => name === "x-debug" ? "1" : undefined }
    }, { "http.response.status_code": 503 })
    const yes: ReadonlyArray<Predicate.Predicate> = [
      { field: "name", eq: "GET /cart" },
      { field: "kind", in: ["client", "server"] },
      { field: "parent", ne: "none" },
      { field: "status", eq: "ERROR" },
      { field: "duration", gt: "1 second", le: 1_500 },
      { field: "request.method", eq: "GET" },
      { field: "request.path", glob: "/c?r*" },
      { attribute: "http.response.status_code", ge: 500, lt: 600 },
      { resource: "service.name", regex: "^sh" },
      { header: "x-debug", exists: true }
    ]
    for (const predicate of yes) {
      assert.isTrue(asks(predicate, ended), JSON.stringify(predicate))
      assert.isFalse(asks({ not: predicate }, ended), JSON.stringify(predicate))
    }
  })

  it("a comparison with what is absent is false, also a negative one", () => {
    const operators: ReadonlyArray<Predicate.Operators> = [
      { eq: 1 },
      { ne: 1 },
      { lt: 1 },
      { ge: 1 },
      { in: [1] },
      { glob: "*" },
      { regex: "" },
      { exists: true }
    ]
    for (const operator of operators) {
      assert.isFalse(asks({ attribute: "absent", ...operator }, subject()), JSON.stringify(operator))
      assert.isTrue(asks({ not: { attribute: "absent", ...operator } }, subject()), JSON.stringify(operator))
    }
    assert.isTrue(asks({ attribute: "absent", exists: false }, subject()))
    assert.isFalse(asks({ field: "status", ne: "ERROR" }, subject()))
    assert.isFalse(asks({ header: "x-debug", ne: "1" }, subject()))
  })

  it("an array holds where any item does", () => {
    const of = subject({}, { tags: ["slow", "vip"] })
    assert.isTrue(asks({ attribute: "tags", eq: "vip" }, of))
    assert.isFalse(asks({ attribute: "tags", ne: "vip" }, of))
    assert.isTrue(asks({ attribute: "tags", ne: "other" }, of))
    assert.isTrue(asks({ attribute: "tags", glob: "v*" }, of))
  })

  it("values are compared as they are: no text is a number, but a bigint is", () => {
    assert.isFalse(asks({ attribute: "n", eq: 1 }, subject({}, { n: "1" })))
    assert.isTrue(asks({ attribute: "n", eq: 1 }, subject({}, { n: 1n })))
    assert.isTrue(asks({ attribute: "n", in: [1] }, subject({}, { n: 1n })))
    assert.isFalse(asks({ attribute: "n", lt: 2 }, subject({}, { n: "1" })))
    assert.isTrue(asks({ attribute: "n", lt: 2 }, subject({}, { n: 1n })))
  })

  it("empty connectives are their units", () => {
    assert.isTrue(asks({ and: [] }, subject()))
    assert.isFalse(asks({ or: [] }, subject()))
  })

  it("what is refused is named by its path", () => {
    assert.include(refusal({ and: [{ field: "name" }] }), `at ["and"][0]`)
    assert.include(refusal({ field: "nam", eq: "x" }), `at ["field"]`)
    assert.include(refusal({ field: "kind", eq: "SERVER" }), "internal, server")
    assert.include(refusal({ attribute: "x", lt: "soon" }), `at ["lt"]`)
    assert.include(refusal({ field: "duration", lt: "soon" }), "milliseconds")
    assert.include(refusal({ attribute: "x", regex: "(" }), `at ["regex"]`)
    assert.include(refusal({ attribute: "x", regex: "a".repeat(257) }), `at ["regex"]`)
    assert.include(refusal({ attribute: "x", equals: 1 }), `at ["equals"]`)
    assert.include(refusal({ field: "name", attribute: "x", eq: 1 }), "one only")
    assert.include(refusal({ not: { field: "name", eq: "x" }, eq: 1 }), "nothing beside not")
    assert.include(refusal({ or: Array.from({ length: 1_000 }, () => ({ and: [] })) }), "at most 1000 parts")
    let deep: Predicate.Predicate = { and: [] }
    for (let i = 0; i < 17; i++) deep = { not: deep }
    assert.include(refusal(deep), "16 deep")
  })
})
