import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as nodePath from "node:path"
import * as Delivery from "../../src/delivery/Delivery.ts"
import { Transport } from "../../src/delivery/Transport.ts"
import { Diagnostics } from "../../src/diagnostics/Diagnostics.ts"
import * as Console from "../../src/exporters/ConsoleLogExporter.ts"
import * as File from "../../src/exporters/FileLogExporter.ts"
import * as InMemory from "../../src/exporters/InMemoryLogExporter.ts"
import type { LogExporterShape } from "../../src/exporters/LogExporter.ts"
import * as Otlp from "../../src/exporters/OtlpLogExporter.ts"
import { LogRecord } from "../../src/model/LogRecord.ts"
import { collected, scripted, type Step } from "../delivery/support.ts"
import { data, make } from "../otlp/logs.ts"
import { expectedLogs, logsFromJson, logsFromProtobuf } from "../otlp/official.ts"

type Fields = Partial<LogRecord>

const send = (exporter: LogExporterShape, ...records: ReadonlyArray<Fields>) => {
  const batch = exporter.makeBatch()
  for (const fields of records) assert.isTrue(batch.add(make(fields), Infinity))
  assert.strictEqual(batch.count, records.length)
  return exporter.export(batch)
}

describe("InMemoryLogExporter", () => {
  it.effect("keeps the newest records, whole", () =>
    Effect.gen(function*() {
      const memory = yield* InMemory.make({ maxRecords: 2 })
      assert.deepStrictEqual(yield* send(memory.exporter, { body: 1 }, { body: 2 }, { body: 3 }), { exported: 3 })
      const kept = yield* memory.records
      assert.deepStrictEqual(kept.map(({ body }) => body), [2, 3])
      assert.deepStrictEqual({ ...kept[0]!, attributes: { ...kept[0]!.attributes } }, { ...data, body: 2 })
      assert.strictEqual(yield* memory.evicted, 1)
      yield* memory.reset
      assert.deepStrictEqual(yield* memory.records, [])
    }))
})

describe("FileLogExporter", () => {
  it.effect("appends each batch as one line of OTLP JSON", () =>
    Effect.gen(function*() {
      const at = yield* Effect.acquireRelease(
        Effect.sync(() => fs.mkdtempSync(nodePath.join(os.tmpdir(), "effect-telemetry-file-"))),
        (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
      )
      const path = nodePath.join(at, "logs.jsonl")
      const exporter = yield* File.make({ path })
      assert.deepStrictEqual(yield* send(exporter, { body: "a\nb" }, {}), { exported: 2 })
      assert.deepStrictEqual(yield* send(exporter), { exported: 0 })
      const [line, ...rest] = fs.readFileSync(path, "utf8").split("\n")
      assert.deepStrictEqual(rest, [""])
      assert.deepStrictEqual(
        logsFromJson(new TextEncoder().encode(line)),
        expectedLogs([{ ...data, body: "a\nb" }, data])
      )
      const error = yield* Effect.flip(File.make({ path: nodePath.join(at, "no", "logs.jsonl") }))
      assert.include(error.message, "cannot write log records to")
      assert.include(error.message, "the directory does not exist")
    }))
})

describe("ConsoleLogExporter", () => {
  const failed: Fields = {
    severityNumber: 17,
    severityText: "ERROR",
    body: "payment \u001b[31m failed",
    eventName: "pay",
    attributes: {
      "order.id": 2n ** 60n,
      body: "an attribute",
      "exception.type": "Boom",
      "exception.stacktrace": "Boom: no\n    at a (b.ts:1:2)",
      "a key": "with \"quotes\"",
      ratio: NaN,
      bytes: Uint8Array.of(1)
    }
  }

  const written = Effect.fnUntraced(function*(options: Console.Options, ...records: ReadonlyArray<Fields>) {
    const lines: Array<string> = []
    const exporter = yield* Console.make({ ...options, write: (text) => lines.push(text) })
    assert.deepStrictEqual(yield* send(exporter, ...records), { exported: records.length })
    return lines.join("\n")
  })

  it.effect("pretty: a line, and the stack below; controls are escaped", () =>
    Effect.gen(function*() {
      const look: Console.Options = { format: "pretty", color: false, unicode: true }
      assert.strictEqual(
        yield* written(look, {}),
        "2025-11-22T08:26:40.000Z INFO  paid  order.id=7  trace=0af7651916cd43dd8448eb211c80319c span=b7ad6b7169203331"
      )
      const [first, ...stack] = (yield* written(look, failed)).split("\n")
      assert.include(first, "ERROR pay payment \\x1b[31m failed  order.id=1152921504606846976  body=")
      assert.notInclude(first, "exception.stacktrace")
      assert.deepStrictEqual(stack, ["    Boom: no", "    at a (b.ts:1:2)"])
      assert.include(yield* written({ ...look, color: true }, failed), "\u001b[31mERROR")
      const bare = yield* written(look, { timeUnixNano: 0n, traceId: undefined, spanId: undefined, body: { a: 1 } })
      assert.strictEqual(bare, "2025-11-22T08:26:40.000Z INFO  {\"a\":1}  order.id=7")
    }))

  it.effect("json: one object in one line, ids by their names", () =>
    Effect.gen(function*() {
      const text = yield* written({ format: "json" }, failed, {})
      const [first, second, ...rest] = text.split("\n").map((line) => JSON.parse(line))
      assert.deepStrictEqual(rest, [])
      assert.deepStrictEqual(first, {
        time: "2025-11-22T08:26:40.000000000Z",
        severity: "ERROR",
        severity_number: 17,
        event: "pay",
        body: "payment \u001b[31m failed",
        trace_id: data.traceId,
        span_id: data.spanId,
        trace_flags: "01",
        service: "test",
        scope: "test",
        attributes: { ...failed.attributes, "order.id": String(2n ** 60n), ratio: "NaN", bytes: "AQ==" }
      })
      assert.strictEqual(second.body, "paid")
      assert.isFalse("event" in second)
    }))

  it.effect("logfmt: quoted where it must be, and no attribute passes for a field", () =>
    Effect.gen(function*() {
      const text = yield* written({}, failed)
      assert.notInclude(text, "\n")
      assert.include(
        text,
        "time=2025-11-22T08:26:40.000000000Z severity=ERROR severity_number=17 event=pay " +
          "body=\"payment \\u001b[31m failed\" trace_id=0af7651916cd43dd8448eb211c80319c"
      )
      assert.include(text, " body_=\"an attribute\"")
      assert.include(text, " a_key=\"with \\\"quotes\\\"\"")
      assert.include(text, " ratio=NaN")
    }))

  it.effect("otlp: one request for each record", () =>
    Effect.gen(function*() {
      const lines = (yield* written({ format: "otlp" }, {}, { body: "b" })).split("\n")
      assert.deepStrictEqual(
        lines.map((line) => logsFromJson(new TextEncoder().encode(line))),
        [data, { ...data, body: "b" }].map((record) => expectedLogs([record]))
      )
    }))

  it.prop("logfmt and JSON are one line for any record", { record: LogRecord }, ({ record }) =>
    Effect.gen(function*() {
      for (const format of ["json", "logfmt"] as const) {
        assert.notMatch(yield* written({ format }, record), /[\n\r]/)
      }
    }).pipe(Effect.runSync))
})

describe("OtlpLogExporter", () => {
  const url = "http://localhost:4318/v1/logs"

  const setUp = Effect.fnUntraced(function*(script: Iterable<Step>, options?: Partial<Otlp.OtlpLogExporterOptions>) {
    const server = scripted(script)
    const { diagnostics, lines } = collected()
    const context = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      effect.pipe(
        Effect.provideService(Transport, server.transport),
        Effect.provideService(Diagnostics, diagnostics)
      )
    return { server, lines, context, exporter: yield* context(Otlp.make({ url, ...options })) }
  })

  it.effect("posts what the official decoder reads, in both formats", () =>
    Effect.gen(function*() {
      for (const protocol of ["http/protobuf", "http/json"] as const) {
        const { exporter, server } = yield* setUp([], { protocol })
        assert.deepStrictEqual(yield* send(exporter, { body: "a" }), { exported: 1 })
        const [request] = server.requests
        const isJson = protocol === "http/json"
        assert.strictEqual(request!.headers["content-type"], isJson ? "application/json" : "application/x-protobuf")
        const read = isJson ? logsFromJson : logsFromProtobuf
        assert.deepStrictEqual(read(request!.body), expectedLogs([{ ...data, body: "a" }]))
      }
    }))

  it.effect("a partial success is counted, and told in the words of logs", () =>
    Effect.gen(function*() {
      const body = new TextEncoder().encode(`{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too old"}}`)
      const { exporter, lines } = yield* setUp([{ status: 200, headers: { "content-type": "application/json" }, body }])
      assert.deepStrictEqual(yield* send(exporter, {}, {}, {}), { exported: 1, rejected: { partial_rejected: 2 } })
      assert.include(lines.join(), "rejected 2 of 3 log records: \"too old\"")
    }))

  it.effect("a missing path is told with the path of logs", () =>
    Effect.gen(function*() {
      const { exporter, lines } = yield* setUp([{ status: 404 }])
      assert.deepStrictEqual(yield* send(exporter, {}), { exported: 0, rejected: { permanent_status: 1 } })
      assert.include(
        lines.join(),
        "1 log records refused with HTTP 404 (check the endpoint: logs usually go to /v1/logs)"
      )
      assert.include(exporter.failing!(), "HTTP 404")
    }))

  it.effect("with the delivery of another exporter it pauses when that one is sent away, and not for its path", () =>
    Effect.gen(function*() {
      const { context, server } = yield* setUp([{ status: 404 }, { status: 404 }, { status: 200 }, { status: 401 }, {
        status: 401
      }])
      const delivery = yield* context(Delivery.make({ name: "otlp" }))
      const [traces, logs] = yield* context(Effect.all([
        Otlp.make({ url: "http://localhost:4318/v1/traces", delivery }),
        Otlp.make({ url, delivery })
      ]))
      yield* send(traces, {})
      yield* send(traces, {})
      assert.isTrue(delivery.isPaused("http://localhost:4318/v1/traces"))
      assert.deepStrictEqual(yield* send(logs, {}), { exported: 1 })
      yield* send(logs, {})
      yield* send(logs, {})
      assert.isTrue(delivery.isPaused("http://localhost:4318/v1/metrics"))
      assert.strictEqual(server.requests.length, 5)
    }))

  it.effect("is asked with a request without records", () =>
    Effect.gen(function*() {
      const { exporter, server } = yield* setUp([])
      assert.isUndefined(yield* exporter.check!)
      assert.strictEqual(server.requests[0]!.body.length, 0)
    }))
})
