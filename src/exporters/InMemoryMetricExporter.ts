/** Metrics kept in memory, to be looked at by tests and tools. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { MetricData } from "../model/MetricData.ts"
import { countPoints, MetricExporter, type MetricExporterShape } from "./MetricExporter.ts"

/** How much is kept. */
export interface Options {
  /** Most batches kept. Default 1,000; beyond it the oldest give way. */
  readonly maxBatches?: number | undefined
}

/** What an in-memory exporter has taken. */
export interface MetricStore {
  /** The batches kept, in the order in which they came. A copy. */
  readonly batches: Effect.Effect<ReadonlyArray<ReadonlyArray<MetricData>>>
  /** Forgets them. */
  readonly reset: Effect.Effect<void>
}

/** The handle on the exporter of {@link layer}. */
export class InMemoryMetrics extends Context.Service<InMemoryMetrics, MetricStore>()(
  "effect-telemetry/exporters/InMemoryMetricExporter/InMemoryMetrics"
) {}

/** Makes an exporter that keeps the newest batches in memory, and the handle on what it keeps. */
export const make = (
  options?: Options
): Effect.Effect<MetricStore & { readonly exporter: MetricExporterShape }> =>
  Effect.sync(() => {
    const maxBatches = Math.max(options?.maxBatches ?? 1_000, 0)
    let kept: Array<ReadonlyArray<MetricData>> = []
    return {
      exporter: MetricExporter.of({
        name: "memory",
        export: (metrics) =>
          Effect.sync(() => {
            kept.push(metrics)
            if (kept.length > maxBatches) kept.shift()
            return { exported: countPoints(metrics) }
          })
      }),
      batches: Effect.sync(() => [...kept]),
      reset: Effect.sync(() => {
        kept = []
      })
    }
  })

/** Provides the exporter as the {@link MetricExporter} service, and the handle on it. */
export const layer = (options?: Options): Layer.Layer<MetricExporter | InMemoryMetrics> =>
  Layer.effectContext(
    Effect.map(make(options), (memory) =>
      Context.make(MetricExporter, memory.exporter).pipe(Context.add(InMemoryMetrics, memory)))
  )
