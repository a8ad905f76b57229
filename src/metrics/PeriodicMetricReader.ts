/** Collects and exports at intervals, and once more at the end (`metrics/sdk.md#periodic-exporting-metricreader`). */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { Suppressed } from "../delivery/suppressed.ts"
import { ShutdownDeadline } from "../delivery/ShutdownDeadline.ts"
import { MetricsLedger } from "../diagnostics/CurrentLedger.ts"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import type { Account, DropReason } from "../diagnostics/Ledger.ts"
import { batches, countPoints, MetricExporter } from "../exporters/MetricExporter.ts"
import { ExportError, type ExportResult } from "../exporters/SpanExporter.ts"
import { sleepUnref } from "../internal/clock.ts"
import type { MetricData } from "../model/MetricData.ts"
import { type Collection, isHeld } from "./collector.ts"
import { MeterProvider, type ReaderPreferences } from "./MeterProvider.ts"

/** Options of {@link make}. */
export interface PeriodicMetricReaderOptions extends ReaderPreferences {
  /** From the start of one collection to that of the next (`OTEL_METRIC_EXPORT_INTERVAL`). Default 60 seconds. */
  readonly exportInterval?: Duration.Input | undefined
  /**
   * How long the export of one batch may take beyond the exporter's own `retryAge` (`OTEL_METRIC_EXPORT_TIMEOUT`). Zero
   * means no bound. Default 30 seconds.
   */
  readonly exportTimeout?: Duration.Input | undefined
  /** Most points of one batch. Default no bound. */
  readonly maxExportBatchSize?: number | undefined
  /** How long closing the scope may take, the last export included. Default 3 seconds. */
  readonly shutdownTimeout?: Duration.Input | undefined
}

/** A running reader. */
export class PeriodicMetricReader extends Context.Service<PeriodicMetricReader, {
  /**
   * Collects and exports now, after what is under way. Succeeds with why not all of it arrived, `undefined` when it did.
   */
  readonly flush: Effect.Effect<string | undefined>
}>()("effect-telemetry/metrics/PeriodicMetricReader") {}

/** The implementation type of the {@link PeriodicMetricReader} service. */
export type PeriodicMetricReaderShape = PeriodicMetricReader["Service"]

/** Whether the same points may arrive later. */
const mayArriveLater = (reason: DropReason): boolean =>
  reason !== "unserializable" && reason !== "oversize" && reason !== "processor_error"

/**
 * Starts a reader that lives as long as the scope.
 *
 * **Details**
 *
 * There is no queue. What is delta stays in its series until it has arrived, and is part of the next report; what is
 * cumulative is in the next report anyway. So an outage of any length costs the memory of the series, and no count.
 * Exports never overlap: an export that takes longer than the interval delays the next collection.
 *
 * In the ledger of metrics, a point is created when it is first collected. Delta points that did not arrive stay queued
 * until they do; cumulative ones are dropped under the reason of the failure. What a destination refuses for good
 * is rejected and not reported again.
 *
 * When the scope closes, everything is collected and exported once more, within `shutdownTimeout` or what is left of
 * `ShutdownDeadline`. Nothing keeps the process alive, and nothing here is traced.
 *
 * **Gotchas**
 *
 * After a timeout nobody knows whether a request has arrived. Delta points are then reported again: they may count
 * twice, and are never lost. A metric whose points are spread over several batches by `maxExportBatchSize` counts as
 * arrived when one of them has.
 */
export const make = Effect.fnUntraced(function*(
  options: PeriodicMetricReaderOptions = {}
): Effect.fn.Return<PeriodicMetricReaderShape, never, MeterProvider | MetricExporter | Scope.Scope> {
  const provider = yield* MeterProvider
  const exporter = yield* MetricExporter
  const diagnostics = yield* Diagnostics
  const deadline = yield* ShutdownDeadline
  const clock = yield* Clock.Clock
  const ledger = yield* MetricsLedger
  const account = ledger.account(exporter.name)
  account.component = exporter.component ?? {}
  account.check = exporter.check
  account.trouble = exporter.failing
  const reader = provider.addReader(options)
  const millis = (input: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(input))
  const interval = Math.max(1, millis(options.exportInterval ?? "60 seconds"))
  const ownTimeout = millis(options.exportTimeout ?? "30 seconds")
  const timeout = ownTimeout > 0 ? ownTimeout + millis(exporter.retryAge ?? 0) : Infinity
  const size = Math.max(1, options.maxExportBatchSize ?? Infinity)
  const oneAtATime = yield* Semaphore.make(1)
  /** Delta points of earlier collections that have not arrived. */
  let held = 0

  const guarded = (batch: ReadonlyArray<MetricData>): Effect.Effect<ExportResult, ExportError> => {
    const failed = (reason: "export_timeout" | "export_error", detail: string) =>
      new ExportError({ destination: exporter.name, reason, detail })
    const exported = Effect.catchDefect(
      Effect.suspend(() => exporter.export(batch)),
      (defect) => Effect.fail(failed("export_error", String(defect)))
    ).pipe(Effect.provideService(Suppressed, true))
    return timeout === Infinity ? exported : Effect.raceFirst(
      exported,
      Effect.andThen(sleepUnref(timeout), Effect.fail(failed("export_timeout", `no answer within ${timeout} ms`)))
    )
  }

  const exportAll = (collection: Collection): Effect.Effect<string | undefined> =>
    Effect.gen(function*() {
      const { metrics } = collection
      const points = countPoints(metrics)
      ledger.created += points - held
      account.queued += points - held
      held = 0
      let trouble: string | undefined
      /** Metrics of which nothing has arrived, and which may arrive later. */
      const kept = new Map<MetricData, number>()
      const wholes = new Map<MetricData, MetricData>()
      const wholeOf = (metric: MetricData): MetricData => wholes.get(metric) ?? metric
      const arrived = new Set<MetricData>()
      for (const batch of batches(metrics, size, (part, whole) => wholes.set(part, whole))) {
        const begun = clock.monotonicTimeNanosUnsafe()
        const count = countPoints(batch)
        account.inFlight += count
        const result = yield* Effect.result(guarded(batch))
        account.inFlight -= count
        account.durations.record(Number(clock.monotonicTimeNanosUnsafe() - begun) / 1e9)
        if (result._tag === "Success") {
          account.queued -= count
          book(account, result.success, count)
          account.lastFailure = undefined
          for (const metric of batch) arrived.add(wholeOf(metric))
          continue
        }
        const { detail, reason } = result.failure
        trouble = `${detail} (${reason})`
        account.lastFailure = detail
        const isLost = (metric: MetricData): boolean => !isHeld(metric.data) || !mayArriveLater(reason)
        const lost = countPoints(batch.filter(isLost))
        account.queued -= lost
        account.drop(reason, lost)
        held += count - lost
        for (const metric of batch) {
          if (!isLost(metric)) kept.set(wholeOf(metric), (kept.get(wholeOf(metric)) ?? 0) + metric.data.points.length)
        }
        diagnostics.report(
          "error",
          `metrics.${exporter.name}.${reason}`,
          `${exporter.name}: ${count} data points not delivered: ${trouble}`
        )
      }
      collection.commit((metric) => arrived.has(metric) || !kept.has(metric))
      for (const [metric, points] of kept) {
        if (!arrived.has(metric)) continue
        // Its other points count as arrived, so these are not reported again.
        held -= points
        account.queued -= points
        account.drop("export_error", points)
      }
      return trouble
    })

  let isClosing = false
  const flushHere = oneAtATime.withPermits(1)(Effect.suspend(() => exportAll(reader.collect()))).pipe(
    Effect.catchDefect((defect) =>
      Effect.sync(() => {
        diagnostics.report("error", "metrics.reader", `metrics: a collection failed: ${String(defect)}`)
        return String(defect)
      })
    ),
    Effect.withTracerEnabled(false)
  )
  // In a fiber of its own: who does not want to wait any longer must not leave points behind of which nobody knows.
  const exporting = new Set<Fiber.Fiber<string | undefined>>()
  const flush = Effect.gen(function*() {
    const fiber = yield* Effect.forkDetach(flushHere)
    exporting.add(fiber)
    fiber.addObserver(() => void exporting.delete(fiber))
    return yield* Fiber.join(fiber)
  })

  const loop = Effect.gen(function*() {
    let next = clock.monotonicTimeNanosUnsafe()
    const step = BigInt(Math.round(interval * 1e6))
    while (!isClosing) {
      next += step
      const now = clock.monotonicTimeNanosUnsafe()
      // After a pause of several intervals there is one collection, not several.
      if (next < now) next = now
      yield* sleepUnref(Duration.nanos(next - now))
      if (!isClosing) yield* flush
    }
  })
  const running = yield* Effect.forkDetach(loop)

  yield* Effect.addFinalizer(() =>
    Effect.gen(function*() {
      isClosing = true
      const own = millis(options.shutdownTimeout ?? "3 seconds")
      const left = deadline.at === undefined
        ? own
        : Math.min(own, Math.max(0, Number(deadline.at - clock.monotonicTimeNanosUnsafe()) / 1e6))
      yield* Effect.raceFirst(flush, Effect.sleep(Math.floor(left)))
      running.interruptUnsafe()
      exporting.forEach((fiber) => fiber.interruptUnsafe())
      account.inFlight = 0
      // What is still here is not going to arrive.
      const lost = account.queued
      account.queued = 0
      account.drop("shutdown_timeout", lost)
      if (lost > 0) {
        diagnostics.report(
          "error",
          `metrics.${exporter.name}.shutdown_timeout`,
          `${exporter.name}: ${lost} data points lost: not delivered before the end`
        )
      }
    })
  )
  return PeriodicMetricReader.of({ flush })
})

/** {@link make} as a layer. */
export const layer = (
  options?: PeriodicMetricReaderOptions
): Layer.Layer<PeriodicMetricReader, never, MeterProvider | MetricExporter> =>
  Layer.effect(PeriodicMetricReader, make(options))

const book = (account: Account, result: ExportResult, count: number): void => {
  let left = count
  const take = (wanted: number): number => {
    const taken = Math.min(Math.max(0, wanted), left)
    left -= taken
    return taken
  }
  account.exported += take(result.exported)
  for (const [reason, wanted] of Object.entries(result.rejected ?? {})) {
    account.reject(reason as keyof NonNullable<ExportResult["rejected"]>, take(wanted))
  }
  for (const [reason, wanted] of Object.entries(result.dropped ?? {})) {
    account.drop(reason as DropReason, take(wanted))
  }
  account.drop("export_error", left)
}
