/**
 * Which measurements are kept as exemplars, so that a number leads to a trace (`metrics/sdk.md#exemplar`).
 *
 * **Gotchas**
 *
 * An exemplar keeps the attributes that a view left out of its point: what must not leave the process must not be
 * measured.
 */
import type * as Clock from "effect/Clock"
import * as Fiber from "effect/Fiber"
import type { AnySpan } from "effect/Tracer"
import { isSpanId, isTraceId } from "../internal/hex.ts"
import { randomWord } from "../internal/random.ts"
import type { Attributes } from "../model/Attributes.ts"

/**
 * Which measurements may become exemplars: those within a sampled span, all, or none (`OTEL_METRICS_EXEMPLAR_FILTER`).
 */
export type ExemplarFilter = "trace_based" | "always_on" | "always_off"

/** A measurement, as a reservoir sees it. */
export interface Measurement {
  readonly value: number
  /** The bucket of an explicit histogram that the value falls into; 0 elsewhere. */
  readonly bucket: number
  /** What a view left out of the point's attributes. */
  readonly filteredAttributes: Attributes
  readonly span: AnySpan | undefined
  readonly clock: Clock.Clock
}

/** A measurement that was kept. */
export interface KeptMeasurement {
  readonly value: number
  readonly timeUnixNano: bigint
  readonly traceId: string | undefined
  readonly spanId: string | undefined
  readonly filteredAttributes: Attributes
}

/** Keeps some of the measurements of one series until they are collected. */
export interface ExemplarReservoir {
  /** Synchronous; must not throw. */
  readonly offer: (measurement: Measurement) => void
  /** What was kept since the last call. */
  readonly collect: () => ReadonlyArray<KeptMeasurement>
}

const keep = ({ clock, filteredAttributes, span, value }: Measurement): KeptMeasurement => {
  const isValid = span !== undefined && isTraceId(span.traceId) && isSpanId(span.spanId)
  return {
    value,
    timeUnixNano: clock.currentTimeNanosUnsafe(),
    traceId: isValid ? span.traceId : undefined,
    spanId: isValid ? span.spanId : undefined,
    filteredAttributes
  }
}

const randomBelow = (bound: number): number => Math.floor((randomWord() >>> 0) / 2 ** 32 * bound)

const noMeasurements: ReadonlyArray<KeptMeasurement> = []

/** A reservoir of `size` places, in which each measurement has the same chance to be (`SimpleFixedSizeExemplarReservoir`). */
export const simpleFixedSize = (size = 1): ExemplarReservoir => {
  let kept: Array<KeptMeasurement> = []
  let seen = 0
  return {
    offer: (measurement) => {
      seen++
      const place = seen <= size ? seen - 1 : randomBelow(seen)
      if (place < size) kept[place] = keep(measurement)
    },
    collect: () => {
      if (seen === 0) return noMeasurements
      const collected = kept
      kept = []
      seen = 0
      return collected
    }
  }
}

/**
 * A reservoir of one place for each bucket, in which each measurement of the bucket has the same chance to be
 * (`AlignedHistogramBucketExemplarReservoir`).
 */
export const alignedHistogramBucket = (buckets: number): ExemplarReservoir => {
  const kept: Array<KeptMeasurement | undefined> = []
  const seen: Array<number> = []
  for (let i = 0; i < buckets; i++) {
    kept.push(undefined)
    seen.push(0)
  }
  let isEmpty = true
  return {
    offer: (measurement) => {
      const { bucket } = measurement
      const count = seen[bucket]! + 1
      seen[bucket] = count
      if (count > 1 && randomBelow(count) > 0) return
      kept[bucket] = keep(measurement)
      isEmpty = false
    },
    collect: () => {
      if (isEmpty) return noMeasurements
      const collected = kept.filter((measurement) => measurement !== undefined)
      kept.fill(undefined)
      seen.fill(0)
      isEmpty = true
      return collected
    }
  }
}

/** The span around the running fiber. Plain code outside of any fiber has none. */
export const fiberSpan = (): AnySpan | undefined => Fiber.getCurrent()?.cache.span
