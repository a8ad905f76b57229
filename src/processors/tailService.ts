/** The tag of the tail sampler, apart from what makes one: a pipeline looks for it, and carries nothing of it otherwise. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import type { ReadableSpan } from "../model/ReadableSpan.ts"
import type { Stage } from "../sampling/tail/judge.ts"
import type { TailPolicy } from "../sampling/TailPolicy.ts"
import type { SpanProcessorShape } from "./SpanProcessor.ts"

/** What one rule decided. */
export interface RuleCount {
  readonly ruleId: string
  /**
   * Who decided: the rule alone (`tail`), the budget (`budget`), the rule under stress (`stress`), or the need for room
   * (`evict`).
   */
  readonly stage: Stage
  readonly kept: number
  readonly dropped: number
}

/** What a tail sampler holds and has decided. */
export interface TailStats {
  /** Traces, spans and estimated bytes that are held now. */
  readonly held: { readonly traces: number; readonly spans: number; readonly bytes: number }
  readonly tracesKept: number
  readonly tracesDropped: number
  readonly spansKept: number
  readonly spansDropped: number
  readonly byRule: ReadonlyArray<RuleCount>
  /** Spans that came after the decision about their trace, and followed it. */
  readonly late: { readonly kept: number; readonly dropped: number }
  /** Traces that were decided before their time, to make room. */
  readonly evicted: number
  /** Traces that were forgotten before any of their spans had ended. */
  readonly forgotten: number
  /** What was kept beyond the budget and is still to be made up for, in its unit. */
  readonly debt: number
  readonly stress: { readonly level: number; readonly isActive: boolean }
  /** Bytes of what is remembered of decided traces. */
  readonly cacheBytes: number
}

/** Holds the spans of each trace until it is known whether the trace is worth keeping. */
export class TailSampler extends Context.Service<TailSampler, {
  /** Stands behind the processors of the program and before the exporters. */
  readonly processor: SpanProcessorShape
  /** The policy in force. A new one holds from the next flush on, for all that is held; nothing is lost. */
  readonly config: SubscriptionRef.SubscriptionRef<TailPolicy>
  readonly stats: Effect.Effect<TailStats>
  /** Decides about everything that is held. From then on spans are decided as they come. Synchronous; never throws. */
  readonly decideAll: () => void
  /**
   * Whether a rule wants the trace of a span, as far as it is known: by weight above 1, always, or because it was raised. A
   * trace that was decided is wanted if it was kept. `isFailing` stands for an error that is still to come.
   */
  readonly isWanted: (span: ReadableSpan, isFailing?: boolean) => boolean
  /**
   * Raises the held trace of a span to the class `deferred`, as a service that it called wants it. What is called on behalf
   * of the span from then on is told that it is sampled, with an unknown weight unless the head had selected it.
   */
  readonly raise: (span: ReadableSpan) => boolean
}>()("effect-telemetry/processors/TailSampler") {}

/** The implementation type of the {@link TailSampler} service. */
export type TailSamplerShape = TailSampler["Service"]
