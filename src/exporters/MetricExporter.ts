/** Where metrics go (`metrics/sdk.md#metricexporter`). */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { ComponentInfo } from "../diagnostics/Ledger.ts"
import type { MetricData } from "../model/MetricData.ts"
import type { ExportError, ExportResult } from "./SpanExporter.ts"

/** Takes batches of metrics. A reader never calls `export` concurrently. */
export class MetricExporter extends Context.Service<MetricExporter, {
  /** Short name of the destination, used in the ledger and in diagnostics. */
  readonly name: string
  /**
   * Delivers metrics with one point at least. The result counts points. Retries are the exporter's; a failure says that
   * nothing is known to have arrived.
   */
  readonly export: (metrics: ReadonlyArray<MetricData>) => Effect.Effect<ExportResult, ExportError>
  /** How long `export` may take on purpose, for retries. A reader's timeout counts from the end of it. Default none. */
  readonly retryAge?: Duration.Input | undefined
  /** What goes wrong with the destination right now, `undefined` while it answers; for `health`. */
  readonly failing?: (() => string | undefined) | undefined
  /** Asks the destination whether it accepts data, and answers why not; for `probe`. */
  readonly check?: Effect.Effect<string | undefined> | undefined
  /** What the exporter is, for the library's own metrics. */
  readonly component?: ComponentInfo | undefined
}>()("effect-telemetry/exporters/MetricExporter") {}

/** The implementation type of the {@link MetricExporter} service. */
export type MetricExporterShape = MetricExporter["Service"]

/** How many points `metrics` have. */
export const countPoints = (metrics: ReadonlyArray<MetricData>): number => {
  let count = 0
  for (const { data } of metrics) count += data.points.length
  return count
}

/** The metric with those of its points from `from` to `to`. */
const slice = (metric: MetricData, from: number, to: number): MetricData => {
  const { data } = metric
  if (from === 0 && to >= data.points.length) return metric
  return { ...metric, data: { ...data, points: data.points.slice(from, to) } as MetricData["data"] }
}

/**
 * `metrics` in batches of `size` points at most. A metric of more points is in several; `onPart` is told of each part.
 */
export const batches = (
  metrics: ReadonlyArray<MetricData>,
  size: number,
  onPart?: (part: MetricData, whole: MetricData) => void
): ReadonlyArray<ReadonlyArray<MetricData>> => {
  const made: Array<ReadonlyArray<MetricData>> = []
  let current: Array<MetricData> = []
  let room = size
  for (const metric of metrics) {
    const { length } = metric.data.points
    for (let from = 0; from < length;) {
      const taken = Math.min(room, length - from)
      const part = slice(metric, from, from + taken)
      if (part !== metric) onPart?.(part, metric)
      current.push(part)
      from += taken
      room -= taken
      if (room > 0) continue
      made.push(current)
      current = []
      room = size
    }
  }
  if (current.length > 0) made.push(current)
  return made
}
