/** The ledger as metrics in Effect's registry. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { Transport } from "../../src/delivery/Transport.ts"
import { Diagnostics } from "../../src/diagnostics/Diagnostics.ts"
import { durationBounds, SignalLedger } from "../../src/diagnostics/Ledger.ts"
import { register } from "../../src/diagnostics/selfMetrics.ts"
import { encodeExportResponse } from "../../src/otlp/OtlpResponse.ts"
import * as FilterSpanProcessor from "../../src/processors/FilterSpanProcessor.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import { Telemetry, TelemetryLayer, type TelemetryLayerOptions } from "../../src/Telemetry.ts"
import { collected, scripted, type Step } from "../delivery/support.ts"

const quiet = { env: {}, detectors: ["none"] as const }
const span = (name: string) => Effect.withSpan(Effect.void, name)

const layerOf = (script: Iterable<Step>, options?: TelemetryLayerOptions) =>
  TelemetryLayer({ ...quiet, ...options }).pipe(
    Layer.provide(Layer.succeed(Transport, scripted(script).transport)),
    Layer.provide(Layer.succeed(Diagnostics, collected().diagnostics)),
    Layer.fresh
  )

/** With a registry of its own, since that of Effect is the whole process's. */
const alone = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => Effect.provideService(Effect.scoped(effect), Metric.MetricRegistry, new Map()))

/** Every series of this library: `name{attributes}` and its count, or what it holds. */
const series = Effect.map(Metric.snapshot, (metrics) => {
  const found: Record<string, unknown> = {}
  for (const { attributes = {}, id, state, type } of metrics) {
    const labels = Object.entries(attributes).map(([key, value]) => `${key}=${value}`).sort().join(" ")
    const key = `${id}{${labels}}`
    assert.notProperty(found, key)
    found[key] = type === "Counter"
      ? `${state.count}${state.incremental ? "" : " up-down"}`
      : type === "Histogram"
      ? state
      : assert.fail(type)
  }
  return found
})

const exporter = (n: number) =>
  `otel.component.name=otlp_http_exporter/${n} otel.component.type=otlp_http_exporter server.address=localhost ` +
  "server.port=4318"
const processor = (n: number) =>
  `otel.component.name=batching_span_processor/${n} otel.component.type=batching_span_processor`
const lost = (component: string, reason: string) => `error.type=${reason} ${component}`

const partial: Step = {
  status: 200,
  body: encodeExportResponse("application/x-protobuf", { rejectedItems: 2, errorMessage: "old" }),
  after: 30
}

describe("self metrics", () => {
  it.effect("have the conventions' names, kinds and attributes, from the start", () =>
    alone(Effect.gen(function*() {
      yield* Layer.build(layerOf([]))
      const found = yield* series
      const duration = `otel.sdk.exporter.operation.duration{${exporter(0)}}`
      assert.deepStrictEqual(found, {
        "otel.sdk.span.started{otel.span.sampling_result=DROP}": "0",
        "otel.sdk.span.started{otel.span.sampling_result=RECORD_ONLY}": "0",
        "otel.sdk.span.started{otel.span.sampling_result=RECORD_AND_SAMPLE}": "0",
        "otel.sdk.span.live{}": "0 up-down",
        [`otel.sdk.processor.span.queue.capacity{${processor(0)}}`]: "2048 up-down",
        [`otel.sdk.processor.span.queue.size{${processor(0)}}`]: "0 up-down",
        [`otel.sdk.processor.span.processed{${processor(0)}}`]: "0",
        [`otel.sdk.exporter.span.inflight{${exporter(0)}}`]: "0 up-down",
        [`otel.sdk.exporter.span.exported{${exporter(0)}}`]: "0",
        [`effect_telemetry.spool.span.count{${exporter(0)}}`]: "0 up-down",
        [duration]: { buckets: durationBounds.map((bound) => [bound, 0]), count: 0, min: 0, max: 0, sum: 0 }
      })
    })))

  it.effect("say what the ledger says: exported, rejected, dropped, waiting, in flight, open, and how long it took", () =>
    alone(Effect.gen(function*() {
      const filter = FilterSpanProcessor.make({ drop: { name: "noise" } })
      const options: TelemetryLayerOptions = {
        processors: [filter],
        batch: { maxExportBatchSize: 5, maxQueueSize: 7, scheduleDelay: "1 hour" }
      }
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(
        layerOf([partial, { status: 400, after: 300 }, "hang"], options),
        scope
      )
      yield* Effect.gen(function*() {
        const telemetry = yield* Telemetry
        const spans = (count: number, name = "span") => Effect.replicateEffect(span(name), count, { discard: true })
        yield* spans(3, "noise")
        yield* spans(5)
        yield* TestClock.adjust("30 millis")
        yield* spans(5)
        yield* TestClock.adjust("300 millis")
        // The third batch hangs; two spans wait, and two find no room.
        yield* spans(5)
        yield* TestClock.adjust(0)
        yield* spans(4)
        yield* Effect.makeSpan("open")
        const account = (yield* telemetry.ledger).destinations[0]!
        assert.deepInclude(account, {
          exported: 3,
          rejected: { partial_rejected: 2, permanent_status: 5 },
          dropped: { filtered: 3, queue_full: 2 },
          queued: 7,
          inFlight: 5,
          unaccounted: 0
        })
        const found = yield* series
        const { [`otel.sdk.exporter.operation.duration{${exporter(0)}}`]: duration, ...counts } = found
        assert.deepStrictEqual(counts, {
          "otel.sdk.span.started{otel.span.sampling_result=DROP}": "0",
          "otel.sdk.span.started{otel.span.sampling_result=RECORD_ONLY}": "0",
          "otel.sdk.span.started{otel.span.sampling_result=RECORD_AND_SAMPLE}": "23",
          "otel.sdk.span.live{}": "1 up-down",
          [`otel.sdk.processor.span.queue.capacity{${processor(0)}}`]: "7 up-down",
          [`otel.sdk.processor.span.queue.size{${processor(0)}}`]: "2 up-down",
          [`otel.sdk.processor.span.processed{${processor(0)}}`]: "15",
          [`otel.sdk.processor.span.processed{${lost(processor(0), "filtered")}}`]: "3",
          [`otel.sdk.processor.span.processed{${lost(processor(0), "queue_full")}}`]: "2",
          [`otel.sdk.exporter.span.inflight{${exporter(0)}}`]: "5 up-down",
          [`otel.sdk.exporter.span.exported{${exporter(0)}}`]: "3",
          [`otel.sdk.exporter.span.exported{${lost(exporter(0), "rejected")}}`]: "2",
          [`otel.sdk.exporter.span.exported{${lost(exporter(0), "permanent_status")}}`]: "5",
          [`effect_telemetry.spool.span.count{${exporter(0)}}`]: "0 up-down"
        })
        assert.deepStrictEqual(duration, {
          buckets: durationBounds.map((bound) => [bound, bound < 0.03 ? 0 : bound < 0.3 ? 1 : 2]),
          count: 2,
          min: 0.03,
          max: 0.3,
          sum: 0.03 + 0.3
        })
      }).pipe(Effect.provideContext(context))
      yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("1 minute")
    })))

  it.effect("tell by the sampler's decision what was started", () =>
    alone(Effect.gen(function*() {
      const context = yield* Layer.build(
        layerOf([]).pipe(Layer.provide(Layer.succeed(Sampler.Sampler, Sampler.alwaysOff)))
      )
      yield* Effect.provideContext(span("unseen"), context)
      const found = yield* series
      assert.strictEqual(found["otel.sdk.span.started{otel.span.sampling_result=DROP}"], "1")
      assert.strictEqual(found["otel.sdk.span.started{otel.span.sampling_result=RECORD_AND_SAMPLE}"], "0")
    })))

  it.effect("are on the page for Prometheus", () =>
    alone(Effect.gen(function*() {
      const context = yield* Layer.build(layerOf([partial]))
      const telemetry = Effect.provideContext(Telemetry, context)
      yield* Effect.provideContext(Effect.replicateEffect(span("s"), 6), context)
      yield* Effect.forkChild((yield* telemetry).flush())
      yield* TestClock.adjust("1 second")
      const lines = (yield* PrometheusMetrics.format()).split("\n")
      const labels = "otel_component_name=\"otlp_http_exporter/0\",otel_component_type=\"otlp_http_exporter\"," +
        "server_address=\"localhost\",server_port=\"4318\""
      for (
        const line of [
          "# TYPE otel_sdk_exporter_span_exported counter",
          `otel_sdk_exporter_span_exported{${labels}} 4`,
          `otel_sdk_exporter_span_exported{${labels},error_type="rejected"} 2`,
          "# TYPE otel_sdk_exporter_operation_duration histogram",
          `otel_sdk_exporter_operation_duration_bucket{${labels},le="0.025"} 0`,
          `otel_sdk_exporter_operation_duration_bucket{${labels},le="0.05"} 1`,
          `otel_sdk_exporter_operation_duration_bucket{${labels},le="+Inf"} 1`,
          `otel_sdk_exporter_operation_duration_count{${labels}} 1`
        ]
      ) assert.include(lines, line)
    })))

  it.effect("have a series for each reason once it is counted, and none when the scope has closed", () =>
    alone(Effect.gen(function*() {
      const scope = yield* Scope.make()
      const ledger = new SignalLedger()
      const account = ledger.account("memory")
      account.drop("oversize", 2)
      yield* Scope.provide(register(ledger), scope)
      account.drop("shutdown", 3)
      account.drop("shutdown", 4)
      const found = yield* series
      const memory = "otel.component.name=memory/0 otel.component.type=memory"
      const plain = "otel.component.name=processor/0 otel.component.type=processor"
      assert.strictEqual(found[`otel.sdk.exporter.span.exported{${lost(memory, "oversize")}}`], "2")
      assert.strictEqual(found[`otel.sdk.processor.span.processed{${lost(plain, "already_shutdown")}}`], "7")
      yield* Scope.close(scope, Exit.void)
      account.drop("queue_full")
      assert.deepStrictEqual(yield* series, {})
    })))

  it.effect("of two layers at once do not clash: spans add up, components have numbers of their own", () =>
    alone(Effect.gen(function*() {
      const scopes = [yield* Scope.make(), yield* Scope.make(), yield* Scope.make()]
      const started = Effect.map(series, (found) => [
        found["otel.sdk.span.started{otel.span.sampling_result=RECORD_AND_SAMPLE}"],
        found["otel.sdk.span.live{}"],
        ...[0, 1, 2].map((n) => found[`otel.sdk.exporter.span.exported{${exporter(n)}}`])
      ])
      const run = Effect.fnUntraced(function*(scope: Scope.Scope, count: number) {
        const context = yield* Layer.buildWithScope(layerOf([]), scope)
        const spans = Effect.replicateEffect(span("s"), count, { discard: true })
        const program = Effect.gen(function*() {
          yield* spans
          yield* (yield* Telemetry).flush()
          yield* Effect.makeSpan("open")
        })
        yield* Effect.provideContext(program, context)
      })
      yield* run(scopes[0]!, 1)
      yield* run(scopes[1]!, 10)
      assert.deepStrictEqual(yield* started, ["13", "2 up-down", "1", "10", undefined])
      // The one that came first goes first: the other's stay, and the number is free again.
      yield* Scope.close(scopes[0]!, Exit.void)
      assert.deepStrictEqual(yield* started, ["11", "1 up-down", undefined, "10", undefined])
      yield* run(scopes[2]!, 100)
      assert.deepStrictEqual(yield* started, ["112", "2 up-down", "100", "10", undefined])
      yield* Scope.close(scopes[2]!, Exit.void)
      assert.deepStrictEqual(yield* started, ["11", "1 up-down", undefined, "10", undefined])
      yield* Scope.close(scopes[1]!, Exit.void)
      assert.deepStrictEqual(yield* series, {})
    })))

  for (
    const [why, options] of [["when they are not wanted", { selfMetrics: false }], ["where nothing is recorded", {
      disabled: true
    }]] as const
  ) {
    it.effect(`are not there ${why}`, () =>
      alone(Effect.gen(function*() {
        const context = yield* Layer.build(layerOf([], options))
        yield* Effect.provideContext(span("s"), context)
        assert.deepStrictEqual(yield* series, {})
      })))
  }
})
