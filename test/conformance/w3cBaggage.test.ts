/** The cases of the W3C baggage test suite: what each header means, and what is written for each baggage. */
import { assert, describe, it } from "@effect/vitest"
import * as Baggage from "../../src/model/Baggage.ts"

type Entry = readonly [key: string, value: string, ...properties: ReadonlyArray<string | readonly [string, string]>]

const expected = (entries: ReadonlyArray<Entry>): ReadonlyArray<unknown> =>
  entries.map(([key, value, ...properties]) => [
    key,
    {
      value,
      properties: properties.map((property) =>
        typeof property === "string" ? { key: property } : { key: property[0], value: property[1] }
      )
    }
  ])

const special = "\t \"';=asdf!@#$%^&*()"
const specialEncoded = "%09%20%22%27%3B%3Dasdf%21%40%23%24%25%5E%26%2A%28%29"
const ows = " \t "

const spaced = (text: string) => text.replace(/[=;,]/g, (mark) => `${ows}${mark}${ows}`)

const two = "SomeKey=SomeValue,SomeKey2=SomeValue2"
const twoFlags = "SomeKey=SomeValue;SomeProp,SomeKey2=SomeValue2;SomeProp2"
const twoProperties = "SomeKey=SomeValue;SomeProp,SomeKey2=SomeValue2;ValueProp=PropVal"
const twoPairs = "SomeKey=SomeValue;SomePropKey=SomePropValue,SomeKey2=SomeValue2;SomePropKey2=SomePropValue2"
const pairs: ReadonlyArray<Entry> = [
  ["SomeKey", "SomeValue", ["SomePropKey", "SomePropValue"]],
  ["SomeKey2", "SomeValue2", ["SomePropKey2", "SomePropValue2"]]
]
const properties: ReadonlyArray<Entry> = [["SomeKey", "SomeValue", "SomeProp", ["SecondProp", "PropValue"]]]

const parsing: Readonly<Record<string, readonly [header: string, entries: ReadonlyArray<Entry>]>> = {
  ctor_default: ["", []],
  parse_simple: ["SomeKey=SomeValue", [["SomeKey", "SomeValue"]]],
  parse_multiple: [two, [["SomeKey", "SomeValue"], ["SomeKey2", "SomeValue2"]]],
  parse_multiple_ows: [`${spaced(two)}${ows}`, [["SomeKey", "SomeValue"], ["SomeKey2", "SomeValue2"]]],
  parse_multiple_flags: [twoFlags, [["SomeKey", "SomeValue", "SomeProp"], ["SomeKey2", "SomeValue2", "SomeProp2"]]],
  parse_multiple_property: [
    twoProperties,
    [["SomeKey", "SomeValue", "SomeProp"], ["SomeKey2", "SomeValue2", ["ValueProp", "PropVal"]]]
  ],
  parse_multiple_property_ows: [
    spaced(twoProperties),
    [["SomeKey", "SomeValue", "SomeProp"], ["SomeKey2", "SomeValue2", ["ValueProp", "PropVal"]]]
  ],
  parse_multiple_kv_property: [twoPairs, pairs],
  parse_multiple_kv_property_ows: [spaced(twoPairs), pairs],
  entry_parse_multiple_equals: ["SomeKey=SomeValue=equals", [["SomeKey", "SomeValue=equals"]]],
  entry_parse_percent_encoded: [`SomeKey=${specialEncoded}`, [["SomeKey", special]]],
  entry_parse_property: ["SomeKey=SomeValue;SomeProp", [["SomeKey", "SomeValue", "SomeProp"]]],
  entry_parse_multi_property: ["SomeKey=SomeValue;SomeProp;SecondProp=PropValue", properties],
  entry_parse_kv_property: [
    "SomeKey=SomeValue;SomePropKey=SomePropValue",
    [["SomeKey", "SomeValue", ["SomePropKey", "SomePropValue"]]]
  ],
  entry_parse_simple_ows: [`${spaced("SomeKey=SomeValue")}${ows}`, [["SomeKey", "SomeValue"]]],
  entry_parse_percent_encoded_ows: [`${spaced("SomeKey=")}${specialEncoded}${ows}`, [["SomeKey", special]]],
  entry_parse_property_ows: [spaced("SomeKey=SomeValue;SomeProp"), [["SomeKey", "SomeValue", "SomeProp"]]],
  entry_parse_multi_property_ows: [spaced("SomeKey=SomeValue;SomeProp;SecondProp=PropValue"), properties],
  entry_parse_kv_property_ows: [
    spaced("SomeKey=SomeValue;SomePropKey=SomePropValue"),
    [["SomeKey", "SomeValue", ["SomePropKey", "SomePropValue"]]]
  ]
}

describe("W3C baggage", () => {
  it.each(Object.keys(parsing))("%s", (name) => {
    const [header, entries] = parsing[name]!
    assert.deepStrictEqual<unknown>([...Baggage.parse(header)], expected(entries))
  })

  it("entry_ctor_default: an entry has no properties", () => {
    assert.deepStrictEqual<unknown>([...Baggage.make({ SomeKey: "SomeValue" })], expected([["SomeKey", "SomeValue"]]))
  })

  it("entry_percent_encoded_round_trip", () => {
    assert.strictEqual(Baggage.toHeader(Baggage.parse(`SomeKey=${specialEncoded}`)), `SomeKey=${specialEncoded}`)
  })

  it("serialize_at_least_64: all of 64 members are passed on", () => {
    const entries = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`key${i}`, "value"]))
    assert.strictEqual(Baggage.toHeader(Baggage.make(entries)).split(",").length, 64)
  })

  it("serialize_long_entry: a header of 8,192 bytes is passed on", () => {
    const header = Baggage.toHeader(Baggage.make({ a: "0123456789".repeat(819) }))
    assert.strictEqual(header.length, 8192)
    assert.strictEqual(Baggage.toHeader(Baggage.parse(header)), header)
  })

  it("serialize_many_entries: more than 64 when one asks for them", () => {
    const entries = Array.from(
      { length: 512 },
      (_, i): readonly [string, string] => [`k${String(i).padStart(3, "0")}`, "0123456789"]
    )
    const header = Baggage.toHeader(Baggage.make(Object.fromEntries(entries)), { members: 512, bytes: 8191 })
    assert.strictEqual(header.split(",").length, 512)
    assert.strictEqual(header.length, 8191)
  })
})
