/** The batching processor of log records (`logs/sdk.md#batching-processor`). */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Batcher from "../delivery/Batcher.ts"
import { LogsLedger } from "../diagnostics/CurrentLedger.ts"
import { exporterBatcher } from "../exporters/exporterBatcher.ts"
import { LogExporter } from "../exporters/LogExporter.ts"
import { LogRecordProcessor, type LogRecordProcessorShape } from "./LogRecordProcessor.ts"

/** Options of {@link make}; the defaults are those of the `OTEL_BLRP_*` variables. */
export type BatchLogRecordProcessorOptions = Batcher.BatcherLimits

/**
 * Makes a processor that gathers log records into batches and exports them in the background with the `LogExporter` in
 * context, until its scope closes.
 *
 * **Details**
 *
 * A record is taken as it comes, into the exporter's own form, so that later stations may change it, and goes on to the
 * next processor. It waits 1 second for others, unless `scheduleDelay` says otherwise. See `Batcher.make` for bounds, flush
 * and shutdown.
 */
export const make = (
  options?: BatchLogRecordProcessorOptions
): Effect.Effect<LogRecordProcessorShape, never, LogExporter | Scope.Scope> =>
  fromExporter("batch", { ...options, scheduleDelay: options?.scheduleDelay ?? 1_000 })

/** {@link make} as a layer. */
export const layer = (
  options?: BatchLogRecordProcessorOptions
): Layer.Layer<LogRecordProcessor, never, LogExporter> => Layer.effect(LogRecordProcessor, make(options))

/** The processor behind the batching and the simple one: `kind` is the first part of its name. */
export const fromExporter = Effect.fnUntraced(function*(
  kind: string,
  limits: Batcher.BatcherLimits
): Effect.fn.Return<LogRecordProcessorShape, never, LogExporter | Scope.Scope> {
  const exporter = yield* LogExporter
  const { account, flush, offer } = yield* exporterBatcher(exporter, yield* LogsLedger, limits)
  const processor: LogRecordProcessorShape = {
    name: `${kind}(${exporter.name})`,
    onEmit(record, next) {
      offer(record)
      next.emit(record)
    },
    flush,
    accounts: [account]
  }
  return processor
})
