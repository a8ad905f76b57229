/** From an instrument, the views and a reader to streams. */
import { defaultBounds } from "./accumulators.ts"
import { type Aggregation, isGauge, isMonotonic, isObservable, temporalityOf } from "./Aggregation.ts"
import type { KeyFilter } from "./attributeSets.ts"
import { alignedHistogramBucket, simpleFixedSize } from "./Exemplars.ts"
import { defaultMaxScale, defaultMaxSize } from "./ExponentialHistogram.ts"
import type { InstrumentDescriptor } from "./Meter.ts"
import type { ReaderPreferences } from "./MetricProducer.ts"
import type { ResolvedAggregation, StreamSpec } from "./streamSpec.ts"
import { matches, type View } from "./View.ts"

const isAllowed = (aggregation: Aggregation, { kind }: InstrumentDescriptor): boolean => {
  switch (aggregation.type) {
    case "sum":
      return !isGauge(kind)
    case "lastValue":
      return isGauge(kind)
    case "explicitBucketHistogram":
    case "exponentialHistogram":
      return !isObservable(kind)
    default:
      return true
  }
}

const resolve = (
  aggregation: Aggregation,
  instrument: InstrumentDescriptor,
  complain: (what: string) => void
): ResolvedAggregation | undefined => {
  if (!isAllowed(aggregation, instrument)) {
    complain(`cannot have the aggregation ${aggregation.type}, and has its default`)
    return resolve({ type: "default" }, instrument, complain)
  }
  switch (aggregation.type) {
    case "drop":
      return undefined
    case "sum":
    case "lastValue":
      return { type: aggregation.type }
    case "default":
      return instrument.kind === "histogram"
        ? resolve({ type: "explicitBucketHistogram" }, instrument, complain)
        : { type: isGauge(instrument.kind) ? "lastValue" : "sum" }
    case "explicitBucketHistogram":
      return {
        type: "explicitBucketHistogram",
        bounds: aggregation.bounds ?? instrument.advice.explicitBucketBoundaries ?? defaultBounds,
        recordMinMax: aggregation.recordMinMax ?? true
      }
    case "exponentialHistogram":
      return {
        type: "exponentialHistogram",
        maxSize: aggregation.maxSize ?? defaultMaxSize,
        maxScale: aggregation.maxScale ?? defaultMaxScale,
        recordMinMax: aggregation.recordMinMax ?? true
      }
  }
}

const filterOf = (view: View | undefined, { advice }: InstrumentDescriptor): KeyFilter | undefined => {
  const include = view === undefined || (view.attributeKeys === undefined && view.excludedAttributeKeys === undefined)
    ? advice.attributes
    : view.attributeKeys
  const exclude = view?.excludedAttributeKeys
  return include === undefined && exclude === undefined ? undefined : {
    include: include === undefined ? undefined : new Set(include),
    exclude: exclude === undefined ? undefined : new Set(exclude)
  }
}

const bucketsOf = (aggregation: ResolvedAggregation): number =>
  aggregation.type === "explicitBucketHistogram" ? aggregation.bounds.length + 1 : 1

const reservoirOf = (view: View | undefined, aggregation: ResolvedAggregation): StreamSpec["makeReservoir"] => {
  const buckets = bucketsOf(aggregation)
  const chosen = view?.exemplarReservoir
  if (chosen !== undefined) return () => chosen(buckets)
  if (aggregation.type === "explicitBucketHistogram" && buckets > 1) return () => alignedHistogramBucket(buckets)
  const places = aggregation.type === "exponentialHistogram" ? Math.min(20, aggregation.maxSize) : 1
  return () => simpleFixedSize(places)
}

/** The streams of `instrument` for one reader: one of each view that is for it, or else one. */
export const streamsOf = (
  instrument: InstrumentDescriptor,
  views: ReadonlyArray<View>,
  reader: Omit<ReaderPreferences, "expireAfter">,
  expireAfter: bigint | undefined,
  hasExemplars: boolean,
  complain: (what: string) => void
): ReadonlyArray<StreamSpec> => {
  const selected = views.filter((view) => matches(view.select, instrument))
  const streams: Array<StreamSpec> = []
  for (const view of selected.length === 0 ? [undefined] : selected) {
    const { kind } = instrument
    const wanted = view?.aggregation
    const preferred = wanted === undefined || wanted.type === "default" ? reader.aggregation?.(kind) : wanted
    const aggregation = resolve(preferred ?? { type: "default" }, instrument, complain)
    if (aggregation === undefined) continue
    const name = view?.name ?? instrument.name
    if (streams.some((other) => other.name === name)) complain(`has several streams of the name ${name}`)
    streams.push({
      name,
      description: view?.description ?? instrument.description,
      unit: instrument.unit,
      valueType: instrument.valueType,
      aggregation,
      isMonotonic: isMonotonic(kind),
      isSigned: !isMonotonic(kind),
      temporality: temporalityOf(reader.temporality ?? "cumulative", kind),
      filter: filterOf(view, instrument),
      cardinalityLimit: view?.cardinalityLimit ?? reader.cardinalityLimit?.(kind) ?? 2000,
      expireAfter,
      makeReservoir: hasExemplars && !isObservable(kind) ? reservoirOf(view, aggregation) : undefined
    })
  }
  return streams
}
