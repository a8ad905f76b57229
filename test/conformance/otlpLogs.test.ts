import { assert, describe, it } from "@effect/vitest"
import * as LogRecord from "../../src/model/LogRecord.ts"
import type { OtlpLogBatch, OtlpLogEncoder } from "../../src/otlp/OtlpEncoder.ts"
import * as OtlpLogJson from "../../src/otlp/OtlpLogJson.ts"
import * as OtlpLogProtobuf from "../../src/otlp/OtlpLogProtobuf.ts"
import { logs } from "../otlp/logs.ts"
import { expectedLogs, logsFromJson, logsFromProtobuf } from "../otlp/official.ts"

const batchOf = (encoder: OtlpLogEncoder, records: ReadonlyArray<LogRecord.LogRecord>): OtlpLogBatch => {
  const batch = encoder.makeLogBatch()
  for (const record of records) assert.isTrue(batch.add(LogRecord.toReadable(record), Infinity))
  return batch
}

const encode = (encoder: OtlpLogEncoder, records: ReadonlyArray<LogRecord.LogRecord>): Uint8Array =>
  batchOf(encoder, records).toBody()

const formats = [
  { name: "protobuf", encoder: OtlpLogProtobuf.encoder, read: logsFromProtobuf },
  { name: "JSON", encoder: OtlpLogJson.encoder, read: logsFromJson }
] as const

const options = { arbitrary: { runs: 120, size: 20 } }

describe("OTLP logs, read by the decoder of the OpenTelemetry project", () => {
  it.prop("a protobuf body holds every field of every record", { logs }, ({ logs }) => {
    assert.deepStrictEqual(logsFromProtobuf(encode(OtlpLogProtobuf.encoder, logs)), expectedLogs(logs))
  }, options)

  it.prop("a JSON body holds the same as the protobuf body", { logs }, ({ logs }) => {
    assert.deepStrictEqual(logsFromJson(encode(OtlpLogJson.encoder, logs)), expectedLogs(logs))
  }, options)

  for (const { encoder, name, read } of formats) {
    it.prop(
      `the halves of a ${name} batch, and of its body, hold what the whole holds, in order`,
      { logs },
      ({ logs }) => {
        const batch = batchOf(encoder, logs)
        const [halves, bodies] = [batch.split(), encoder.split(batch.toBody())]
        if (logs.length < 2) {
          assert.isUndefined(halves)
          assert.isUndefined(bodies)
          return
        }
        // The groups of a half are those of the whole, so the records are taken in the order of the body.
        const ordered = distinct(logs.map((log) => log.resource)).flatMap((resource) => {
          const own = logs.filter((log) => log.resource === resource)
          return distinct(own.map((log) => log.scope)).flatMap((scope) => own.filter((log) => log.scope === scope))
        })
        const middle = Math.ceil(logs.length / 2)
        assert.deepStrictEqual(bodies!.map(({ count }) => count), [middle, logs.length - middle])
        assert.deepStrictEqual(read(bodies![0].body), expectedLogs(ordered.slice(0, middle)))
        assert.deepStrictEqual(read(bodies![1].body), expectedLogs(ordered.slice(middle)))
        assert.deepStrictEqual(read(halves![0].toBody()), expectedLogs(logs.slice(0, middle)))
        assert.deepStrictEqual(read(halves![1].toBody()), expectedLogs(logs.slice(middle)))
      },
      options
    )

    it.prop(`${name} bodies merge into one`, { logs, more: logs }, ({ logs, more }) => {
      const merged = read(encoder.merge([encode(encoder, logs), encode(encoder, more)])) as Requests
      assert.deepStrictEqual(merged.resourceLogs, [
        ...(expectedLogs(logs) as Requests).resourceLogs,
        ...(expectedLogs(more) as Requests).resourceLogs
      ])
    }, options)
  }
})

interface Requests {
  readonly resourceLogs: ReadonlyArray<object>
}

const distinct = <A>(values: ReadonlyArray<A>): ReadonlyArray<A> => [...new Set(values)]
