/** Ended spans as values, between the SDK's form and ours. */
import { hexToWord } from "../internal/hex.ts"
import * as Attributes from "../model/Attributes.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { ReadableSpan, SpanEvent, SpanLink } from "../model/ReadableSpan.ts"
import * as Resource from "../model/Resource.ts"
import type { SpanData } from "../model/SpanData.ts"
import type * as Api from "./api.ts"
import { toOtelAttributes } from "./otelAttributes.ts"
import { kindNumber, kindOf, statusNumber, statusOf } from "./otelKinds.ts"
import { toOtelResource } from "./otelResource.ts"
import { toHrTime, toNanos } from "./otelTime.ts"
import * as otelSpanContext from "./otelSpanContext.ts"
import * as otelTraceState from "./otelTraceState.ts"

const kinds = {
  INTERNAL: "internal",
  SERVER: "server",
  CLIENT: "client",
  PRODUCER: "producer",
  CONSUMER: "consumer"
} as const

/** A span of ours as the SDK's exporters read it. */
export const toSdk = (span: SpanData): Api.ReadableSpan => {
  const { spanId, traceFlags, traceId, traceState } = span
  const context = otelSpanContext.toOtel({ traceId, spanId, traceFlags, traceState })
  const { droppedAttributesCount, droppedEventsCount, droppedLinksCount, endTimeUnixNano, name, startTimeUnixNano } =
    span
  return {
    name,
    kind: kindNumber(kinds[span.kind]),
    spanContext: () => context,
    parentSpanContext: span.parentSpanId === undefined
      ? undefined
      : { ...context, spanId: span.parentSpanId, isRemote: span.parentIsRemote },
    startTime: toHrTime(startTimeUnixNano),
    endTime: toHrTime(endTimeUnixNano),
    duration: toHrTime(endTimeUnixNano - startTimeUnixNano),
    ended: true,
    status: {
      code: statusNumber(span.status.code),
      ...span.status.message === "" ? {} : { message: span.status.message }
    },
    attributes: toOtelAttributes(span.attributes),
    links: span.links.map((link) => ({
      context: otelSpanContext.toOtel(link),
      attributes: toOtelAttributes(link.attributes),
      droppedAttributesCount: link.droppedAttributesCount
    })),
    events: span.events.map((event) => ({
      name: event.name,
      time: toHrTime(event.timeUnixNano),
      attributes: toOtelAttributes(event.attributes),
      droppedAttributesCount: event.droppedAttributesCount
    })),
    resource: toOtelResource(span.resource),
    instrumentationScope: span.scope,
    droppedAttributesCount,
    droppedEventsCount,
    droppedLinksCount
  }
}

/** A link of ours as the SDK has them. */
export const toLink = (link: SpanLink): Api.Link => ({
  context: otelSpanContext.toOtel(link),
  attributes: toOtelAttributes(Attributes.toRecord(link.attributes)),
  droppedAttributesCount: link.droppedAttributesCount
})

const listOf = (attributes: Api.Attributes | undefined): Attributes.AttributeList =>
  attributes === undefined ? [] : Attributes.fromRecord(attributes, Attributes.noLimits).list

// Encoders group spans by the objects of their resource and scope.
const resources = new WeakMap<object, Resource.Resource>()
const scopes = new WeakMap<object, InstrumentationScope>()

const remembered = <A>(known: WeakMap<object, A>, of: object, make: () => A): A => {
  let made = known.get(of)
  if (made === undefined) known.set(of, made = make())
  return made
}

const scopeOf = ({ name, schemaUrl, version }: Api.InstrumentationScope): InstrumentationScope => ({
  name,
  ...version === undefined ? {} : { version },
  ...schemaUrl === undefined ? {} : { schemaUrl }
})

const eventOf = (event: Api.TimedEvent): SpanEvent => ({
  name: event.name,
  timeUnixNano: toNanos(event.time) ?? 0n,
  attributes: listOf(event.attributes),
  droppedAttributesCount: event.droppedAttributesCount ?? 0
})

/** A link of the SDK as ours are. */
export const fromLink = ({ attributes, context, droppedAttributesCount }: Api.Link): SpanLink => ({
  traceId: context.traceId,
  spanId: context.spanId,
  traceFlags: context.traceFlags,
  isRemote: context.isRemote === true,
  traceState: otelTraceState.fromOtel(context.traceState),
  attributes: listOf(attributes),
  droppedAttributesCount: droppedAttributesCount ?? 0
})

/** An ended span of the SDK as our exporters read it. */
export const fromSdk = (span: Api.ReadableSpan): ReadableSpan => {
  const { spanId, traceFlags, traceId, traceState } = span.spanContext()
  // Before version 2 the SDK gave the id alone.
  const parentSpanId = span.parentSpanContext?.spanId ?? (span as { readonly parentSpanId?: string }).parentSpanId
  return {
    traceId,
    spanId,
    parentSpanId,
    traceId0: hexToWord(traceId, 0),
    traceId1: hexToWord(traceId, 8),
    traceId2: hexToWord(traceId, 16),
    traceId3: hexToWord(traceId, 24),
    spanId0: hexToWord(spanId, 0),
    spanId1: hexToWord(spanId, 8),
    parentSpanId0: parentSpanId === undefined ? 0 : hexToWord(parentSpanId, 0),
    parentSpanId1: parentSpanId === undefined ? 0 : hexToWord(parentSpanId, 8),
    parentIsRemote: span.parentSpanContext?.isRemote === true,
    traceFlags,
    traceState: otelTraceState.fromOtel(traceState),
    name: span.name,
    kind: kindOf(span.kind),
    startTimeUnixNano: toNanos(span.startTime) ?? 0n,
    endTimeUnixNano: toNanos(span.endTime) ?? 0n,
    statusCode: statusOf(span.status.code),
    statusMessage: span.status.message ?? "",
    attributeList: listOf(span.attributes),
    droppedAttributesCount: span.droppedAttributesCount,
    eventList: span.events.map(eventOf),
    droppedEventsCount: span.droppedEventsCount,
    linkList: span.links.map(fromLink),
    droppedLinksCount: span.droppedLinksCount,
    scope: remembered(scopes, span.instrumentationScope, () => scopeOf(span.instrumentationScope)),
    resource: remembered(resources, span.resource, () => Resource.make(span.resource.attributes))
  }
}
