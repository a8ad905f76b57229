import { assert, describe, it } from "@effect/vitest"
import { pipe } from "effect/Function"
import * as Schema from "effect/Schema"
import * as Baggage from "../../src/model/Baggage.ts"

const entries = (baggage: Baggage.Baggage) => Object.fromEntries(baggage)
const values = (baggage: Baggage.Baggage) => Object.fromEntries([...baggage].map(([key, { value }]) => [key, value]))

describe("Baggage", () => {
  it("make, get, set, remove, merge; never the same map changed", () => {
    const one = Baggage.make({ a: "1", b: { value: "2", properties: [{ key: "p" }] }, "": "x" })
    assert.deepStrictEqual(entries(one), {
      a: { value: "1", properties: [] },
      b: { value: "2", properties: [{ key: "p" }] }
    })
    assert.strictEqual(Baggage.get(one, "b"), "2")
    assert.isUndefined(Baggage.get(one, "__proto__"))
    const two = pipe(one, Baggage.set("b", "3"), Baggage.set("c", "4", [{ key: "q", value: "" }]), Baggage.remove("a"))
    assert.deepStrictEqual(values(two), { b: "3", c: "4" })
    assert.deepStrictEqual(two.get("b")?.properties, [])
    assert.deepStrictEqual(values(one), { a: "1", b: "2" })
    assert.strictEqual(Baggage.set(one, "", "x"), one)
    assert.strictEqual(Baggage.remove(one, "nope"), one)
    assert.deepStrictEqual(values(Baggage.merge(one, two)), { a: "1", b: "3", c: "4" })
    assert.strictEqual(Baggage.empty.size, 0)
  })

  it("keeps a key named __proto__ a key", () => {
    const baggage = Baggage.parse("__proto__=1,constructor=2")
    assert.strictEqual(Baggage.get(baggage, "__proto__"), "1")
    const json = JSON.stringify(Schema.encodeSync(Baggage.Baggage)(baggage))
    const back = Schema.decodeUnknownSync(Baggage.Baggage)(JSON.parse(json))
    assert.strictEqual(Baggage.get(back, "__proto__"), "1")
    assert.notProperty({}, "value")
  })

  it.each([
    ["no equals sign", "bad,a=1", { a: "1" }],
    ["an empty key", "=x,a=1", { a: "1" }],
    ["a key that is no token", "b d=1,\"q\"=1,a=1", { a: "1" }],
    ["a value with a blank, quote or backslash", "x=1 2,y=\"1\",z=1\\2,a=1", { a: "1" }],
    ["control characters and what is not ASCII", "x=1\r\ny: 2,z=\0,u=é,a=1", { a: "1" }],
    ["empty members", ",,a=1, ,", { a: "1" }]
  ])("leaves out a member, keeps the others: %s", (_, header, expected) => {
    assert.deepStrictEqual(values(Baggage.parse(header)), expected)
  })

  it("an empty value is a value, of a repeated key the last counts", () => {
    assert.deepStrictEqual(values(Baggage.parse("a=,b=1,b=2")), { a: "", b: "2" })
  })

  it("a malformed property is left out, its member stays", () => {
    assert.deepStrictEqual(entries(Baggage.parse("a=1;;p q;r=\"x\";ok=%20;flag")), {
      a: { value: "1", properties: [{ key: "ok", value: " " }, { key: "flag" }] }
    })
  })

  it.each([
    ["%41%c3%a9", "Aé"],
    ["%F0%9F%98%80", "\u{1f600}"],
    ["%EF%BB%BFx", "\ufeffx"],
    ["%ff%41", "\ufffdA"],
    ["%c3", "\ufffd"],
    ["%ed%a0%80", "\ufffd\ufffd\ufffd"],
    ["%", "%"],
    ["%4", "%4"],
    ["%zz%41", "%zzA"],
    ["100%%25", "100%%"],
    ["a+b", "a+b"]
  ])("decodes %s", (encoded, decoded) => {
    assert.strictEqual(Baggage.get(Baggage.parse(`k=${encoded}`), "k"), decoded)
  })

  it("encodes what could be read otherwise; a key that is no token is not written", () => {
    const baggage = Baggage.make({
      plain: "az-AZ.09_~/",
      marks: "a b,c;d=e\"f\\g%h\r\n\0",
      unicode: "é\u{1f600}\ud800",
      "no token": "x",
      "né": "x",
      last: { value: "", properties: [{ key: "p" }, { key: "q", value: "=;" }, { key: "r s", value: "x" }] }
    })
    assert.strictEqual(
      Baggage.toHeader(baggage),
      "plain=az-AZ.09_~/,marks=a%20b%2Cc%3Bd%3De%22f%5Cg%25h%0D%0A%00," +
        "unicode=%C3%A9%F0%9F%98%80%EF%BF%BD,last=;p;q=%3D%3B"
    )
  })

  it("reads 64 members and 8,192 bytes over all lines, each member whole or not at all", () => {
    const line = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `k${from + i}=v`).join(",")
    assert.strictEqual(Baggage.parse([line(0, 40), line(40, 100)]).size, 64)
    assert.strictEqual(Baggage.parse([line(0, 64)]).size, 64)

    const long = (key: string, size: number) => `${key}=${"x".repeat(size - 2)}`
    assert.strictEqual(Baggage.parse(long("a", 8192)).size, 1)
    assert.strictEqual(Baggage.parse(long("a", 8193)).size, 0)
    assert.deepStrictEqual([...Baggage.parse([long("a", 4096), long("b", 4095)]).keys()], ["a", "b"])
    assert.deepStrictEqual([...Baggage.parse([long("a", 4096), long("b", 4096)]).keys()], ["a"])
    assert.deepStrictEqual([...Baggage.parse(`${long("a", 4096)},${long("b", 4095)}`).keys()], ["a", "b"])
    assert.deepStrictEqual([...Baggage.parse(`${long("a", 4096)},${long("b", 4096)}`).keys()], ["a"])
    assert.strictEqual(Baggage.parse(Array.from({ length: 500 }, (_, i) => long(`k${i}`, 4000))).size, 2)
  })

  it("blanks around members do not count, but are not looked at without end", () => {
    const long = (key: string, size: number) => `${key}=${"x".repeat(size - 2)}`
    // Two lines of 8,192 bytes together with their comma, as Node joins them.
    assert.strictEqual(Baggage.parse(`${long("a", 4096)}, ${long("b", 4095)}`).size, 2)
    assert.strictEqual(Baggage.parse(`${" ".repeat(8000)}${long("a", 8192)}`).size, 1)
    assert.strictEqual(Baggage.parse(`${" ".repeat(8194)}${long("a", 8192)}`).size, 0)
    assert.deepStrictEqual([...Baggage.parse([`a=1${" ".repeat(16_000)}`, `b=2${" ".repeat(400)}`, "c=3"]).keys()], [
      "a"
    ])
    assert.strictEqual(Baggage.parse(`${",".repeat(8_190)}a=1`).size, 0)
  })

  it("what was received within the limits is passed on, also where escaping everything would not fit", () => {
    const marks = "!#$&'()*+-./:<=>?@[]^_`{|}~"
    const fitting = `a=${marks.repeat(300)};p=${marks}`
    assert.strictEqual(Baggage.toHeader(Baggage.parse(fitting)), fitting)
    assert.include(Baggage.toHeader(Baggage.parse(`a=${marks}`)), "%3D")
    // A percent sign is always escaped, or it would be taken for an escape.
    assert.strictEqual(Baggage.toHeader(Baggage.make({ a: "%41", b: "=".repeat(8000) })).slice(0, 12), "a=%2541,b===")
  })

  it("writes within the same limits, whole entries, smaller ones after one that does not fit", () => {
    const many = Baggage.make(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, "v"])))
    assert.strictEqual(Baggage.toHeader(many).split(",").length, 64)
    const mixed = Baggage.make({ a: "1", big: "x".repeat(9000), wide: "é".repeat(2000), b: "2" })
    assert.strictEqual(Baggage.toHeader(mixed), "a=1,b=2")
    assert.strictEqual(Baggage.toHeader(mixed, { members: 1, bytes: 100 }), "a=1")
    assert.strictEqual(Baggage.toHeader(mixed, { members: 0, bytes: 100 }), "")
    assert.strictEqual(Baggage.toHeader(Baggage.make({ a: "x".repeat(8190) })).length, 8192)
    assert.strictEqual(Baggage.toHeader(Baggage.make({ a: "x".repeat(8191) })), "")
  })
})
