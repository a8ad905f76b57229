/**
 * The samplers that a variable of the environment or an option of `TelemetryLayer` can name. They are few, since each
 * program carries them.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as JaegerRemoteSampler from "./JaegerRemoteSampler.ts"
import * as Sampler from "./Sampler.ts"

/** Decides by the parent (`trace/sdk.md#parentbased`). */
export interface ParentBasedConfig<Config> {
  /** Decides spans without a parent. */
  readonly root: Config
  /** Decides children of a sampled span of another process. Default: follow the parent. */
  readonly remoteParentSampled?: Config | undefined
  /** Decides children of an unsampled span of another process. Default `"always_off"`. */
  readonly remoteParentNotSampled?: Config | undefined
  /** Decides children of a sampled span of this process. Default: follow the parent. */
  readonly localParentSampled?: Config | undefined
  /** Decides children of an unsampled span of this process. Default `"always_off"`. */
  readonly localParentNotSampled?: Config | undefined
}

/** Samples as a Jaeger backend says. */
export interface JaegerRemoteConfig<Config> {
  /** As in `JaegerRemoteSampler.Options`. */
  readonly endpoint?: string | undefined
  /** Default: that of the telemetry, where it is known. */
  readonly serviceName?: string | undefined
  /** Milliseconds, or a duration as in `"30 seconds"`. Default 1 minute. */
  readonly pollingInterval?: number | string | undefined
  /** Decides until the first good answer. Default `{ traceIdRatio: 0.001 }`. */
  readonly initialSampler?: Config | undefined
}

/** A sampler as data, as far as an option of `TelemetryLayer` can say. */
export type BasicConfig =
  | "always_on"
  | "always_off"
  | { readonly traceIdRatio: number }
  | { readonly parentBased: ParentBasedConfig<BasicConfig> }
  | { readonly jaegerRemote: JaegerRemoteConfig<BasicConfig> }

/** A fraction. */
export const Ratio = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

/** A time to wait, one second at least. */
export const Interval = Schema.Union([Schema.Finite, Schema.String]).check(
  Schema.makeFilter(
    (input) =>
      Option.exists(
        Duration.fromInput(input as Duration.Input),
        (duration) => Duration.isFinite(duration) && Duration.toMillis(duration) >= 1_000
      ),
    { expected: "a duration of a second at least" }
  )
)

/** What stands under `parentBased`. */
export const parentBasedOf = <Config>(
  config: Schema.Codec<Config>
): Schema.Codec<ParentBasedConfig<Config>> =>
  Schema.Struct({
    root: config,
    remoteParentSampled: Schema.optional(config),
    remoteParentNotSampled: Schema.optional(config),
    localParentSampled: Schema.optional(config),
    localParentNotSampled: Schema.optional(config)
  })

/** What stands under `jaegerRemote`. */
export const jaegerRemoteOf = <Config>(
  config: Schema.Codec<Config>
): Schema.Codec<JaegerRemoteConfig<Config>> =>
  Schema.Struct({
    endpoint: Schema.optional(Schema.NonEmptyString),
    serviceName: Schema.optional(Schema.NonEmptyString),
    pollingInterval: Schema.optional(Interval),
    initialSampler: Schema.optional(config)
  })

const Nested = Schema.suspend((): Schema.Codec<BasicConfig> => BasicConfig)

/** The Schema of {@link BasicConfig}. An object that says two things is refused. */
export const BasicConfig: Schema.Codec<BasicConfig> = Schema.Union([
  Schema.Literals(["always_on", "always_off"]),
  Schema.Struct({ traceIdRatio: Ratio }),
  Schema.Struct({ parentBased: parentBasedOf(Nested) }),
  Schema.Struct({ jaegerRemote: jaegerRemoteOf(Nested) })
], { mode: "oneOf" })

/** The specification's default sampler, `parentbased_always_on`. */
export const defaultConfig: BasicConfig = { parentBased: { root: "always_on" } }

/** What a sampler is built with. */
export interface Building {
  /** Where the configuration names none. */
  readonly serviceName?: string | undefined
}

/** The sampler under a parent's. */
export const makeParentBased = Effect.fnUntraced(function*<Config>(
  config: ParentBasedConfig<Config>,
  make: (config: Config) => Effect.Effect<Sampler.SamplerShape, never, Scope.Scope>
) {
  const branch = (of: Config | undefined) => of === undefined ? Effect.succeed(undefined) : make(of)
  return Sampler.parentBased({
    root: yield* make(config.root),
    remoteParentSampled: yield* branch(config.remoteParentSampled),
    remoteParentNotSampled: yield* branch(config.remoteParentNotSampled),
    localParentSampled: yield* branch(config.localParentSampled),
    localParentNotSampled: yield* branch(config.localParentNotSampled)
  })
})

/** The sampler that follows a Jaeger backend. */
export const makeJaegerRemote = Effect.fnUntraced(function*<Config>(
  config: JaegerRemoteConfig<Config>,
  make: (config: Config) => Effect.Effect<Sampler.SamplerShape, never, Scope.Scope>,
  building: Building | undefined
) {
  return yield* JaegerRemoteSampler.make({
    endpoint: config.endpoint,
    serviceName: config.serviceName ?? building?.serviceName,
    pollingInterval: config.pollingInterval as Duration.Input | undefined,
    initialSampler: config.initialSampler === undefined ? undefined : yield* make(config.initialSampler)
  })
})

/** The sampler that a configuration describes. */
export const make = (
  config: BasicConfig,
  building?: Building
): Effect.Effect<Sampler.SamplerShape, never, Scope.Scope> => {
  if (config === "always_on") return Effect.succeed(Sampler.alwaysOn)
  if (config === "always_off") return Effect.succeed(Sampler.alwaysOff)
  if ("traceIdRatio" in config) return Effect.succeed(Sampler.probability(config.traceIdRatio))
  const nested = (config: BasicConfig) => make(config, building)
  return "parentBased" in config
    ? makeParentBased(config.parentBased, nested)
    : makeJaegerRemote(config.jaegerRemote, nested, building)
}
