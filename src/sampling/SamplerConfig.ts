/**
 * Samplers as data: what a file, a server or a program can say about sampling.
 *
 * **Details**
 *
 * There are two languages, and each of them is JSON. Ours says everything that `Sampler`, `RuleSampler` and
 * `JaegerRemoteSampler` can do. The other is OpenTelemetry's declarative configuration (opentelemetry-configuration,
 * `tracer_provider.yaml`, `sampler`), its development parts included. A sampler of either may stand wherever one is asked
 * for in ours.
 *
 * `TelemetryLayer` takes the small part that {@link Basic} is; for the rest provide `Sampling.layer`, or {@link make}'s
 * sampler.
 *
 * **Example** (Every checkout, no health checks, a tenth of the rest)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { SamplerConfig } from "effect-telemetry"
 *
 * const config: SamplerConfig.SamplerConfig = {
 *   parentBased: {
 *     root: {
 *       ruleBased: {
 *         rules: [
 *           { id: "checkout", when: { field: "name", glob: "checkout*" }, sampler: "always_on" },
 *           { id: "health", when: { field: "request.path", eq: "/healthz" }, sampler: "always_off" }
 *         ],
 *         otherwise: { probability: 0.1 }
 *       }
 *     }
 *   }
 * }
 * const sampler = await Effect.runPromise(Effect.scoped(SamplerConfig.make(config)))
 *
 * sampler.description.startsWith("ParentBased{root:RuleBased") // => true
 * ```
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as AdaptiveSampler from "./AdaptiveSampler.ts"
import * as basic from "./basicSampler.ts"
import { type Declarative, declarativeFields, makeDeclarative } from "./declarative.ts"
import { exactlyOne } from "./exactlyOne.ts"
import { Predicate } from "./Predicate.ts"
import * as RateLimitSampler from "./RateLimitSampler.ts"
import * as RuleSampler from "./RuleSampler.ts"
import * as Sampler from "./Sampler.ts"

export type { Composable, ComposableRule, Declarative } from "./declarative.ts"

/** What `TelemetryLayer` takes as `sampler`. */
export type Basic = basic.BasicConfig

/** Decides by the parent (`trace/sdk.md#parentbased`). */
export interface ParentBasedConfig extends basic.ParentBasedConfig<SamplerConfig> {}

/** Samples as a Jaeger backend says. */
export interface JaegerRemoteConfig extends basic.JaegerRemoteConfig<SamplerConfig> {}

/** One rule of a {@link RuleBasedConfig}. */
export interface RuleConfig {
  /** Names the rule in what is decided by it. */
  readonly id?: string | undefined
  /** Whether the rule decides. Left out: always. */
  readonly when?: Predicate | undefined
  /** Decides where the rule holds. */
  readonly sampler: SamplerConfig
}

/** Decides by the first rule that holds. */
export interface RuleBasedConfig {
  /** 1,000 at most. */
  readonly rules: ReadonlyArray<RuleConfig>
  /** Decides where no rule holds. Default `"always_off"`. */
  readonly otherwise?: SamplerConfig | undefined
}

/** A fraction of traces. */
export interface ProbabilityConfig {
  /** In [0, 1]. */
  readonly ratio: number
  /** Significant hexadecimal digits of the threshold, 1 to 14. Default 4. */
  readonly precision?: number | undefined
}

/** Limits another sampler to a number of traces per second. */
export interface RateLimitConfig extends RateLimitSampler.RateLimitConfig {
  /** What is limited. Default `"always_on"`. */
  readonly sampler?: SamplerConfig | undefined
}

/**
 * A sampler as data.
 *
 * **Details**
 *
 * - `"always_on"` and `"always_off"` export every span and none.
 * - `probability`, or `traceIdRatio`, is the fraction of traces exported, in [0, 1].
 * - `parentBased` follows the parent's decision; a root is decided by `root`.
 * - `ruleBased` is decided by the first rule that holds.
 * - `anyOf` and `allOf` export what any, or all, of the list export; 100 at most.
 * - `annotate` adds attributes to recorded spans.
 * - `alwaysRecord` records what is dropped, for processors.
 * - `composite` writes a threshold into the tracestate of each kept span, also where everything is kept.
 * - `adaptive` keeps to a goal and gives each key its share of it, as `AdaptiveSampler` does.
 * - `rateLimit` limits another sampler, and `reservoir` keeps the first traces of each second and a fraction of the others,
 *   as `RateLimitSampler` does.
 * - `jaegerRemote` asks a Jaeger backend.
 * - A {@link Declarative} sampler is one of OpenTelemetry's declarative configuration.
 */
export type SamplerConfig =
  | "always_on"
  | "always_off"
  | { readonly traceIdRatio: number }
  | { readonly probability: number | ProbabilityConfig }
  | { readonly parentBased: ParentBasedConfig }
  | { readonly ruleBased: RuleBasedConfig }
  | { readonly anyOf: ReadonlyArray<SamplerConfig> }
  | { readonly allOf: ReadonlyArray<SamplerConfig> }
  | {
    readonly annotate: {
      readonly sampler: SamplerConfig
      readonly attributes: Readonly<Record<string, string | number | boolean>>
    }
  }
  | { readonly alwaysRecord: SamplerConfig }
  | { readonly composite: SamplerConfig }
  | { readonly adaptive: AdaptiveSampler.AdaptiveConfig }
  | { readonly rateLimit: RateLimitConfig }
  | { readonly reservoir: RateLimitSampler.ReservoirConfig }
  | { readonly jaegerRemote: JaegerRemoteConfig }
  | Declarative

const Nested = Schema.suspend((): Schema.Codec<SamplerConfig> => SamplerConfig)

const Several = Schema.Array(Nested).check(Schema.isMaxLength(100))

const Id = Schema.NonEmptyString.check(Schema.isMaxLength(256))

const Sampling = Schema.Struct({
  traceIdRatio: Schema.optional(basic.Ratio),
  probability: Schema.optional(Schema.Union([
    basic.Ratio,
    Schema.Struct({
      ratio: basic.Ratio,
      precision: Schema.optional(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 14 })))
    })
  ])),
  parentBased: Schema.optional(basic.parentBasedOf(Nested)),
  ruleBased: Schema.optional(Schema.Struct({
    rules: Schema.Array(Schema.Struct({
      id: Schema.optional(Id),
      when: Schema.optional(Predicate),
      sampler: Nested
    })).check(Schema.isMaxLength(1_000)),
    otherwise: Schema.optional(Nested)
  })),
  anyOf: Schema.optional(Several),
  allOf: Schema.optional(Several),
  annotate: Schema.optional(Schema.Struct({
    sampler: Nested,
    attributes: Schema.Record(Schema.NonEmptyString, Schema.Union([Schema.String, Schema.Finite, Schema.Boolean]))
  })),
  alwaysRecord: Schema.optional(Nested),
  composite: Schema.optional(Nested),
  adaptive: Schema.optional(AdaptiveSampler.AdaptiveConfig),
  rateLimit: Schema.optional(
    Schema.Struct({ ...RateLimitSampler.RateLimitConfig.fields, sampler: Schema.optional(Nested) })
  ),
  reservoir: Schema.optional(RateLimitSampler.ReservoirConfig),
  jaegerRemote: Schema.optional(basic.jaegerRemoteOf(Nested)),
  ...declarativeFields
}).check(exactlyOne)

/**
 * The Schema of {@link SamplerConfig}.
 *
 * **Gotchas**
 *
 * An object with two samplers says two things and is refused. Keys that are not known are refused where the decoder is
 * told so (`onExcessProperty: "error"`), as `Sampling` and `TelemetryLayer` do.
 */
export const SamplerConfig: Schema.Codec<SamplerConfig> = Schema.Union([
  Schema.Literals(["always_on", "always_off"]),
  Sampling
]).annotate({ identifier: "SamplerConfig" }) as unknown as Schema.Codec<SamplerConfig>

/** The specification's default sampler, `parentbased_always_on`. */
export const defaultSamplerConfig: SamplerConfig = basic.defaultConfig

/** What {@link make} is told beside the configuration. */
export interface MakeOptions {
  /** The service that a Jaeger backend is asked about, where the configuration names none. */
  readonly serviceName?: string | undefined
  /**
   * Asked for each part that learns or asks others, with the effect that makes it anew: so that whoever builds a second
   * sampler from a changed configuration can hand over what has not changed.
   */
  readonly reuse?:
    | ((
      config: SamplerConfig,
      make: Effect.Effect<Sampler.SamplerShape, never, Scope.Scope>
    ) => Effect.Effect<Sampler.SamplerShape, never, Scope.Scope>)
    | undefined
}

/**
 * The sampler that a configuration describes. What asks a server does so until the scope closes.
 *
 * **Gotchas**
 *
 * The configuration must be one that its Schema takes; another is a defect.
 */
export const make = (
  config: SamplerConfig,
  options?: MakeOptions
): Effect.Effect<Sampler.SamplerShape, never, Scope.Scope> => {
  const nested = (config: SamplerConfig) => make(config, options)
  const learning = <E>(made: Effect.Effect<Sampler.SamplerShape, E, Scope.Scope>) => {
    const sound = Effect.orDie(made)
    return options?.reuse === undefined ? sound : options.reuse(config, sound)
  }
  // What stands within a part that is handed over goes with it.
  const within = (config: SamplerConfig) => make(config, { serviceName: options?.serviceName })
  const mapped = (
    of: SamplerConfig,
    change: (sampler: Sampler.SamplerShape) => Sampler.SamplerShape
  ) => Effect.map(nested(of), change)
  if (config === "always_on") return Effect.succeed(Sampler.alwaysOn)
  if (config === "always_off") return Effect.succeed(Sampler.alwaysOff)
  if ("traceIdRatio" in config) return Effect.succeed(Sampler.probability(config.traceIdRatio))
  if ("probability" in config) {
    const { precision, ratio } = typeof config.probability === "number"
      ? { ratio: config.probability, precision: undefined }
      : config.probability
    return Effect.succeed(Sampler.probability(ratio, { precision }))
  }
  if ("parentBased" in config) return basic.makeParentBased(config.parentBased, nested)
  if ("ruleBased" in config) return makeRuleBased(config.ruleBased, nested)
  if ("anyOf" in config) return Effect.map(Effect.forEach(config.anyOf, nested), (all) => Sampler.anyOf(...all))
  if ("allOf" in config) return Effect.map(Effect.forEach(config.allOf, nested), (all) => Sampler.allOf(...all))
  if ("annotate" in config) {
    const { attributes, sampler } = config.annotate
    return mapped(sampler, (sampler) => Sampler.annotate(sampler, attributes))
  }
  if ("alwaysRecord" in config) return mapped(config.alwaysRecord, Sampler.alwaysRecord)
  if ("composite" in config) return mapped(config.composite, Sampler.composite)
  if ("adaptive" in config) return learning(AdaptiveSampler.make(config.adaptive))
  if ("rateLimit" in config) {
    const { sampler = "always_on", ...limit } = config.rateLimit
    return learning(Effect.flatMap(within(sampler), (sampler) => RateLimitSampler.make({ ...limit, sampler })))
  }
  if ("reservoir" in config) return learning(RateLimitSampler.makeReservoir(config.reservoir))
  if ("jaegerRemote" in config) return learning(basic.makeJaegerRemote(config.jaegerRemote, within, options))
  return makeDeclarative(config, options, options?.reuse)
}

const makeRuleBased = Effect.fnUntraced(function*(
  config: RuleBasedConfig,
  nested: (config: SamplerConfig) => Effect.Effect<Sampler.SamplerShape, never, Scope.Scope>
) {
  const rules = yield* Effect.forEach(
    config.rules,
    ({ id, sampler, when }) => Effect.map(nested(sampler), (sampler): RuleSampler.Rule => ({ id, when, sampler }))
  )
  return RuleSampler.make(rules, {
    otherwise: config.otherwise === undefined ? undefined : yield* nested(config.otherwise)
  })
})
