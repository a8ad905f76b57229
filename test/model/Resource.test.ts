import { assert, describe, it } from "@effect/vitest"
import { pipe } from "effect/Function"
import * as Schema from "effect/Schema"
import { InstrumentationScope } from "../../src/model/InstrumentationScope.ts"
import * as Resource from "../../src/model/Resource.ts"

const attributes = (resource: Resource.Resource) => ({ ...resource.attributes })

describe("Resource", () => {
  it("make normalizes values and has no limit of count", () => {
    const resource = Resource.make({ a: 1, b: undefined, "": 1, c: new Date(0), d: ["x"] }, "https://schema")
    assert.deepStrictEqual(attributes(resource), { a: 1, c: "1970-01-01T00:00:00.000Z", d: ["x"] })
    assert.strictEqual(resource.schemaUrl, "https://schema")
    assert.notProperty(Resource.make({}, ""), "schemaUrl")
    const large = Resource.make(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, i])))
    assert.strictEqual(Object.keys(large.attributes).length, 500)
  })

  it("merge: the updating resource wins, an empty value too", () => {
    const merged = Resource.merge(Resource.make({ a: 1, b: "x" }), Resource.make({ b: "", c: 3 }))
    assert.deepStrictEqual(attributes(merged), { a: 1, b: "", c: 3 })
    assert.deepStrictEqual(attributes(pipe(Resource.make({ a: 1 }), Resource.merge(Resource.empty))), { a: 1 })
  })

  it.each<[string | undefined, string | undefined, string | undefined, boolean]>([
    [undefined, undefined, undefined, false],
    ["https://a", undefined, "https://a", false],
    ["https://a", "", "https://a", false],
    [undefined, "https://b", "https://b", false],
    ["https://a", "https://a", "https://a", false],
    ["https://a", "https://b", undefined, true]
  ])("merge of schemas %s and %s is %s", (left, right, expected, conflict) => {
    const self = { attributes: { a: 1 }, schemaUrl: left }
    const updating = { attributes: { b: 2 }, schemaUrl: right }
    const merged = Resource.merge(self, updating)
    assert.strictEqual(merged.schemaUrl, expected)
    assert.deepStrictEqual(attributes(merged), { a: 1, b: 2 })
    assert.strictEqual(Resource.isConflict(self, updating), conflict)
  })

  it.each([
    ["", {}],
    ["a=1", { a: "1" }],
    ["a=1,b=two words", { a: "1", b: "two words" }],
    [" a = 1 , b=2 ,", { a: "1", b: "2" }],
    ["a=", { a: "" }],
    ["a%2Cb=c%3Dd%2C%25", { "a,b": "c=d,%" }],
    ["a=caf%C3%A9,b=café", { a: "café", b: "café" }],
    ["a=1,a=2", { a: "2" }],
    ["__proto__=x", JSON.parse("{\"__proto__\":\"x\"}")]
  ])("fromEnvString reads %j", (text, expected) => {
    const { error, resource } = Resource.fromEnvString(text)
    assert.isUndefined(error)
    assert.deepStrictEqual(Object.entries(resource.attributes), Object.entries(expected))
  })

  it.each([
    ["a", /no "="/],
    ["a=1,b", /pair 3/],
    ["a=b=c", /more than one/],
    ["=1", /no key/],
    ["a=%zz", /percent-encoded/],
    ["a=%ff", /percent-encoded/],
    ["a=%", /percent-encoded/],
    ["a=1\u0000", /control/],
    ["a=1\r\nb=2", /control/]
  ])("fromEnvString discards all of %j and says why", (text, reason) => {
    const { error, resource } = Resource.fromEnvString(`good=1,${text}`)
    assert.match(error!, reason)
    assert.deepStrictEqual(attributes(resource), {})
  })

  it("Schemas keep what is given and refuse the rest", () => {
    const resource = Resource.make({ a: 5n }, "https://schema")
    const encoded = Schema.encodeSync(Resource.Resource)(resource)
    assert.deepStrictEqual(JSON.parse(JSON.stringify(encoded)), {
      attributes: { a: { int: "5" } },
      schemaUrl: "https://schema"
    })
    assert.deepStrictEqual(attributes(Schema.decodeUnknownSync(Resource.Resource)(encoded)), { a: 5n })
    assert.throws(() => Schema.decodeUnknownSync(Resource.Resource)({}))
    const scope = Schema.decodeUnknownSync(InstrumentationScope)({ name: "x", attributes: { a: 1 } })
    assert.deepStrictEqual({ ...scope.attributes }, { a: 1 })
    assert.throws(() => Schema.decodeUnknownSync(InstrumentationScope)({ version: "1" }))
  })
})
