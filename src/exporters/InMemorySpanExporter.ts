/** Spans kept in memory, to be looked at by tests and tools. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ring from "../internal/ring.ts"
import type { SpanData } from "../model/SpanData.ts"
import * as SpanDataBatch from "./SpanDataBatch.ts"
import * as SpanExporter from "./SpanExporter.ts"

/** How much is kept. */
export interface Options {
  /** Most spans kept. Default 10,000; beyond it the oldest give way and are counted as evicted. */
  readonly maxSpans?: number | undefined
}

/** What an in-memory exporter has taken. */
export interface SpanStore {
  /** The spans kept, in order of their end as exported. A copy. */
  readonly spans: Effect.Effect<ReadonlyArray<SpanData>>
  /** How many spans gave way to newer ones since the start or the last reset. */
  readonly evicted: Effect.Effect<number>
  /** Forgets the spans and the count. */
  readonly reset: Effect.Effect<void>
}

/** The handle on the exporter of {@link layer}. */
export class InMemorySpans extends Context.Service<InMemorySpans, SpanStore>()(
  "effect-telemetry/exporters/InMemorySpanExporter/InMemorySpans"
) {}

/** An exporter that keeps spans in memory, and the handle on what it keeps. */
export interface InMemorySpanExporter extends SpanStore {
  readonly exporter: SpanExporter.SpanExporterShape
}

/**
 * Makes an exporter that keeps the newest spans in memory.
 *
 * **Gotchas**
 *
 * An evicted span still counts as exported in the ledger.
 */
export const makeUnsafe = (options?: Options): InMemorySpanExporter => {
  const ring = Ring.make<SpanData>(Math.max(options?.maxSpans ?? 10_000, 0))
  return {
    exporter: SpanExporter.make({
      name: "memory",
      makeBatch: SpanDataBatch.make,
      export: (batch) =>
        Effect.sync(() => {
          for (const span of batch.spans) ring.keep(span)
          return { exported: batch.count }
        })
    }),
    spans: ring.items,
    evicted: ring.evicted,
    reset: ring.reset
  }
}

/** Like {@link makeUnsafe}, as an effect. */
export const make = (options?: Options): Effect.Effect<InMemorySpanExporter> => Effect.sync(() => makeUnsafe(options))

/** Provides the exporter as the {@link SpanExporter.SpanExporter} service, and the handle on it. */
export const layer = (options?: Options): Layer.Layer<SpanExporter.SpanExporter | InMemorySpans> =>
  Layer.effectContext(
    Effect.map(make(options), (memory) =>
      Context.make(SpanExporter.SpanExporter, memory.exporter).pipe(Context.add(InMemorySpans, memory)))
  )
