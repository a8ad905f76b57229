import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { KeyField, keyOf, longestKey } from "../../../src/sampling/adaptive/keyFields.ts"
import type { SamplingInput } from "../../../src/sampling/Sampler.ts"

const input = (given?: Partial<SamplingInput>): SamplingInput => ({
  name: "GET",
  kind: "server",
  parent: undefined,
  traceId: "0af7651916cd43dd8448eb211c80319c",
  attributes: { "http.route": "/orders", "http.status_code": 200 },
  links: [],
  resource: { attributes: { region: "eu" }, schemaUrl: undefined },
  request: { method: "GET", path: "/orders/7", header: (name) => name === "x-tenant" ? "acme" : undefined },
  ...given
} as SamplingInput)

describe("keyOf", () => {
  it("reads every kind of field", () => {
    const cases: ReadonlyArray<readonly [KeyField, string]> = [
      [{ field: "name" }, "GET"],
      [{ field: "kind" }, "server"],
      [{ field: "parent" }, "none"],
      [{ field: "request.method" }, "GET"],
      [{ field: "request.path" }, "/orders/7"],
      [{ attribute: "http.route" }, "/orders"],
      [{ attribute: "http.status_code" }, "200"],
      [{ attribute: "missing" }, ""],
      [{ attribute: "toString" }, ""],
      [{ resource: "region" }, "eu"],
      [{ header: "x-tenant" }, "acme"],
      [{ header: "x-other" }, ""]
    ]
    for (const [field, expected] of cases) assert.strictEqual(keyOf([field])(input()), expected, JSON.stringify(field))
    assert.strictEqual(keyOf([{ field: "request.path" }])(input({ request: undefined })), "")
    const parent = { traceFlags: 1, traceState: "", isRemote: true }
    assert.strictEqual(keyOf([{ field: "parent" }])(input({ parent })), "remote")
  })

  it("takes what is no value of an attribute for nothing", () => {
    const hostile = { toString: () => assert.fail("it was asked") }
    const key = keyOf([{ attribute: "a" }])
    for (
      const [a, expected] of [[hostile, ""], [[1, "b", hostile, [hostile]], "1,b,,"], [Symbol("s"), ""], [null, ""]]
    ) {
      assert.strictEqual(key(input({ attributes: { a } })), expected)
    }
  })

  it("joins fields in their order, the same text each time", () => {
    const key = keyOf([{ field: "name" }, { attribute: "http.route" }, { field: "kind" }])
    assert.strictEqual(key(input()), "GET | /orders | server")
    assert.strictEqual(key(input({ attributes: {} })), "GET |  | server")
    assert.strictEqual(key(input()), "GET | /orders | server")
  })

  it("stays right and short with endless and long values", () => {
    const key = keyOf([{ field: "name" }, { attribute: "id" }])
    for (let i = 0; i < 10_000; i++) assert.strictEqual(key(input({ attributes: { id: i } })), `GET | ${i}`)
    assert.strictEqual(key(input({ attributes: { id: "x".repeat(10_000) } })).length, longestKey)
  })

  it("has a Schema that refuses two fields in one, and header names in capitals", () => {
    const decode = Schema.decodeUnknownOption(KeyField)
    assert.strictEqual(decode({ attribute: "a" })._tag, "Some")
    assert.strictEqual(decode({ attribute: "a", header: "b" })._tag, "None")
    assert.strictEqual(decode({ header: "X-Tenant" })._tag, "None")
    assert.strictEqual(decode({ field: "status" })._tag, "None")
  })
})
