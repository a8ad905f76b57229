/** The batching processor (`trace/sdk.md#batching-processor`). */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Batcher from "../delivery/Batcher.ts"
import { TracesLedger } from "../diagnostics/CurrentLedger.ts"
import { exporterBatcher } from "../exporters/exporterBatcher.ts"
import { SpanExporter } from "../exporters/SpanExporter.ts"
import { isSampled } from "../model/ReadableSpan.ts"
import { SpanProcessor, type SpanProcessorShape } from "./SpanProcessor.ts"

/** Options of {@link make}; the defaults are those of the `OTEL_BSP_*` variables. */
export type BatchSpanProcessorOptions = Batcher.BatcherLimits

/**
 * Makes a processor that gathers sampled spans into batches and exports them in the background with the `SpanExporter`
 * in context, until its scope closes.
 *
 * **Details**
 *
 * A span is taken as it ends, into the exporter's own form, so that later stations may change it. Recorded spans that
 * are not sampled are booked as sampled out. Either way the span goes on to the next processor. See `Batcher.make` for
 * bounds, flush and shutdown.
 */
export const make = (
  options?: BatchSpanProcessorOptions
): Effect.Effect<SpanProcessorShape, never, SpanExporter | Scope.Scope> => fromExporter("batch", options)

/** {@link make} as a layer. */
export const layer = (options?: BatchSpanProcessorOptions): Layer.Layer<SpanProcessor, never, SpanExporter> =>
  Layer.effect(SpanProcessor, make(options))

/** The processor behind the batching and the simple one: `kind` is the first part of its name. */
export const fromExporter = Effect.fnUntraced(function*(
  kind: string,
  limits: Batcher.BatcherLimits | undefined
): Effect.fn.Return<SpanProcessorShape, never, SpanExporter | Scope.Scope> {
  const exporter = yield* SpanExporter
  const { account, flush, offer } = yield* exporterBatcher(exporter, yield* TracesLedger, limits)
  const processor: SpanProcessorShape = {
    name: `${kind}(${exporter.name})`,
    onEnd(span, next) {
      if (isSampled(span)) offer(span)
      else account.sampledOut++
      next.emit(span)
    },
    keepsSpans: false,
    flush,
    accounts: [account]
  }
  return processor
})
