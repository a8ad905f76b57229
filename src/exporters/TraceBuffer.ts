/** Spans held until their trace can be shown whole. */
import type { SpanData } from "../model/SpanData.ts"

/** How much is held, and how long. */
export interface TraceBufferLimits {
  /** A trace is whole when its local root has ended and no span came for this long, in milliseconds. */
  readonly quietMillis: number
  /** A trace is given up waiting for after this long, in milliseconds. */
  readonly maxAgeMillis: number
  readonly maxTraces: number
  readonly maxSpans: number
}

/** The spans of one trace, and what is to be said of them. */
export interface HeldTrace {
  readonly spans: ReadonlyArray<SpanData>
  /** `"incomplete"`: the local root has not ended; `"late"`: the trace was shown before. */
  readonly note: "incomplete" | "late" | undefined
}

interface Trace {
  readonly spans: Array<SpanData>
  readonly since: number
  last: number
  hasRoot: boolean
  readonly isLate: boolean
}

/**
 * Groups spans by trace. Times are milliseconds of the caller's clock.
 *
 * **Details**
 *
 * A local root is a span without a parent or with one in another process. Beyond `maxTraces` or `maxSpans` the oldest
 * trace is handed out as it is.
 */
export class TraceBuffer {
  readonly #limits: TraceBufferLimits
  readonly #traces = new Map<string, Trace>()
  // Traces handed out lately: what still comes for them does not wait for a root.
  readonly #shown = new Set<string>()
  #spans = 0

  constructor(limits: TraceBufferLimits) {
    this.#limits = limits
  }

  /** Spans held. */
  get size(): number {
    return this.#spans
  }

  /** Takes a span; returns the traces that had to make room. */
  add(span: SpanData, now: number): Array<HeldTrace> {
    let trace = this.#traces.get(span.traceId)
    if (trace === undefined) {
      trace = { spans: [], since: now, last: now, hasRoot: false, isLate: this.#shown.has(span.traceId) }
      this.#traces.set(span.traceId, trace)
    }
    trace.spans.push(span)
    trace.last = now
    if (span.parentSpanId === undefined || span.parentIsRemote) trace.hasRoot = true
    this.#spans++
    const out: Array<HeldTrace> = []
    while (this.#traces.size > this.#limits.maxTraces || this.#spans > this.#limits.maxSpans) {
      out.push(this.#take(this.#traces.keys().next().value!))
    }
    return out
  }

  /** When the next trace is due; `undefined` when nothing is held. */
  get nextDue(): number | undefined {
    let next: number | undefined
    for (const trace of this.#traces.values()) {
      const due = this.#dueAt(trace)
      if (next === undefined || due < next) next = due
    }
    return next
  }

  /** Hands out the traces that are due. */
  due(now: number): Array<HeldTrace> {
    const out: Array<HeldTrace> = []
    for (const [traceId, trace] of this.#traces) {
      if (this.#dueAt(trace) <= now) out.push(this.#take(traceId))
    }
    return out
  }

  /** Hands out everything. */
  drain(): Array<HeldTrace> {
    return Array.from(this.#traces.keys(), (traceId) => this.#take(traceId))
  }

  #dueAt(trace: Trace): number {
    const given = trace.since + this.#limits.maxAgeMillis
    return trace.hasRoot || trace.isLate ? Math.min(trace.last + this.#limits.quietMillis, given) : given
  }

  #take(traceId: string): HeldTrace {
    const trace = this.#traces.get(traceId)!
    this.#traces.delete(traceId)
    this.#spans -= trace.spans.length
    this.#shown.delete(traceId)
    this.#shown.add(traceId)
    if (this.#shown.size > this.#limits.maxTraces) this.#shown.delete(this.#shown.values().next().value!)
    return { spans: trace.spans, note: trace.isLate ? "late" : trace.hasRoot ? undefined : "incomplete" }
  }
}
