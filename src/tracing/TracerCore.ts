/**
 * The one place where a span starts and ends, whoever asks: Effect's tracer, the `Trace` operators, the Promise facade.
 *
 * **Details**
 *
 * Starting is: find the parent's context, make ids, ask the sampler, compare its threshold with the trace's randomness.
 * Ending is: write the outcome, book the end, hand the span to the processors. All of it is synchronous, and none of it
 * throws into the program.
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import type * as Tracer from "effect/Tracer"
import * as AsyncContext from "../context/AsyncContext.ts"
import type { Outbound } from "../context/outbound.ts"
import type { TextMapPropagator } from "../context/TextMap.ts"
import type { Diagnostics } from "../diagnostics/Diagnostics.ts"
import type { SignalLedger } from "../diagnostics/Ledger.ts"
import { describeError } from "../internal/describeError.ts"
import { hexToWord } from "../internal/hex.ts"
import { randomWord } from "../internal/random.ts"
import type { WallTime } from "../internal/wallTime.ts"
import * as Attributes from "../model/Attributes.ts"
import { defaultScope, type InstrumentationScope } from "../model/InstrumentationScope.ts"
import { isSampled, randomFlag, sampledFlag, type SpanLink } from "../model/ReadableSpan.ts"
import type { Resource } from "../model/Resource.ts"
import type { SpanContext } from "../model/SpanContext.ts"
import type { SpanProcessorShape, SpanSink } from "../processors/SpanProcessor.ts"
import type { DecisionLogShape } from "../sampling/DecisionLog.ts"
import * as OtTraceState from "../sampling/OtTraceState.ts"
import type { SamplerShape, SamplingDecision, SamplingParent } from "../sampling/Sampler.ts"
import * as Threshold from "../sampling/Threshold.ts"
import type { IdGenerator } from "./IdGenerator.ts"
import { blankIdentity, hexOf, identityContext, isInvalid, type MutableIdentity, passThrough } from "./identity.ts"
import { OpenSpans } from "./openSpans.ts"
import * as Outcome from "./Outcome.ts"
import { foreignContext, honestTraceState, withoutUntrusted } from "./parentContext.ts"
import { StartInput } from "./samplingInput.ts"
import type { ReservedSpan, SpanStart } from "./spanStart.ts"
import { isOwn, Span, type SpanOwner } from "./Span.ts"
import { compile, type SpanLimits } from "./SpanLimits.ts"

/** Everything a tracer is made of. */
export interface TracerCoreOptions {
  readonly sampler: SamplerShape
  readonly processor: SpanProcessorShape
  readonly propagator: TextMapPropagator
  readonly resource: Resource
  readonly limits: SpanLimits
  readonly ids: IdGenerator
  readonly outcome: Outcome.OutcomePolicy
  readonly ledger: SignalLedger
  readonly diagnostics: Diagnostics
  /** The clock behind `wall`. */
  readonly clock: Clock.Clock
  readonly wall: WallTime
  /** Told what is decided about each local root. */
  readonly decisions?: DecisionLogShape | undefined
  /** Scope of spans that name none. Default: `effect-telemetry`. */
  readonly scope?: InstrumentationScope | undefined
  /** Which hosts are sent what. Default: all, everything. */
  readonly outbound?: Outbound | undefined
  /** Whether a context in incoming headers is continued; `"edge"` starts a new trace with a link to it. Default `true`. */
  readonly trustIncoming?: boolean | "edge" | undefined
  /** The span of the process that started this one: the parent of spans that have none here. */
  readonly processParent?: Tracer.ExternalSpan | undefined
  /** Records nothing and books nothing; a span is its parent's context, so that context still passes through. */
  readonly disabled?: boolean | undefined
}

const traceWords = new Int32Array(4)
const spanWords = new Int32Array(2)
const drop: SamplingDecision = { threshold: Threshold.never, reliable: true }
const force: SamplingDecision = { threshold: Threshold.always, reliable: false }
const emptySink: SpanSink = { emit() {}, drop() {}, hold() {}, sampledOut() {} }

/** Starts and ends spans. */
export class TracerCore implements SpanOwner {
  readonly options: TracerCoreOptions
  readonly resource: Resource
  readonly limits
  readonly now: () => bigint
  readonly endOf: (start: bigint, end: bigint) => bigint
  readonly scope: InstrumentationScope
  readonly #toLink = (link: Tracer.SpanLink): SpanLink | undefined => this.toLink(link)
  // Few spans have a policy of their own; a tracer that never saw one has no map to look into.
  #outcomes: WeakMap<Span, Outcome.OutcomePolicy> | undefined = undefined
  // Read by the span's constructor at once, with no code of the program in between.
  readonly #scratch = blankIdentity()
  readonly #open = new OpenSpans()
  #isShutDown = false

  constructor(options: TracerCoreOptions) {
    this.options = options
    this.resource = options.resource
    this.limits = compile(options.limits)
    this.now = options.wall.now
    this.endOf = options.wall.endOf
    this.scope = options.scope ?? defaultScope
  }

  /**
   * Ends every span that is open, children before their parents, because nobody else will: the process ends, or the
   * tracer does. Each has the attribute `effect.span.interrupted`, whose value is the reason, unless it has as
   * many attributes as its limits allow.
   */
  endOpen(reason: string): void {
    for (const span of this.#open.list()) {
      span.attribute("effect.span.interrupted", reason)
      span.end()
    }
  }

  /** After this, ended spans are booked as dropped by `shutdown`. */
  shutdown(): void {
    this.#isShutDown = true
  }

  /** Starts a span. */
  start(given: SpanStart): Span {
    const start = given.parent === undefined || isOwn(given.parent) ? given : withoutUntrusted(given)
    const identity = start.reserved?.identity ?? this.#scratch
    const decision = start.reserved?.decision ?? this.#decideSafely(start)
    const { ledger } = this.options
    ledger.created++
    const isRecorded = (isSampled(identity) || decision.record === true) && this.options.disabled !== true
    const span = new Span(
      this,
      isRecorded,
      start.name,
      start.kind,
      start.annotations ?? Context.empty(),
      start.parent,
      identity,
      start.scope ?? this.scope,
      start.startTimeUnixNano,
      start.links
    )
    if (!isRecorded) {
      ledger.sampledOut++
      return span
    }
    ledger.open++
    if (!isSampled(span)) ledger.recordOnly++
    this.#open.add(span)
    if (decision.attributes !== undefined) span.setAttributes(decision.attributes)
    // Of a trace, or of this process's part of one; what is below follows.
    if (decision.ruleId !== undefined && !isOwn(start.parent)) span.attribute("sampling.rule", decision.ruleId)
    if (start.attributes !== undefined) span.setAttributes(start.attributes)
    if (start.outcome !== undefined) (this.#outcomes ??= new WeakMap()).set(span, start.outcome)
    const { onStart } = this.options.processor
    if (onStart !== undefined) onStart(span, decision)
    return span
  }

  /**
   * Whether a span under `parent` would neither be recorded nor exported, and its parent can stand for it. It is booked
   * then as if it had been made.
   *
   * **Details**
   *
   * So it is under an unrecorded span of ours where the sampler looks at nothing but the parent: the same trace, the same
   * flags, and nobody will ever look for the span's own id.
   */
  standsIn(parent: Tracer.AnySpan | undefined): parent is Span {
    if (!isOwn(parent) || parent.sampled) return false
    try {
      const decision = this.options.sampler.decideByParent?.(parent)
      if (decision === undefined || decision.record === true || decision.threshold.hi < Threshold.never.hi) return false
    } catch {
      // The sampler is asked again, and its failure reported.
      return false
    }
    const { ledger } = this.options
    ledger.created++
    ledger.sampledOut++
    return true
  }

  // Whatever a foreign parent, an id generator or a sampler does: the program goes on, without this span.
  #decideSafely(start: SpanStart): SamplingDecision {
    try {
      return this.#identify(start, this.#scratch)
    } catch (error) {
      const { diagnostics } = this.options
      diagnostics.report("error", "tracer.start", `a span could not start: ${describeError(error)}`)
      Object.assign(
        this.#scratch,
        passThrough(isOwn(start.parent) ? start.parent : undefined, undefined, start.baggage)
      )
      return drop
    }
  }

  /** The identity and the sampling decision that {@link start} would give, without starting. */
  reserve(start: SpanStart): ReservedSpan {
    const identity = blankIdentity()
    return { decision: this.#identify(withoutUntrusted(start), identity), identity }
  }

  /** Decides about a span and writes its identity to `target`. */
  #identify(start: SpanStart, target: MutableIdentity): SamplingDecision {
    const { parent } = start
    const ambient = start.within ?? AsyncContext.ambient()
    const sampled = ambient?.isSuppressed === true ? false : start.sampled
    const baggage = ambient !== undefined && ambient.span === parent
      ? ambient.baggage ?? start.baggage
      : start.baggage
    const own = isOwn(parent) ? parent : undefined
    const foreign = own === undefined && parent !== undefined ? foreignContext(parent) : undefined
    if (this.options.disabled === true) {
      Object.assign(target, passThrough(own, foreign, baggage))
      return drop
    }
    const { ids } = this.options
    ids.writeSpanId(spanWords)
    const spanId0 = spanWords[0]!
    const spanId1 = spanWords[1]!

    let traceFlags = 0
    let traceState = ""
    let samplingParent: SamplingParent | undefined
    if (own !== undefined && !isInvalid(own)) {
      traceWords[0] = own.traceId0
      traceWords[1] = own.traceId1
      traceWords[2] = own.traceId2
      traceWords[3] = own.traceId3
      traceFlags = own.traceFlags
      traceState = own.traceState
      samplingParent = own
    } else if (foreign !== undefined) {
      for (let i = 0; i < 4; i++) traceWords[i] = hexToWord(foreign.traceId, i * 8)
      traceFlags = foreign.traceFlags
      traceState = honestTraceState(foreign)
      samplingParent = { traceFlags, traceState, isRemote: foreign.isRemote, spanId: foreign.spanId }
    } else {
      ids.writeTraceId(traceWords)
      if (ids.isRandom) traceFlags = randomFlag
    }
    const traceId0 = traceWords[0]!
    const traceId1 = traceWords[1]!
    const traceId2 = traceWords[2]!
    const traceId3 = traceWords[3]!

    const decision = sampled === undefined ? this.#decide(start, samplingParent) : sampled ? force : drop

    const randomness = traceState === "" ? undefined : OtTraceState.read(traceState).randomness
    let hi = randomness?.hi ?? Threshold.randomnessHi(traceId2, traceId3)
    let lo = randomness?.lo ?? Threshold.randomnessLo(traceId3)
    const isRandom = samplingParent !== undefined || ids.isRandom
    if ((!decision.reliable || !isRandom) && Threshold.isSelective(decision.threshold)) {
      hi = randomWord() & 0x0fffffff
      lo = randomWord() & 0x0fffffff
      // Ids that are not random decide nothing: from here on, this does.
      if (!isRandom) traceState = OtTraceState.ofRandomness(hi, lo)
    }
    const keep = Threshold.keeps(decision.threshold, hi, lo)

    target.traceId0 = traceId0
    target.traceId1 = traceId1
    target.traceId2 = traceId2
    target.traceId3 = traceId3
    target.spanId0 = spanId0
    target.spanId1 = spanId1
    target.parentSpanId0 = own !== undefined ? own.spanId0 : foreign === undefined ? 0 : hexToWord(foreign.spanId, 0)
    target.parentSpanId1 = own !== undefined ? own.spanId1 : foreign === undefined ? 0 : hexToWord(foreign.spanId, 8)
    target.parentIsRemote = foreign?.isRemote ?? false
    target.traceFlags = keep ? traceFlags | sampledFlag : traceFlags & ~sampledFlag
    if (decision.traceState !== undefined) traceState = OtTraceState.withOtOf(decision.traceState, traceState)
    target.traceState = OtTraceState.afterDecision(traceState, decision, keep)
    target.baggage = baggage ?? own?.baggage ?? foreign?.baggage
    const { decisions } = this.options
    if (decisions !== undefined && own === undefined) {
      decisions.recordHead({
        traceId: hexOf(traceId0, traceId1, traceId2, traceId3),
        spanId: hexOf(spanId0, spanId1),
        randomness: { hi, lo },
        parentTraceState: traceState,
        decision,
        keep,
        sampler: this.options.sampler
      })
    }
    return decision
  }

  // The trace's id is in `traceWords`.
  #decide(start: SpanStart, parent: SamplingParent | undefined): SamplingDecision {
    try {
      const { sampler } = this.options
      const decision = sampler.decideByParent?.(parent) ??
        sampler.decide(new StartInput(start, parent, traceWords, this.#toLink, this.resource))
      if (typeof decision?.threshold?.hi === "number") return decision
      throw new TypeError("it answered without a threshold")
    } catch (error) {
      const { diagnostics } = this.options
      diagnostics.report("error", "sampler", `the sampler failed, spans are kept: ${describeError(error)}`)
      return force
    }
  }

  onEnd(span: Span, exit: Exit.Exit<unknown, unknown>): void {
    const policy = this.#outcomes?.get(span) ?? this.options.outcome
    if (exit._tag === "Failure" || policy.success !== undefined) {
      Outcome.apply(span, exit, span.endTimeUnixNano, policy)
    }
    span.close(exit)
    this.#open.remove(span)
    const { ledger, processor } = this.options
    ledger.open--
    if (this.#isShutDown) {
      for (const account of processor.accounts) account.drop("shutdown")
    } else {
      processor.onEnd(span, emptySink)
    }
    if (processor.keepsSpans === false) span.release()
  }

  recordException(span: Span, error: unknown, timeUnixNano?: bigint): void {
    span.addException(timeUnixNano ?? this.now(), Outcome.describeException(error))
  }

  toLink(link: Tracer.SpanLink): SpanLink | undefined {
    let context: SpanContext | undefined
    try {
      context = this.spanContext(link.span)
    } catch {
      // A link to something that is no span.
    }
    if (context === undefined) return undefined
    const { dropped, list } = Attributes.fromRecord(link.attributes, this.limits.link)
    return {
      traceId: context.traceId,
      spanId: context.spanId,
      traceFlags: context.traceFlags,
      isRemote: context.isRemote,
      traceState: context.traceState,
      attributes: list,
      droppedAttributesCount: dropped
    }
  }

  /** The W3C context of a span of any tracer, or `undefined` when its ids are no W3C ids. */
  spanContext(span: Tracer.AnySpan): SpanContext | undefined {
    return isOwn(span) ? identityContext(span) : foreignContext(span)
  }
}
