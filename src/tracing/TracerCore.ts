/**
 * The one place where a span starts and ends, whoever asks: Effect's tracer, the `Trace` operators, the Promise facade.
 *
 * **Details**
 *
 * Starting is: find the parent's context, make ids, ask the sampler, compare its threshold with the trace's randomness.
 * Ending is: write the outcome, book the end, hand the span to the processors. All of it is synchronous, and none of it
 * throws into the program.
 */
import * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import type * as Tracer from "effect/Tracer"
import type { TextMapPropagator } from "../context/TextMap.ts"
import type { Diagnostics } from "../diagnostics/Diagnostics.ts"
import type { SignalLedger } from "../diagnostics/Ledger.ts"
import { hexToWord, isSpanId, isTraceId, wordToHex } from "../internal/hex.ts"
import * as Attributes from "../model/Attributes.ts"
import type { Baggage } from "../model/Baggage.ts"
import { defaultScope, type InstrumentationScope } from "../model/InstrumentationScope.ts"
import { isSampled, randomFlag, sampledFlag, type SpanLink } from "../model/ReadableSpan.ts"
import type { Resource } from "../model/Resource.ts"
import type { SpanContext } from "../model/SpanContext.ts"
import type { SpanProcessorShape, SpanSink } from "../processors/SpanProcessor.ts"
import * as OtTraceState from "../sampling/OtTraceState.ts"
import type { SamplerShape, SamplingDecision, SamplingParent } from "../sampling/Sampler.ts"
import * as Threshold from "../sampling/Threshold.ts"
import type { IdGenerator } from "./IdGenerator.ts"
import * as Outcome from "./Outcome.ts"
import { type AnyOwnSpan, isOwn, NonRecordingSpan, Span, type SpanIdentity, type SpanOwner } from "./Span.ts"
import { compile, type SpanLimits } from "./SpanLimits.ts"

/** What a remote parent brought beyond its ids; rides in the annotations of an `ExternalSpan`. */
export class RemoteContext extends Context.Service<RemoteContext, {
  readonly traceFlags: number
  readonly traceState: string
  readonly baggage: Baggage | undefined
}>()("effect-telemetry/tracing/RemoteContext") {}

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
  readonly now: () => bigint
  /** Scope of spans that name none. Default: `effect-telemetry`. */
  readonly scope?: InstrumentationScope | undefined
  /** Records nothing and books nothing; a span is its parent's context, so that context still passes through. */
  readonly disabled?: boolean | undefined
}

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

const traceWords = new Int32Array(4)
const spanWords = new Int32Array(2)
const noAttributes: Readonly<Record<string, unknown>> = {}
const noLinks: Array<Tracer.SpanLink> = []
const drop: SamplingDecision = { threshold: Threshold.never, reliable: true }
const force: SamplingDecision = { threshold: Threshold.always, reliable: false }
const emptySink: SpanSink = { emit() {}, drop() {} }

interface ParentContext {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
  readonly traceState: string
  readonly isRemote: boolean
  readonly baggage: Baggage | undefined
}

/** The context of a parent that is not ours, or `undefined` when its ids are no W3C ids. */
const foreignContext = (parent: Tracer.AnySpan): ParentContext | undefined => {
  // B3 allows 64-bit trace ids.
  const traceId = parent.traceId.length === 16 ? parent.traceId.padStart(32, "0") : parent.traceId
  if (!isTraceId(traceId) || !isSpanId(parent.spanId)) return undefined
  const remote = Context.getOrUndefined(parent.annotations, RemoteContext)
  return {
    traceId,
    spanId: parent.spanId,
    traceFlags: remote?.traceFlags ?? (parent.sampled ? sampledFlag : 0),
    traceState: remote?.traceState ?? "",
    isRemote: parent._tag === "ExternalSpan",
    baggage: remote?.baggage
  }
}

/**
 * A remote parent's tracestate, without a threshold that contradicts its sampled flag: such a threshold is wrong for
 * somebody, so nothing may be counted by it.
 */
const honestTraceState = (context: ParentContext): string => {
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

/** Starts and ends spans. */
export class TracerCore implements SpanOwner {
  readonly options: TracerCoreOptions
  readonly resource: Resource
  readonly limits
  readonly now: () => bigint
  readonly scope: InstrumentationScope
  readonly #outcomes = new WeakMap<Span, Outcome.OutcomePolicy>()
  #isShutDown = false

  constructor(options: TracerCoreOptions) {
    this.options = options
    this.resource = options.resource
    this.limits = compile(options.limits)
    this.now = options.now
    this.scope = options.scope ?? defaultScope
  }

  /** After this, ended spans are booked as dropped by `shutdown`. */
  shutdown(): void {
    this.#isShutDown = true
  }

  /** Starts a span. */
  start(start: SpanStart): AnyOwnSpan {
    const { identity, decision } = start.reserved ?? this.reserve(start)
    const { ledger } = this.options
    ledger.created++
    const recording = isSampled(identity) || decision.record === true
    const annotations = start.annotations ?? Context.empty()
    if (!recording || this.options.disabled === true) {
      ledger.sampledOut++
      return new NonRecordingSpan(
        start.name,
        start.kind,
        annotations,
        start.parent,
        identity,
        start.startTimeUnixNano
      )
    }
    ledger.open++
    const span = new Span(
      this,
      start.name,
      start.kind,
      annotations,
      start.parent,
      identity,
      start.scope ?? this.scope,
      start.startTimeUnixNano,
      (start.links as Array<Tracer.SpanLink> | undefined) ?? noLinks
    )
    if (decision.attributes !== undefined) span.setAttributes(decision.attributes)
    if (start.attributes !== undefined) span.setAttributes(start.attributes)
    if (start.outcome !== undefined) this.#outcomes.set(span, start.outcome)
    const { onStart } = this.options.processor
    if (onStart !== undefined) onStart(span)
    return span
  }

  /** The identity and the sampling decision that {@link start} would give, without starting. */
  reserve(start: SpanStart): ReservedSpan {
    const parent = start.parent
    const own = isOwn(parent) ? parent : undefined
    const foreign = own === undefined && parent !== undefined ? foreignContext(parent) : undefined
    if (this.options.disabled === true) return { decision: drop, identity: passThrough(start, own, foreign) }
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
      samplingParent = localParent(own)
    } else if (foreign !== undefined) {
      for (let i = 0; i < 4; i++) traceWords[i] = hexToWord(foreign.traceId, i * 8)
      traceFlags = foreign.traceFlags
      traceState = foreign.isRemote ? honestTraceState(foreign) : foreign.traceState
      samplingParent = { traceFlags, traceState, isRemote: foreign.isRemote }
    } else {
      ids.writeTraceId(traceWords)
      if (ids.isRandom) traceFlags = randomFlag
    }
    const traceId0 = traceWords[0]!
    const traceId1 = traceWords[1]!
    const traceId2 = traceWords[2]!
    const traceId3 = traceWords[3]!

    const decision = start.sampled === false
      ? drop
      : start.sampled === true
      ? force
      : this.#decide(start, samplingParent, traceId0, traceId1, traceId2, traceId3)

    const randomness = traceState === "" ? undefined : OtTraceState.read(traceState).randomness
    const keep = Threshold.keeps(
      decision.threshold,
      randomness?.hi ?? Threshold.randomnessHi(traceId2, traceId3),
      randomness?.lo ?? Threshold.randomnessLo(traceId3)
    )

    return {
      decision,
      identity: {
        traceId0,
        traceId1,
        traceId2,
        traceId3,
        spanId0,
        spanId1,
        parentSpanId0: own !== undefined ? own.spanId0 : foreign === undefined ? 0 : hexToWord(foreign.spanId, 0),
        parentSpanId1: own !== undefined ? own.spanId1 : foreign === undefined ? 0 : hexToWord(foreign.spanId, 8),
        parentIsRemote: foreign?.isRemote ?? false,
        traceFlags: keep ? traceFlags | sampledFlag : traceFlags & ~sampledFlag,
        traceState: stateAfter(traceState, decision, keep),
        baggage: start.baggage ?? own?.baggage ?? foreign?.baggage
      }
    }
  }

  #decide(
    start: SpanStart,
    parent: SamplingParent | undefined,
    traceId0: number,
    traceId1: number,
    traceId2: number,
    traceId3: number
  ): SamplingDecision {
    const input = new Input(this, start, parent, traceId0, traceId1, traceId2, traceId3)
    try {
      return this.options.sampler.decide(input)
    } catch (error) {
      this.options.diagnostics.report("error", "sampler", `the sampler failed, spans are kept: ${String(error)}`)
      return force
    }
  }

  onEnd(span: Span, exit: Exit.Exit<unknown, unknown>): void {
    const policy = this.#outcomes.get(span) ?? this.options.outcome
    if (exit._tag === "Failure" || policy.success !== undefined) {
      Outcome.apply(span, exit, span.endTimeUnixNano, policy)
    }
    span.close(exit)
    const { ledger, processor } = this.options
    ledger.open--
    if (this.#isShutDown) {
      for (const account of processor.accounts) account.drop("shutdown")
    } else {
      processor.onEnd(span, emptySink)
    }
  }

  recordException(span: Span, error: unknown): void {
    span.addException(this.now(), Outcome.describeException(error))
  }

  toLink(link: Tracer.SpanLink): SpanLink | undefined {
    const context = this.spanContext(link.span)
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
    if (isOwn(span)) {
      return identityContext(span)
    }
    return foreignContext(span)
  }
}

/** The W3C context of an identity, or `undefined` for one without a trace. */
export const identityContext = (identity: SpanIdentity): SpanContext | undefined =>
  isInvalid(identity) ? undefined : {
    traceId: hexOf(identity.traceId0, identity.traceId1, identity.traceId2, identity.traceId3),
    spanId: hexOf(identity.spanId0, identity.spanId1),
    traceFlags: identity.traceFlags,
    traceState: identity.traceState,
    isRemote: false
  }

const hexOf = (...words: ReadonlyArray<number>): string => words.map(wordToHex).join("")

const passThrough = (
  start: SpanStart,
  own: AnyOwnSpan | undefined,
  foreign: ParentContext | undefined
): SpanIdentity => {
  if (own !== undefined) return start.baggage === undefined ? own : { ...wordsOf(own), baggage: start.baggage }
  const word = (text: string | undefined, offset: number) => text === undefined ? 0 : hexToWord(text, offset)
  return {
    traceId0: word(foreign?.traceId, 0),
    traceId1: word(foreign?.traceId, 8),
    traceId2: word(foreign?.traceId, 16),
    traceId3: word(foreign?.traceId, 24),
    spanId0: word(foreign?.spanId, 0),
    spanId1: word(foreign?.spanId, 8),
    parentSpanId0: 0,
    parentSpanId1: 0,
    parentIsRemote: foreign?.isRemote ?? false,
    traceFlags: foreign?.traceFlags ?? 0,
    traceState: foreign?.traceState ?? "",
    baggage: start.baggage ?? foreign?.baggage
  }
}

const wordsOf = (span: AnyOwnSpan): SpanIdentity => ({
  traceId0: span.traceId0,
  traceId1: span.traceId1,
  traceId2: span.traceId2,
  traceId3: span.traceId3,
  spanId0: span.spanId0,
  spanId1: span.spanId1,
  parentSpanId0: span.parentSpanId0,
  parentSpanId1: span.parentSpanId1,
  parentIsRemote: span.parentIsRemote,
  traceFlags: span.traceFlags,
  traceState: span.traceState,
  baggage: span.baggage
})

const isInvalid = (span: SpanIdentity): boolean =>
  span.traceId0 === 0 && span.traceId1 === 0 && span.traceId2 === 0 && span.traceId3 === 0

const localParent = (span: AnyOwnSpan): SamplingParent => ({
  traceFlags: span.traceFlags,
  traceState: span.traceState,
  isRemote: false
})

const keepsAll = (threshold: Threshold.Threshold): boolean => threshold.hi === 0 && threshold.lo === 0

/** The tracestate after a decision: a kept span carries its threshold when that is known, any other carries none. */
const stateAfter = (traceState: string, decision: SamplingDecision, keep: boolean): string => {
  const known = keep && decision.reliable
  if (traceState === "") {
    return known && !keepsAll(decision.threshold) ? OtTraceState.withThreshold("", decision.threshold) : ""
  }
  const before = OtTraceState.read(traceState).threshold
  if (known) {
    if (before === undefined && keepsAll(decision.threshold)) return traceState
    if (before?.hi === decision.threshold.hi && before.lo === decision.threshold.lo) return traceState
    return OtTraceState.withThreshold(traceState, decision.threshold)
  }
  return before === undefined ? traceState : OtTraceState.withThreshold(traceState, undefined)
}

/** The sampler's view of a span about to start; the costly parts are made when read. */
class Input {
  readonly #core: TracerCore
  readonly #start: SpanStart
  readonly parent: SamplingParent | undefined
  readonly #words: readonly [number, number, number, number]

  constructor(
    core: TracerCore,
    start: SpanStart,
    parent: SamplingParent | undefined,
    traceId0: number,
    traceId1: number,
    traceId2: number,
    traceId3: number
  ) {
    this.#core = core
    this.#start = start
    this.parent = parent
    this.#words = [traceId0, traceId1, traceId2, traceId3]
  }

  get name(): string {
    return this.#start.name
  }

  get kind(): Tracer.SpanKind {
    return this.#start.kind
  }

  get traceId(): string {
    return hexOf(...this.#words)
  }

  get attributes(): Readonly<Record<string, unknown>> {
    return this.#start.attributes ?? noAttributes
  }

  get links(): ReadonlyArray<SpanLink> {
    return (this.#start.links ?? noLinks).flatMap((link) => this.#core.toLink(link) ?? [])
  }
}
