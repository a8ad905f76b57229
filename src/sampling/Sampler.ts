/**
 * Decides which spans are recorded and which are exported (`trace/sdk.md#sampling`).
 *
 * **Details**
 *
 * A sampler never sees the randomness of the trace: it answers with a rejection threshold, and the tracer compares. So
 * decisions of several services agree, and a kept span's weight is known: `2^56 / (2^56 - T)`, written as `ot=th` into
 * the tracestate. "Recorded" and "exported" are two decisions: a span that is recorded only is seen by processors.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { SpanKind } from "effect/Tracer"
import { isSampled, type SpanLink } from "../model/ReadableSpan.ts"
import * as OtTraceState from "./OtTraceState.ts"
import * as Threshold from "./Threshold.ts"

/** The parent of a span about to start. */
export interface SamplingParent {
  readonly traceFlags: number
  readonly traceState: string
  readonly isRemote: boolean
  /** 16 lowercase hexadecimal digits. */
  readonly spanId?: string | undefined
}

/** What is known of a span when it starts. */
export interface SamplingInput {
  readonly name: string
  readonly kind: SpanKind
  /** `undefined` for a root span. */
  readonly parent: SamplingParent | undefined
  /** 32 lowercase hexadecimal digits. Reading the randomness from it breaks the weight of what is kept. */
  readonly traceId: string
  /**
   * Attributes given at the start. Spans of `Effect.withSpan` get theirs afterwards, so they have none here; spans of
   * `Trace.span` and of the Promise facade have all.
   */
  readonly attributes: Readonly<Record<string, unknown>>
  readonly links: ReadonlyArray<SpanLink>
}

/** A sampler's answer. */
export interface SamplingDecision {
  /** The span is exported if and only if the trace's randomness is at least this. */
  readonly threshold: Threshold.Threshold
  /** Whether the threshold is the probability with which such a span is kept; `false` when that is unknown. */
  readonly reliable: boolean
  /** Record the span for processors even when it is not exported. Default `false`. */
  readonly record?: boolean | undefined
  /** Attributes added to a recorded span. */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
  /** Becomes the tracestate of the span. Default: the parent's. */
  readonly traceState?: string | undefined
  /** Names the rule that decided. */
  readonly ruleId?: string | undefined
  /** The key for which the sampler keeps a rate of its own. */
  readonly key?: string | undefined
  /** In a dry run, what would have been decided. */
  readonly dryRun?: SamplingDecision | undefined
}

/** Decides for each span. Synchronous and pure; an exception records the span and is reported. */
export class Sampler extends Context.Service<Sampler, {
  /** As in `ParentBased{root:AlwaysOn}`. */
  readonly description: string
  readonly decide: (input: SamplingInput) => SamplingDecision
  /**
   * The same as `decide`, of samplers that look at nothing but the parent: where it is there, the tracer asks here, and
   * makes no input.
   */
  readonly decideByParent?: ((parent: SamplingParent | undefined) => SamplingDecision) | undefined
  /** The version of the configuration that it follows, where it has one. */
  readonly configVersion?: string | undefined
}>()("effect-telemetry/sampling/Sampler") {}

/** The implementation type of the {@link Sampler} service. */
export type SamplerShape = Sampler["Service"]

const keepAll: SamplingDecision = { threshold: Threshold.always, reliable: true }
const keepUnknown: SamplingDecision = { threshold: Threshold.always, reliable: false }
const keepNone: SamplingDecision = { threshold: Threshold.never, reliable: true }

const byParent = (
  description: string,
  decideByParent: (parent: SamplingParent | undefined) => SamplingDecision
): SamplerShape => ({ description, decide: (input) => decideByParent(input.parent), decideByParent })

/** Exports every span. */
export const alwaysOn: SamplerShape = /* @__PURE__ */ byParent("AlwaysOn", () => keepAll)

/** Exports no span. */
export const alwaysOff: SamplerShape = /* @__PURE__ */ byParent("AlwaysOff", () => keepNone)

/**
 * Exports a fraction of traces, the same ones in every service.
 *
 * **Details**
 *
 * `probability` lies in [0, 1]; 0 exports nothing. `precision` is the number of significant hexadecimal digits of the
 * threshold (default 4: the probability is kept within 1 part in 65,536).
 */
export const probability = (
  probability: number,
  options?: { readonly precision?: number | undefined }
): SamplerShape => {
  const threshold = Threshold.fromProbability(probability, options?.precision)
  const decision: SamplingDecision = { threshold, reliable: true }
  return byParent(`Probability{${probability}}`, () => decision)
}

const followSampled = (parent: SamplingParent): SamplingDecision => {
  const threshold = OtTraceState.read(parent.traceState).threshold
  return threshold === undefined ? keepUnknown : { threshold, reliable: true }
}

/** Follows the parent: its sampled flag, with its threshold where it carries one. A root span is not exported. */
export const parentThreshold: SamplerShape = /* @__PURE__ */ byParent(
  "ParentThreshold",
  (parent) => parent !== undefined && isSampled(parent) ? followSampled(parent) : keepNone
)

/**
 * Decides by the parent (`trace/sdk.md#parentbased`).
 *
 * **Details**
 *
 * A root span is decided by `root` (default {@link alwaysOn}). The other four branches default to following the parent,
 * threshold included.
 */
export const parentBased = (options?: {
  readonly root?: SamplerShape | undefined
  readonly remoteParentSampled?: SamplerShape | undefined
  readonly remoteParentNotSampled?: SamplerShape | undefined
  readonly localParentSampled?: SamplerShape | undefined
  readonly localParentNotSampled?: SamplerShape | undefined
}): SamplerShape => {
  const root = options?.root ?? alwaysOn
  const remoteSampled = options?.remoteParentSampled ?? parentThreshold
  const remoteNotSampled = options?.remoteParentNotSampled ?? alwaysOff
  const localSampled = options?.localParentSampled ?? parentThreshold
  const localNotSampled = options?.localParentNotSampled ?? alwaysOff
  const branch = (parent: SamplingParent | undefined): SamplerShape => {
    if (parent === undefined) return root
    return isSampled(parent)
      ? (parent.isRemote ? remoteSampled : localSampled)
      : (parent.isRemote ? remoteNotSampled : localNotSampled)
  }
  const branches = [root, remoteSampled, remoteNotSampled, localSampled, localNotSampled]
  return {
    description: `ParentBased{root:${root.description}}`,
    decide: (input) => branch(input.parent).decide(input),
    decideByParent: branches.every((sampler) => sampler.decideByParent !== undefined)
      ? (parent) => branch(parent).decideByParent!(parent)
      : undefined
  }
}

/** Records every span that `sampler` would drop, without exporting it (`trace/sdk.md#alwaysrecord`). */
export const alwaysRecord = (sampler: SamplerShape): SamplerShape => {
  const { decideByParent } = sampler
  return {
    description: `AlwaysRecord{${sampler.description}}`,
    decide: (input) => ({ ...sampler.decide(input), record: true }),
    decideByParent: decideByParent && ((parent) => ({ ...decideByParent(parent), record: true }))
  }
}

/** Provides `sampler` as the {@link Sampler} service. */
export const layer = (sampler: SamplerShape): Layer.Layer<Sampler> => Layer.succeed(Sampler, sampler)

/** Provides {@link alwaysOn}. */
export const layerAlwaysOn: Layer.Layer<Sampler> = layer(alwaysOn)

/** Provides {@link alwaysOff}. */
export const layerAlwaysOff: Layer.Layer<Sampler> = layer(alwaysOff)

/** Provides {@link probability}. */
export const layerProbability = (ratio: number): Layer.Layer<Sampler> => layer(probability(ratio))

/** Provides {@link parentBased} over `root` (default {@link alwaysOn}): the specification's default sampler. */
export const layerParentBased = (root?: SamplerShape): Layer.Layer<Sampler> => layer(parentBased({ root }))
