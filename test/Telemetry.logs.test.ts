import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as EffectLogger from "effect/Logger"
import * as Metric from "effect/Metric"
import { TestClock } from "effect/testing"
import { Transport } from "../src/delivery/Transport.ts"
import { Diagnostics } from "../src/diagnostics/Diagnostics.ts"
import * as InMemoryLogExporter from "../src/exporters/InMemoryLogExporter.ts"
import * as InMemorySpanExporter from "../src/exporters/InMemorySpanExporter.ts"
import * as Logger from "../src/logs/Logger.ts"
import { Telemetry, TelemetryLayer, type TelemetryLayerOptions } from "../src/Telemetry.ts"
import { collected, scripted, type Step } from "./delivery/support.ts"
import { logsFromProtobuf } from "./otlp/official.ts"

interface Request {
  readonly resourceLogs: ReadonlyArray<{
    readonly resource: { readonly attributes: ReadonlyArray<{ readonly key: string; readonly value: object }> }
    readonly scopeLogs: ReadonlyArray<{
      readonly logRecords: ReadonlyArray<{
        readonly body: { readonly stringValue: string }
        readonly spanId: string
        readonly flags: number
        readonly attributes: ReadonlyArray<{ readonly key: string; readonly value: { readonly stringValue: string } }>
      }>
    }>
  }>
}

const setUp = (script: Iterable<Step> = []) => {
  const server = scripted(script)
  const { diagnostics, lines } = collected()
  const run = <A, E>(program: Effect.Effect<A, E, Telemetry>, options: TelemetryLayerOptions = {}) =>
    program.pipe(
      Effect.provide(TelemetryLayer({ serviceName: "shop", env: {}, ...options })),
      Effect.provideService(Transport, server.transport),
      Effect.provideService(Diagnostics, diagnostics),
      Effect.provideService(Metric.MetricRegistry, new Map())
    )
  const urls = () => server.requests.map(({ url }) => url).toSorted()
  return { server, lines, run, urls }
}

const program = Effect.log("paid").pipe(Effect.annotateLogs("password", "hunter2"), Effect.withSpan("checkout"))

describe("TelemetryLayer, logs", () => {
  it.effect("go nowhere unless they are asked for, and Effect's loggers stay as they were", () =>
    Effect.gen(function*() {
      const { run, urls } = setUp()
      const before = yield* EffectLogger.CurrentLoggers
      const during = yield* run(Effect.andThen(program, EffectLogger.CurrentLoggers))
      assert.strictEqual(during, before)
      assert.deepStrictEqual(urls(), ["http://localhost:4318/v1/traces"])
    }))

  it.effect("go by OTLP beside the traces, within the span, redacted, and are accounted for", () =>
    Effect.gen(function*() {
      const { run, server, urls } = setUp()
      const { health, ledger, loggers } = yield* run(
        Effect.gen(function*() {
          yield* program
          const telemetry = yield* Telemetry
          const flushed = yield* telemetry.flush()
          assert.deepStrictEqual(flushed, { exported: 2, spooled: 0, left: 0, failed: 0 })
          return {
            health: yield* telemetry.health,
            ledger: yield* telemetry.logsLedger,
            loggers: yield* EffectLogger.CurrentLoggers
          }
        }),
        { env: { OTEL_LOGS_EXPORTER: "otlp" } }
      )
      assert.deepStrictEqual(urls(), ["http://localhost:4318/v1/logs", "http://localhost:4318/v1/traces"])
      const sent = server.requests.find(({ url }) => url.endsWith("logs"))!
      const [resource] = (logsFromProtobuf(sent.body) as Request).resourceLogs
      assert.deepInclude(resource!.resource.attributes, { key: "service.name", value: { stringValue: "shop" } })
      const [record] = resource!.scopeLogs[0]!.logRecords
      assert.strictEqual(record!.body.stringValue, "paid")
      assert.strictEqual(record!.flags & 1, 1)
      assert.notStrictEqual(record!.spanId, "")
      assert.deepInclude(record!.attributes, { key: "password", value: { stringValue: "REDACTED" } })
      assert.deepInclude(ledger, { created: 1 })
      assert.deepInclude(ledger.destinations[0], { destination: "otlp/logs", exported: 1, unaccounted: 0 })
      assert.deepInclude(health.logs[0], { destination: "otlp/logs", failing: undefined })
      assert.strictEqual(health.destinations.length, 1)
      assert.strictEqual(loggers.size, (yield* EffectLogger.CurrentLoggers).size + 1)
    }))

  it.effect("are delivered when the layer closes", () =>
    Effect.gen(function*() {
      const { run, urls } = setUp()
      yield* run(program, { logsExporters: ["otlp"], tracesExporters: ["none"] })
      assert.deepStrictEqual(urls(), ["http://localhost:4318/v1/logs"])
    }))

  it.effect("that nobody takes do not keep the traces from arriving", () =>
    Effect.gen(function*() {
      const { lines, run, server } = setUp([{ status: 404 }, { status: 404 }])
      const health = yield* run(
        Effect.gen(function*() {
          const telemetry = yield* Telemetry
          for (let i = 0; i < 2; i++) {
            yield* Effect.log("x")
            yield* telemetry.flush()
          }
          yield* Effect.withSpan(Effect.void, "a")
          yield* telemetry.flush()
          return yield* telemetry.health
        }),
        { logsExporters: ["otlp"] }
      )
      assert.strictEqual(health.status, "failing")
      assert.isUndefined(health.destinations[0]!.failing)
      assert.deepInclude(health.destinations[0], { exported: 1 })
      assert.include(health.logs[0]!.failing, "404")
      assert.isTrue(server.requests.some(({ url }) => url.endsWith("traces")))
      assert.include(lines.join(), "logs usually go to /v1/logs")
    }))

  it.effect("share the fate of the traces where they share the way, and only there", () =>
    Effect.gen(function*() {
      const scenario = (options: TelemetryLayerOptions) => {
        const { run, urls } = setUp([{ status: 401 }, { status: 401 }])
        return run(
          Effect.gen(function*() {
            const telemetry = yield* Telemetry
            for (let i = 0; i < 2; i++) {
              yield* Effect.withSpan(Effect.void, "a")
              yield* telemetry.flush()
            }
            yield* Effect.log("x")
            yield* TestClock.adjust("2 seconds")
            return urls().filter((url) => url.endsWith("logs")).length
          }),
          { logsExporters: ["otlp"], ...options }
        )
      }
      assert.strictEqual(yield* scenario({}), 0)
      assert.strictEqual(yield* scenario({ otlpLogs: { endpoint: "http://localhost:9/v1/logs" } }), 1)
      assert.strictEqual(yield* scenario({ otlpLogs: { headers: { "x-key": "other" } } }), 1)
    }))

  it.effect("go to exporters of the program, after its processors; those of spans leave them alone", () =>
    Effect.gen(function*() {
      const { run, urls } = setUp()
      const logs = InMemoryLogExporter.makeUnsafe()
      const spans = InMemorySpanExporter.makeUnsafe()
      const seen: Array<unknown> = []
      yield* run(Effect.andThen(program, Logger.event("order.paid")), {
        exporters: [spans.exporter],
        logs: {
          exporters: [logs.exporter],
          processors: [{
            name: "seen",
            onEmit: (record, next) => {
              seen.push(record.body)
              next.emit(record)
            },
            flush: Effect.void,
            accounts: []
          }]
        },
        env: { OTEL_LOGS_EXPORTER: "otlp" }
      })
      const [span] = yield* spans.spans
      const records = yield* logs.records
      assert.deepStrictEqual(records.map(({ body, eventName }) => [body, eventName]), [["paid", ""], [
        undefined,
        "order.paid"
      ]])
      assert.strictEqual(records[0]!.spanId, span!.spanId)
      assert.strictEqual(records[0]!.traceId, span!.traceId)
      assert.strictEqual(records[0]!.resource, span!.resource)
      assert.deepStrictEqual(seen, ["paid", undefined])
      assert.deepStrictEqual(urls(), [])
    }))

  it.effect("of an exporter itself are not delivered, which would never end", () =>
    Effect.gen(function*() {
      const { run } = setUp()
      const logs = InMemoryLogExporter.makeUnsafe()
      const talking = {
        ...logs.exporter,
        export: (batch: Parameters<typeof logs.exporter.export>[0]) =>
          Effect.andThen(Effect.logWarning("exporting"), logs.exporter.export(batch))
      }
      const created = yield* run(
        Effect.gen(function*() {
          const telemetry = yield* Telemetry
          yield* Effect.log("x")
          yield* telemetry.flush()
          yield* telemetry.flush()
          return (yield* telemetry.logsLedger).created
        }),
        { logs: { exporters: [talking] } }
      )
      assert.strictEqual(created, 1)
      assert.deepStrictEqual((yield* logs.records).map(({ body }) => body), ["x"])
    }))

  it.effect("are made within the limits of the configuration, and none when it is disabled", () =>
    Effect.gen(function*() {
      const { run } = setUp()
      const logs = InMemoryLogExporter.makeUnsafe()
      const env = { OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: "1", OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "2" }
      const annotated = Effect.annotateLogs(Effect.log("x"), { a: "123", b: 1 })
      yield* run(annotated, { logs: { exporters: [logs.exporter] }, env })
      yield* run(annotated, { logs: { exporters: [logs.exporter] }, env, disabled: true })
      const records = yield* logs.records
      assert.deepStrictEqual(records.map(({ attributes }) => ({ ...attributes })), [{ a: "12" }])
      assert.strictEqual(records[0]!.droppedAttributesCount, 2)
    }))

  it.effect("have the library's metrics, by the names of logs", () =>
    Effect.gen(function*() {
      const { run } = setUp()
      const snapshot = yield* run(
        Effect.gen(function*() {
          yield* Effect.log("x")
          yield* (yield* Telemetry).flush()
          return yield* Metric.snapshot
        }),
        { logsExporters: ["otlp"], tracesExporters: ["none"] }
      )
      const value = (id: string) => (snapshot.find((metric) => metric.id === id)!.state as { count: number }).count
      assert.strictEqual(value("otel.sdk.log.created"), 1)
      assert.strictEqual(value("otel.sdk.processor.log.processed"), 1)
      assert.strictEqual(value("otel.sdk.exporter.log.exported"), 1)
      const exported = snapshot.find(({ id }) => id === "otel.sdk.exporter.log.exported")!
      assert.strictEqual(exported.attributes!["otel.component.type"], "otlp_http_log_exporter")
      assert.strictEqual(exported.attributes!["server.port"], "4318")
    }))
})
