/** One trace while its spans are held: who they are, and what is known of them all. */
import { wordToHex } from "../../internal/hex.ts"
import { isSampled, type ReadableSpan } from "../../model/ReadableSpan.ts"
import * as OtTraceState from "../OtTraceState.ts"
import type { SpanSubject } from "../Predicate.ts"
import type { SamplingDecision } from "../Sampler.ts"
import type { CompiledPolicy, CompiledVerdict, TraceView } from "../TailPolicy.ts"
import { hashTraceId } from "./decisionCache.ts"
import * as Threshold from "../Threshold.ts"
import type { Timed } from "./timerWheel.ts"

/** What the head sampler said when a span started. */
export type HeadDecision = Pick<SamplingDecision, "threshold" | "reliable" | "record">

/** Why a trace is decided now. */
export type Trigger = "root" | "timeout" | "spanLimit" | "bytes" | "evict" | "shutdown"

/** Whether the span's parent is elsewhere, or nowhere. */
export const isLocalRoot = (span: ReadableSpan): boolean =>
  span.parentIsRemote || (span.parentSpanId0 === 0 && span.parentSpanId1 === 0)

/** Bytes that a span is taken for: an estimate that costs less than the span does. */
export const bytesOf = (span: ReadableSpan): number => {
  let bytes = 400
  const attributes = span.attributeList
  for (let i = 1; i < attributes.length; i += 2) {
    const value = attributes[i]
    bytes += typeof value === "string" ? 40 + value.length : typeof value === "object" ? 200 : 24
  }
  const events = span.eventList
  for (let i = 0; i < events.length; i++) bytes += 120 + eventBytes(events[i]!.attributes)
  return bytes + 200 * span.linkList.length
}

const eventBytes = (attributes: ReadonlyArray<unknown>): number => {
  let bytes = 0
  for (let i = 1; i < attributes.length; i += 2) {
    const value = attributes[i]
    bytes += 40 + (typeof value === "string" ? value.length : 0)
  }
  return bytes
}

/** What a trace without spans is taken for. */
export const traceBytes = 400

const none: Array<ReadableSpan> = []

/** A trace whose spans are held. */
export class HeldTrace implements TraceView, Timed<HeldTrace> {
  readonly traceId0: number
  readonly traceId1: number
  readonly traceId2: number
  readonly traceId3: number
  /** R of the trace. */
  readonly randomnessHi: number
  readonly randomnessLo: number
  /** The threshold that its spans have passed so far. */
  thresholdHi: number
  thresholdLo: number
  /** Whether that threshold is the probability with which the trace is here. */
  readonly isKnown: boolean
  /** Whether the head sampler records all of its spans whatever it decides, so that its thresholds say nothing. */
  isAllRecorded: boolean
  /** Spans whose start was seen, and ends. */
  started = 0
  ended = 0
  spans: Array<ReadableSpan> = none
  root: ReadableSpan | undefined = undefined
  errorCount = 0
  start = 0n
  end = 0n
  bytes = traceBytes
  marks = 0
  /** When the first span ended, or started while none has, in milliseconds. */
  since = 0
  trigger: Trigger | undefined = undefined
  /** How much there is to gain by deciding it before its time. */
  score = 0
  /** Raised by what a service called by this trace has decided. */
  isRaised = false
  verdict: CompiledVerdict | undefined = undefined
  /** The next trace whose hash is the same. */
  twin: HeldTrace | undefined = undefined

  dueAt = 0
  slot = -1
  nextTimed: HeldTrace | undefined = undefined
  previousTimed: HeldTrace | undefined = undefined

  constructor(span: ReadableSpan, decision: HeadDecision | undefined) {
    this.traceId0 = span.traceId0
    this.traceId1 = span.traceId1
    this.traceId2 = span.traceId2
    this.traceId3 = span.traceId3
    const { randomness, threshold } = OtTraceState.read(span.traceState)
    this.randomnessHi = randomness?.hi ?? Threshold.randomnessHi(span.traceId2, span.traceId3)
    this.randomnessLo = randomness?.lo ?? Threshold.randomnessLo(span.traceId3)
    // A sampler never sees R: what it records without selecting it is recorded with certainty.
    this.isAllRecorded = decision?.record === true
    const head = this.isAllRecorded ? Threshold.always : decision?.threshold ?? threshold
    this.thresholdHi = head?.hi ?? 0
    this.thresholdLo = head?.lo ?? 0
    this.isKnown = this.isAllRecorded || (decision === undefined
      ? isSampled(span) && (threshold !== undefined || (span.parentSpanId0 === 0 && span.parentSpanId1 === 0))
      : decision.reliable)
  }

  /** Another of its spans has started. The trace is here if any of them passed. */
  join(span: ReadableSpan, decision: HeadDecision): void {
    if (decision.record === true) return
    this.isAllRecorded = false
    const { threshold } = decision
    if (!decision.reliable || !isSampled(span) || threshold.hi > this.thresholdHi) return
    if (threshold.hi === this.thresholdHi && threshold.lo >= this.thresholdLo) return
    this.thresholdHi = threshold.hi
    this.thresholdLo = threshold.lo
  }

  get traceId(): string {
    return wordToHex(this.traceId0) + wordToHex(this.traceId1) + wordToHex(this.traceId2) + wordToHex(this.traceId3)
  }

  get durationNanos(): number {
    return Number(this.end - this.start)
  }

  /** Every span whose start was seen has ended; where none was seen, the local root has. */
  get isComplete(): boolean {
    return this.started > 0 ? this.ended >= this.started : this.root !== undefined
  }

  /** Takes a span that has ended; returns its bytes. */
  append(span: ReadableSpan, policy: CompiledPolicy, subject: SpanSubject): number {
    const { endTimeUnixNano, startTimeUnixNano } = span
    if (this.spans.length === 0) {
      this.spans = [span]
      this.start = startTimeUnixNano
      this.end = endTimeUnixNano
    } else {
      this.spans.push(span)
      if (startTimeUnixNano < this.start) this.start = startTimeUnixNano
      if (endTimeUnixNano > this.end) this.end = endTimeUnixNano
    }
    span.compact?.()
    if (span.statusCode === "ERROR") this.errorCount++
    if (this.root === undefined && isLocalRoot(span)) this.root = span
    if (policy.marks.length > 0) this.mark(span, policy, subject)
    const bytes = bytesOf(span)
    this.bytes += bytes
    return bytes
  }

  /** Notes which of the policy's conditions over spans the span meets. */
  mark(span: ReadableSpan, policy: CompiledPolicy, subject: SpanSubject): void {
    const { marks } = policy
    subject.span = span
    for (let i = 0; i < marks.length; i++) {
      const bit = 1 << i
      if ((this.marks & bit) === 0 && marks[i]!(subject)) this.marks |= bit
    }
  }
}

/** Held traces by their ids, oldest first. */
export class TraceTable {
  // By a hash: a number finds its way through a map faster than the text of an id, and allocates nothing.
  readonly #traces = new Map<number, HeldTrace>()
  #last: HeldTrace | undefined = undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get(span: ReadableSpan): HeldTrace | undefined {
    const { traceId0, traceId1, traceId2, traceId3 } = span
    const last = this.#last
    if (
      last !== undefined && last.traceId3 === traceId3 && last.traceId2 === traceId2 && last.traceId1 === traceId1 &&
      last.traceId0 === traceId0
    ) return last
    return this.find(traceId0, traceId1, traceId2, traceId3)
  }

  find(traceId0: number, traceId1: number, traceId2: number, traceId3: number): HeldTrace | undefined {
    let trace = this.#traces.get(keyOf(traceId0, traceId1, traceId2, traceId3))
    while (
      trace !== undefined &&
      (trace.traceId3 !== traceId3 || trace.traceId2 !== traceId2 || trace.traceId1 !== traceId1 ||
        trace.traceId0 !== traceId0)
    ) trace = trace.twin
    if (trace !== undefined) this.#last = trace
    return trace
  }

  has(trace: HeldTrace): boolean {
    return this.find(trace.traceId0, trace.traceId1, trace.traceId2, trace.traceId3) === trace
  }

  /** Adds a trace that is not there. */
  add(trace: HeldTrace): void {
    const key = keyOf(trace.traceId0, trace.traceId1, trace.traceId2, trace.traceId3)
    trace.twin = this.#traces.get(key)
    this.#traces.set(key, trace)
    this.#last = trace
    this.#size++
  }

  remove(trace: HeldTrace): void {
    const key = keyOf(trace.traceId0, trace.traceId1, trace.traceId2, trace.traceId3)
    if (this.#last === trace) this.#last = undefined
    let other = this.#traces.get(key)
    if (other === trace) {
      if (trace.twin === undefined) this.#traces.delete(key)
      else this.#traces.set(key, trace.twin)
    } else {
      while (other !== undefined && other.twin !== trace) other = other.twin
      if (other === undefined) return
      other.twin = trace.twin
    }
    trace.twin = undefined
    this.#size--
  }

  forEach(f: (trace: HeldTrace) => void): void {
    for (const first of this.#traces.values()) {
      for (let trace: HeldTrace | undefined = first; trace !== undefined;) {
        const { twin } = trace as HeldTrace
        f(trace)
        trace = twin
      }
    }
  }
}

// 30 bits, which the engine keeps without a box.
const keyOf = (traceId0: number, traceId1: number, traceId2: number, traceId3: number): number =>
  hashTraceId(traceId0, traceId1, traceId2, traceId3) & 0x3fffffff
