import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Redactable from "effect/Redactable"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Attributes from "../../src/model/Attributes.ts"

const from = (value: unknown, limits: Partial<Attributes.AttributeLimits> = {}) =>
  Attributes.fromUnknown(value, { ...Attributes.defaultLimits, ...limits })

// Maps have no prototype here, which deepStrictEqual would tell from a literal.
const plain = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(plain)
    : typeof value === "object" && value !== null && !(value instanceof Uint8Array)
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
    : value

const becomes = (value: unknown, expected: unknown, limits?: Partial<Attributes.AttributeLimits>) => {
  const normal = from(value, limits)
  assert.deepStrictEqual(plain(normal), expected)
  assert.isTrue(normal === undefined || Attributes.isAttributeValue(normal))
}

describe("fromUnknown", () => {
  it("keeps what is an attribute value", () => {
    for (const value of ["", "text", "\ud800", true, 0, -0, 1.5, NaN, -Infinity, 5n, null]) becomes(value, value)
    becomes([1, "a", [null]], [1, "a", [null]])
    becomes({ a: { b: 1n } }, { a: { b: 1n } })
  })

  it("does not set undefined and functions; they are null in an array and absent in a map", () => {
    becomes(undefined, undefined)
    becomes(() => 1, undefined)
    becomes([undefined, () => 1], [null, null])
    becomes({ a: undefined, b: () => 1, c: 1 }, { c: 1 })
  })

  it("bigint: 64 bits stay, more become text", () => {
    becomes(2n ** 63n - 1n, 2n ** 63n - 1n)
    becomes(-(2n ** 63n), -(2n ** 63n))
    becomes(2n ** 63n, "9223372036854775808")
    becomes(-(2n ** 63n) - 1n, "-9223372036854775809")
  })

  it("cuts strings and bytes, without splitting a surrogate pair", () => {
    becomes("abcdef", "abc", { valueLength: 3 })
    becomes("ab\u{1f600}", "ab", { valueLength: 3 })
    becomes("ab\u{1f600}", "ab\u{1f600}", { valueLength: 4 })
    becomes({ a: ["abcdef", { b: "abcdef" }] }, { a: ["abc", { b: "abc" }] }, { valueLength: 3 })
    becomes(new Error("a long message"), "Err", { valueLength: 3 })
    assert.deepStrictEqual(from(new Uint8Array([1, 2, 3]), { valueLength: 2 }), new Uint8Array([1, 2]))
  })

  it("copies bytes, whatever kind of view they come in", () => {
    const source = new Uint8Array([1, 2, 3, 4])
    const copy = from(source) as Uint8Array
    source[0] = 9
    assert.deepStrictEqual(copy, new Uint8Array([1, 2, 3, 4]))
    const buffer = from(Buffer.from("hi")) as Uint8Array
    assert.strictEqual(Object.getPrototypeOf(buffer), Uint8Array.prototype)
    assert.deepStrictEqual(buffer, new Uint8Array([104, 105]))
    assert.deepStrictEqual(from(new Uint8Array([7, 8]).buffer), new Uint8Array([7, 8]))
    assert.deepStrictEqual(from(new DataView(new Uint8Array([7, 8, 9]).buffer, 1)), new Uint8Array([8, 9]))
    becomes(new Float64Array([1, 2.5]), [1, 2.5])
    becomes(new BigUint64Array([2n ** 64n - 1n]), ["18446744073709551615"])
  })

  it("gives the built-in objects a text", () => {
    becomes(new Date(0), "1970-01-01T00:00:00.000Z")
    becomes(new Date(NaN), "Invalid Date")
    becomes(new TypeError("no"), "TypeError: no")
    becomes(new Error(""), "Error")
    becomes(new URL("https://example.com/a?b"), "https://example.com/a?b")
    becomes(new URLSearchParams("a=1&b=2"), "a=1&b=2")
    becomes(/a+/g, "/a+/g")
    becomes(Symbol("here"), "here")
    becomes(Object("boxed"), "boxed")
    becomes(Object(5), 5)
    becomes(Object(false), false)
  })

  it("takes collections apart", () => {
    becomes(new Map<unknown, unknown>([["a", 1], [2, "b"]]), { a: 1, 2: "b" })
    becomes(new Set([1, 2]), [1, 2])
    becomes({ toJSON: () => ({ shown: 1 }), hidden: 2 }, { shown: 1 })
    becomes([, 1], [null, 1])
  })

  it("takes Effect's data types for what they mean", () => {
    becomes(Option.some({ a: 1 }), { a: 1 })
    becomes(Option.none(), undefined)
    becomes([Option.none(), Option.some(1)], [null, 1])
    becomes(Duration.millis(1500), "1s 500ms")
    becomes(DateTime.makeUnsafe(0), "1970-01-01T00:00:00.000Z")
    class Order extends Schema.Class<Order>("Order")({ id: Schema.Number, note: Schema.optional(Schema.String) }) {}
    becomes(new Order({ id: 7 }), { id: 7 })
    class Gone extends Schema.TaggedError<Gone>()("Gone", { id: Schema.Number }) {
      override get message() {
        return `order ${this.id} is gone`
      }
    }
    becomes(new Gone({ id: 7 }), "Gone: order 7 is gone")
  })

  it("never looks into what is redacted, however deep", () => {
    const secret = Redacted.make("canary")
    const shown = { [Redactable.symbolRedactable]: () => ({ key: "abc..." }), raw: "canary" }
    const itself: object = { [Redactable.symbolRedactable]: () => itself, raw: "canary" }
    becomes(secret, "<redacted>")
    becomes({ a: [secret], b: new Map([["c", secret]]), d: Option.some(secret) }, {
      a: ["<redacted>"],
      b: { c: "<redacted>" },
      d: "<redacted>"
    })
    becomes(shown, { key: "abc..." })
    becomes(itself, "<redacted>")
    becomes({ toJSON: () => secret }, "<redacted>")
  })

  it("keeps __proto__ a key and prototypes clean", () => {
    const normal = from(JSON.parse("{\"__proto__\":{\"polluted\":true},\"constructor\":1}")) as object
    assert.deepStrictEqual(Object.keys(normal), ["__proto__", "constructor"])
    assert.isNull(Object.getPrototypeOf(normal))
    assert.notProperty({}, "polluted")
  })

  it("ends on cycles, on depth, on shared references that unfold, on collections without end", () => {
    const cycle: Record<string, unknown> = { name: "a" }
    cycle["self"] = cycle
    becomes(cycle, { name: "a", self: null })
    const shared = { x: 1 }
    becomes([shared, shared], [{ x: 1 }, { x: 1 }])
    becomes([[[1]]], [[null]], { depth: 2 })
    becomes([[1]], null, { depth: 0 })

    let laughs: unknown = "ha"
    for (let i = 0; i < 30; i++) laughs = [laughs, laughs, laughs, laughs]
    assert.isBelow(JSON.stringify(from(laughs)).length, 200_000)

    const endless = Object.assign(new Set(), {
      *[Symbol.iterator]() {
        for (let i = 0;; i++) yield i
      }
    })
    assert.strictEqual((from(endless) as Array<unknown>).length, 10_000)
    assert.strictEqual((from(new Array(2 ** 31)) as Array<unknown>).length, 10_000)

    let deep: unknown = 1
    for (let i = 0; i < 100_000; i++) deep = [deep]
    assert.isTrue(Attributes.isAttributeValue(from(deep, { depth: Infinity })))
  })

  it("survives what throws, and keeps the rest", () => {
    const revoked = Proxy.revocable({}, {})
    revoked.revoke()
    const throwing = {
      ok: 1,
      get bad(): never {
        throw new Error("no")
      }
    }
    becomes(throwing, { ok: 1, bad: "<unserializable>" })
    becomes([1, revoked.proxy, 2], [1, "<unserializable>", 2])
    becomes({ toJSON: () => JSON.parse("") as unknown }, "<unserializable>")
    becomes(new Map([[Object.create(null), 1], ["b", 2]]), { b: 2 })
    const liar = new Proxy(new Uint8Array(1), {
      get: (target, key) => key === "length" ? 2 ** 40 : Reflect.get(target, key)
    })
    assert.isTrue(Attributes.isAttributeValue(from(liar)))
  })
})

describe("lists", () => {
  const limits = { ...Attributes.defaultLimits, count: 2 }

  it("set overwrites, ignores the empty key, drops beyond the limit", () => {
    const list: Attributes.AttributeList = []
    assert.isTrue(Attributes.set(list, "a", 1, limits))
    assert.isTrue(Attributes.set(list, "", 1, limits))
    assert.isTrue(Attributes.set(list, "b", undefined, limits))
    assert.isTrue(Attributes.set(list, "b", "x", limits))
    assert.isFalse(Attributes.set(list, "c", 3, limits))
    assert.isTrue(Attributes.set(list, "a", { deep: 1 }, limits))
    assert.deepStrictEqual(list.map(plain), ["a", { deep: 1 }, "b", "x"])
    assert.deepStrictEqual(plain(Attributes.get(list, "a")), { deep: 1 })
    assert.isTrue(Attributes.remove(list, "a"))
    assert.isFalse(Attributes.remove(list, "a"))
    assert.deepStrictEqual(list, ["b", "x"])
  })

  it("fromRecord takes a record's own keys only", () => {
    const inherited = Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } })
    assert.deepStrictEqual(Attributes.fromRecord(inherited).list, ["own", 2])
    const prototype = Object.prototype as Record<string, unknown>
    prototype["polluted"] = 1
    try {
      assert.deepStrictEqual(Attributes.fromRecord({ own: 2 }).list, ["own", 2])
    } finally {
      delete prototype["polluted"]
    }
  })

  it("fromRecord counts what it drops; toRecord gives it back", () => {
    const { dropped, list } = Attributes.fromRecord({ a: 1, b: 2, c: 3, d: undefined }, limits)
    assert.strictEqual(dropped, 1)
    assert.deepStrictEqual(plain(Attributes.toRecord(list)), { a: 1, b: 2 })
  })
})

describe("Schema", () => {
  const encode = Schema.encodeSync(Attributes.Attributes)
  const decode = Schema.decodeUnknownSync(Attributes.Attributes)

  it("writes what JSON lacks as objects of one tag", () => {
    const encoded = encode({
      text: "5",
      int: 5n,
      bytes: new Uint8Array([255]),
      nan: NaN,
      zero: -0,
      map: { int: "5" },
      list: [1, null, true]
    })
    assert.deepStrictEqual(JSON.parse(JSON.stringify(encoded)), {
      text: "5",
      int: { int: "5" },
      bytes: { bytes: "/w==" },
      nan: { double: "NaN" },
      zero: { double: "-0" },
      map: { map: { int: "5" } },
      list: [1, null, true]
    })
  })

  it.each([
    ["an empty key", { "": 1 }],
    ["an integer beyond 64 bits", { a: { int: "9223372036854775808" } }],
    ["an integer that is none", { a: { int: "1.5" } }],
    ["bytes that are no base64", { a: { bytes: "?" } }],
    ["an unknown tag", { a: { what: 1 } }],
    ["two tags", { a: { int: "1", bytes: "" } }],
    ["an unknown double", { a: { double: "1" } }],
    ["undefined", { a: undefined }],
    ["an array for attributes", []],
    ["a map that is an array", { a: { map: [] } }]
  ])("refuses %s", (_, json) => {
    assert.throws(() => decode(json))
  })

  it("refuses JSON nested without end, without running out of stack", () => {
    let json: unknown = 1
    for (let i = 0; i < 50_000; i++) json = [json]
    assert.throws(() => decode({ a: json }), /attribute value in JSON/)
  })

  it("knows attributes from other objects", () => {
    class Thing {
      readonly a = 1
    }
    for (
      const value of [new Date(0), new Map(), new Thing(), { a: undefined }, { a: Symbol() }, 2n ** 63n, [[() => 1]]]
    ) {
      assert.isFalse(Schema.is(Attributes.AttributeValue)(value))
      assert.isFalse(Attributes.isAttributeValue(value))
    }
    for (const value of [new Thing(), { "": 1 }, [], null, "a"]) {
      assert.isFalse(Schema.is(Attributes.Attributes)(value))
      assert.isFalse(Attributes.isAttributes(value))
    }
  })

  it("hand-written and Schema draw the line of depth at the same place", () => {
    const nested = (depth: number): unknown => {
      let value: unknown = 1
      for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { value }
      return value
    }
    for (const [depth, fits] of [[256, true], [257, false]] as const) {
      assert.strictEqual(Schema.is(Attributes.AttributeValue)(nested(depth)), fits)
      assert.strictEqual(Attributes.isAttributeValue(nested(depth)), fits)
    }
  })

  it("the hand-written check survives cycles and hostile objects", () => {
    const cycle: Array<unknown> = []
    cycle.push(cycle)
    assert.isFalse(Attributes.isAttributeValue(cycle))
    const revoked = Proxy.revocable({}, {})
    revoked.revoke()
    assert.isFalse(Attributes.isAttributeValue(revoked.proxy))
    assert.isFalse(Attributes.isAttributes(revoked.proxy))
  })
})
