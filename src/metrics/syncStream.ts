/** The series of a synchronous instrument, for one reader. */
import type { AnySpan } from "effect/Tracer"
import type * as Clock from "effect/Clock"
import type { Attributes } from "../model/Attributes.ts"
import type { Exemplar } from "../model/MetricData.ts"
import { type Accumulator, valueOf } from "./accumulators.ts"
import { type AttributeSet, overflowSet, split } from "./attributeSets.ts"
import type { ExemplarReservoir, KeptMeasurement } from "./Exemplars.ts"
import { type Collected, type Gathered, makeAccumulator, pointsOf, type StreamSpec } from "./streamSpec.ts"

const noExemplars: ReadonlyArray<Exemplar> = []

/** What a reservoir kept; nothing of one that throws. */
const collected = (reservoir: ExemplarReservoir | undefined): ReadonlyArray<KeptMeasurement> => {
  try {
    return reservoir?.collect() ?? []
  } catch {
    return []
  }
}

export class Series {
  readonly set: AttributeSet
  accumulator: Accumulator
  /** An interval that was handed out, and of which nobody has said that it arrived. */
  pending: Accumulator | undefined = undefined
  startTime: bigint
  /** The last collection that found something new. */
  seenAt: bigint
  reservoir: ExemplarReservoir | undefined = undefined
  private readonly makeReservoir: StreamSpec["makeReservoir"]

  constructor(set: AttributeSet, spec: StreamSpec, startTime: bigint, now: bigint) {
    this.set = set
    this.accumulator = makeAccumulator(spec)
    this.startTime = startTime
    this.seenAt = now
    this.makeReservoir = spec.makeReservoir
  }

  offer(value: number, filteredAttributes: Attributes, span: AnySpan | undefined, clock: Clock.Clock): void {
    if (this.makeReservoir === undefined) return
    this.reservoir ??= this.makeReservoir()
    this.reservoir.offer({ value, bucket: this.accumulator.bucketOf(value), filteredAttributes, span, clock })
  }
}

/** A series, and what of the measurement's attributes it does not have. */
export interface Place {
  readonly series: Series
  readonly filteredAttributes: Attributes
}

export class SyncStream {
  readonly spec: StreamSpec
  private readonly clock: Clock.Clock
  private readonly series = new Map<string, Series>()
  private overflow: Series | undefined = undefined
  /** The end of the last interval that arrived; before there is one, when the instrument was made. */
  private intervalStart: bigint
  /** Whether series without anything to report have made room already since the last collection. */
  private isSwept = false
  /** Told that series were forgotten, and that nobody may record into them. */
  private readonly onForgotten: () => void

  constructor(spec: StreamSpec, clock: Clock.Clock, onForgotten: () => void) {
    this.spec = spec
    this.clock = clock
    this.onForgotten = onForgotten
    this.intervalStart = clock.currentTimeNanosUnsafe()
  }

  get isDelta(): boolean {
    return this.spec.temporality === "delta" && this.spec.aggregation.type !== "lastValue"
  }

  place(attributes: Attributes): Place {
    const { dropped, set } = split(attributes, this.spec.filter)
    return { series: this.find(set), filteredAttributes: dropped }
  }

  isOverflow(series: Series): boolean {
    return series === this.overflow
  }

  private find(set: AttributeSet): Series {
    const known = this.series.get(set.key)
    if (known !== undefined) return known
    if (this.series.size >= this.spec.cardinalityLimit && !this.makeRoom()) {
      return this.overflow ??= this.makeSeries(overflowSet)
    }
    const made = this.makeSeries(set)
    this.series.set(set.key, made)
    return made
  }

  private makeSeries(set: AttributeSet): Series {
    const now = this.clock.currentTimeNanosUnsafe()
    return new Series(set, this.spec, this.isDelta ? this.intervalStart : now, now)
  }

  // A cumulative series is reported for ever. One of deltas ends with its interval, and is kept for speed only.
  private makeRoom(): boolean {
    if (!this.isDelta || this.isSwept) return false
    this.isSwept = true
    this.forget((series) => !series.accumulator.isDirty && series.pending === undefined)
    return this.series.size < this.spec.cardinalityLimit
  }

  private forget(isOver: (series: Series) => boolean): void {
    const before = this.series.size
    for (const [key, series] of this.series) if (isOver(series)) this.series.delete(key)
    if (this.series.size < before) this.onForgotten()
  }

  private all(): ReadonlyArray<Series> {
    return this.overflow === undefined ? [...this.series.values()] : [...this.series.values(), this.overflow]
  }

  /** Without `exemplars`, those that there are stay for the next collection. */
  collect(now: bigint, exemplars: boolean): Collected {
    this.isSwept = false
    return this.isDelta ? this.collectDelta(now, exemplars) : this.collectCumulative(now, exemplars)
  }

  private collectDelta(now: bigint, exemplars: boolean): Collected {
    const handed: Array<Series> = []
    const gathered: Array<Gathered> = []
    for (const series of this.all()) {
      if (series.accumulator.isDirty) {
        if (series.pending === undefined) series.pending = series.accumulator
        else series.pending.merge(series.accumulator)
        series.accumulator = makeAccumulator(this.spec)
        series.seenAt = now
      }
      if (series.pending === undefined) continue
      handed.push(series)
      gathered.push(this.gather(series, series.pending, now, exemplars))
    }
    const commit = (): void => {
      this.intervalStart = now
      for (const series of handed) series.pending = undefined
      const isFresh = new Set(handed)
      // What had nothing to say in a whole interval goes.
      this.forget((series) => !isFresh.has(series) && !series.accumulator.isDirty && series.pending === undefined)
      for (const series of this.all()) series.startTime = now
    }
    return { spec: this.spec, data: pointsOf(this.spec, gathered), commit }
  }

  private collectCumulative(now: bigint, exemplars: boolean): Collected {
    const { expireAfter } = this.spec
    const gathered: Array<Gathered> = []
    for (const series of this.all()) {
      const { accumulator } = series
      if (accumulator.isDirty) {
        accumulator.isDirty = false
        series.seenAt = now
      }
      gathered.push(this.gather(series, accumulator, now, exemplars))
    }
    // Reported once more at its end, so that nobody misses its last values.
    if (expireAfter !== undefined) this.forget(({ seenAt }) => now - seenAt >= expireAfter)
    return { spec: this.spec, data: pointsOf(this.spec, gathered), commit: () => {} }
  }

  private gather(series: Series, accumulator: Accumulator, now: bigint, exemplars: boolean): Gathered {
    return {
      accumulator,
      base: {
        attributes: series.set.attributes,
        startTimeUnixNano: series.startTime,
        timeUnixNano: now,
        exemplars: exemplars ? this.exemplarsOf(series) : noExemplars
      }
    }
  }

  private exemplarsOf(series: Series): ReadonlyArray<Exemplar> {
    const kept = collected(series.reservoir)
    if (kept.length === 0) return noExemplars
    return kept.map((measurement) => ({ ...measurement, value: valueOf(measurement.value, this.spec.valueType) }))
  }
}
