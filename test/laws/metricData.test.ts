import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as MetricData from "../../src/model/MetricData.ts"
import { throughJson } from "./throughJson.ts"

/** JSON has no key for what is undefined. */
const present = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(present)
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(
    Object.entries(value).filter(([, value]) => value !== undefined).map(([key, value]) => [key, present(value)])
  )
}

describe("MetricData", () => {
  it.prop("comes back from JSON as it was", { metric: MetricData.MetricData }, ({ metric }) => {
    const encoded = throughJson(Schema.encodeSync(MetricData.MetricData)(metric))
    assert.deepStrictEqual(present(Schema.decodeUnknownSync(MetricData.MetricData)(encoded)), present(metric))
  }, { arbitrary: { runs: 100, size: 20 } })

  it("keeps integers, doubles and what JSON has no number for apart", () => {
    const values = [1, 1n, -0, NaN, Infinity, -Infinity, 2n ** 63n - 1n]
    const codec = Schema.Array(MetricData.MetricValue)
    const encoded = Schema.encodeSync(codec)(values)
    assert.deepStrictEqual(encoded, [
      1,
      { int: "1" },
      "-0",
      "NaN",
      "Infinity",
      "-Infinity",
      { int: "9223372036854775807" }
    ])
    assert.deepStrictEqual(Schema.decodeUnknownSync(codec)(encoded), values)
    assert.throws(() => Schema.decodeUnknownSync(codec)([{ int: "9223372036854775808" }]))
  })
})
