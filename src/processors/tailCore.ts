/** The engine of the tail sampler: synchronous, without Effect, told the time and woken by its owner. */
import { describeError } from "../internal/describeError.ts"
import { type ReadableSpan, sampledFlag } from "../model/ReadableSpan.ts"
import type { DecisionLogShape } from "../sampling/DecisionLog.ts"
import { fromReadable, type SpanSubject } from "../sampling/Predicate.ts"
import { DroppedTraces, KeptTraces } from "../sampling/tail/decisionCache.ts"
import { bytesOf, HeldTrace, isLocalRoot, traceBytes, TraceTable, type Trigger } from "../sampling/tail/heldTrace.ts"
import { Judge, type JudgeOptions, type Stage } from "../sampling/tail/judge.ts"
import { Stress } from "../sampling/tail/stress.ts"
import { TimerWheel } from "../sampling/tail/timerWheel.ts"
import type * as Threshold from "../sampling/Threshold.ts"
import type { SpanSink, StartDecision } from "./SpanProcessor.ts"
import { TailCounts } from "./tailCounts.ts"
import { type Decided, decisionRecord, emitKept, type Written } from "./tailEmission.ts"
import type { TailStats } from "./tailService.ts"

/** Settings of {@link TailCore}; times in milliseconds. */
export interface TailCoreOptions extends JudgeOptions {
  readonly settle: number
  readonly timeout: number
  readonly spanLimit: number
  readonly traceBytesLimit: number
  readonly maxTraces: number
  readonly maxSpans: number
  readonly maxBytes: number
  readonly droppedCacheSize: number
  readonly keptCacheSize: number
  readonly stress: { readonly activateAt: number; readonly deactivateAt: number; readonly leastMillis: number }
  /** The fraction of the heap in use. */
  readonly memory: () => number
  readonly now: () => number
  /** Asks for a call of {@link TailCore.wake} at a time. */
  readonly wakeAt: (millis: number) => void
  readonly log: DecisionLogShape | undefined
}

const nowhere: SpanSink = { emit() {}, drop() {}, hold() {}, sampledOut() {} }
const stressPeriod = 100
/** Beside the low half of a threshold in the cache: the head recorded the trace whatever it decided. */
const allRecorded = 1 << 28

/** Holds, decides, hands on. */
export class TailCore {
  readonly #options: TailCoreOptions
  readonly #table = new TraceTable()
  readonly #wheel = new TimerWheel<HeldTrace>()
  readonly #kept: KeptTraces
  readonly #dropped: DroppedTraces
  readonly #stress: Stress
  readonly #counts = new TailCounts()
  readonly #judge: Judge
  #due: Array<HeldTrace> = []
  #flushAt = Infinity
  #wakeAt = Infinity
  #stressAt = -Infinity
  #spans = 0
  #bytes = 0
  #next: SpanSink = nowhere
  #subject: SpanSubject | undefined
  readonly #written: Written = { before: undefined, after: "" }
  #isFlushing = false
  #isShutDown = false

  constructor(options: TailCoreOptions) {
    this.#options = options
    this.#kept = new KeptTraces(options.keptCacheSize)
    this.#dropped = new DroppedTraces(options.droppedCacheSize)
    this.#stress = new Stress(options.stress)
    this.#judge = new Judge(options, options.now())
  }

  onStart(span: ReadableSpan, decision: StartDecision | undefined): void {
    let trace = this.#table.get(span)
    if (trace === undefined) {
      if (this.#isShutDown || this.#isDecided(span)) return
      trace = this.#open(span, decision)
      if (isLocalRoot(span)) trace.root = span
    } else if (decision !== undefined) trace.join(span, decision)
    trace.started++
  }

  onEnd(span: ReadableSpan, next: SpanSink): void {
    this.#next = next
    let trace = this.#table.get(span)
    if (trace === undefined) {
      if (this.#follow(span, next)) return
      trace = this.#open(span, undefined)
    }
    next.hold(1)
    const bytes = trace.append(span, this.#judge.compiled, this.#subject ??= fromReadable(span))
    trace.ended++
    this.#spans++
    this.#bytes += bytes
    if (trace.trigger === undefined) this.#advance(trace)
    const { maxBytes, maxSpans } = this.#options
    if (this.#bytes > maxBytes || this.#spans > maxSpans) this.#makeRoom()
  }

  #isDecided(span: ReadableSpan): boolean {
    const { traceId0, traceId1, traceId2, traceId3 } = span
    // A span without a parent begins its trace.
    if (span.parentSpanId0 === 0 && span.parentSpanId1 === 0) return false
    return this.#kept.find(traceId0, traceId1, traceId2, traceId3) >= 0 ||
      this.#dropped.has(traceId0, traceId1, traceId2, traceId3)
  }

  // A trace that nothing is known of yet.
  #open(span: ReadableSpan, decision: StartDecision | undefined): HeldTrace {
    if (this.#table.size >= this.#options.maxTraces) this.#makeRoom()
    const trace = new HeldTrace(span, decision)
    this.#table.add(trace)
    this.#bytes += traceBytes
    return trace
  }

  // After a span has come: is the trace to be decided now, soon, or when its time is over?
  #advance(trace: HeldTrace): void {
    const { settle, spanLimit, timeout, traceBytesLimit } = this.#options
    if (this.#isShutDown) return this.#decideNow(trace, "shutdown")
    if (trace.spans.length >= spanLimit) return this.#decideNow(trace, "spanLimit")
    if (trace.bytes >= traceBytesLimit) return this.#decideNow(trace, "bytes")
    const isFirst = trace.spans.length === 1
    if (trace.isComplete && (settle === 0 || this.#stress.isActive)) {
      const now = this.#due.length === 0 || isFirst ? this.#options.now() : 0
      if (isFirst) trace.since = now
      return this.#addDue(trace, "root", now)
    }
    if (!isFirst && !trace.isComplete) return
    const now = this.#options.now()
    if (isFirst) trace.since = now
    const limit = trace.since + timeout
    this.#wheel.set(trace, trace.isComplete ? Math.min(now + settle, limit) : limit, now)
    this.#wake(trace.dueAt)
  }

  #addDue(trace: HeldTrace, trigger: Trigger, now: number): void {
    trace.trigger = trigger
    if (this.#due.length === 0 && this.#flushAt === Infinity) {
      this.#flushAt = now + this.#options.flushInterval
      this.#wake(this.#flushAt)
    }
    this.#due.push(trace)
  }

  #wake(at: number): void {
    if (at >= this.#wakeAt) return
    this.#wakeAt = at
    this.#options.wakeAt(at)
  }

  #decideNow(trace: HeldTrace, trigger: Trigger): void {
    const now = this.#options.now()
    if (trace.spans.length === 1) trace.since = now
    this.#addDue(trace, trigger, now)
    this.#flush(now, true)
  }

  /** Does what is due, and answers when to be called next; `undefined` when nothing is held. */
  wake(): number | undefined {
    this.#wakeAt = Infinity
    const now = this.#options.now()
    this.#ring(now)
    this.#lookForStress(now)
    if (this.#flushAt <= now) this.#flush(now, this.#stress.isActive)
    const next = Math.min(this.#flushAt, this.#wheel.next ?? Infinity)
    if (next === Infinity) return undefined
    this.#wakeAt = next
    return next
  }

  #ring(now: number): void {
    const rung: Array<HeldTrace> = []
    this.#wheel.advance(now, (trace) => rung.push(trace))
    for (const trace of rung) {
      const limit = trace.since + this.#options.timeout
      if (trace.isComplete) this.#addDue(trace, "root", now)
      else if (limit <= now) this.#addDue(trace, "timeout", now)
      else this.#wheel.set(trace, limit, now)
    }
  }

  #lookForStress(now: number): void {
    if (now - this.#stressAt < stressPeriod) return
    this.#stressAt = now
    const { maxBytes, maxSpans, maxTraces, memory } = this.#options
    const fill = Math.max(this.#bytes / maxBytes, this.#spans / maxSpans, this.#table.size / maxTraces)
    const wasActive = this.#stress.isActive
    this.#stress.update(fill, memory(), now)
    const { isActive, level } = this.#stress
    if (isActive === wasActive) return
    this.#options.diagnostics.report(
      "warn",
      "sampling.tail.stress",
      isActive
        ? `tail sampling is under stress (level ${
          Math.round(level)
        }): less is kept, and only rules that hold under stress are asked`
        : "tail sampling is no longer under stress"
    )
  }

  /** Decides about every trace that is complete. */
  flushComplete(): void {
    const now = this.#options.now()
    this.#table.forEach((trace) => {
      if (trace.trigger === undefined && trace.spans.length > 0 && trace.isComplete) this.#addDue(trace, "root", now)
    })
    this.#flush(now, true)
  }

  /** Decides about everything, and from now on at once. */
  decideAll(): void {
    this.#isShutDown = true
    const now = this.#options.now()
    this.#due = []
    this.#table.forEach((trace) => {
      if (trace.spans.length === 0) return this.#forget(trace)
      const isWhole = trace.trigger === undefined || trace.trigger === "root"
      this.#addDue(trace, isWhole ? trace.isComplete ? "root" : "shutdown" : trace.trigger!, now)
    })
    this.#flush(now, true)
  }

  #forget(trace: HeldTrace): void {
    this.#wheel.remove(trace)
    this.#table.remove(trace)
    this.#bytes -= trace.bytes
  }

  // The bounds are exceeded: what is due first, then the heaviest for their age, until there is a tenth to spare.
  #makeRoom(): void {
    const { maxBytes, maxSpans, maxTraces, now, timeout } = this.#options
    if (this.#isFlushing) return
    const time = now()
    this.#lookForStress(time)
    if (this.#due.length > 0) this.#flush(time, true)
    const isFull = (part: number): boolean =>
      this.#bytes > part * maxBytes || this.#spans > part * maxSpans || this.#table.size >= part * maxTraces
    if (!isFull(1)) return
    const traces: Array<HeldTrace> = []
    this.#table.forEach((trace) => {
      if (trace.spans.length > 0) {
        traces.push(trace)
        trace.score = trace.bytes * (1 + 4 * (time - trace.since) / timeout)
      } else if (this.#table.size >= 0.9 * maxTraces) {
        this.#forget(trace)
        this.#counts.forgotten++
      }
    })
    traces.sort((a, b) => b.score - a.score)
    let bytes = this.#bytes
    let spans = this.#spans
    let count = this.#table.size
    for (const trace of traces) {
      if (bytes <= 0.9 * maxBytes && spans <= 0.9 * maxSpans && count <= 0.9 * maxTraces) break
      bytes -= trace.bytes
      spans -= trace.spans.length
      count--
      this.#counts.evicted++
      this.#addDue(trace, "evict", time)
    }
    this.#flush(time, true)
  }

  #flush(now: number, isForced: boolean): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    const due = this.#due
    try {
      if (this.#judge.refresh(now)) this.#table.forEach((trace) => this.#markAgain(trace))
      this.#flushAt = Infinity
      this.#due = []
      this.#judge.decide(due.filter((trace) => this.#isReady(trace, now)), now, isForced, this.#stress.isActive, {
        wantsThresholds: this.#options.log !== undefined,
        decided: this.#settle,
        postponed: (trace) => this.#addDue(trace, trace.trigger!, now)
      })
    } catch (error) {
      // On a timer's stack nobody else would catch it. What is still held is decided by the next flush.
      this.#options.diagnostics.report("error", "sampling.tail", `tail sampling failed: ${describeError(error)}`)
      const again = new Set(this.#due)
      this.#due = []
      for (const trace of due) if (trace.trigger !== undefined && this.#table.has(trace)) again.add(trace)
      for (const trace of again) this.#addDue(trace, trace.trigger!, now)
    } finally {
      this.#isFlushing = false
    }
  }

  #isReady(trace: HeldTrace, now: number): boolean {
    if (trace.trigger !== "root" || trace.isComplete) return true
    // It has begun anew.
    trace.trigger = undefined
    if (trace.slot < 0) this.#wheel.set(trace, trace.since + this.#options.timeout, now)
    this.#wake(trace.dueAt)
    return false
  }

  #markAgain(trace: HeldTrace): void {
    trace.marks = 0
    for (const span of trace.spans) trace.mark(span, this.#judge.compiled, this.#subject ??= fromReadable(span))
  }

  readonly #settle = (trace: HeldTrace, isKept: boolean, stage: Stage, threshold: Threshold.Threshold): void => {
    const { isKnown, spans, traceId0, traceId1, traceId2, traceId3 } = trace
    const { ruleId } = trace.verdict!
    if (isKept) {
      const hi = isKnown ? threshold.hi : -1
      const lo = trace.isAllRecorded ? threshold.lo | allRecorded : threshold.lo
      this.#kept.add(traceId0, traceId1, traceId2, traceId3, hi, lo, ruleId)
    } else this.#dropped.add(traceId0, traceId1, traceId2, traceId3)
    const next = this.#next
    const { isDryRun } = this.#judge
    this.#counts.decided(ruleId, stage, isKept, spans.length)
    this.#forget(trace)
    this.#spans -= spans.length
    const { log } = this.#options
    if (!isKept && !isDryRun) {
      next.hold(-spans.length)
      next.sampledOut(spans.length)
      if (log === undefined) return
    }
    const decided: Decided = { isKept, stage, threshold, isKnown, ruleId, trigger: trace.trigger }
    if (isKept || isDryRun) {
      this.#written.before = undefined
      for (const span of spans) {
        next.hold(-1)
        emitKept(span, decided, trace.isAllRecorded, isDryRun, this.#written, next)
      }
    }
    if (log === undefined) return
    const { version } = this.#judge.compiled.policy
    log.record(decisionRecord(trace, decided, this.#judge.costOf(trace), version, isDryRun))
  }

  // A span whose trace was decided before.
  #follow(span: ReadableSpan, next: SpanSink): boolean {
    const { traceId0, traceId1, traceId2, traceId3 } = span
    const { isDryRun } = this.#judge
    const row = this.#kept.find(traceId0, traceId1, traceId2, traceId3)
    if (row >= 0) {
      this.#counts.lateKept++
      const hi = this.#kept.thresholdHi(row)
      const lo = this.#kept.thresholdLo(row)
      const threshold = { hi: Math.max(hi, 0), lo: lo & ~allRecorded }
      const ruleId = this.#kept.ruleId(row)
      const late: Decided = { isKept: true, stage: "late", threshold, isKnown: hi >= 0, ruleId, trigger: undefined }
      this.#judge.charge(bytesOf(span))
      this.#written.before = undefined
      emitKept(span, late, (lo & allRecorded) !== 0, isDryRun, this.#written, next)
      return true
    }
    if (!this.#dropped.has(traceId0, traceId1, traceId2, traceId3)) return false
    this.#counts.lateDropped++
    if (isDryRun) next.emit(span)
    else next.sampledOut(1)
    return true
  }

  /** Whether a rule wants the trace of this span, as far as it is known. */
  isWanted(span: ReadableSpan, isFailing: boolean): boolean {
    const trace = this.#table.get(span)
    if (this.#judge.isDryRun) return false
    if (trace === undefined) return this.#kept.find(span.traceId0, span.traceId1, span.traceId2, span.traceId3) >= 0
    if (isFailing) trace.errorCount++
    const { always, drop, weight } = this.#judge.evaluate(trace, this.#stress.isActive)
    if (isFailing) trace.errorCount--
    return !drop && (always || weight > 1)
  }

  /** Raises the held trace of this span; whether there is one. Requests from now on say that it is sampled. */
  raise(span: ReadableSpan): boolean {
    const trace = this.#table.get(span)
    if (trace === undefined) return false
    trace.isRaised = true
    if (!this.#judge.isDryRun) span.traceFlags |= sampledFlag
    return true
  }

  get stats(): TailStats {
    return this.#counts.stats({
      held: { traces: this.#table.size, spans: this.#spans, bytes: this.#bytes },
      debt: this.#judge.debt,
      stress: { level: this.#stress.level, isActive: this.#stress.isActive },
      cacheBytes: this.#kept.bytes + this.#dropped.bytes
    })
  }
}
