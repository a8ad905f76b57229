/** The simple processor of log records (`logs/sdk.md#simple-processor`). */
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Batcher from "../delivery/Batcher.ts"
import type { LogExporter } from "../exporters/LogExporter.ts"
import { fromExporter } from "./BatchLogRecordProcessor.ts"
import { LogRecordProcessor, type LogRecordProcessorShape } from "./LogRecordProcessor.ts"

/** Options of {@link make}. */
export type SimpleLogRecordProcessorOptions = Pick<
  Batcher.BatcherLimits,
  "maxQueueSize" | "maxQueueBytes" | "exportTimeout" | "shutdownTimeout"
>

/**
 * Makes a processor that exports each log record by itself as soon as it comes, with the `LogExporter` in context.
 *
 * **Details**
 *
 * Exports follow one another and never overlap; records that come meanwhile wait in a bounded queue. For tests, consoles
 * and short-lived programs; a program under load wants `BatchLogRecordProcessor`.
 */
export const make = (
  options?: SimpleLogRecordProcessorOptions
): Effect.Effect<LogRecordProcessorShape, never, LogExporter | Scope.Scope> =>
  fromExporter("simple", { ...options, maxExportBatchSize: 1, concurrency: 1 })

/** {@link make} as a layer. */
export const layer = (
  options?: SimpleLogRecordProcessorOptions
): Layer.Layer<LogRecordProcessor, never, LogExporter> => Layer.effect(LogRecordProcessor, make(options))
