/** How the spans of a decided trace look when they leave. */
import * as Attributes from "../model/Attributes.ts"
import { isSampled, type ReadableSpan, sampledFlag } from "../model/ReadableSpan.ts"
import { type DecisionRecord, randomnessHex } from "../sampling/DecisionLog.ts"
import * as OtTraceState from "../sampling/OtTraceState.ts"
import { type HeldTrace, isLocalRoot, type Trigger } from "../sampling/tail/heldTrace.ts"
import { isBelow, type Stage } from "../sampling/tail/judge.ts"
import * as Threshold from "../sampling/Threshold.ts"
import type { SpanSink } from "./SpanProcessor.ts"

/** What became of a trace. */
export interface Decided {
  readonly isKept: boolean
  readonly stage: Stage | "late"
  /** T that R was compared with at last. */
  readonly threshold: Threshold.Threshold
  /** Whether T is the probability with which such traces are kept. */
  readonly isKnown: boolean
  readonly ruleId: string
  /** `undefined` for what came late. */
  readonly trigger: Trigger | undefined
}

/** The tracestate that was written last: spans of one trace mostly share one. */
export interface Written {
  before: string | undefined
  after: string
}

/**
 * Hands on a span: selected for export, with the threshold of the decision, and with the decision's attributes on a local
 * root. With `isOwnForgotten` the threshold of the head does not count, since it recorded the span without passing it. In a
 * dry run the span goes on as it is, with the attributes.
 */
export const emitKept = (
  span: ReadableSpan,
  decided: Decided,
  isOwnForgotten: boolean,
  isDryRun: boolean,
  written: Written,
  next: SpanSink
): void => {
  if (isLocalRoot(span)) describe(span, decided, isDryRun)
  if (!isDryRun) {
    if (written.before !== span.traceState) {
      written.before = span.traceState
      written.after = traceStateOf(span, decided, isOwnForgotten)
    }
    span.traceState = written.after
    span.traceFlags |= sampledFlag
  }
  next.emit(span)
}

const traceStateOf = (span: ReadableSpan, decided: Decided, isOwnForgotten: boolean): string => {
  let { threshold } = decided
  if (!isOwnForgotten && isSampled(span)) {
    const own = OtTraceState.read(span.traceState).threshold
    if (own !== undefined && isBelow(threshold, own)) threshold = own
  }
  const decision = { threshold, reliable: decided.isKnown, explicit: true }
  return OtTraceState.afterDecision(span.traceState, decision, true)
}

const describe = (span: ReadableSpan, decided: Decided, isDryRun: boolean): void => {
  const list = span.attributeList
  const set = (key: string, value: string | boolean): void => {
    Attributes.set(list, key, value, Attributes.noLimits)
  }
  set("sampling.rule", decided.ruleId)
  set("sampling.stage", decided.stage)
  if (decided.trigger !== undefined) set("sampling.trigger", decided.trigger)
  if (isDryRun) {
    set("sampling.dry_run", true)
    set("sampling.decision", decided.isKept ? "keep" : "drop")
  }
}

/** A decision for the log. */
export const decisionRecord = (
  trace: HeldTrace,
  decided: Decided,
  cost: number,
  configVersion: string | undefined,
  isDryRun: boolean
): DecisionRecord => {
  const { isKept, isKnown, ruleId, stage, threshold, trigger } = decided
  const head = { hi: trace.thresholdHi, lo: trace.thresholdLo }
  return {
    traceId: trace.traceId,
    rootSpanId: (trace.root ?? trace.spans[0]!).spanId,
    decision: isKept ? "keep" : "drop",
    stage,
    ...trigger === undefined ? {} : { trigger },
    ruleId,
    ...trace.verdict === undefined ? {} : { class: trace.verdict.class },
    randomness: randomnessHex(trace.randomnessHi, trace.randomnessLo),
    ...isKnown ? { thresholdHead: Threshold.toHex(head) } : {},
    ...threshold.hi < Threshold.never.hi ? { threshold: Threshold.toHex(threshold) } : {},
    ...isKept && isKnown ? { adjustedCount: Threshold.adjustedCount(threshold) } : {},
    isReliable: isKnown,
    cost,
    isComplete: trace.isComplete,
    ...configVersion === undefined ? {} : { configVersion },
    isDryRun
  }
}
