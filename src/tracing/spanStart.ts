/** What a tracer is told of a span. */
import type * as Context from "effect/Context"
import type * as Tracer from "effect/Tracer"
import type { Ambient } from "../context/AsyncContext.ts"
import type { Baggage } from "../model/Baggage.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { SamplingDecision } from "../sampling/Sampler.ts"
import type * as Outcome from "./Outcome.ts"
import type { SpanIdentity } from "./Span.ts"

/** A span about to start. */
export interface SpanStart {
  readonly name: string
  readonly kind: Tracer.SpanKind
  readonly parent: Tracer.AnySpan | undefined
  /** Nanoseconds since the Unix epoch. */
  readonly startTimeUnixNano: bigint
  readonly annotations?: Context.Context<never> | undefined
  readonly links?: ReadonlyArray<Tracer.SpanLink> | undefined
  /** Known attributes: shown to the sampler, then set on the span. */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
  readonly scope?: InstrumentationScope | undefined
  readonly baggage?: Baggage | undefined
  /** What another library has laid around the span. Default: what it has laid around this code. */
  readonly within?: Ambient | undefined
  /** `false` drops the span whatever the sampler says, `true` exports it; `undefined` asks the sampler. */
  readonly sampled?: boolean | undefined
  /** Judges this span's outcome instead of the tracer's policy. */
  readonly outcome?: Outcome.OutcomePolicy | undefined
  /** The identity that was promised to a carrier before the span started. */
  readonly reserved?: ReservedSpan | undefined
}

/** A span that exists as an identity only. */
export interface ReservedSpan {
  readonly identity: SpanIdentity
  readonly decision: SamplingDecision
}
