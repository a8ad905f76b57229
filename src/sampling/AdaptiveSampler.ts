/**
 * Keeps a given number of traces per second, however many there are and whatever they are.
 *
 * **Details**
 *
 * Each key (by default the name of the first span) has a rate of its own, so that what is frequent is thinned most and
 * what is rare is kept. The rates follow the traffic each second, and a credit of what may still be handed out corrects
 * them with each trace:
 *
 * - in any time W, the expected number of kept traces is at most `goal * (W + burst * (1.2 + rareShare + newShare))`: by
 *   default, 1.75 goals in a second, whatever arrives (however low the goal is, there is room for four traces at once);
 * - where enough arrives, it is `goal * W` in the long run: what a burst took before it was noticed, the time after repays;
 * - each probability depends on earlier traces alone, never on the trace's own randomness, so that the weight of what is
 *   kept is right: unbiased in total, and for every key.
 *
 * New keys and rare ones draw on small reserves of the same goal, and there is no way around it: a key for which there is
 * no place shares the rate of all such keys. Memory is bounded by `maxKeys` entries and 75 KB for remembering keys that
 * come back.
 *
 * The sampler decides for local roots: spans without a parent, or with one in another process. Their descendants follow.
 *
 * **Gotchas**
 *
 * A sampler counts in its own process. Of several instances, each keeps `goal / cluster.size`.
 *
 * Traces per second are counted as expected values; how many are really kept in a second varies around that as dice do.
 *
 * **Example** (100 traces per second, by route)
 *
 * ```ts
 * import { AdaptiveSampler, TelemetryLayer } from "effect-telemetry"
 * import { Layer } from "effect"
 *
 * export const telemetry = TelemetryLayer({ serviceName: "shop" }).pipe(
 *   Layer.provide(AdaptiveSampler.layer({
 *     tracesPerSecond: 100,
 *     key: [{ field: "request.method" }, { field: "request.path" }]
 *   }))
 * )
 * ```
 */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { isSampled } from "../model/ReadableSpan.ts"
import * as Grid from "./adaptive/grid.ts"
import { KeyField, keyOf, longestKey } from "./adaptive/keyFields.ts"
import { defaults, type Entry, KeyedRates } from "./adaptive/keyedRates.ts"
import {
  check,
  Cluster,
  Positive,
  type SamplerOptionsError,
  secondsOf,
  Share,
  Span
} from "./adaptive/samplerOptions.ts"
import { arrivalProbability, follow, isDecided } from "./adaptive/upstream.ts"
import { Sampler, type SamplerShape, type SamplingDecision, type SamplingInput } from "./Sampler.ts"

export { KeyField } from "./adaptive/keyFields.ts"
export { SamplerOptionsError } from "./adaptive/samplerOptions.ts"

/** Options as data. */
export interface AdaptiveConfig {
  /** The goal. This or `spansPerSecond` is required. */
  readonly tracesPerSecond?: number | undefined
  /** The goal in recorded spans of this process. How many a trace has is learned. */
  readonly spansPerSecond?: number | undefined
  /** What makes a key. Default: `[{ field: "name" }]`. Values are joined; a key ends after 256 characters. */
  readonly key?: ReadonlyArray<KeyField> | undefined
  /** Keys with a rate of their own, at most. Default 500; a quarter of the places is for keys on probation. */
  readonly maxKeys?: number | undefined
  /** How a key's share of the goal grows with its traffic: 0 for equal shares, 1 for equal probabilities. Default 0.5. */
  readonly exponent?: number | undefined
  /** How far back traffic is averaged. Default 10 seconds. */
  readonly memory?: Duration.Input | undefined
  /** How much of the goal may be kept at once, as the time in which it would be. Default 500 milliseconds. */
  readonly burst?: Duration.Input | undefined
  /** Part of the goal that is reserved for rare keys; with `newShare` 0.5 at most. Default 0.2. */
  readonly rareShare?: number | undefined
  /** Part of the goal that is reserved for the first traces of keys. Default 0.1. */
  readonly newShare?: number | undefined
  /**
   * What a parent in another process means. `"limit"`: what it dropped is dropped, what it kept is thinned to the goal.
   * `"follow"`: its decision is taken. `"ignore"`: the trace is decided as if it began here, which makes fragments of
   * traces that the parent dropped. Default `"limit"`.
   */
  readonly remoteParent?: "limit" | "follow" | "ignore" | undefined
  /** How many instances share the goal. Default 1. */
  readonly cluster?: { readonly size: number } | undefined
}

/** The Schema of {@link AdaptiveConfig}; durations are milliseconds or text. */
export const AdaptiveConfig = Schema.Struct({
  tracesPerSecond: Schema.optional(Positive),
  spansPerSecond: Schema.optional(Positive),
  key: Schema.optional(Schema.Array(KeyField).check(Schema.isMinLength(1), Schema.isMaxLength(16))),
  maxKeys: Schema.optional(Schema.Int.check(Schema.isBetween({ minimum: 4, maximum: 100_000 }))),
  exponent: Schema.optional(Share),
  memory: Schema.optional(Span),
  burst: Schema.optional(Span),
  rareShare: Schema.optional(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 0.5 }))),
  newShare: Schema.optional(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 0.5 }))),
  remoteParent: Schema.optional(Schema.Literals(["limit", "follow", "ignore"])),
  cluster: Schema.optional(Cluster)
}).check(
  Schema.makeFilter((config) =>
    (config.tracesPerSecond === undefined) === (config.spansPerSecond === undefined)
      ? "expected tracesPerSecond or spansPerSecond, and one only"
      : (config.rareShare ?? defaults.rareShare) + (config.newShare ?? defaults.newShare) > 0.5
      ? "expected rareShare and newShare of at most 0.5 together"
      : undefined
  )
).annotate({ identifier: "AdaptiveConfig" })

/** What a sampler has learned, to be kept over a restart. */
export const AdaptiveState = Schema.Struct({
  version: Schema.Literal(1),
  keys: Schema.Array(Schema.Struct({
    key: Schema.String.check(Schema.isMaxLength(256)),
    /** Spans or traces per second, in the unit of the goal. */
    load: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1e12 })),
    /** For how many seconds it was observed. */
    age: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 86_400 })),
    /** Spans per trace; 1 where traces are counted. */
    cost: Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 1e6 }))
  })).check(Schema.isMaxLength(100_000))
}).annotate({ identifier: "AdaptiveState" })

/** What a sampler has learned. */
export interface AdaptiveState extends Schema.Schema.Type<typeof AdaptiveState> {}

/** Options of {@link make}. */
export interface AdaptiveOptions extends Omit<AdaptiveConfig, "key"> {
  /** What makes a key: fields, or any function of the input that does not read the trace id. */
  readonly key?: ReadonlyArray<KeyField> | ((input: SamplingInput) => string) | undefined
  /** What an earlier sampler with the same key had learned. */
  readonly state?: AdaptiveState | undefined
}

/** How an adaptive sampler is doing. */
export interface AdaptiveStats {
  /** Keys that are known now. */
  readonly keys: number
  /** Keys that gave way to others, so far. */
  readonly overflows: number
  /** What may still be kept at once, in the unit of the goal. */
  readonly credit: number
}

/** What other instances count. */
export interface Elsewhere {
  /** Per second, in the unit of the goal, by key. */
  readonly loads: ReadonlyMap<string, number>
  /** How many instances there are, this one included. */
  readonly instances: number
}

/** An adaptive sampler. */
export interface AdaptiveSamplerShape extends SamplerShape {
  /** What it has learned: the keys seen more than once, and `__other__` for the rest, loudest first. */
  readonly state: Effect.Effect<AdaptiveState>
  readonly stats: Effect.Effect<AdaptiveStats>
  /** Tells how many spans a trace of a key had. Without it, the mean of all traces is learned. Synchronous. */
  readonly learnCost: (key: string, spans: number) => void
  /**
   * What other instances count, so that a key has one probability in all of them and each gets the part of the goal that
   * its traffic asks for; `undefined` where that is not known any more. `CounterStore.share` does this.
   */
  readonly setElsewhere: (elsewhere: Elsewhere | undefined) => Effect.Effect<void>
  /** Another number of instances shares the goal. Sizes below 1 count as 1. */
  readonly setClusterSize: (size: number) => Effect.Effect<void>
}

/**
 * Makes an adaptive sampler on the current `Clock`. It has no timer and no fiber.
 *
 * **Details**
 *
 * Fails for options that cannot be taken, and for a state that its Schema refuses.
 */
export const make = Effect.fnUntraced(function*(
  options: AdaptiveOptions
): Effect.fn.Return<AdaptiveSamplerShape, SamplerOptionsError> {
  const { key = [{ field: "name" as const }], state, ...others } = options
  const config = yield* check<AdaptiveConfig>(
    AdaptiveConfig as Schema.Codec<AdaptiveConfig, unknown>,
    { ...others, key: typeof key === "function" ? undefined : key },
    "adaptive sampler"
  )
  const clock = yield* Clock.Clock
  const now = (): number => clock.currentTimeMillisUnsafe()
  const unit = config.spansPerSecond === undefined ? "traces" : "spans"
  const goal = config.tracesPerSecond ?? config.spansPerSecond!
  const sized = (size: number) => ({
    goal: goal / size,
    maxKeys: config.maxKeys ?? defaults.maxKeys,
    exponent: config.exponent ?? defaults.exponent,
    memory: secondsOf(config.memory) ?? defaults.memory,
    burst: secondsOf(config.burst) ?? defaults.burst,
    rareShare: config.rareShare ?? defaults.rareShare,
    newShare: config.newShare ?? defaults.newShare
  })
  const rates = new KeyedRates(sized(config.cluster?.size ?? 1), now())
  if (state !== undefined) {
    const restored = yield* check<AdaptiveState>(AdaptiveState, { ...state }, "state of the adaptive sampler")
    rates.restore(restored.keys)
  }
  const keyFor = typeof key === "function" ? key : keyOf(key)
  const remote = config.remoteParent ?? "limit"
  const countsSpans = unit === "spans"

  const decide = (input: SamplingInput): SamplingDecision => {
    const { parent } = input
    if (isDecided(parent)) {
      if (countsSpans && isSampled(parent)) rates.countSpan()
      return follow(parent)
    }
    if (parent !== undefined && remote !== "ignore" && (remote === "follow" || !isSampled(parent))) {
      return follow(parent)
    }
    const arrival = remote === "ignore" ? 1 : arrivalProbability(parent)
    const entry = rates.decide(bounded(keyFor(input)), now())
    if (arrival === 1) return decisionOf(entry)
    if (arrival === undefined) {
      return { threshold: Grid.thresholdOf(rates.index), reliable: false, key: entry.key }
    }
    if (rates.index === 0) return { ...follow(parent!), key: entry.key }
    // Kept here in proportion, among what was kept there.
    const index = Grid.indexOf(arrival * Grid.probabilityOf(rates.index))
    return { threshold: Grid.thresholdOf(Math.max(index, Grid.indexBelow(arrival))), reliable: true, key: entry.key }
  }
  return {
    description: `Adaptive{${goal} ${unit}/s}`,
    decide,
    decideByParent: countsSpans ? undefined : (parent) => isDecided(parent) ? follow(parent) : undefined,
    state: Effect.sync(() => ({ version: 1, keys: rates.save() })),
    stats: Effect.sync(() => ({ keys: rates.keys, overflows: rates.overflows, credit: rates.credit })),
    learnCost(key, spans) {
      if (countsSpans && spans >= 1 && spans <= 1e6) rates.learnCost(key, spans)
    },
    setElsewhere: (elsewhere) =>
      Effect.sync(() => rates.setElsewhere(elsewhere === undefined ? undefined : { ...elsewhere, goal })),
    setClusterSize: (size) => Effect.sync(() => rates.reconfigure(sized(size >= 1 && size < Infinity ? size : 1)))
  }
})

// A function of the program may answer with anything.
const bounded = (key: unknown): string => {
  if (typeof key !== "string") return ""
  return key.length <= longestKey ? key : key.slice(0, longestKey)
}

// A decision is never changed once it is handed out: it may be read later. A key's last one serves until its threshold
// is another.
const decisionOf = (entry: Entry): SamplingDecision => {
  if (entry.decision === undefined) {
    entry.decision = {
      threshold: Grid.thresholdOf(entry.index),
      reliable: true,
      key: entry.key
    } satisfies SamplingDecision
  }
  return entry.decision as SamplingDecision
}

/** Provides {@link make} as the sampler. */
export const layer = (options: AdaptiveOptions): Layer.Layer<Sampler, SamplerOptionsError> =>
  Layer.effect(Sampler, make(options))
