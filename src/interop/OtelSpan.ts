/**
 * A span of ours as OpenTelemetry JavaScript sees it: what a program does with it (`Span` of the API), and what the SDK's
 * processors and exporters read (`ReadableSpan`).
 */
import type * as Tracer from "effect/Tracer"
import * as Attributes from "../model/Attributes.ts"
import { toExternalSpan } from "../tracing/parentContext.ts"
import type { Span } from "../tracing/Span.ts"
import type * as Api from "./api.ts"
import { toOtelAttributes } from "./otelAttributes.ts"
import { kindNumber, statusNumber, statusOf } from "./otelKinds.ts"
import { toLink } from "./sdkSpan.ts"
import { toOtelResource } from "./otelResource.ts"
import * as otelSpanContext from "./otelSpanContext.ts"
import { isTimeInput, toHrTime, toNanos } from "./otelTime.ts"

/** What a span is to OpenTelemetry JavaScript. It holds nothing of its own. */
export class OtelSpan implements Api.Span, Api.ReadableSpan {
  /** The span of ours. */
  readonly span: Span
  private context: Api.SpanContext | undefined

  constructor(span: Span) {
    this.span = span
    // The SDK's processors call it without its object.
    this.spanContext = this.spanContext.bind(this)
  }

  spanContext(): Api.SpanContext {
    return this.context ??= contextOf(this.span)
  }

  setAttribute(key: string, value: Api.AttributeValue): this {
    this.span.attribute(key, value)
    return this
  }

  setAttributes(attributes: Api.Attributes): this {
    this.span.setAttributes(attributes)
    return this
  }

  addEvent(name: string, attributesOrStartTime?: Api.Attributes | Api.TimeInput, startTime?: Api.TimeInput): this {
    if (isTimeInput(attributesOrStartTime)) this.span.addEvent(name, undefined, toNanos(attributesOrStartTime))
    else this.span.addEvent(name, attributesOrStartTime, toNanos(startTime))
    return this
  }

  addLink(link: Api.Link): this {
    return this.addLinks([link])
  }

  addLinks(links: ReadonlyArray<Api.Link>): this {
    this.span.addLinks(links.map(toEffectLink))
    return this
  }

  setStatus(status: Api.SpanStatus): this {
    this.span.setStatus(statusOf(status.code), status.message)
    return this
  }

  updateName(name: string): this {
    this.span.updateName(name)
    return this
  }

  end(endTime?: Api.TimeInput): void {
    this.span.end(toNanos(endTime))
  }

  isRecording(): boolean {
    return this.span.isRecording
  }

  recordException(exception: unknown, time?: Api.TimeInput): void {
    this.span.recordException(exception, toNanos(time))
  }

  get name(): string {
    return this.span.name
  }

  get kind(): number {
    return kindNumber(this.span.kind)
  }

  get parentSpanContext(): Api.SpanContext | undefined {
    const { parentIsRemote: isRemote, parentSpanId: spanId, traceFlags, traceId, traceState } = this.span
    return spanId === undefined
      ? undefined
      : otelSpanContext.toOtel({ traceId, spanId, traceFlags, traceState, isRemote })
  }

  /** As the SDK had it before version 2. */
  get parentSpanId(): string | undefined {
    return this.span.parentSpanId
  }

  get startTime(): Api.HrTime {
    return toHrTime(this.span.startTimeUnixNano)
  }

  get endTime(): Api.HrTime {
    return toHrTime(this.span.endTimeUnixNano)
  }

  get duration(): Api.HrTime {
    return toHrTime(this.span.endTimeUnixNano - this.span.startTimeUnixNano)
  }

  get ended(): boolean {
    return this.span.status._tag === "Ended"
  }

  get status(): Api.SpanStatus {
    const { statusCode, statusMessage } = this.span
    return statusMessage === ""
      ? { code: statusNumber(statusCode) }
      : { code: statusNumber(statusCode), message: statusMessage }
  }

  get attributes(): Api.Attributes {
    return attributesOf(this.span.attributeList)
  }

  get links(): Array<Api.Link> {
    return this.span.linkList.map(toLink)
  }

  get events(): Array<Api.TimedEvent> {
    return this.span.eventList.map(({ attributes, droppedAttributesCount, name, timeUnixNano }) => ({
      name,
      time: toHrTime(timeUnixNano),
      attributes: attributesOf(attributes),
      droppedAttributesCount
    }))
  }

  get resource(): Api.Resource {
    return toOtelResource(this.span.resource)
  }

  get instrumentationScope(): Api.InstrumentationScope {
    return this.span.scope
  }

  /** As the SDK had it before version 2. */
  get instrumentationLibrary(): Api.InstrumentationScope {
    return this.span.scope
  }

  get droppedAttributesCount(): number {
    return this.span.droppedAttributesCount
  }

  get droppedEventsCount(): number {
    return this.span.droppedEventsCount
  }

  get droppedLinksCount(): number {
    return this.span.droppedLinksCount
  }
}

const views = new WeakMap<Span, OtelSpan>()

/** The one view of a span, so that it can be compared. */
export const viewOf = (span: Span): OtelSpan => {
  let view = views.get(span)
  if (view === undefined) views.set(span, view = new OtelSpan(span))
  return view
}

// Whether it is remote is not said of a span that is here.
const contextOf = ({ spanId, traceFlags, traceId, traceState }: Span): Api.SpanContext =>
  otelSpanContext.toOtel({ traceId, spanId, traceFlags, traceState })

const attributesOf = (list: Attributes.AttributeList): Api.Attributes => toOtelAttributes(Attributes.toRecord(list))

// One without valid ids is dropped by the tracer, and counted.
const toEffectLink = ({ attributes, context }: Api.Link): Tracer.SpanLink => ({
  span: toExternalSpan({
    ...otelSpanContext.fromOtel(context) ?? { ...nowhere, isRemote: false },
    baggage: undefined
  }),
  attributes: attributes ?? {}
})

const nowhere = { traceId: "", spanId: "", traceFlags: 0, traceState: "" }

/** Links of a span about to start. */
export const toEffectLinks = (links: ReadonlyArray<Api.Link> | undefined): ReadonlyArray<Tracer.SpanLink> | undefined =>
  links?.map(toEffectLink)
