/** A span of ours as Effect 3's. */
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Tracer from "effect/Tracer"
import { isSampled, sampledFlag } from "../model/ReadableSpan.ts"
import { toExternalSpan } from "../tracing/parentContext.ts"
import type { Span } from "../tracing/Span.ts"
import { toExit, toValue, toValues } from "./outcome.ts"
import type { AnySpan3, Exit3, Option3, SpanLink3 } from "./structures.ts"

/** Effect 3's `SpanStatus`. Its `Exit` is whatever the program's copy of Effect 3 made. */
export type SpanStatus3 =
  | { _tag: "Started"; startTime: bigint }
  | { _tag: "Ended"; startTime: bigint; endTime: bigint; exit: any }

/**
 * Effect 3's `Span`: holds what only Effect 3 asks for, and passes on the rest.
 *
 * **Details**
 *
 * `sampled` is what Effect 3 writes into headers: whether the span is exported.
 */
export class Effect3Span<Parent extends Option3<AnySpan3>, Annotations, Link extends SpanLink3> {
  readonly _tag = "Span"
  /** The span of ours. */
  readonly span: Span
  readonly parent: Parent
  readonly context: Annotations
  readonly links: Array<Link>
  #exit: Exit3 | undefined = undefined

  constructor(span: Span, parent: Parent, context: Annotations, links: ReadonlyArray<Link>) {
    this.span = span
    this.parent = parent
    this.context = context
    this.links = [...links]
    ofFibers.add(span)
  }

  get name(): string {
    return this.span.name
  }

  get kind(): Tracer.SpanKind {
    return this.span.kind
  }

  get traceId(): string {
    return this.span.traceId
  }

  get spanId(): string {
    return this.span.spanId
  }

  get sampled(): boolean {
    return isSampled(this.span)
  }

  get attributes(): ReadonlyMap<string, unknown> {
    return this.span.attributes
  }

  get status(): SpanStatus3 {
    const { endTimeUnixNano: endTime, startTimeUnixNano: startTime } = this.span
    return this.#exit === undefined
      ? { _tag: "Started", startTime }
      : { _tag: "Ended", startTime, endTime, exit: this.#exit }
  }

  attribute(key: string, value: unknown): void {
    this.span.attribute(key, toValue(value))
  }

  event(name: string, startTime: bigint, attributes?: Record<string, unknown>): void {
    this.span.event(name, startTime, attributes === undefined ? undefined : toValues(attributes))
  }

  addLinks(links: ReadonlyArray<Link>): void {
    this.links.push(...links)
    this.span.addLinks(links.map(toLink))
  }

  end(endTime: bigint, exit: Exit3): void {
    if (this.#exit !== undefined) return
    this.#exit = exit
    this.span.end(endTime, this.span.isRecording ? toExit(exit) : Exit.void)
  }
}

// The spans of ours that Effect 3 has, and plain code has not laid around anything.
const ofFibers = new WeakSet<Span>()

/** Whether a span was started by Effect 3. */
export const isOfFiber = (span: Tracer.AnySpan): boolean => ofFibers.has(span as Span)

const externals = new WeakMap<AnySpan3, Tracer.ExternalSpan>()

/** A span of Effect 3, of whatever tracer, as a parent; `undefined` where that is none at all. */
export const toAnySpan = (span: AnySpan3 | undefined): Tracer.AnySpan | undefined => {
  if (span === undefined) return undefined
  if (span instanceof Effect3Span) return span.span
  // What Effect 3 opens where tracing is off, and looks through itself.
  if (span._tag === "Span" && span.spanId === "noop") {
    return span.parent._tag === "Some" ? toAnySpan(span.parent.value) : undefined
  }
  let external = externals.get(span)
  if (external === undefined) externals.set(span, external = toExternal(span))
  return external
}

// Of a remote one, Effect 3 knows no more than Effect 4 would without a propagator of ours.
const toExternal = ({ _tag, sampled, spanId, traceId }: AnySpan3): Tracer.ExternalSpan =>
  _tag === "ExternalSpan"
    ? Tracer.externalSpan({ traceId, spanId, sampled })
    : toExternalSpan({
      traceId,
      spanId,
      traceFlags: sampled ? sampledFlag : 0,
      traceState: "",
      baggage: undefined,
      isRemote: false
    })

/** A link of Effect 3. One to something that is no span is dropped by the tracer, and counted. */
export const toLink = ({ attributes, span }: SpanLink3): Tracer.SpanLink => ({
  span: toAnySpan(span) ?? nowhere,
  attributes: toValues(attributes)
})

const nowhere: Tracer.ExternalSpan = {
  _tag: "ExternalSpan",
  traceId: "",
  spanId: "",
  sampled: false,
  annotations: Context.empty()
}
