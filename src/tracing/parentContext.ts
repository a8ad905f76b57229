/** Parents that are no spans of ours: remote ones, and spans of another tracer. */
import * as Context from "effect/Context"
import type * as Tracer from "effect/Tracer"
import { hexToWord, isSpanId, isTraceId } from "../internal/hex.ts"
import type { Baggage } from "../model/Baggage.ts"
import { isSampled, sampledFlag } from "../model/ReadableSpan.ts"
import * as OtTraceState from "../sampling/OtTraceState.ts"
import * as Threshold from "../sampling/Threshold.ts"

/** What a remote parent brought beyond its ids; rides in the annotations of an `ExternalSpan`. */
export class RemoteContext extends Context.Service<RemoteContext, {
  readonly traceFlags: number
  readonly traceState: string
  readonly baggage: Baggage | undefined
  /** `false` for a span of this process that another tracer made. Default `true`. */
  readonly isRemote?: boolean | undefined
}>()("effect-telemetry/tracing/RemoteContext") {}

/** The context of such a parent. */
export interface ParentContext {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
  readonly traceState: string
  readonly isRemote: boolean
  readonly baggage: Baggage | undefined
}

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
