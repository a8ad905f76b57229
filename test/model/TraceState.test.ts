import { assert, describe, it } from "@effect/vitest"
import { pipe } from "effect/Function"
import * as Schema from "effect/Schema"
import * as TraceState from "../../src/model/TraceState.ts"

const many = (count: number) => Array.from({ length: count }, (_, i) => `k${i}=${i}`).join(",")

describe("TraceState", () => {
  it.each<[string, string, ReadonlyArray<TraceState.TraceStateMember>]>([
    ["nothing", "", []],
    ["blanks only", " \t, ,", []],
    ["one member", "a=1", [["a", "1"]]],
    ["order", "b=2,a=1", [["b", "2"], ["a", "1"]]],
    ["blanks around members", " \ta=1 , \tb=2\t", [["a", "1"], ["b", "2"]]],
    ["empty members", ",a=1,,b=2,", [["a", "1"], ["b", "2"]]],
    ["a blank within and before a value", "a= 1 2", [["a", " 1 2"]]],
    ["tenants", "t@v=1,0a@b@c=2,foo@=3,foo@@bar=4", [["t@v", "1"], ["0a@b@c", "2"], ["foo@", "3"], ["foo@@bar", "4"]]],
    ["all marks of a key", "a_-*/@=1", [["a_-*/@", "1"]]],
    ["a repeated key: the first", "a=1,b=2,a=3", [["a", "1"], ["b", "2"]]],
    ["a key of 256", `${"z".repeat(256)}=1`, [["z".repeat(256), "1"]]],
    ["a value of 256", `a=${"v".repeat(256)}`, [["a", "v".repeat(256)]]]
  ])("reads %s", (_, header, members) => {
    assert.deepStrictEqual(TraceState.parse(header), members)
  })

  it.each([
    ["no equals sign", "a"],
    ["one bad member among good ones", "a=1,b,c=3"],
    ["an empty value", "a=,b=1"],
    ["an empty key", "=1"],
    ["a second equals sign", "a=b=c"],
    ["upper case", "A=1"],
    ["a key that starts with a mark", "@a=1"],
    ["a dot in a key", "a.b=1"],
    ["a blank before the equals sign", "a =1"],
    ["a tab in a value", "a=1\t2"],
    ["a line break", "a=1\r\nb=2"],
    ["a zero byte", "a=1\0"],
    ["a letter beyond ASCII", "a=é"],
    ["a key of 257", `${"z".repeat(257)}=1`],
    ["a value of 257", `a=${"v".repeat(257)}`],
    ["33 members", many(33)],
    ["more than 8 KiB", `${many(31)},z=1${" ".repeat(TraceState.maxLength)}`]
  ])("discards the whole list: %s", (_, header) => {
    assert.isUndefined(TraceState.parse(header))
    assert.strictEqual(TraceState.normalizeHeader(header), "")
  })

  it("32 members are the most", () => {
    assert.strictEqual(TraceState.parse(many(32))?.length, 32)
    assert.strictEqual(TraceState.normalizeHeader(many(32)), many(32))
  })

  it("get, set, remove", () => {
    const state = TraceState.parse("a=1,b=2")!
    assert.strictEqual(TraceState.get(state, "b"), "2")
    assert.isUndefined(TraceState.get(state, "c"))
    assert.strictEqual(TraceState.toHeader(TraceState.set(state, "b", "3")), "b=3,a=1")
    assert.strictEqual(TraceState.toHeader(TraceState.set(state, "c", "3")), "c=3,a=1,b=2")
    assert.strictEqual(TraceState.toHeader(TraceState.remove(state, "a")), "b=2")
    assert.strictEqual(TraceState.toHeader(state), "a=1,b=2")
    assert.strictEqual(pipe(state, TraceState.set("a", "9"), TraceState.remove("b"), TraceState.get("a")), "9")
  })

  it("an invalid key or value changes nothing, a full list loses its last member", () => {
    const state = TraceState.parse(many(32))!
    assert.strictEqual(TraceState.set(state, "A", "1"), state)
    assert.strictEqual(TraceState.set(state, "a", "1,b=2"), state)
    assert.strictEqual(TraceState.set(state, "a", "1\n"), state)
    const full = TraceState.set(state, "new", "1")
    assert.strictEqual(full.length, 32)
    assert.deepStrictEqual(full[0], ["new", "1"])
    assert.isUndefined(TraceState.get(full, "k31"))
  })

  it("the Schema decodes a header", () => {
    const decode = Schema.decodeUnknownSync(TraceState.TraceState)
    assert.deepStrictEqual(decode("a=1,b=2"), [["a", "1"], ["b", "2"]])
    assert.throws(() => decode("A=1"), /tracestate/)
    assert.isFalse(Schema.is(TraceState.TraceState)([["a", "1"], ["a", "2"]]))
    assert.isFalse(Schema.is(TraceState.TraceState)([["a", "1 "]]))
  })
})
