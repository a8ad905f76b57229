/** The simple processor (`trace/sdk.md#simple-processor`). */
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Batcher from "../delivery/Batcher.ts"
import type { SpanExporter } from "../exporters/SpanExporter.ts"
import { fromExporter } from "./BatchSpanProcessor.ts"
import { SpanProcessor, type SpanProcessorShape } from "./SpanProcessor.ts"

/** Options of {@link make}. */
export type SimpleSpanProcessorOptions = Pick<
  Batcher.BatcherLimits,
  "maxQueueSize" | "maxQueueBytes" | "exportTimeout" | "shutdownTimeout"
>

/**
 * Makes a processor that exports each sampled span by itself as soon as it ends, with the `SpanExporter` in context.
 *
 * **Details**
 *
 * Exports follow one another and never overlap, as the specification asks; spans that end meanwhile wait in a bounded
 * queue. For tests, consoles and short-lived programs; a program under load wants `BatchSpanProcessor`.
 */
export const make = (
  options?: SimpleSpanProcessorOptions
): Effect.Effect<SpanProcessorShape, never, SpanExporter | Scope.Scope> =>
  fromExporter("simple", { ...options, maxExportBatchSize: 1, concurrency: 1 })

/** {@link make} as a layer. */
export const layer = (options?: SimpleSpanProcessorOptions): Layer.Layer<SpanProcessor, never, SpanExporter> =>
  Layer.effect(SpanProcessor, make(options))
