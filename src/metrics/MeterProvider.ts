/** Holds meters, views and the readers that collect (`metrics/sdk.md#meterprovider`). */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AnySpan } from "effect/Tracer"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import * as Resource from "../model/Resource.ts"
import { problem, type View } from "./View.ts"
import { type Collector, makeCollector } from "./collector.ts"
import { type ExemplarFilter, fiberSpan } from "./Exemplars.ts"
import type { Recorder } from "./instrument.ts"
import type { Meter } from "./Meter.ts"
import { makeMeter, type MeterState, type Reading } from "./meters.ts"
import type { ReaderPreferences } from "./MetricProducer.ts"

export type { Collection, CollectOptions, Collector } from "./collector.ts"
export type { ReaderPreferences } from "./MetricProducer.ts"

/** Options of {@link make}. */
export interface MeterProviderOptions {
  /** Who emits. Default the empty resource. */
  readonly resource?: Resource.Resource | undefined
  readonly views?: ReadonlyArray<View> | undefined
  /** Which measurements may become exemplars. Default `trace_based`. */
  readonly exemplarFilter?: ExemplarFilter | undefined
  /** The span around a measurement, for exemplars. Default: that of the running fiber. */
  readonly currentSpan?: (() => AnySpan | undefined) | undefined
}

/** An option that cannot be. */
export class MeterProviderError extends Data.TaggedError("MeterProviderError")<{
  /** As in `views[0]`. */
  readonly option: string
  readonly problem: string
}> {
  override get message(): string {
    return `${this.option}: ${this.problem}`
  }
}

/** Makes meters, and collects from them. */
export class MeterProvider extends Context.Service<MeterProvider, {
  readonly resource: Resource.Resource
  /** The meter of a scope. The same name, version and schema URL are the same meter. */
  readonly getMeter: (name: string, scope?: Omit<InstrumentationScope, "name">) => Meter
  /** Adds a reader, which sees what is measured from now on. */
  readonly addReader: (preferences?: ReaderPreferences) => Collector
}>()("effect-telemetry/metrics/MeterProvider") {}

/** The implementation type of the {@link MeterProvider} service. */
export type MeterProviderShape = MeterProvider["Service"]

/**
 * Makes a provider.
 *
 * **Details**
 *
 * Each reader has series of its own, in its own temporality and within its own limits; a measurement without a reader is
 * a call that returns. At `cardinalityLimit` series of a metric, further attributes are counted in one series with the
 * attribute `otel.metric.overflow`: for cumulative, delta and observable instruments alike, nothing is lost, and no
 * metric ever has more points.
 */
export const make = Effect.fnUntraced(function*(
  options?: MeterProviderOptions
): Effect.fn.Return<MeterProviderShape, MeterProviderError> {
  const views = options?.views ?? []
  for (const [i, view] of views.entries()) {
    const wrong = problem(view)
    if (wrong !== undefined) return yield* new MeterProviderError({ option: `views[${i}]`, problem: wrong })
  }
  const diagnostics = yield* Diagnostics
  const clock = yield* Clock.Clock
  const resource = options?.resource ?? Resource.empty
  const complain = (instrument: string, what: string): void =>
    diagnostics.report("warn", `metrics.${instrument}`, `metrics: the instrument ${instrument} ${what}`)
  const recorder: Recorder = {
    clock,
    exemplarFilter: options?.exemplarFilter ?? "trace_based",
    currentSpan: options?.currentSpan ?? fiberSpan,
    complain
  }
  const readings: Array<Reading> = []
  const meters = new Map<string, MeterState>()

  return MeterProvider.of({
    resource,
    getMeter: (name, scope) => {
      const key = JSON.stringify([name, scope?.version ?? "", scope?.schemaUrl ?? ""])
      let known = meters.get(key)
      if (known === undefined) {
        if (name === "") complain("meter", "has no name")
        meters.set(key, known = makeMeter({ ...scope, name }, views, readings, recorder))
      }
      return known.meter
    },
    addReader: (preferences = {}) => {
      const { expireAfter, ...rest } = preferences
      const reading: Reading = {
        ...rest,
        expireAfterNanos: expireAfter === undefined
          ? undefined
          : BigInt(Math.round(Duration.toMillis(Duration.fromInputUnsafe(expireAfter)) * 1e6)),
        sync: [],
        observed: []
      }
      readings.push(reading)
      for (const meter of meters.values()) meter.attach(reading)
      return makeCollector(reading, resource, clock, preferences, diagnostics)
    }
  })
})

/** {@link make} as a layer. */
export const layer = (options?: MeterProviderOptions): Layer.Layer<MeterProvider, MeterProviderError> =>
  Layer.effect(MeterProvider, make(options))
