/** Parents that are no spans of ours: remote ones, and spans of another tracer. */
import * as Context from "effect/Context"
import * as Tracer from "effect/Tracer"
import { hexToWord, isSpanId, isTraceId } from "../internal/hex.ts"
import type { Baggage } from "../model/Baggage.ts"
import { isSampled, sampledFlag } from "../model/ReadableSpan.ts"
import * as OtTraceState from "../sampling/OtTraceState.ts"
import * as Threshold from "../sampling/Threshold.ts"
import type { SpanStart } from "./spanStart.ts"

/** What a remote parent brought beyond its ids; rides in the annotations of an `ExternalSpan`. */
export class RemoteContext extends Context.Service<RemoteContext, {
  readonly traceFlags: number
  readonly traceState: string
  readonly baggage: Baggage | undefined
  /** `false` for a span of this process that another tracer made. Default `true`. */
  readonly isRemote?: boolean | undefined
}>()("effect-telemetry/tracing/RemoteContext") {}

/** What stands for a remote parent that is not trusted; rides in the annotations of an `ExternalSpan` without ids. */
export class UntrustedContext extends Context.Service<UntrustedContext, {
  readonly span: Tracer.ExternalSpan
}>()("effect-telemetry/tracing/UntrustedContext") {}

/** In the place of a remote parent: whatever starts under it is a root, with a link to that parent. */
export const untrusted = (span: Tracer.ExternalSpan | undefined): Tracer.ExternalSpan | undefined =>
  span === undefined ? undefined : Tracer.externalSpan({
    traceId: "0".repeat(32),
    spanId: "0".repeat(16),
    sampled: true,
    annotations: Context.make(UntrustedContext, { span })
  })

// Whatever a foreign parent is made of: it must not throw into the program.
const annotation = <I, S>(span: Tracer.AnySpan, key: Context.Key<I, S>): S | undefined => {
  try {
    return Context.getOrUndefined(span.annotations, key as Context.Key<never, S>)
  } catch {
    return undefined
  }
}

/** Whether an external span was extracted here, and what is trusted of it was settled then. */
export const isVouchedFor = (span: Tracer.ExternalSpan): boolean =>
  annotation(span, RemoteContext) !== undefined || annotation(span, UntrustedContext) !== undefined

/** The parent that an RPC message named, as far as it is trusted. */
export const trusted = (
  parent: Tracer.AnySpan | undefined,
  trust: false | "edge" | undefined
): Tracer.AnySpan | undefined =>
  trust === undefined || parent?._tag !== "ExternalSpan" || isVouchedFor(parent)
    ? parent
    : trust === "edge"
    ? untrusted(parent)
    : undefined

/** The baggage that a parent from elsewhere brought. */
export const remoteBaggage = (parent: Tracer.AnySpan): Baggage | undefined => annotation(parent, RemoteContext)?.baggage

/** What a span under {@link untrusted} starts as: without the parent, with the link. */
export const withoutUntrusted = (start: SpanStart): SpanStart => {
  if (start.parent === undefined) return start
  const found = annotation(start.parent, UntrustedContext)
  return found === undefined
    ? start
    : { ...start, parent: undefined, links: [...start.links ?? [], { span: found.span, attributes: {} }] }
}

/** The context of such a parent. */
export interface ParentContext {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
  readonly traceState: string
  readonly isRemote: boolean
  readonly baggage: Baggage | undefined
}

/** A parent that is no span of ours, from its context. */
export const toExternalSpan = ({ baggage, isRemote, spanId, traceFlags, traceId, traceState }: ParentContext) =>
  Tracer.externalSpan({
    traceId,
    spanId,
    sampled: isSampled({ traceFlags }),
    annotations: Context.make(RemoteContext, { traceFlags, traceState, baggage, isRemote })
  })

/** The context of a parent that is not ours, or `undefined` when its ids are no W3C ids. */
export const foreignContext = (parent: Tracer.AnySpan): ParentContext | undefined => {
  // B3 allows 64-bit trace ids.
  const traceId = parent.traceId.length === 16 ? parent.traceId.padStart(32, "0") : parent.traceId
  if (!isTraceId(traceId) || !isSpanId(parent.spanId)) return undefined
  const remote = Context.getOrUndefined(parent.annotations, RemoteContext)
  return {
    traceId,
    spanId: parent.spanId,
    traceFlags: remote?.traceFlags ?? (parent.sampled ? sampledFlag : 0),
    traceState: remote?.traceState ?? "",
    isRemote: remote?.isRemote ?? parent._tag === "ExternalSpan",
    baggage: remote?.baggage
  }
}

/**
 * A remote parent's tracestate, without a threshold that contradicts its sampled flag: such a threshold is wrong for
 * somebody, so nothing may be counted by it.
 */
export const honestTraceState = (context: ParentContext): string => {
  const { randomness, threshold } = OtTraceState.read(context.traceState)
  if (threshold === undefined) return context.traceState
  const word2 = hexToWord(context.traceId, 16)
  const word3 = hexToWord(context.traceId, 24)
  const passes = Threshold.keeps(
    threshold,
    randomness?.hi ?? Threshold.randomnessHi(word2, word3),
    randomness?.lo ?? Threshold.randomnessLo(word3)
  )
  return passes === isSampled(context) ? context.traceState : OtTraceState.withThreshold(context.traceState, undefined)
}
