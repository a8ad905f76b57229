/**
 * Samplers as data: what an option, a file or an environment variable can say about sampling.
 */
import * as Schema from "effect/Schema"
import * as Sampler from "./Sampler.ts"

/** Decides by the parent (`trace/sdk.md#parentbased`). */
export interface ParentBasedConfig {
  /** Decides spans without a parent. */
  readonly root: SamplerConfig
  /** Decides children of a sampled span of another process. Default: follow the parent. */
  readonly remoteParentSampled?: SamplerConfig | undefined
  /** Decides children of an unsampled span of another process. Default `"always_off"`. */
  readonly remoteParentNotSampled?: SamplerConfig | undefined
  /** Decides children of a sampled span of this process. Default: follow the parent. */
  readonly localParentSampled?: SamplerConfig | undefined
  /** Decides children of an unsampled span of this process. Default `"always_off"`. */
  readonly localParentNotSampled?: SamplerConfig | undefined
}

/**
 * A sampler as data.
 *
 * **Details**
 *
 * `"always_on"` and `"always_off"` export every span and none; `traceIdRatio` is the fraction of traces exported, in
 * [0, 1]; `parentBased` follows the parent's decision.
 */
export type SamplerConfig =
  | "always_on"
  | "always_off"
  | { readonly traceIdRatio: number }
  | { readonly parentBased: ParentBasedConfig }

const Ratio = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

const Branch = Schema.optional(Schema.suspend((): Schema.Codec<SamplerConfig> => SamplerConfig))

/**
 * The Schema of {@link SamplerConfig}.
 *
 * **Gotchas**
 *
 * An object with both `traceIdRatio` and `parentBased` says two things and is refused.
 */
export const SamplerConfig: Schema.Codec<SamplerConfig> = Schema.Union([
  Schema.Literals(["always_on", "always_off"]),
  Schema.Struct({ traceIdRatio: Ratio }),
  Schema.Struct({
    parentBased: Schema.Struct({
      root: Schema.suspend((): Schema.Codec<SamplerConfig> => SamplerConfig),
      remoteParentSampled: Branch,
      remoteParentNotSampled: Branch,
      localParentSampled: Branch,
      localParentNotSampled: Branch
    })
  })
], { mode: "oneOf" }).annotate({ identifier: "SamplerConfig" })

/** The specification's default sampler, `parentbased_always_on`. */
export const defaultSamplerConfig: SamplerConfig = { parentBased: { root: "always_on" } }

/** The sampler that a configuration describes. */
export const fromConfig = (config: SamplerConfig): Sampler.SamplerShape => {
  if (config === "always_on") return Sampler.alwaysOn
  if (config === "always_off") return Sampler.alwaysOff
  if ("traceIdRatio" in config) return Sampler.probability(config.traceIdRatio)
  const { root, ...branches } = config.parentBased
  const branch = (of: SamplerConfig | undefined) => of === undefined ? undefined : fromConfig(of)
  return Sampler.parentBased({
    root: fromConfig(root),
    remoteParentSampled: branch(branches.remoteParentSampled),
    remoteParentNotSampled: branch(branches.remoteParentNotSampled),
    localParentSampled: branch(branches.localParentSampled),
    localParentNotSampled: branch(branches.localParentNotSampled)
  })
}
