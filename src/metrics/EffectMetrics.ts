/**
 * Effect's own metrics as they stand: everything that a program counts with `effect/Metric` is reported without a change
 * to it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { type Attributes, fromUnknown } from "../model/Attributes.ts"
import { defaultScope, type InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { HistogramPoint, MetricPoints, MetricValue, NumberPoint, SummaryPoint } from "../model/MetricData.ts"
import { isUnit } from "./Meter.ts"
import { type InstrumentKind, temporalityOf } from "./Aggregation.ts"
import { emptySet, overflowSet } from "./attributeSets.ts"
import type { MetricProducer, ProducedMetric, ReaderPreferences } from "./MetricProducer.ts"

/** Options of {@link make}. */
export interface EffectMetricsOptions {
  /** The scope of what is reported. Default `effect-telemetry`. */
  readonly scope?: InstrumentationScope | undefined
}

type Metadata = Metric.Metric.Metadata<unknown, unknown>

interface Memory {
  readonly startTime: bigint
  /** What the last interval that arrived ended with. */
  delivered: NumberPoint | HistogramPoint | undefined
  /** The start of the interval that has not arrived. */
  intervalStart: bigint
}

/**
 * Reports the metrics of the registry in context.
 *
 * **Details**
 *
 * A counter is a sum, monotonic if it is incremental; a frequency is a monotonic sum with the word as attribute `key`; a
 * gauge is a gauge; a histogram has explicit buckets; a summary is a summary, and cumulative. The attributes `unit` and
 * `time_unit` name the unit, too. A bigint is an integer point, a number a double.
 *
 * Delta is told by the totals that arrived before, for incremental counters, frequencies and histograms as
 * the reader prefers it for counters and histograms, less minimum and maximum, which Effect keeps for a whole life only.
 * Beyond the reader's cardinality limit, series of one metric are added up to one of overflow, and of a gauge or summary
 * the rest is left out.
 *
 * **Gotchas**
 *
 * A metric whose hooks throw is left out and reported; the others are not touched. The limit bounds what is reported, not
 * what Effect's registry holds.
 */
export const make = (options?: EffectMetricsOptions): Effect.Effect<MetricProducer> =>
  Effect.gen(function*() {
    const context = yield* Effect.context<never>()
    const diagnostics = yield* Diagnostics
    const registry = Context.get(context, Metric.MetricRegistry)
    const scope = options?.scope ?? defaultScope
    const complain = (id: string, what: string): void =>
      diagnostics.report("warn", `metrics.effect.${id}`, `metrics: Effect's metric ${id} ${what}`)
    const stateOf = (metadata: Metadata): unknown => {
      try {
        return metadata.hooks.get(context)
      } catch (error) {
        complain(metadata.id, `cannot be read: ${String(error)}`)
        return undefined
      }
    }
    return {
      connect: (preferences, begun) => connect(registry, stateOf, scope, preferences, begun, complain)
    }
  })

interface Group {
  readonly first: Metadata
  readonly kind: InstrumentKind
  readonly isMonotonic: boolean
  readonly unit: string
  readonly points: Array<{ readonly point: NumberPoint | HistogramPoint | SummaryPoint; readonly memory: Memory }>
}

const connect = (
  registry: Metric.MetricRegistry,
  stateOf: (metadata: Metadata) => unknown,
  scope: InstrumentationScope,
  preferences: ReaderPreferences,
  begun: bigint,
  complain: (id: string, what: string) => void
) => {
  // By identity: a metric that was removed and came back has other hooks, and starts anew.
  const memories = new WeakMap<object, Map<string, Memory>>()
  let collectedAt = begun

  const memoryOf = (metadata: Metadata, word: string): Memory => {
    let words = memories.get(metadata.hooks)
    if (words === undefined) memories.set(metadata.hooks, words = new Map())
    let memory = words.get(word)
    if (memory === undefined) {
      words.set(word, memory = { startTime: collectedAt, delivered: undefined, intervalStart: collectedAt })
    }
    return memory
  }

  const collect = (now: bigint): ReadonlyArray<ProducedMetric> => {
    const groups = new Map<string, Group>()
    for (const metadata of registry.values()) {
      const state = stateOf(metadata)
      if (state === undefined) continue
      const { kind, monotonic } = kindOf(metadata.type, state)
      const unit = unitOf(metadata)
      const key = JSON.stringify([metadata.id, metadata.type, unit, monotonic])
      let group = groups.get(key)
      if (group === undefined) {
        groups.set(key, group = { first: metadata, kind, isMonotonic: monotonic, unit, points: [] })
      }
      const attributes = attributesOf(metadata)
      const add = (word: string, point: (memory: Memory) => NumberPoint | HistogramPoint | SummaryPoint): void => {
        const memory = memoryOf(metadata, word)
        group.points.push({ point: point(memory), memory })
      }
      const base = (memory: Memory) => ({ attributes, startTimeUnixNano: memory.startTime, timeUnixNano: now })
      switch (metadata.type) {
        case "Counter": {
          const { count } = state as Metric.CounterState<number | bigint>
          add("", (memory) => ({ ...base(memory), value: int64(count), exemplars: [] }))
          break
        }
        case "Gauge": {
          const { value } = state as Metric.GaugeState<number | bigint>
          add("", (memory) => ({ ...base(memory), value: int64(value), exemplars: [] }))
          break
        }
        case "Frequency":
          for (const [word, count] of (state as Metric.FrequencyState).occurrences) {
            add(word, (memory) => ({
              ...base(memory),
              attributes: { ...attributes, key: word },
              value: BigInt(count),
              exemplars: []
            }))
          }
          break
        case "Histogram":
          add("", (memory) => ({ ...base(memory), ...distribution(state as Metric.HistogramState) }))
          break
        case "Summary": {
          const { count, quantiles, sum } = state as Metric.SummaryState
          add("", (memory) => ({
            ...base(memory),
            count,
            sum,
            quantiles: quantiles.flatMap(([quantile, value]) => value === undefined ? [] : [{ quantile, value }])
          }))
        }
      }
    }
    collectedAt = now
    const seen = new Set<string>()
    return [...groups.values()].map((group) => {
      const { description, id } = group.first
      if (seen.has(id)) complain(id, "exists with several kinds or units; all are reported")
      seen.add(id)
      return { name: id, description: description ?? "", unit: group.unit, scope, ...produce(group, preferences, now) }
    })
  }
  return collect
}

const produce = (
  { isMonotonic, kind, points }: Group,
  preferences: ReaderPreferences,
  now: bigint
): { readonly data: MetricPoints; readonly commit?: () => void } => {
  const limit = preferences.cardinalityLimit?.(kind) ?? 2000
  const isSummary = points.length > 0 && "quantiles" in points[0]!.point
  if (kind === "gauge") {
    const kept = points.slice(0, limit).map(({ point }) => point)
    return isSummary
      ? { data: { type: "summary", points: kept as ReadonlyArray<SummaryPoint> } }
      : { data: { type: "gauge", points: kept as ReadonlyArray<NumberPoint> } }
  }
  const temporality = temporalityOf(preferences.temporality ?? "cumulative", kind)
  const isDelta = temporality === "delta"
  const totals = points as ReadonlyArray<{ readonly point: NumberPoint | HistogramPoint; readonly memory: Memory }>
  const changes = isDelta ? totals.map(({ memory, point }) => since(point, memory)) : totals.map(({ point }) => point)
  const limited = withOverflow(changes, limit)
  return {
    data: kind === "histogram"
      ? { type: "histogram", temporality, points: limited as ReadonlyArray<HistogramPoint> }
      : { type: "sum", temporality, isMonotonic, points: limited as ReadonlyArray<NumberPoint> },
    commit: () => {
      if (!isDelta) return
      for (const { memory, point } of totals) {
        memory.delivered = point
        memory.intervalStart = now
      }
    }
  }
}

/** What has come to `total` since the last interval that arrived. */
const since = (total: NumberPoint | HistogramPoint, memory: Memory): NumberPoint | HistogramPoint => {
  const before = memory.delivered
  const startTimeUnixNano = memory.intervalStart
  if (before === undefined) return { ...total, startTimeUnixNano }
  if ("value" in total) return { ...total, startTimeUnixNano, value: minus(total.value, (before as NumberPoint).value) }
  const { bucketCounts, count, sum = 0 } = before as HistogramPoint
  return {
    ...total,
    startTimeUnixNano,
    count: total.count - count,
    sum: (total.sum ?? 0) - sum,
    min: undefined,
    max: undefined,
    bucketCounts: total.bucketCounts.map((count, i) => count - bucketCounts[i]!)
  }
}

const minus = (a: MetricValue, b: MetricValue): MetricValue =>
  typeof a === "bigint" && typeof b === "bigint" ? a - b : Number(a) - Number(b)

const plus = (a: MetricValue, b: MetricValue): MetricValue =>
  typeof a === "bigint" && typeof b === "bigint" ? int64(a + b) : Number(a) + Number(b)

/** At most `limit` points, and one with what is beyond. */
const withOverflow = <P extends NumberPoint | HistogramPoint>(
  points: ReadonlyArray<P>,
  limit: number
): ReadonlyArray<P> => {
  if (points.length <= limit) return points
  const { attributes } = overflowSet
  const [first, ...rest] = points.slice(limit)
  return [...points.slice(0, limit), { ...rest.reduce(merge, first!), attributes }]
}

const merge = <P extends NumberPoint | HistogramPoint>(a: P, b: P): P => {
  const startTimeUnixNano = a.startTimeUnixNano < b.startTimeUnixNano ? a.startTimeUnixNano : b.startTimeUnixNano
  if ("value" in a) return { ...a, startTimeUnixNano, value: plus(a.value, (b as NumberPoint).value) }
  const [left, right] = [a as HistogramPoint, b as HistogramPoint]
  // Of the same name, yet with other bounds: only count and sum are the same for both.
  const isAlike = left.bounds.length === right.bounds.length &&
    left.bounds.every((bound, i) => bound === right.bounds[i])
  return {
    ...a,
    startTimeUnixNano,
    count: left.count + right.count,
    sum: (left.sum ?? 0) + (right.sum ?? 0),
    min: lesser(left.min, right.min, Math.min),
    max: lesser(left.max, right.max, Math.max),
    bounds: isAlike ? left.bounds : [],
    bucketCounts: isAlike ? left.bucketCounts.map((count, i) => count + right.bucketCounts[i]!) : []
  }
}

const lesser = (
  a: number | undefined,
  b: number | undefined,
  choose: (a: number, b: number) => number
): number | undefined => a === undefined ? b : b === undefined ? a : choose(a, b)

const kindOf = (
  type: Metric.Metric.Type,
  state: unknown
): { readonly kind: InstrumentKind; readonly monotonic: boolean } => {
  switch (type) {
    case "Counter": {
      const monotonic = (state as Metric.CounterState<number>).incremental
      return { kind: monotonic ? "counter" : "upDownCounter", monotonic }
    }
    case "Frequency":
      return { kind: "counter", monotonic: true }
    case "Histogram":
      return { kind: "histogram", monotonic: true }
    default:
      return { kind: "gauge", monotonic: false }
  }
}

const int64 = (value: MetricValue): MetricValue => typeof value === "bigint" ? BigInt.asIntN(64, value) : value

const unitOf = ({ attributes }: Metadata): string => {
  const unit = attributes?.["unit"] ?? attributes?.["time_unit"]
  const text = typeof unit === "string" ? ucum[unit] ?? unit : ""
  return isUnit(text) ? text : ""
}

/** What Effect's own timers call their unit. */
const ucum: Readonly<Record<string, string>> = {
  nanoseconds: "ns",
  microseconds: "us",
  milliseconds: "ms",
  seconds: "s",
  minutes: "min",
  hours: "h",
  days: "d"
}

const attributesOf = ({ attributes }: Metadata): Attributes => {
  if (attributes === undefined) return emptySet.attributes
  const record: { [key: string]: Attributes[string] } = Object.create(null)
  for (const key of Object.keys(attributes)) {
    const value = key === "" ? undefined : fromUnknown(attributes[key])
    if (value !== undefined) record[key] = value
  }
  return record
}

const distribution = (
  state: Metric.HistogramState
): Omit<HistogramPoint, "attributes" | "startTimeUnixNano" | "timeUnixNano"> => {
  const bounds: Array<number> = []
  const bucketCounts: Array<number> = []
  let below = 0
  for (const [bound, count] of state.buckets) {
    if (bound === Infinity) break
    bounds.push(bound)
    bucketCounts.push(count - below)
    below = count
  }
  bucketCounts.push(state.count - below)
  const isEmpty = state.count === 0
  return {
    count: state.count,
    sum: state.sum,
    min: isEmpty ? undefined : state.min,
    max: isEmpty ? undefined : state.max,
    bounds,
    bucketCounts,
    exemplars: []
  }
}
