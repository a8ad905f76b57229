import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { MetricsLedger } from "../../src/diagnostics/CurrentLedger.ts"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import { SignalLedger } from "../../src/diagnostics/Ledger.ts"
import { countPoints, MetricExporter } from "../../src/exporters/MetricExporter.ts"
import { ExportError } from "../../src/exporters/SpanExporter.ts"
import * as MeterProvider from "../../src/metrics/MeterProvider.ts"
import * as PeriodicMetricReader from "../../src/metrics/PeriodicMetricReader.ts"
import { total } from "../metrics/support.ts"

/** What becomes of one export: it arrives, fails, throws, or hangs until it is given up. */
const Outcome = Schema.Literals(["arrives", "retry_exhausted", "export_error", "defect", "hangs"])
const Step = Schema.Union([
  Schema.Struct({
    add: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })),
    set: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 }))
  }),
  Outcome
])

describe("the ledger of metrics", () => {
  it.effect.prop("balances at every moment, and the deltas delivered are the true total", {
    steps: Schema.Array(Step),
    maxExportBatchSize: Schema.Literals([3, 1000]),
    isClosed: Schema.Boolean
  }, ({ isClosed, maxExportBatchSize, steps }) =>
    Effect.gen(function*() {
      const ledger = new SignalLedger()
      const scope = yield* Scope.make()
      const provider = yield* MeterProvider.make()
      let outcome: typeof Outcome.Type = "arrives"
      let delivered = 0
      const exporter = MetricExporter.of({
        name: "test",
        export: (metrics) => {
          assert.strictEqual(ledger.unaccounted(ledger.accounts[0]!), 0)
          if (outcome === "defect") throw new Error("defect")
          if (outcome === "hangs") return Effect.never
          if (outcome !== "arrives") {
            return Effect.fail(new ExportError({ destination: "test", reason: outcome, detail: "no" }))
          }
          for (const { data, name } of metrics) if (name !== "cumulative") delivered += total(data)
          return Effect.succeed({ exported: countPoints(metrics) })
        }
      })
      const options = { temporality: "delta", exportInterval: 1000, exportTimeout: 500, maxExportBatchSize } as const
      yield* PeriodicMetricReader.make(options).pipe(
        Effect.provideService(MeterProvider.MeterProvider, provider),
        Effect.provideService(MetricExporter, exporter),
        Effect.provideService(MetricsLedger, ledger),
        Effect.provideService(Diagnostics.Diagnostics, Diagnostics.make({ level: "none" })),
        Effect.provideService(Scope.Scope, scope)
      )
      const [account] = ledger.accounts
      const meter = provider.getMeter("test")
      // One metric for each set, so that a batch holds whole metrics: of a part, the rest counts as arrived.
      const counters = Array.from({ length: 6 }, (_, i) => meter.createCounter(`c${i}`))
      const cumulative = meter.createUpDownCounter("cumulative")
      let added = 0
      for (const step of [...steps, "arrives" as const]) {
        if (typeof step === "object") {
          counters[step.set]!.add(step.add)
          cumulative.add(1, { set: step.set })
          added += step.add
          continue
        }
        outcome = step
        yield* TestClock.adjust(5000)
        assert.strictEqual(ledger.unaccounted(account!), 0)
      }
      assert.strictEqual(delivered, added)
      assert.strictEqual(account!.queued, 0)
      if (!isClosed) return
      counters[0]!.add(1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(delivered, added + 1)
      assert.strictEqual(ledger.unaccounted(account!), 0)
    }), { arbitrary: { runs: 60, size: 30 } })
})
