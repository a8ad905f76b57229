import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import { wordToHex } from "../internal/hex.ts"
import * as Attributes from "../model/Attributes.ts"
import type { AttributeList } from "../model/Attributes.ts"
import type { Baggage } from "../model/Baggage.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { ReadableSpan, SpanEvent, SpanLink, StatusCode } from "../model/ReadableSpan.ts"
import type { Resource } from "../model/Resource.ts"
import type { CompiledSpanLimits } from "./SpanLimits.ts"

/** What a live span needs from the tracer that made it. */
export interface SpanOwner {
  readonly limits: CompiledSpanLimits
  readonly resource: Resource
  /** Nanoseconds since the Unix epoch, for spans ended without a time. */
  readonly now: () => bigint
  /** The end of a span by the clock of its start, where the wall clock was set in between. */
  readonly endOf: (start: bigint, end: bigint) => bigint
  /** `undefined` for a span whose ids are no W3C ids. */
  readonly toLink: (link: Tracer.SpanLink) => SpanLink | undefined
  /** Describes `error` in an `exception` event of `span`, at the given time or now. Never throws. */
  readonly recordException: (span: Span, error: unknown, timeUnixNano?: bigint) => void
  /** Applies the outcome, books the end, and hands the span to the processors. Never throws. */
  readonly onEnd: (span: Span, exit: Exit.Exit<unknown, unknown>) => void
}

/** Which trace a span belongs to. */
export interface SpanIdentity {
  readonly traceId0: number
  readonly traceId1: number
  readonly traceId2: number
  readonly traceId3: number
  readonly spanId0: number
  readonly spanId1: number
  readonly parentSpanId0: number
  readonly parentSpanId1: number
  readonly parentIsRemote: boolean
  readonly traceFlags: number
  readonly traceState: string
  readonly baggage: Baggage | undefined
}

const noAttributes: ReadonlyMap<string, unknown> = new Map()

// Most spans have neither events nor links; frozen, so that nobody puts one span's into all.
const none = Object.freeze([]) as unknown as Array<never>

/**
 * A span: at once Effect's `Tracer.Span`, the span of the Promise facade, and the `ReadableSpan` of the processors.
 *
 * **Details**
 *
 * One that is not recorded (not sampled, or the tracer is disabled) carries context and ignores everything else. Nothing
 * throws. After `end` every operation is ignored. `sampled` has Effect's meaning, "recorded"; whether the span is exported
 * is the sampled bit of `traceFlags`. Once exported, an ended span holds no attributes, events and links any more, unless a
 * processor keeps spans.
 *
 * One class without a base: the engine makes an object of a derived class several times slower.
 */
export class Span implements Tracer.Span, ReadableSpan {
  readonly _tag = "Span"
  name: string
  readonly kind: Tracer.SpanKind
  readonly annotations: Tracer.Span["annotations"]
  readonly parentSpan: Tracer.AnySpan | undefined
  readonly traceId0: number
  readonly traceId1: number
  readonly traceId2: number
  readonly traceId3: number
  readonly spanId0: number
  readonly spanId1: number
  readonly parentSpanId0: number
  readonly parentSpanId1: number
  readonly parentIsRemote: boolean
  readonly traceFlags: number
  readonly traceState: string
  readonly baggage: Baggage | undefined
  /** Whether this is the span of an incoming HTTP request. */
  isHttpServer = false
  /** @internal Its neighbours among the open spans. */
  newerOpen: Span | undefined = undefined
  /** @internal */
  olderOpen: Span | undefined = undefined
  readonly sampled: boolean
  readonly scope: InstrumentationScope
  readonly startTimeUnixNano: bigint
  endTimeUnixNano: bigint
  statusCode: StatusCode = "UNSET"
  statusMessage = ""
  droppedAttributesCount = 0
  droppedEventsCount = 0
  droppedLinksCount = 0
  readonly #owner: SpanOwner
  #attributes: AttributeList | undefined = undefined
  #events: Array<SpanEvent> | undefined = undefined
  #links: Array<SpanLink> | undefined = undefined
  #effectLinks: Array<Tracer.SpanLink> | undefined = undefined
  /** `undefined` as long as something is recorded. */
  #exit: Exit.Exit<unknown, unknown> | undefined
  #isEnding = false

  constructor(
    owner: SpanOwner,
    isRecorded: boolean,
    name: string,
    kind: Tracer.SpanKind,
    annotations: Tracer.Span["annotations"],
    parentSpan: Tracer.AnySpan | undefined,
    identity: SpanIdentity,
    scope: InstrumentationScope,
    startTimeUnixNano: bigint,
    links: ReadonlyArray<Tracer.SpanLink> | undefined
  ) {
    this.#owner = owner
    this.sampled = isRecorded
    this.name = name
    this.kind = kind
    this.annotations = annotations
    this.parentSpan = parentSpan
    this.traceId0 = identity.traceId0
    this.traceId1 = identity.traceId1
    this.traceId2 = identity.traceId2
    this.traceId3 = identity.traceId3
    this.spanId0 = identity.spanId0
    this.spanId1 = identity.spanId1
    this.parentSpanId0 = identity.parentSpanId0
    this.parentSpanId1 = identity.parentSpanId1
    this.parentIsRemote = identity.parentIsRemote
    this.traceFlags = identity.traceFlags
    this.traceState = identity.traceState
    this.baggage = identity.baggage
    this.scope = scope
    this.startTimeUnixNano = startTimeUnixNano
    this.endTimeUnixNano = startTimeUnixNano
    this.#exit = isRecorded ? undefined : Exit.void
    if (links !== undefined && links.length > 0) this.addLinks(links)
  }

  /** As a parent: it is of this process. */
  get isRemote(): false {
    return false
  }

  get parent(): Option.Option<Tracer.AnySpan> {
    return Option.fromUndefinedOr(this.parentSpan)
  }

  get traceId(): string {
    return wordToHex(this.traceId0) + wordToHex(this.traceId1) + wordToHex(this.traceId2) + wordToHex(this.traceId3)
  }

  get spanId(): string {
    return wordToHex(this.spanId0) + wordToHex(this.spanId1)
  }

  get parentSpanId(): string | undefined {
    return this.parentSpanId0 === 0 && this.parentSpanId1 === 0
      ? undefined
      : wordToHex(this.parentSpanId0) + wordToHex(this.parentSpanId1)
  }

  get resource(): Resource {
    return this.#owner.resource
  }

  get isRecording(): boolean {
    return this.#exit === undefined
  }

  get status(): Tracer.SpanStatus {
    return this.#exit === undefined || !this.#isEnding
      ? { _tag: "Started", startTime: this.startTimeUnixNano }
      : { _tag: "Ended", startTime: this.startTimeUnixNano, endTime: this.endTimeUnixNano, exit: this.#exit }
  }

  get attributes(): ReadonlyMap<string, unknown> {
    if (this.#attributes === undefined) return noAttributes
    return new Map(Object.entries(Attributes.toRecord(this.#attributes)))
  }

  get attributeList(): AttributeList {
    return this.#attributes ??= Attributes.makeList()
  }

  get eventList(): Array<SpanEvent> {
    return this.#events ?? none
  }

  get linkList(): Array<SpanLink> {
    return this.#links ?? none
  }

  get links(): ReadonlyArray<Tracer.SpanLink> {
    return this.#effectLinks ?? none
  }

  /** Sets an attribute; the value is any JavaScript value, converted by `Attributes.fromUnknown`. */
  attribute(key: string, value: unknown): void {
    if (this.#exit !== undefined) return
    if (!Attributes.set(this.#attributes ??= Attributes.makeList(), key, value, this.#owner.limits.span)) {
      this.droppedAttributesCount++
    }
  }

  /** Sets an attribute. */
  setAttribute(key: string, value: unknown): this {
    this.attribute(key, value)
    return this
  }

  /** Sets several attributes. One whose getter throws is left out. */
  setAttributes(attributes: Readonly<Record<string, unknown>>): this {
    if (this.#exit !== undefined) return this
    const list = this.#attributes ??= Attributes.makeList()
    this.droppedAttributesCount += Attributes.setAll(list, attributes, this.#owner.limits.span)
    return this
  }

  /** Adds an event. */
  event(name: string, timeUnixNano: bigint, attributes?: Readonly<Record<string, unknown>>): void {
    if (this.#exit !== undefined) return
    const events = this.#events ??= []
    if (events.length >= this.#owner.limits.events) this.droppedEventsCount++
    else events.push(this.#event(name, timeUnixNano, attributes))
  }

  /** Adds an event; default time: now. */
  addEvent(name: string, attributes?: Readonly<Record<string, unknown>>, timeUnixNano?: bigint): this {
    if (this.#exit === undefined) this.event(name, timeUnixNano ?? this.#owner.now(), attributes)
    return this
  }

  /** Records a caught error as an `exception` event, without changing the status; default time: now. */
  recordException(error: unknown, timeUnixNano?: bigint): this {
    if (this.#exit === undefined) this.#owner.recordException(this, error, timeUnixNano)
    return this
  }

  /** Adds an `exception` event. A full list gives up its newest event for it: what went wrong matters most. */
  addException(timeUnixNano: bigint, attributes: Readonly<Record<string, unknown>>): void {
    if (this.#exit !== undefined) return
    const events = this.#events ??= []
    if (events.length >= this.#owner.limits.events) {
      this.droppedEventsCount++
      if (events.length === 0 || events[events.length - 1]!.name === "exception") return
      events.pop()
    }
    events.push(this.#event("exception", timeUnixNano, attributes))
  }

  #event(name: string, timeUnixNano: bigint, attributes: Readonly<Record<string, unknown>> | undefined): SpanEvent {
    if (attributes === undefined) return { name, timeUnixNano, attributes: [], droppedAttributesCount: 0 }
    const { dropped, list } = Attributes.fromRecord(attributes, this.#owner.limits.event)
    return { name, timeUnixNano, attributes: list, droppedAttributesCount: dropped }
  }

  /** Adds links. One to a span whose ids are no W3C ids is dropped and counted. */
  addLinks(links: ReadonlyArray<Tracer.SpanLink>): void {
    if (this.#exit !== undefined) return
    const own = this.#links ??= []
    for (const link of links) {
      const made = own.length >= this.#owner.limits.links ? undefined : this.#owner.toLink(link)
      if (made === undefined) {
        this.droppedLinksCount++
      } else {
        own.push(made)
        ;(this.#effectLinks ??= []).push(link)
      }
    }
  }

  /** Sets the status (`trace/api.md#set-status`): `OK` is final, `UNSET` changes nothing. */
  setStatus(code: StatusCode, message = ""): this {
    if (this.#exit !== undefined || code === "UNSET" || this.statusCode === "OK") return this
    this.statusCode = code
    this.statusMessage = code === "ERROR" ? message : ""
    return this
  }

  /** Changes the name. */
  updateName(name: string): this {
    if (this.#exit === undefined) this.name = name
    return this
  }

  /** Ends the span. Default: now, as a success. An end before the start counts as the start. */
  end(endTimeUnixNano?: bigint, exit: Exit.Exit<unknown, unknown> = Exit.void): void {
    if (this.#isEnding) return
    this.#isEnding = true
    const time = this.#owner.endOf(this.startTimeUnixNano, endTimeUnixNano ?? this.#owner.now())
    if (time > this.startTimeUnixNano) this.endTimeUnixNano = time
    if (this.sampled) this.#owner.onEnd(this, exit)
    else this.#exit = exit
  }

  /** Ends the span now, so that `using` works. */
  [Symbol.dispose](): void {
    this.end()
  }

  /** @internal Called by the tracer once the outcome is written: from here on the span is read-only for the program. */
  close(exit: Exit.Exit<unknown, unknown>): void {
    this.#exit = exit
  }

  /** @internal An array that grew has room for more than its items. */
  compact(): void {
    if (this.#attributes !== undefined) this.#attributes = this.#attributes.slice()
  }

  /** @internal Called by the tracer when nobody looks at the contents any more. */
  release(): void {
    this.#attributes = undefined
    this.#events = undefined
    this.#links = undefined
    this.#effectLinks = undefined
  }
}

/** Whether `span` was made by this library's tracer. */
export const isOwn = (span: unknown): span is Span => span instanceof Span
