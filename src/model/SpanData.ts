/**
 * An ended span as an immutable value: its type, its JSON, and the values that tests generate, all from one Schema.
 *
 * **Details**
 *
 * In JSON, 64-bit times are decimal strings and attribute values are as `AttributeValueEncoded` has them. This is the
 * library's own form, for snapshots and files of its own; OTLP has another.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { hexToWord } from "../internal/hex.ts"
import { type AttributeList, Attributes, type AttributesEncoded, toRecord } from "./Attributes.ts"
import { InstrumentationScope, type InstrumentationScopeEncoded } from "./InstrumentationScope.ts"
import type { ReadableSpan, SpanEvent, SpanLink, StatusCode } from "./ReadableSpan.ts"
import { Resource, type ResourceEncoded } from "./Resource.ts"
import { SpanId, TraceFlags, TraceId, TraceStateHeader } from "./SpanContext.ts"

/** `trace/api.md#spankind`. */
export type SpanKind = "INTERNAL" | "SERVER" | "CLIENT" | "PRODUCER" | "CONSUMER"

/** A named moment within a span, as data. */
export interface SpanEventData {
  readonly name: string
  readonly timeUnixNano: bigint
  readonly attributes: Attributes
  readonly droppedAttributesCount: number
}

/** A reference to another span, as data. */
export interface SpanLinkData {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
  readonly isRemote: boolean
  readonly traceState: string
  readonly attributes: Attributes
  readonly droppedAttributesCount: number
}

/** How a span ended. The message is `""` for none and has a meaning with `ERROR` only. */
export interface SpanStatus {
  readonly code: StatusCode
  readonly message: string
}

/** An ended span as an immutable value. */
export interface SpanData {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly parentIsRemote: boolean
  readonly traceFlags: number
  readonly traceState: string
  readonly name: string
  readonly kind: SpanKind
  readonly startTimeUnixNano: bigint
  readonly endTimeUnixNano: bigint
  readonly status: SpanStatus
  readonly attributes: Attributes
  readonly droppedAttributesCount: number
  readonly events: ReadonlyArray<SpanEventData>
  readonly droppedEventsCount: number
  readonly links: ReadonlyArray<SpanLinkData>
  readonly droppedLinksCount: number
  readonly scope: InstrumentationScope
  readonly resource: Resource
}

/** {@link SpanEventData} as JSON has it. */
export interface SpanEventDataEncoded extends Omit<SpanEventData, "timeUnixNano" | "attributes"> {
  readonly timeUnixNano: string
  readonly attributes: AttributesEncoded
}

/** {@link SpanLinkData} as JSON has it. */
export interface SpanLinkDataEncoded extends Omit<SpanLinkData, "attributes"> {
  readonly attributes: AttributesEncoded
}

/** {@link SpanData} as JSON has it. */
export interface SpanDataEncoded extends
  Omit<
    SpanData,
    | "parentSpanId"
    | "startTimeUnixNano"
    | "endTimeUnixNano"
    | "attributes"
    | "events"
    | "links"
    | "scope"
    | "resource"
  >
{
  readonly parentSpanId: string | null
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: AttributesEncoded
  readonly events: ReadonlyArray<SpanEventDataEncoded>
  readonly links: ReadonlyArray<SpanLinkDataEncoded>
  readonly scope: InstrumentationScopeEncoded
  readonly resource: ResourceEncoded
}

/** Schema of {@link SpanKind}. */
export const SpanKind: Schema.Codec<SpanKind> = Schema.Literals([
  "INTERNAL",
  "SERVER",
  "CLIENT",
  "PRODUCER",
  "CONSUMER"
])

/** Schema of {@link SpanStatus}. */
export const SpanStatus: Schema.Codec<SpanStatus> = Schema.Struct({
  code: Schema.Literals(["UNSET", "OK", "ERROR"]),
  message: Schema.String
})

/** Schema of a time: nanoseconds since the Unix epoch, 0 to 2^64 - 1; encoded, a decimal string. */
export const UnixNano: Schema.Codec<bigint, string> = Schema.String.check(Schema.isPattern(/^\d{1,20}$/)).pipe(
  Schema.decodeTo(
    Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 2n ** 64n - 1n })),
    SchemaTransformation.transform<bigint, string>({ decode: BigInt, encode: String })
  )
)

const DroppedCount = Schema.Int.check(Schema.isUint32())

/** Schema of {@link SpanEventData}. */
export const SpanEventData: Schema.Codec<SpanEventData, SpanEventDataEncoded> = Schema.Struct({
  name: Schema.String,
  timeUnixNano: UnixNano,
  attributes: Attributes,
  droppedAttributesCount: DroppedCount
})

/** Schema of {@link SpanLinkData}. */
export const SpanLinkData: Schema.Codec<SpanLinkData, SpanLinkDataEncoded> = Schema.Struct({
  traceId: TraceId,
  spanId: SpanId,
  traceFlags: TraceFlags,
  isRemote: Schema.Boolean,
  traceState: TraceStateHeader,
  attributes: Attributes,
  droppedAttributesCount: DroppedCount
})

const ParentSpanId: Schema.Codec<string | undefined, string | null> = Schema.NullOr(SpanId).pipe(Schema.decodeTo(
  Schema.UndefinedOr(SpanId),
  SchemaTransformation.transform<string | undefined, string | null>({
    decode: (id) => id ?? undefined,
    encode: (id) => id ?? null
  })
))

const Fields: Schema.Codec<SpanData, SpanDataEncoded> = Schema.Struct({
  traceId: TraceId,
  spanId: SpanId,
  parentSpanId: ParentSpanId,
  parentIsRemote: Schema.Boolean,
  traceFlags: TraceFlags,
  traceState: TraceStateHeader,
  name: Schema.String,
  kind: SpanKind,
  startTimeUnixNano: UnixNano,
  endTimeUnixNano: UnixNano,
  status: SpanStatus,
  attributes: Attributes,
  droppedAttributesCount: DroppedCount,
  events: Schema.Array(SpanEventData),
  droppedEventsCount: DroppedCount,
  links: Schema.Array(SpanLinkData),
  droppedLinksCount: DroppedCount,
  scope: InstrumentationScope,
  resource: Resource
})

const inOrder = (span: SpanData): SpanData =>
  span.endTimeUnixNano >= span.startTimeUnixNano
    ? span
    : { ...span, startTimeUnixNano: span.endTimeUnixNano, endTimeUnixNano: span.startTimeUnixNano }

// A declaration and not a filter on the fields: a generated span gets its times put in order, where a filter would throw
// away half of all spans, and nearly every list of spans.
const Ordered = Schema.declareConstructor<SpanData>()(
  [Schema.toType(Fields)],
  ([fields]) => (input, _ast, options) =>
    Effect.flatMapEager(
      SchemaParser.decodeUnknownEffect(fields)(input, options),
      (span) =>
        span.endTimeUnixNano >= span.startTimeUnixNano
          ? Effect.succeed(span)
          : Effect.fail(
            new SchemaIssue.Pointer(
              ["endTimeUnixNano"],
              new SchemaIssue.InvalidValue({ expected: "a time not before the start" }, span.endTimeUnixNano, options)
            )
          )
    ),
  {
    expected: "SpanData",
    toCodecArbitrary: ({ typeParameters: [fields] }) =>
      Schema.link<SpanData>()(
        fields,
        SchemaTransformation.transform<SpanData, SpanData>({ decode: inOrder, encode: (span) => span })
      )
  }
)

/** Schema of {@link SpanData}: ids valid and not zero, times within 64 bits, the end not before the start. */
export const SpanData: Schema.Codec<SpanData, SpanDataEncoded> = Fields.pipe(
  Schema.decodeTo(Ordered, SchemaTransformation.passthrough<SpanData>())
)

const kindOf: Record<ReadableSpan["kind"], SpanKind> = {
  internal: "INTERNAL",
  server: "SERVER",
  client: "CLIENT",
  producer: "PRODUCER",
  consumer: "CONSUMER"
}

const kindBack: Record<SpanKind, ReadableSpan["kind"]> = {
  INTERNAL: "internal",
  SERVER: "server",
  CLIENT: "client",
  PRODUCER: "producer",
  CONSUMER: "consumer"
}

const eventData = (event: SpanEvent): SpanEventData => ({
  name: event.name,
  timeUnixNano: event.timeUnixNano,
  attributes: toRecord(event.attributes),
  droppedAttributesCount: event.droppedAttributesCount
})

const linkData = (link: SpanLink): SpanLinkData => ({
  traceId: link.traceId,
  spanId: link.spanId,
  traceFlags: link.traceFlags,
  isRemote: link.isRemote,
  traceState: link.traceState,
  attributes: toRecord(link.attributes),
  droppedAttributesCount: link.droppedAttributesCount
})

/**
 * A span's data as it is now. Lists are copied, so later changes to the span do not show; scope, resource and the values
 * within attributes are shared.
 */
export const fromReadable = (span: ReadableSpan): SpanData => ({
  traceId: span.traceId,
  spanId: span.spanId,
  parentSpanId: span.parentSpanId,
  parentIsRemote: span.parentIsRemote,
  traceFlags: span.traceFlags,
  traceState: span.traceState,
  name: span.name,
  kind: kindOf[span.kind],
  startTimeUnixNano: span.startTimeUnixNano,
  endTimeUnixNano: span.endTimeUnixNano,
  status: { code: span.statusCode, message: span.statusMessage },
  attributes: toRecord(span.attributeList),
  droppedAttributesCount: span.droppedAttributesCount,
  events: span.eventList.map(eventData),
  droppedEventsCount: span.droppedEventsCount,
  links: span.linkList.map(linkData),
  droppedLinksCount: span.droppedLinksCount,
  scope: span.scope,
  resource: span.resource
})

const listOf = (attributes: Attributes): AttributeList => {
  const list: AttributeList = []
  for (const key of Object.keys(attributes)) list.push(key, attributes[key]!)
  return list
}

/**
 * A readable span with the given data, as encoders and exporters take it: for replay from files and for tests.
 *
 * **Gotchas**
 *
 * The data must be valid, above all its ids; `Schema.is(SpanData)` tells.
 */
export const toReadable = (data: SpanData): ReadableSpan => ({
  traceId: data.traceId,
  spanId: data.spanId,
  parentSpanId: data.parentSpanId,
  traceId0: hexToWord(data.traceId, 0),
  traceId1: hexToWord(data.traceId, 8),
  traceId2: hexToWord(data.traceId, 16),
  traceId3: hexToWord(data.traceId, 24),
  spanId0: hexToWord(data.spanId, 0),
  spanId1: hexToWord(data.spanId, 8),
  parentSpanId0: data.parentSpanId === undefined ? 0 : hexToWord(data.parentSpanId, 0),
  parentSpanId1: data.parentSpanId === undefined ? 0 : hexToWord(data.parentSpanId, 8),
  parentIsRemote: data.parentIsRemote,
  traceFlags: data.traceFlags,
  traceState: data.traceState,
  name: data.name,
  kind: kindBack[data.kind],
  startTimeUnixNano: data.startTimeUnixNano,
  endTimeUnixNano: data.endTimeUnixNano,
  statusCode: data.status.code,
  statusMessage: data.status.message,
  attributeList: listOf(data.attributes),
  droppedAttributesCount: data.droppedAttributesCount,
  eventList: data.events.map((event) => ({ ...event, attributes: listOf(event.attributes) })),
  droppedEventsCount: data.droppedEventsCount,
  linkList: data.links.map((link) => ({ ...link, attributes: listOf(link.attributes) })),
  droppedLinksCount: data.droppedLinksCount,
  scope: data.scope,
  resource: data.resource
})
