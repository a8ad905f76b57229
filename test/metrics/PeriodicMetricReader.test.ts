import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { Suppressed } from "../../src/delivery/suppressed.ts"
import { MetricsLedger } from "../../src/diagnostics/CurrentLedger.ts"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import { SignalLedger } from "../../src/diagnostics/Ledger.ts"
import * as InMemoryMetricExporter from "../../src/exporters/InMemoryMetricExporter.ts"
import { countPoints, MetricExporter, type MetricExporterShape } from "../../src/exporters/MetricExporter.ts"
import { ExportError, type ExportResult } from "../../src/exporters/SpanExporter.ts"
import * as MeterProvider from "../../src/metrics/MeterProvider.ts"
import * as PeriodicMetricReader from "../../src/metrics/PeriodicMetricReader.ts"
import type { MetricData } from "../../src/model/MetricData.ts"
import { total } from "./support.ts"

const start = Effect.fnUntraced(function*(
  exporter: MetricExporterShape,
  options?: PeriodicMetricReader.PeriodicMetricReaderOptions
) {
  const ledger = new SignalLedger()
  const lines: Array<string> = []
  const provider = yield* MeterProvider.make()
  const scope = yield* Scope.make()
  const reader = yield* PeriodicMetricReader.make(options).pipe(
    Effect.provideService(MeterProvider.MeterProvider, provider),
    Effect.provideService(MetricExporter, exporter),
    Effect.provideService(MetricsLedger, ledger),
    Effect.provideService(Diagnostics.Diagnostics, Diagnostics.make({ write: (line) => lines.push(line) })),
    Effect.provideService(Scope.Scope, scope)
  )
  const [account] = ledger.accounts
  return {
    reader,
    lines,
    ledger,
    account: account!,
    meter: provider.getMeter("test"),
    close: Scope.close(scope, Exit.void),
    balanced: () => assert.strictEqual(ledger.unaccounted(account!), 0)
  }
})

/** An exporter that answers by `script`, then takes everything; and what it took. */
const scripted = (script: ReadonlyArray<ExportError | ExportResult | "hang" | "throw">) => {
  const steps = [...script]
  const taken: Array<ReadonlyArray<MetricData>> = []
  const exporter = MetricExporter.of({
    name: "test",
    export: (metrics) => {
      const step = steps.shift()
      if (step === "throw") throw new Error("defect")
      if (step === "hang") return Effect.never
      if (step instanceof ExportError) return Effect.fail(step)
      taken.push(metrics)
      return Effect.succeed(step ?? { exported: countPoints(metrics) })
    }
  })
  return { exporter, taken }
}

const failure = (reason: ExportError["reason"]) => new ExportError({ destination: "test", reason, detail: "no" })

describe("PeriodicMetricReader", () => {
  it.effect("makes no telemetry of the delivery of telemetry", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const exporter = MetricExporter.of({
        name: "test",
        export: (metrics) =>
          Effect.gen(function*() {
            seen.push(yield* Suppressed, yield* References.TracerEnabled)
            return { exported: countPoints(metrics) }
          })
      })
      const { meter, reader } = yield* start(exporter)
      meter.createCounter("c").add(1)
      yield* reader.flush
      assert.deepStrictEqual(seen, [true, false])
    }))

  it.effect("exports at intervals, when asked, and when the scope closes", () =>
    Effect.gen(function*() {
      const memory = yield* InMemoryMetricExporter.make()
      const { account, balanced, close, meter, reader } = yield* start(memory.exporter, {
        exportInterval: "10 seconds"
      })
      const counter = meter.createCounter("c")
      counter.add(1)
      yield* TestClock.adjust("9 seconds")
      assert.lengthOf(yield* memory.batches, 0)
      yield* TestClock.adjust("1 second")
      counter.add(1)
      yield* TestClock.adjust("10 seconds")
      counter.add(1)
      assert.isUndefined(yield* reader.flush)
      counter.add(1)
      yield* close
      const seen = (yield* memory.batches).map((batch) => batch.map(({ data }) => total(data)))
      assert.deepStrictEqual(seen, [[1], [2], [3], [4]])
      assert.strictEqual(account.exported, 4)
      balanced()
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(yield* memory.batches, 4)
    }))

  it.effect("deltas that did not arrive are part of the next report, and counted once", () =>
    Effect.gen(function*() {
      const { exporter, taken } = scripted([failure("retry_exhausted"), "throw"])
      const { account, balanced, ledger, lines, meter, reader } = yield* start(exporter, { temporality: "delta" })
      const counter = meter.createCounter("c")
      const upDown = meter.createUpDownCounter("u")
      counter.add(1, { a: 1 })
      upDown.add(1)
      assert.strictEqual(yield* reader.flush, "no (retry_exhausted)")
      assert.deepStrictEqual([account.queued, account.droppedTotal], [1, 1])
      balanced()
      counter.add(2, { a: 1 })
      counter.add(2, { a: 2 })
      assert.include(yield* reader.flush, "defect")
      assert.deepStrictEqual([account.queued, account.droppedTotal], [2, 2])
      balanced()
      assert.isUndefined(yield* reader.flush)
      assert.strictEqual(total(taken[0]!.find(({ name }) => name === "c")!.data), 5)
      assert.deepStrictEqual([account.queued, account.exported, ledger.created], [0, 3, 5])
      balanced()
      assert.lengthOf(lines, 2)
    }))

  it.effect("what is refused for good is not reported again", () =>
    Effect.gen(function*() {
      const { exporter, taken } = scripted([{ exported: 0, rejected: { permanent_status: 1 } }, failure("oversize")])
      const { account, balanced, meter, reader } = yield* start(exporter, { temporality: "delta" })
      const counter = meter.createCounter("c")
      for (const value of [1, 2, 4]) {
        counter.add(value)
        yield* reader.flush
        balanced()
      }
      assert.deepStrictEqual(taken.map((batch) => total(batch[0]!.data)), [1, 4])
      assert.deepStrictEqual({ ...account.rejected, ...account.dropped }, { permanent_status: 1, oversize: 1 })
    }))

  it.effect("batches have as many points as are allowed; one that fails harms no other", () =>
    Effect.gen(function*() {
      const { exporter, taken } = scripted([{ exported: 2 }, failure("export_error"), { exported: 1 }])
      const options = { temporality: "delta", maxExportBatchSize: 2 } as const
      const { account, balanced, meter, reader } = yield* start(exporter, options)
      const [a, b] = [meter.createCounter("a"), meter.createCounter("b")]
      for (let i = 0; i < 2; i++) a.add(1, { i })
      for (let i = 0; i < 2; i++) b.add(1, { i })
      meter.createCounter("c").add(1)
      yield* reader.flush
      assert.deepStrictEqual(taken.map((batch) => batch.map(({ name }) => name)), [["a"], ["c"]])
      assert.deepStrictEqual([account.exported, account.queued], [3, 2])
      balanced()
      yield* reader.flush
      assert.deepStrictEqual(taken.slice(2).map((batch) => batch.map(({ name }) => name)), [["b"]])
      assert.deepStrictEqual([account.exported, account.queued], [5, 0])
      // Half of a metric: the rest counts as gone.
      for (let i = 0; i < 3; i++) a.add(1, { i })
      const half = yield* start(scripted([{ exported: 2 }, failure("export_error")]).exporter, options)
      const counter = half.meter.createCounter("a")
      for (let i = 0; i < 3; i++) counter.add(1, { i })
      yield* half.reader.flush
      assert.deepStrictEqual([half.account.exported, half.account.queued, half.account.droppedTotal], [2, 0, 1])
      half.balanced()
      yield* half.reader.flush
      assert.strictEqual(half.account.exported, 2)
    }))

  it.effect("an exporter that hangs is given up after the timeout, and does not hold up the end", () =>
    Effect.gen(function*() {
      const { exporter, taken } = scripted(["hang", "hang"])
      const options = { temporality: "delta", exportTimeout: "5 seconds", exportInterval: "10 seconds" } as const
      const { account, balanced, close, lines, meter } = yield* start(exporter, options)
      meter.createCounter("c").add(1)
      yield* TestClock.adjust("15 seconds")
      assert.deepStrictEqual([account.queued, account.inFlight], [1, 0])
      balanced()
      const closing = yield* Effect.forkChild(close)
      yield* TestClock.adjust("3 seconds")
      yield* Effect.suspend(() => closing.pollUnsafe() === undefined ? Effect.die("still closing") : Effect.void)
      assert.deepStrictEqual(account.dropped, { shutdown_timeout: 1 })
      balanced()
      assert.lengthOf(lines, 2)
      assert.lengthOf(taken, 0)
    }))

  it.effect("an answer that comes after the end changes no account", () =>
    Effect.gen(function*() {
      const exporter = MetricExporter.of({
        name: "test",
        export: (metrics) => Effect.uninterruptible(Effect.as(Effect.sleep(10_000), { exported: countPoints(metrics) }))
      })
      const { account, balanced, close, meter } = yield* start(exporter, { exportTimeout: 0 })
      meter.createCounter("c").add(1)
      const closing = yield* Effect.forkChild(close)
      yield* TestClock.adjust(3000)
      assert.isDefined(closing.pollUnsafe())
      assert.deepStrictEqual([account.exported, account.droppedTotal], [0, 1])
      yield* TestClock.adjust(10_000)
      assert.deepStrictEqual([account.exported, account.droppedTotal, account.queued, account.inFlight], [0, 1, 0, 0])
      balanced()
    }))

  it.effect("who does not wait for a flush leaves it to itself", () =>
    Effect.gen(function*() {
      const { exporter } = scripted(["hang"])
      const { account, balanced, meter, reader } = yield* start(exporter, { temporality: "delta", exportTimeout: 5000 })
      meter.createCounter("c").add(1)
      const flushing = yield* Effect.forkChild(Effect.timeoutOption(reader.flush, 1000))
      yield* TestClock.adjust(1000)
      assert.isDefined(flushing.pollUnsafe())
      balanced()
      yield* TestClock.adjust(4000)
      assert.deepStrictEqual([account.queued, account.inFlight], [1, 0])
      assert.isUndefined(yield* reader.flush)
      assert.strictEqual(account.exported, 1)
      balanced()
    }))
})
