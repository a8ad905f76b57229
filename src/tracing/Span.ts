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
  /** `undefined` for a span whose ids are no W3C ids. */
  readonly toLink: (link: Tracer.SpanLink) => SpanLink | undefined
  /** Describes `error` in an `exception` event of `span`. Never throws. */
  readonly recordException: (span: Span, error: unknown) => void
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

/** The shape that Effect and the processors share, and what every span of ours has in common. */
abstract class SpanBase {
  readonly _tag = "Span"
  readonly name: string
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

  constructor(
    name: string,
    kind: Tracer.SpanKind,
    annotations: Tracer.Span["annotations"],
    parentSpan: Tracer.AnySpan | undefined,
    identity: SpanIdentity
  ) {
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
}

const noAttributes: ReadonlyMap<string, unknown> = new Map()

// Most spans have neither events nor links; frozen, so that nobody puts one span's into all.
const none = Object.freeze([]) as unknown as Array<never>

/**
 * A span that is being recorded: at once Effect's `Tracer.Span`, the span of the Promise facade, and the `ReadableSpan`
 * of the processors.
 *
 * **Details**
 *
 * Nothing throws. After `end` every operation is ignored. `sampled` has Effect's meaning, "recorded"; whether the span
 * is exported is the sampled bit of `traceFlags`.
 */
export class Span extends SpanBase implements Tracer.Span, ReadableSpan {
  readonly sampled = true
  declare name: string
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
  #exit: Exit.Exit<unknown, unknown> | undefined = undefined
  #ending = false

  constructor(
    owner: SpanOwner,
    name: string,
    kind: Tracer.SpanKind,
    annotations: Tracer.Span["annotations"],
    parentSpan: Tracer.AnySpan | undefined,
    identity: SpanIdentity,
    scope: InstrumentationScope,
    startTimeUnixNano: bigint,
    links: Array<Tracer.SpanLink>
  ) {
    super(name, kind, annotations, parentSpan, identity)
    this.#owner = owner
    this.scope = scope
    this.startTimeUnixNano = startTimeUnixNano
    this.endTimeUnixNano = startTimeUnixNano
    if (links.length > 0) this.addLinks(links)
  }

  get resource(): Resource {
    return this.#owner.resource
  }

  get isRecording(): boolean {
    return this.#exit === undefined
  }

  get status(): Tracer.SpanStatus {
    return this.#exit === undefined
      ? { _tag: "Started", startTime: this.startTimeUnixNano }
      : { _tag: "Ended", startTime: this.startTimeUnixNano, endTime: this.endTimeUnixNano, exit: this.#exit }
  }

  get attributes(): ReadonlyMap<string, unknown> {
    if (this.#attributes === undefined) return noAttributes
    return new Map(Object.entries(Attributes.toRecord(this.#attributes)))
  }

  get attributeList(): AttributeList {
    return this.#attributes ??= []
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
    if (!Attributes.set(this.#attributes ??= [], key, value, this.#owner.limits.span)) this.droppedAttributesCount++
  }

  /** Sets an attribute. */
  setAttribute(key: string, value: unknown): this {
    this.attribute(key, value)
    return this
  }

  /** Sets several attributes. One whose getter throws is left out. */
  setAttributes(attributes: Readonly<Record<string, unknown>>): this {
    for (const key of Attributes.ownKeys(attributes)) this.attribute(key, Attributes.read(attributes, key))
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
  addEvent(name: string, attributes?: Readonly<Record<string, unknown>>, timeUnixNano = this.#owner.now()): this {
    this.event(name, timeUnixNano, attributes)
    return this
  }

  /** Records a caught error as an `exception` event, now, without changing the status. */
  recordException(error: unknown): this {
    if (this.#exit === undefined) this.#owner.recordException(this, error)
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
  end(endTimeUnixNano: bigint = this.#owner.now(), exit: Exit.Exit<unknown, unknown> = Exit.void): void {
    if (this.#ending) return
    this.#ending = true
    this.endTimeUnixNano = endTimeUnixNano < this.startTimeUnixNano ? this.startTimeUnixNano : endTimeUnixNano
    this.#owner.onEnd(this, exit)
  }

  /** Ends the span now, so that `using` works. */
  [Symbol.dispose](): void {
    this.end()
  }

  /** @internal Called by the tracer once the outcome is written: from here on the span is read-only for the program. */
  close(exit: Exit.Exit<unknown, unknown>): void {
    this.#exit = exit
  }
}

/**
 * A span that carries context and records nothing: not sampled, or the tracer is disabled.
 */
export class NonRecordingSpan extends SpanBase implements Tracer.Span {
  readonly sampled: boolean
  readonly isRecording = false
  readonly #startTime: bigint
  #endTime: bigint | undefined = undefined
  #exit: Exit.Exit<unknown, unknown> = Exit.void

  constructor(
    name: string,
    kind: Tracer.SpanKind,
    annotations: Tracer.Span["annotations"],
    parentSpan: Tracer.AnySpan | undefined,
    identity: SpanIdentity,
    startTimeUnixNano: bigint,
    sampled = false
  ) {
    super(name, kind, annotations, parentSpan, identity)
    this.#startTime = startTimeUnixNano
    this.sampled = sampled
  }

  get status(): Tracer.SpanStatus {
    return this.#endTime === undefined
      ? { _tag: "Started", startTime: this.#startTime }
      : { _tag: "Ended", startTime: this.#startTime, endTime: this.#endTime, exit: this.#exit }
  }

  get attributes(): ReadonlyMap<string, unknown> {
    return noAttributes
  }

  get links(): ReadonlyArray<Tracer.SpanLink> {
    return []
  }

  attribute(_key: string, _value: unknown): void {}
  event(_name: string, _timeUnixNano: bigint, _attributes?: Readonly<Record<string, unknown>>): void {}
  addLinks(_links: ReadonlyArray<Tracer.SpanLink>): void {}

  setAttribute(_key: string, _value: unknown): this {
    return this
  }

  setAttributes(_attributes: Readonly<Record<string, unknown>>): this {
    return this
  }

  addEvent(_name: string, _attributes?: Readonly<Record<string, unknown>>, _timeUnixNano?: bigint): this {
    return this
  }

  recordException(_error: unknown): this {
    return this
  }

  setStatus(_code: StatusCode, _message?: string): this {
    return this
  }

  updateName(_name: string): this {
    return this
  }

  [Symbol.dispose](): void {
    this.end()
  }

  end(endTime: bigint = this.#startTime, exit: Exit.Exit<unknown, unknown> = Exit.void): void {
    if (this.#endTime !== undefined) return
    this.#endTime = endTime
    this.#exit = exit
  }
}

/** A span of ours, recording or not. */
export type AnyOwnSpan = Span | NonRecordingSpan

/** Whether `span` was made by this library's tracer. */
export const isOwn = (span: unknown): span is AnyOwnSpan => span instanceof SpanBase
