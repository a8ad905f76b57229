/**
 * Everything that can be said about sampling, as data: what a file or a server says, and what a program may say in code.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { issueLine } from "../internal/issueLine.ts"
import { defaultSamplerConfig, SamplerConfig } from "./SamplerConfig.ts"
import { TailPolicy } from "./TailPolicy.ts"

/** Everything that can be said about sampling. */
export interface SamplingConfig {
  /** What decisions made under it are marked with. Default: eight digits that depend on the content. */
  readonly version?: string | undefined
  /** Decides when a span starts. */
  readonly head: SamplerConfig
  /** Decides about whole traces, where `TailSampler.layerFollowing` is provided too. Default: all are kept. */
  readonly tail?: TailPolicy | undefined
  /**
   * Keeps what the head or the tail would drop, and writes on each local root what it would have done. Default `false`. See
   * `DryRun.sampler`.
   */
  readonly dryRun?: boolean | undefined
}

/** The Schema of {@link SamplingConfig}. Keys that are not known are refused, so that a misspelt one is not silent. */
export const SamplingConfig: Schema.Codec<SamplingConfig> = Schema.Struct({
  version: Schema.optional(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(64))),
  head: SamplerConfig,
  tail: Schema.optional(TailPolicy),
  dryRun: Schema.optional(Schema.Boolean)
}).annotate({ identifier: "SamplingConfig" })

/** The specification's default: every trace, unless its parent was not sampled. */
export const defaultSamplingConfig: SamplingConfig = { head: defaultSamplerConfig }

/** A configuration that cannot be taken, or not be had. */
export class SamplingConfigError extends Schema.TaggedError<SamplingConfigError>()("SamplingConfigError", {
  /** The file or URL that it came from; `options` for what is given in code. */
  source: Schema.String,
  /** What is wrong with it, in one line. */
  reason: Schema.String
}) {
  override get message(): string {
    return `sampling configuration of ${this.source}: ${this.reason}`
  }
}

const decodeResult = Schema.decodeUnknownResult(SamplingConfig)

/** Decodes a configuration; a failure names the place, the value there, and what is expected. */
export const decode = (
  input: unknown,
  source = "options"
): Result.Result<SamplingConfig, SamplingConfigError> =>
  Result.mapError(
    decodeResult(input, { onExcessProperty: "error", errors: "all" }),
    ({ issue }) => new SamplingConfigError({ source, reason: issueLine(issue, input, "the configuration") })
  )

/** {@link decode} of JSON text. */
export const decodeText = (text: string, source: string): Result.Result<SamplingConfig, SamplingConfigError> =>
  Result.try({
    try: (): unknown => JSON.parse(text),
    catch: (error) =>
      new SamplingConfigError({
        source,
        reason: text.trim() === "" ? "it is empty" : `it is no JSON: ${(error as Error).message}`
      })
  }).pipe(Result.flatMap((input) => decode(input, source)))

const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : typeof value === "object" && value !== null
    ? Object.fromEntries(
      Object.entries(value).filter(([, inner]) => inner !== undefined).sort(([a], [b]) => a < b ? -1 : 1).map((
        [key, inner]
      ) => [key, sorted(inner)])
    )
    : value

/** The same text for everything that means the same: keys in order, nothing that is not stated. */
export const canonical = (value: unknown): string => JSON.stringify(sorted(value))

/** What decisions under this configuration are marked with. */
export const versionOf = (config: SamplingConfig): string => {
  if (config.version !== undefined) return config.version
  const text = canonical(config)
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, "0")
}

/** The policy of the tail under this configuration: its version and its dry run are those of the whole. */
export const tailPolicyOf = (config: SamplingConfig): TailPolicy => ({
  ...config.tail ?? { rules: [] },
  version: config.tail?.version ?? versionOf(config),
  ...config.dryRun === true ? { dryRun: true } : {}
})
