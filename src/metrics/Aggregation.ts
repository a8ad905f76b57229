/** How the measurements of an instrument become points (`metrics/sdk.md#aggregation`), and over what time. */
import type { Temporality } from "../model/MetricData.ts"

/** `metrics/api.md#instrument`. */
export type InstrumentKind =
  | "counter"
  | "upDownCounter"
  | "gauge"
  | "histogram"
  | "observableCounter"
  | "observableUpDownCounter"
  | "observableGauge"

/**
 * How measurements become points.
 *
 * **Details**
 *
 * `default` is a sum for counters, the last value for gauges and an explicit histogram for histograms. An aggregation
 * that an instrument cannot have (the sum of a gauge, the last value of a counter, a histogram of an observable
 * instrument) is its default, which is reported once.
 */
export type Aggregation =
  | { readonly type: "default" }
  | { readonly type: "drop" }
  | { readonly type: "sum" }
  | { readonly type: "lastValue" }
  | {
    readonly type: "explicitBucketHistogram"
    /** Upper bounds, inclusive. Default: those of the instrument's advice, or else those of the specification. */
    readonly bounds?: ReadonlyArray<number> | undefined
    /** Default `true`. */
    readonly recordMinMax?: boolean | undefined
  }
  | {
    readonly type: "exponentialHistogram"
    /** Most buckets of either sign. Default 160. */
    readonly maxSize?: number | undefined
    /** Default 20. */
    readonly maxScale?: number | undefined
    /** Default `true`. */
    readonly recordMinMax?: boolean | undefined
  }

/** Which temporality each kind of instrument has (`OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`). */
export type TemporalityPreference = "cumulative" | "delta" | "lowmemory" | ((kind: InstrumentKind) => Temporality)

/**
 * The temporality of `kind`.
 *
 * **Details**
 *
 * `delta` is for counters, observable counters and histograms; `lowmemory` for counters and histograms, since the changes
 * of an observable counter can be told only by who remembers its totals. A gauge has no temporality: its last value is
 * reported every time.
 */
export const temporalityOf = (preference: TemporalityPreference, kind: InstrumentKind): Temporality => {
  if (typeof preference === "function") return preference(kind)
  if (preference === "cumulative") return "cumulative"
  return kind === "counter" || kind === "histogram" || (kind === "observableCounter" && preference === "delta")
    ? "delta"
    : "cumulative"
}

export const isObservable = (kind: InstrumentKind): boolean => kind.startsWith("observable")

export const isGauge = (kind: InstrumentKind): boolean => kind === "gauge" || kind === "observableGauge"

export const isMonotonic = (kind: InstrumentKind): boolean =>
  kind === "counter" || kind === "observableCounter" || kind === "histogram"
