/** Meters, and which streams their instruments have for whom. */
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import { isAscending, type View } from "./View.ts"
import { type InstrumentKind, isMonotonic, isObservable } from "./Aggregation.ts"
import {
  type ObservableCallback,
  ObservableInstrument,
  type Observed,
  type Recorder,
  SyncInstrument
} from "./instrument.ts"
import {
  type Counter,
  type Gauge,
  type InstrumentDescriptor,
  type InstrumentOptions,
  isInstrumentName,
  isUnit,
  type Meter,
  type Observable
} from "./Meter.ts"
import type { ReaderPreferences } from "./MetricProducer.ts"
import { ObservedStream } from "./observedStream.ts"
import { streamsOf } from "./resolveStreams.ts"
import { SyncStream } from "./syncStream.ts"

/** A reader, and what it reads. */
export interface Reading extends Omit<ReaderPreferences, "expireAfter"> {
  readonly expireAfterNanos: bigint | undefined
  readonly sync: Array<{ readonly scope: InstrumentationScope; readonly stream: SyncStream }>
  readonly observed: Array<Observed & { readonly scope: InstrumentationScope }>
}

/** A meter, for its provider. */
export interface MeterState {
  readonly meter: Meter
  /** Gives all instruments streams for a reader that is new. */
  readonly attach: (reading: Reading) => void
}

interface Registered {
  readonly descriptor: InstrumentDescriptor
  readonly instrument: SyncInstrument | ObservableInstrument
}

export const makeMeter = (
  scope: InstrumentationScope,
  views: ReadonlyArray<View>,
  readings: ReadonlyArray<Reading>,
  recorder: Recorder
): MeterState => {
  const registered: Array<Registered> = []
  const hasExemplars = recorder.exemplarFilter !== "always_off"

  // The reader's preferences may be functions of the program, which must not make an instrument throw.
  const specsOf = (descriptor: InstrumentDescriptor, reading: Reading, complain: (what: string) => void) => {
    try {
      return streamsOf(descriptor, views, reading, reading.expireAfterNanos, hasExemplars, complain)
    } catch (error) {
      complain(`has no stream: ${String(error)}`)
      return []
    }
  }

  const attach = ({ descriptor, instrument }: Registered, reading: Reading): void => {
    const complain = (what: string): void => recorder.complain(descriptor.name, what)
    for (const spec of specsOf(descriptor, reading, complain)) {
      if (instrument instanceof SyncInstrument) {
        const stream = new SyncStream(spec, recorder.clock, instrument.invalidate)
        instrument.attach(stream)
        reading.sync.push({ scope, stream })
      } else {
        reading.observed.push({ scope, instrument, stream: new ObservedStream(spec, recorder.clock) })
      }
    }
  }

  const describe = (name: string, kind: InstrumentKind, options: InstrumentOptions = {}): InstrumentDescriptor => {
    const { advice = {}, description = "", unit = "", valueType = "double" } = options
    if (!isInstrumentName(name)) recorder.complain(name, "has a name that OpenTelemetry does not allow")
    if (!isUnit(unit)) recorder.complain(name, "has a unit of more than 63 ASCII characters, which is left out")
    const bounds = advice.explicitBucketBoundaries
    if (bounds !== undefined && !isAscending(bounds)) {
      recorder.complain(name, "has advice of bounds that are not finite and ascending, which is left out")
    }
    const first = registered.find((other) => other.descriptor.name.toLowerCase() === name.toLowerCase())
    return {
      name: first?.descriptor.name ?? name,
      kind,
      description,
      unit: isUnit(unit) ? unit : "",
      valueType,
      advice: bounds === undefined || isAscending(bounds) ? advice : { ...advice, explicitBucketBoundaries: undefined },
      scope
    }
  }

  const register = (name: string, kind: InstrumentKind, options: InstrumentOptions | undefined): Registered => {
    const descriptor = describe(name, kind, options)
    const sameName = registered.filter((other) => other.descriptor.name === descriptor.name)
    const same = sameName.find(({ descriptor: other }) =>
      other.kind === kind && other.unit === descriptor.unit && other.valueType === descriptor.valueType &&
      other.description === descriptor.description
    )
    if (same !== undefined) return same
    if (sameName.length > 0) {
      recorder.complain(
        descriptor.name,
        "exists already with another kind, unit, type or description; both are reported"
      )
    }
    const made: Registered = {
      descriptor,
      instrument: isObservable(kind)
        ? new ObservableInstrument(descriptor.name, !isMonotonic(kind), recorder)
        : new SyncInstrument(descriptor.name, !isMonotonic(kind), recorder)
    }
    registered.push(made)
    for (const reading of readings) attach(made, reading)
    return made
  }

  const counter = (kind: InstrumentKind) => (name: string, options?: InstrumentOptions): Counter => {
    const instrument = register(name, kind, options).instrument as SyncInstrument
    return {
      add: (value, attributes) => instrument.record(value, attributes),
      bind: (attributes) => ({ add: instrument.bind(attributes) })
    }
  }

  const gauge = (kind: InstrumentKind) => (name: string, options?: InstrumentOptions): Gauge => {
    const instrument = register(name, kind, options).instrument as SyncInstrument
    return {
      record: (value, attributes) => instrument.record(value, attributes),
      bind: (attributes) => ({ record: instrument.bind(attributes) })
    }
  }

  const observable = (kind: InstrumentKind) =>
  (
    name: string,
    options?: InstrumentOptions,
    callback?: ObservableCallback
  ): Observable => {
    const { callbacks } = register(name, kind, options).instrument as ObservableInstrument
    if (callback !== undefined) callbacks.add(callback)
    return {
      addCallback: (callback) => {
        callbacks.add(callback)
      },
      removeCallback: (callback) => {
        callbacks.delete(callback)
      }
    }
  }

  return {
    attach: (reading) => registered.forEach((instrument) => attach(instrument, reading)),
    meter: {
      scope,
      createCounter: counter("counter"),
      createUpDownCounter: counter("upDownCounter"),
      createGauge: gauge("gauge"),
      createHistogram: gauge("histogram"),
      createObservableCounter: observable("observableCounter"),
      createObservableUpDownCounter: observable("observableUpDownCounter"),
      createObservableGauge: observable("observableGauge")
    }
  }
}
