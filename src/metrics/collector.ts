/** One collection: everything a reader sees, at one moment. */
import type * as Clock from "effect/Clock"
import type { Diagnostics } from "../diagnostics/Diagnostics.ts"
import type { MetricData, MetricPoints } from "../model/MetricData.ts"
import type { Resource } from "../model/Resource.ts"
import type { ObservableInstrument } from "./instrument.ts"
import type { Reading } from "./meters.ts"
import type { ProducedMetric, ReaderPreferences } from "./MetricProducer.ts"

/** What was collected at one moment. */
export interface Collection {
  /** Metrics with at least one point. */
  readonly metrics: ReadonlyArray<MetricData>
  /**
   * Says that it has arrived, all or those metrics for which `hasArrived` holds. Until then, what is delta is part of the
   * next collection, too.
   */
  readonly commit: (hasArrived?: (metric: MetricData) => boolean) => void
}

/** What is wanted of a collection. */
export interface CollectOptions {
  /** Whether exemplars are part of it; otherwise they stay for the next one. Default `true`. */
  readonly exemplars?: boolean | undefined
}

/** One reader's way in. */
export interface Collector {
  /**
   * Collects everything, synchronously: calls the callbacks of observable instruments, then reads all series.
   *
   * **Details**
   *
   * What is reported as delta is reported again, with what came in the meantime, until `commit` of a collection says that
   * it has arrived.
   */
  readonly collect: (options?: CollectOptions) => Collection
}

/** Whether points that did not arrive are reported again by the next collection. */
export const isHeld = (data: MetricPoints): boolean => "temporality" in data && data.temporality === "delta"

export const makeCollector = (
  reading: Reading,
  resource: Resource,
  clock: Clock.Clock,
  preferences: ReaderPreferences,
  diagnostics: Diagnostics
): Collector => {
  const begun = clock.currentTimeNanosUnsafe()
  const sources = (preferences.producers ?? []).map((producer) => producer.connect(preferences, begun))

  const produced = (now: bigint): ReadonlyArray<ProducedMetric> => {
    const metrics: Array<ProducedMetric> = []
    for (const source of sources) {
      try {
        metrics.push(...source(now))
      } catch (error) {
        diagnostics.report("error", "metrics.producer", `metrics: a producer throws: ${String(error)}`)
      }
    }
    return metrics
  }

  return {
    collect: (options) => {
      const metrics: Array<MetricData> = []
      const commits: Array<{ readonly metric: MetricData | undefined; readonly commit: () => void }> = []
      const add = (metric: ProducedMetric): void => {
        const { commit, data, description, name, scope, unit } = metric
        const isEmpty = data.points.length === 0
        const found = isEmpty ? undefined : { name, description, unit, scope, resource, data }
        if (found !== undefined) metrics.push(found)
        if (commit !== undefined) commits.push({ metric: found, commit })
      }
      const observations = new Map<ObservableInstrument, ReturnType<ObservableInstrument["observe"]>>()
      for (const { instrument } of reading.observed) {
        if (!observations.has(instrument)) observations.set(instrument, [...instrument.observe()])
      }
      const now = clock.currentTimeNanosUnsafe()
      for (const { scope, stream } of reading.sync) {
        const collected = stream.collect(now, options?.exemplars ?? true)
        add({ ...collected.spec, scope, data: collected.data, commit: collected.commit })
      }
      for (const { instrument, scope, stream } of reading.observed) {
        const collected = stream.collect(now, observations.get(instrument)!)
        add({ ...collected.spec, scope, data: collected.data, commit: collected.commit })
      }
      produced(now).forEach(add)
      return {
        metrics,
        commit: (hasArrived) => {
          for (const { commit, metric } of commits) {
            // An interval without a point arrives by itself.
            if (metric !== undefined && hasArrived !== undefined && !hasArrived(metric)) continue
            try {
              commit()
            } catch (error) {
              diagnostics.report("error", "metrics.producer", `metrics: a producer throws: ${String(error)}`)
            }
          }
        }
      }
    }
  }
}
