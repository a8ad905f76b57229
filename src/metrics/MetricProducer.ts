/** What a reader collects beside the instruments of its provider (`metrics/sdk.md#metricproducer`). */
import type * as Duration from "effect/Duration"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { MetricPoints } from "../model/MetricData.ts"
import type { Aggregation, InstrumentKind, TemporalityPreference } from "./Aggregation.ts"

/** What a reader wants. */
export interface ReaderPreferences {
  /** Default `cumulative`. */
  readonly temporality?: TemporalityPreference | undefined
  /** The aggregation of instruments that no view gives one. Default: each kind's own. */
  readonly aggregation?: ((kind: InstrumentKind) => Aggregation) | undefined
  /** Most series of one metric, beside the one for overflow. Default 2,000. */
  readonly cardinalityLimit?: ((kind: InstrumentKind) => number) | undefined
  /**
   * After how long without a measurement a cumulative or observed series is forgotten; when it comes back, it starts anew.
   * Default never.
   */
  readonly expireAfter?: Duration.Input | undefined
  /** What is collected beside the provider's own instruments. Default nothing. */
  readonly producers?: ReadonlyArray<MetricProducer> | undefined
}

/** A metric of a producer. */
export interface ProducedMetric {
  readonly name: string
  readonly description: string
  readonly unit: string
  readonly scope: InstrumentationScope
  readonly data: MetricPoints
  /** The points have arrived. */
  readonly commit?: (() => void) | undefined
}

/** A source of metrics, which remembers for each reader on its own what has arrived. */
export interface MetricProducer {
  /** Called once for each reader. What it returns is called at each collection, and must not throw. */
  readonly connect: (preferences: ReaderPreferences, now: bigint) => (now: bigint) => ReadonlyArray<ProducedMetric>
}
