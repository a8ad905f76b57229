/** Makes instruments (`metrics/api.md#meter`). Instruments are plain and synchronous: a measurement is a call. */
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { ValueType } from "./accumulators.ts"
import type { InstrumentKind } from "./Aggregation.ts"
import type { AttributeInput } from "./attributeSets.ts"
import type { ObservableCallback } from "./instrument.ts"

export type { ValueType } from "./accumulators.ts"
export type { AttributeInput } from "./attributeSets.ts"
export type { ObservableCallback, ObservableResult } from "./instrument.ts"

/** What an instrument is, beside its name. */
export interface InstrumentOptions {
  /** Default `""`. */
  readonly description?: string | undefined
  /** In the case-sensitive form of UCUM, as in `ms`, `By` or `{request}`; at most 63 ASCII characters. Default `""`. */
  readonly unit?: string | undefined
  /** Whether points hold 64-bit integers or doubles. An integer instrument cuts fractions off what it reports. Default `double`. */
  readonly valueType?: ValueType | undefined
  /** Hints of the author, which views override. */
  readonly advice?: {
    /** Upper bounds of the buckets of a histogram. */
    readonly explicitBucketBoundaries?: ReadonlyArray<number> | undefined
    /** The only attribute keys that are kept where no view is for the instrument. */
    readonly attributes?: ReadonlyArray<string> | undefined
  } | undefined
}

/**
 * Counts what only grows.
 *
 * **Details**
 *
 * Attributes are what `Attributes.fromUnknown` takes. Recording never throws: what is no finite number, or is negative,
 * is ignored, and reported once.
 */
export interface Counter {
  readonly add: (value: number, attributes?: AttributeInput) => void
  /** The counter of these attributes, found once and then updated without a search. */
  readonly bind: (attributes: AttributeInput) => { readonly add: (value: number) => void }
}

/** Counts what grows and shrinks. */
export interface UpDownCounter extends Counter {}

/** Says what is. */
export interface Gauge {
  readonly record: (value: number, attributes?: AttributeInput) => void
  /** The gauge of these attributes. */
  readonly bind: (attributes: AttributeInput) => { readonly record: (value: number) => void }
}

/** Gathers a distribution of values of zero or more. */
export interface Histogram extends Gauge {}

/** Asked at each collection. */
export interface Observable {
  /** Adds a callback. It is added once only. */
  readonly addCallback: (callback: ObservableCallback) => void
  readonly removeCallback: (callback: ObservableCallback) => void
}

/**
 * Makes instruments of one scope.
 *
 * **Details**
 *
 * The same name (whatever its case), kind, unit, type and description are the same instrument. Where something but the
 * name differs, both work, under the name as it was seen first, and that is reported.
 */
export interface Meter {
  readonly scope: InstrumentationScope
  readonly createCounter: (name: string, options?: InstrumentOptions) => Counter
  readonly createUpDownCounter: (name: string, options?: InstrumentOptions) => UpDownCounter
  readonly createGauge: (name: string, options?: InstrumentOptions) => Gauge
  readonly createHistogram: (name: string, options?: InstrumentOptions) => Histogram
  readonly createObservableCounter: (
    name: string,
    options?: InstrumentOptions,
    callback?: ObservableCallback
  ) => Observable
  readonly createObservableUpDownCounter: (
    name: string,
    options?: InstrumentOptions,
    callback?: ObservableCallback
  ) => Observable
  readonly createObservableGauge: (
    name: string,
    options?: InstrumentOptions,
    callback?: ObservableCallback
  ) => Observable
}

/** The syntax of `metrics/api.md#instrument-name-syntax`. */
export const isInstrumentName = (name: string): boolean => /^[A-Za-z][A-Za-z0-9_.\-/]{0,254}$/.test(name)

/** The syntax of `metrics/api.md#instrument-unit`. */
// eslint-disable-next-line no-control-regex
export const isUnit = (unit: string): boolean => /^[\u0000-\u007f]{0,63}$/.test(unit)

/** An instrument as views and readers see it. */
export interface InstrumentDescriptor {
  readonly name: string
  readonly kind: InstrumentKind
  readonly description: string
  readonly unit: string
  readonly valueType: ValueType
  readonly advice: NonNullable<InstrumentOptions["advice"]>
  readonly scope: InstrumentationScope
}
