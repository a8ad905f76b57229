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
import type { Resource } from "../model/Resource.ts"
import * as OtTraceState from "./OtTraceState.ts"
import type { RequestView } from "./Predicate.ts"
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
  /** Who emits. Made when it is read. */
  readonly resource?: Resource | undefined
  /**
   * The request that a server span answers, where Effect's HTTP server runs it: attributes of such spans come when they
   * end, too late for a sampler. Looked up when it is read.
   */
  readonly request?: RequestView | undefined
}

/** A sampler's answer. */
export interface SamplingDecision {
  /** The span is exported if and only if the trace's randomness is at least this. */
  readonly threshold: Threshold.Threshold
  /**
   * Whether the threshold is the probability with which such a span is kept; `false` when that is unknown. A threshold
   * that is not reliable is compared with a fresh random number, since the trace's may have been used before.
   */
  readonly reliable: boolean
  /** Write the threshold into the tracestate also where everything is kept. Default `false`. */
  readonly explicit?: boolean | undefined
  /** Record the span for processors even when it is not exported. Default `false`. */
  readonly record?: boolean | undefined
  /** Attributes added to a recorded span. */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
  /** Becomes the tracestate of the span, but for its `ot` member. Default: the parent's. */
  readonly traceState?: string | undefined
  /** Names the rule that decided: `sampling.rule` on a recorded span whose parent is not in this process. */
  readonly ruleId?: string | undefined
  /** The key for which the sampler keeps a rate of its own. */
  readonly key?: string | undefined
  /** In a dry run, what would have been decided, and whether the span would have been kept. */
  readonly dryRun?: SamplingDecision & { readonly isKept: boolean } | undefined
}

/** Decides for each span. Synchronous and pure; an exception records the span and is reported. */
export class Sampler extends Context.Service<Sampler, {
  /** As in `ParentBased{root:AlwaysOn}`. */
  readonly description: string
  readonly decide: (input: SamplingInput) => SamplingDecision
  /**
   * The same as `decide`, where nothing but the parent matters: the tracer asks here first, and makes no input. Where more
   * matters it answers `undefined`. It must have no effect, since it may be asked before `decide` or again.
   */
  readonly decideByParent?: ((parent: SamplingParent | undefined) => SamplingDecision | undefined) | undefined
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

let lastThreshold: Threshold.Threshold | undefined
let lastFollowed: SamplingDecision = keepUnknown

const followSampled = (parent: SamplingParent): SamplingDecision => {
  const { threshold } = OtTraceState.read(parent.traceState)
  if (threshold === undefined) return keepUnknown
  if (threshold !== lastThreshold) {
    lastFollowed = { threshold, reliable: true }
    lastThreshold = threshold
  }
  return lastFollowed
}

/** Follows the parent: its sampled flag, with its threshold where it carries one. A root span is not exported. */
export const parentThreshold: SamplerShape = /* @__PURE__ */ byParent(
  "ParentThreshold",
  (parent) => parent !== undefined && isSampled(parent) ? followSampled(parent) : keepNone
)

/**
 * Decides by the parent (`trace/sdk.md#parentbased`, and with `root` alone `#composableparentthreshold`).
 *
 * **Details**
 *
 * A root span is decided by `root` (default {@link alwaysOn}). The other four branches default to following the parent,
 * threshold included. A threshold that contradicts the parent's sampled flag has been erased before any sampler sees it:
 * such a parent is followed, and the weight is unknown.
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
  return {
    description: `ParentBased{root:${root.description}}`,
    decide: (input) => branch(input.parent).decide(input),
    decideByParent: (parent) => branch(parent).decideByParent?.(parent)
  }
}

const describe = (samplers: ReadonlyArray<SamplerShape>): string =>
  samplers.map(({ description }) => description).join(",")

/** One decision of several, asking all of them. */
const combine = (
  name: string,
  samplers: ReadonlyArray<SamplerShape>,
  unit: SamplingDecision,
  join: (a: SamplingDecision, b: SamplingDecision) => SamplingDecision
): SamplerShape => {
  return {
    description: `${name}{${describe(samplers)}}`,
    decide(input) {
      let decision = unit
      for (let i = 0; i < samplers.length; i++) {
        const next = samplers[i]!.decide(input)
        decision = i === 0 ? next : join(decision, next)
      }
      return decision
    },
    decideByParent(parent) {
      let decision = unit
      for (let i = 0; i < samplers.length; i++) {
        const next = samplers[i]!.decideByParent?.(parent)
        if (next === undefined) return undefined
        decision = i === 0 ? next : join(decision, next)
      }
      return decision
    }
  }
}

/** `chosen`, with what `other` says beside its threshold and `reliable`. */
const joined = (chosen: SamplingDecision, other: SamplingDecision, reliable: boolean): SamplingDecision => {
  const adds = other.attributes !== undefined || other.record === true || other.explicit === true ||
    other.traceState !== undefined
  return !adds && chosen.reliable === reliable ? chosen : {
    ...chosen,
    reliable,
    record: chosen.record === true || other.record === true,
    explicit: chosen.explicit === true || other.explicit === true,
    attributes: other.attributes === undefined ? chosen.attributes : { ...other.attributes, ...chosen.attributes },
    traceState: chosen.traceState ?? other.traceState
  }
}

/**
 * Exports what any of `samplers` exports: the lowest of their thresholds (OTEP 250).
 *
 * **Details**
 *
 * Associative, commutative and idempotent in threshold and reliability; {@link alwaysOff} changes nothing. Each sampler
 * is asked each time, so those that count see all spans. A recorded span has the attributes of all of them.
 *
 * **Gotchas**
 *
 * A sampler that aims at a rate exceeds it here by what the others keep. What names no threshold, as following a parent
 * that carries none, makes the weight unknown where it decides.
 */
export const anyOf = (...samplers: ReadonlyArray<SamplerShape>): SamplerShape =>
  combine("AnyOf", samplers, keepNone, (a, b) => {
    const order = Threshold.compare(a.threshold, b.threshold)
    return order < 0
      ? joined(a, b, a.reliable)
      : order > 0
      ? joined(b, a, b.reliable)
      : joined(a, b, a.reliable || b.reliable)
  })

/**
 * Exports what all of `samplers` export: the highest of their thresholds.
 *
 * **Details**
 *
 * Associative, commutative and idempotent in threshold and reliability; {@link alwaysOn} changes nothing. The weight is
 * known where it is known of each sampler. Each sampler is asked each time. A recorded span has the attributes of all.
 */
export const allOf = (...samplers: ReadonlyArray<SamplerShape>): SamplerShape =>
  combine("AllOf", samplers, keepAll, (a, b) => {
    const order = Threshold.compare(a.threshold, b.threshold)
    const chosen = order >= 0 ? a : b
    const isNever = chosen.threshold.hi >= Threshold.never.hi
    return joined(chosen, order >= 0 ? b : a, isNever || (a.reliable && b.reliable))
  })

// Most samplers answer with few objects, so that the last change is mostly the next one, too.
const changing = (change: (decision: SamplingDecision) => SamplingDecision) => {
  let last: SamplingDecision | undefined
  let changed: SamplingDecision = keepNone
  return (decision: SamplingDecision): SamplingDecision => {
    if (decision !== last) {
      changed = change(decision)
      last = decision
    }
    return changed
  }
}

/** `sampler` with each decision changed by a pure function. */
export const map = (
  sampler: SamplerShape,
  description: string,
  change: (decision: SamplingDecision) => SamplingDecision
): SamplerShape => {
  const changed = changing(change)
  return {
    description,
    decide: (input) => changed(sampler.decide(input)),
    // Looked up each time, since what a sampler follows may change.
    decideByParent(parent) {
      const decision = sampler.decideByParent?.(parent)
      return decision === undefined ? undefined : changed(decision)
    },
    get configVersion() {
      return sampler.configVersion
    }
  }
}

/** Adds attributes to recorded spans (`trace/sdk.md#composableannotating`); they win over those of `sampler`. */
export const annotate = (
  sampler: SamplerShape,
  attributes: Readonly<Record<string, unknown>>
): SamplerShape =>
  map(sampler, `Annotating{${sampler.description}}`, (decision) => ({
    ...decision,
    attributes: { ...decision.attributes, ...attributes }
  }))

/** Records every span that `sampler` would drop, without exporting it (`trace/sdk.md#alwaysrecord`). */
export const alwaysRecord = (sampler: SamplerShape): SamplerShape =>
  map(sampler, `AlwaysRecord{${sampler.description}}`, (decision) => ({ ...decision, record: true }))

/**
 * Writes the threshold into the tracestate of each kept span, also where it is 0 (`trace/sdk.md#compositesampler`).
 *
 * **Details**
 *
 * A span without a threshold has an unknown weight to whoever reads it. Without this, {@link alwaysOn} and what else
 * keeps everything leaves the tracestate alone, as the samplers of the specification did before there were thresholds.
 */
export const composite = (sampler: SamplerShape): SamplerShape =>
  map(sampler, `Composite{${sampler.description}}`, (decision) => ({ ...decision, explicit: true }))

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
