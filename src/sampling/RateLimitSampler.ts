/**
 * Limits another sampler to a number of traces per second, with weights that stay right (the rate limiting of OTEP 250).
 *
 * **Details**
 *
 * Both samplers here know no keys and need a few numbers of memory. Their thresholds depend on when earlier traces
 * arrived, never on a trace's own randomness. They decide for local roots: spans without a parent, or with one in another
 * process. Their descendants follow.
 *
 * **Example** (A tenth, and at most 50 traces per second)
 *
 * ```ts
 * import { RateLimitSampler, Sampler, TelemetryLayer } from "effect-telemetry"
 * import { Layer } from "effect"
 *
 * export const telemetry = TelemetryLayer({ serviceName: "shop" }).pipe(
 *   Layer.provide(RateLimitSampler.layer({ tracesPerSecond: 50, sampler: Sampler.probability(0.1) }))
 * )
 * ```
 */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Grid from "./adaptive/grid.ts"
import { RateLimit, Reservoir } from "./adaptive/rateLimit.ts"
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
import * as Sampler from "./Sampler.ts"
import * as Threshold from "./Threshold.ts"

export { SamplerOptionsError } from "./adaptive/samplerOptions.ts"

/** Options of a rate limit as data. */
export interface RateLimitConfig {
  readonly tracesPerSecond: number
  /** How much of the goal may be kept at once, as the time in which it would be. Default 500 milliseconds. */
  readonly burst?: Duration.Input | undefined
  /** How far back traffic is averaged. Default 10 seconds. */
  readonly memory?: Duration.Input | undefined
  /** How many instances share the goal. Default 1. */
  readonly cluster?: { readonly size: number } | undefined
}

/** The Schema of {@link RateLimitConfig}; durations are milliseconds or text. */
export const RateLimitConfig = Schema.Struct({
  tracesPerSecond: Positive,
  burst: Schema.optional(Span),
  memory: Schema.optional(Span),
  cluster: Schema.optional(Cluster)
}).annotate({ identifier: "RateLimitConfig" })

/** Options of {@link make}. */
export interface RateLimitOptions extends RateLimitConfig {
  /** What is limited. Default: `Sampler.alwaysOn`. */
  readonly sampler?: Sampler.SamplerShape | undefined
}

/** Options of {@link makeReservoir}. */
export interface ReservoirConfig {
  /** So many traces are kept in each second, with weight 1. */
  readonly tracesPerSecond: number
  /** The probability with which those beyond are kept. */
  readonly probability: number
}

/** The Schema of {@link ReservoirConfig}. */
export const ReservoirConfig = Schema.Struct({
  tracesPerSecond: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)),
  probability: Share
}).annotate({ identifier: "ReservoirConfig" })

// Decides for local roots; what has a parent here follows it, and needs no input.
const forLocalRoots = (description: string, decide: Sampler.SamplerShape["decide"]): Sampler.SamplerShape => ({
  description,
  decide: (input) => isDecided(input.parent) ? follow(input.parent) : decide(input),
  decideByParent: (parent) => isDecided(parent) ? follow(parent) : undefined
})

/**
 * Keeps at most so many traces per second of those that another sampler keeps.
 *
 * **Details**
 *
 * The other sampler's probability is multiplied by a factor, the same for all traces of a moment. In any time W the expected
 * number of kept traces is at most `tracesPerSecond * (W + 1.2 * burst)`, but room for four at once is always there. Where more
 * arrives, it is `tracesPerSecond * W` in the long run.
 *
 * Under a sampled parent of another process that names its threshold, only what is thinned out here counts.
 *
 * **Gotchas**
 *
 * A decision whose weight is not known stays so, and is limited all the same. Fails for options that cannot be taken.
 */
export const make = Effect.fnUntraced(function*(
  options: RateLimitOptions
): Effect.fn.Return<Sampler.SamplerShape, SamplerOptionsError> {
  const { sampler = Sampler.alwaysOn, ...others } = options
  const config = yield* check<RateLimitConfig>(
    RateLimitConfig as Schema.Codec<RateLimitConfig, unknown>,
    others,
    "rate limit sampler"
  )
  const clock = yield* Clock.Clock
  const limit = new RateLimit(
    config.tracesPerSecond / (config.cluster?.size ?? 1),
    secondsOf(config.burst) ?? 0.5,
    secondsOf(config.memory) ?? 10,
    clock.currentTimeMillisUnsafe()
  )
  return forLocalRoots(`RateLimit{${config.tracesPerSecond} traces/s,${sampler.description}}`, (input) => {
    const decision = sampler.decide(input)
    const kept = Threshold.toProbability(decision.threshold)
    if (kept === 0) return decision
    const arrival = decision.reliable ? arrivalProbability(input.parent) ?? 1 : 1
    const index = limit.next(Math.min(1, kept / arrival), clock.currentTimeMillisUnsafe())
    if (index === 0) return decision
    const share = Grid.indexOf(kept * Grid.probabilityOf(index))
    return { ...decision, threshold: Grid.thresholdOf(kept === 1 ? index : Math.max(share, Grid.indexBelow(kept))) }
  })
})

/** Provides {@link make} as the sampler. */
export const layer = (options: RateLimitOptions): Layer.Layer<Sampler.Sampler, SamplerOptionsError> =>
  Layer.effect(Sampler.Sampler, make(options))

/**
 * Keeps the first traces of each second, and a fraction of those beyond.
 *
 * **Details**
 *
 * The rule of AWS X-Ray, with weights: a trace from the reservoir counts once, one beyond counts `1 / probability` times,
 * so that the sum is right. A second without traffic fills the reservoir; it holds one second, and at least one trace.
 *
 * A parent in another process is not looked at: put it into `Sampler.parentBased({ root })` where it should be followed.
 */
export const makeReservoir = Effect.fnUntraced(function*(
  options: ReservoirConfig
): Effect.fn.Return<Sampler.SamplerShape, SamplerOptionsError> {
  const config = yield* check<ReservoirConfig>(ReservoirConfig, { ...options }, "reservoir sampler")
  const clock = yield* Clock.Clock
  const reservoir = new Reservoir(config.tracesPerSecond, clock.currentTimeMillisUnsafe())
  const certain: Sampler.SamplingDecision = { threshold: Threshold.always, reliable: true }
  const beyond: Sampler.SamplingDecision = { threshold: Threshold.fromProbability(config.probability), reliable: true }
  return forLocalRoots(
    `Reservoir{${config.tracesPerSecond} traces/s,${config.probability}}`,
    () => reservoir.take(clock.currentTimeMillisUnsafe()) ? certain : beyond
  )
})

/** Provides {@link makeReservoir} as the sampler. */
export const layerReservoir = (options: ReservoirConfig): Layer.Layer<Sampler.Sampler, SamplerOptionsError> =>
  Layer.effect(Sampler.Sampler, makeReservoir(options))
