/** Instruments: where a measurement enters, and by which way it comes to its series. */
import type * as Clock from "effect/Clock"
import type { AnySpan } from "effect/Tracer"
import type { Attributes } from "../model/Attributes.ts"
import { type AttributeInput, AttributeTree, emptySet, normalize, split } from "./attributeSets.ts"
import type { ExemplarFilter } from "./Exemplars.ts"
import type { ObservedStream } from "./observedStream.ts"
import type { Place, SyncStream } from "./syncStream.ts"

/** What instruments share with the provider that made them. */
export interface Recorder {
  readonly clock: Clock.Clock
  readonly exemplarFilter: ExemplarFilter
  readonly currentSpan: () => AnySpan | undefined
  /** Tells, once in a while, of a measurement that is none, or a callback that failed. */
  readonly complain: (instrument: string, what: string) => void
}

/** Series of attributes that are known: one of each stream. */
class Recording {
  places: ReadonlyArray<Place> = []
  generation = -1
  readonly attributes: Attributes

  constructor(attributes: Attributes) {
    this.attributes = attributes
  }
}

/** Most ways to series that one instrument remembers; then it begins anew. */
const maxLeaves = 8192

export class SyncInstrument {
  readonly name: string
  private readonly isSigned: boolean
  private readonly recorder: Recorder
  private readonly hasExemplars: boolean
  private readonly tree = new AttributeTree<Recording>(maxLeaves)
  private readonly bare = new Recording(emptySet.attributes)
  private streams: ReadonlyArray<SyncStream> = []
  /** Changes whenever a series is forgotten or a stream comes: what was found before is to be found again. */
  private generation = 0

  constructor(name: string, isSigned: boolean, recorder: Recorder) {
    this.name = name
    this.isSigned = isSigned
    this.recorder = recorder
    this.hasExemplars = recorder.exemplarFilter !== "always_off"
  }

  readonly invalidate = (): void => {
    this.generation++
    this.tree.clear()
  }

  attach(stream: SyncStream): void {
    this.streams = [...this.streams, stream]
    this.invalidate()
  }

  record(value: number, attributes: AttributeInput | undefined): void {
    if (this.streams.length === 0 || !this.accepts(value)) return
    this.take(attributes === undefined ? this.bare : this.find(attributes), value)
  }

  bind(attributes: AttributeInput): (value: number) => void {
    const recording = new Recording(normalize(attributes))
    return (value) => {
      if (this.streams.length !== 0 && this.accepts(value)) this.take(recording, value)
    }
  }

  private accepts(value: number): boolean {
    // Also false for NaN, and for what is no number.
    if (typeof value === "number" && value < Infinity && (value >= 0 || (this.isSigned && value > -Infinity))) {
      return true
    }
    this.recorder.complain(this.name, `ignores ${describe(value)}`)
    return false
  }

  private find(attributes: AttributeInput): Recording {
    try {
      const known = this.tree.find(attributes)
      if (known !== undefined) return known
    } catch {
      // What throws when it is read is left out, which takes a closer look.
    }
    const made = new Recording(normalize(attributes))
    this.resolve(made)
    try {
      // Sets without a place of their own come without end: to remember them would be to forget the others.
      if (!made.places.some(({ series }, i) => this.streams[i]!.isOverflow(series))) this.tree.set(attributes, made)
    } catch {
      // As above.
    }
    return made
  }

  private resolve(recording: Recording): void {
    recording.places = this.streams.map((stream) => stream.place(recording.attributes))
    recording.generation = this.generation
  }

  private take(recording: Recording, value: number): void {
    // To find one place may make room for it, which moves the others.
    while (recording.generation !== this.generation) this.resolve(recording)
    const { places } = recording
    for (let i = 0; i < places.length; i++) places[i]!.series.accumulator.record(value)
    if (this.hasExemplars) this.offer(places, value)
  }

  private offer(places: ReadonlyArray<Place>, value: number): void {
    const { clock, complain, currentSpan, exemplarFilter } = this.recorder
    try {
      const span = currentSpan()
      if (exemplarFilter === "trace_based" && span?.sampled !== true) return
      for (const { filteredAttributes, series } of places) series.offer(value, filteredAttributes, span, clock)
    } catch (error) {
      // A reservoir of the program's own, or its way to find a span.
      complain(this.name, `has no exemplar: ${String(error)}`)
    }
  }
}

const describe = (value: unknown): string =>
  typeof value === "number" ? String(value) : `a value that is no number but ${value === null ? "null" : typeof value}`

/** Takes what a callback observes. */
export interface ObservableResult {
  /** The total, or for a gauge the value, of these attributes now. Of several for the same attributes, the last counts. */
  readonly observe: (value: number, attributes?: AttributeInput) => void
}

/** Called at each collection; synchronous. What it throws is reported, and what it observed before counts. */
export type ObservableCallback = (result: ObservableResult) => void

export class ObservableInstrument {
  readonly name: string
  private readonly isSigned: boolean
  private readonly recorder: Recorder
  readonly callbacks = new Set<ObservableCallback>()

  constructor(name: string, isSigned: boolean, recorder: Recorder) {
    this.name = name
    this.isSigned = isSigned
    this.recorder = recorder
  }

  observe(): Iterable<{ readonly attributes: Attributes; readonly value: number }> {
    const observed = new Map<string, { readonly attributes: Attributes; readonly value: number }>()
    const result: ObservableResult = {
      observe: (value, attributes) => {
        if (typeof value !== "number" || !Number.isFinite(value) || (value < 0 && !this.isSigned)) {
          this.recorder.complain(this.name, `ignores ${describe(value)}`)
          return
        }
        const set = attributes === undefined ? emptySet : split(normalize(attributes), undefined).set
        observed.set(set.key, { attributes: set.attributes, value })
      }
    }
    for (const callback of this.callbacks) {
      try {
        callback(result)
      } catch (error) {
        this.recorder.complain(this.name, `has a callback that throws: ${String(error)}`)
      }
    }
    return observed.values()
  }
}

/** An instrument that is observed, and one of its streams. */
export interface Observed {
  readonly instrument: ObservableInstrument
  readonly stream: ObservedStream
}
