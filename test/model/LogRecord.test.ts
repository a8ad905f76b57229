import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as LogRecord from "../../src/model/LogRecord.ts"
import { hasTrace } from "../../src/model/ReadableLogRecord.ts"
import { throughJson } from "../laws/throughJson.ts"
import { data } from "../otlp/logs.ts"

const decode = Schema.decodeUnknownSync(LogRecord.LogRecord)
const encode = Schema.encodeSync(LogRecord.LogRecord)

describe("LogRecord", () => {
  it("in JSON: times and 64-bit integers as decimal strings, null for no trace", () => {
    const record = { ...data, body: { id: 2n ** 60n }, traceId: undefined, spanId: undefined }
    assert.deepStrictEqual(JSON.parse(JSON.stringify(encode(record))), {
      ...data,
      timeUnixNano: "1763800000000000000",
      observedTimeUnixNano: "1763800000000000001",
      body: { map: { id: { int: "1152921504606846976" } } },
      traceId: null,
      spanId: null
    })
  })

  it.each([
    ["a trace id of zeros", { traceId: "0".repeat(32) }],
    ["a short span id", { spanId: "b7ad" }],
    ["flags beyond a byte", { traceFlags: 256 }],
    ["a severity beyond FATAL4", { severityNumber: 25 }],
    ["a severity that is no integer", { severityNumber: 1.5 }],
    ["a time beyond 64 bits", { timeUnixNano: "18446744073709551616" }],
    ["an attribute without a key", { attributes: { "": 1 } }]
  ])("refuses %s", (_, fields) => {
    assert.throws(() => decode({ ...encode(data), ...fields }))
  })

  it.prop("comes back from JSON as it was", { record: LogRecord.LogRecord }, ({ record }) => {
    const json = throughJson(encode(record))
    const back = decode(json)
    assert.deepStrictEqual(throughJson(encode(back)), json)
    assert.deepStrictEqual([back.body, Object.entries(back.attributes)], [
      record.body,
      Object.entries(record.attributes)
    ])
  })

  it.prop("comes back from its readable form as it was", { record: LogRecord.LogRecord }, ({ record }) => {
    const readable = LogRecord.toReadable(record)
    assert.strictEqual(hasTrace(readable), record.traceId !== undefined)
    const { body, ...rest } = LogRecord.fromReadable(readable)
    const { body: had, ...others } = record
    assert.deepStrictEqual(body, had)
    assert.deepStrictEqual(Object.entries(rest.attributes), Object.entries(others.attributes))
    assert.deepStrictEqual({ ...rest, attributes: {} }, { ...others, attributes: {} })
  })
})
