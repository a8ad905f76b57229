/** Spans for tests, with everything that does not matter filled in. */
import { fromRecord } from "../../src/model/Attributes.ts"
import { defaultScope } from "../../src/model/InstrumentationScope.ts"
import type { ReadableSpan, SpanEvent, SpanLink } from "../../src/model/ReadableSpan.ts"
import type { SpanData } from "../../src/model/SpanData.ts"

const word = (hex: string, at: number): number => Number.parseInt(hex.slice(at, at + 8), 16) | 0

export const traceIdOf = (trace: number): string => trace.toString(16).padStart(32, "0")
export const spanIdOf = (span: number): string => span.toString(16).padStart(16, "0")

/** 2026-11-22T10:00:00Z. */
export const epoch = 1_795_341_600_000_000_000n
const millis = (value: number): bigint => BigInt(Math.round(value * 1e6))

export interface Fields {
  readonly trace?: number
  readonly id?: number
  readonly parent?: number | undefined
  readonly remote?: boolean
  readonly name?: string
  readonly kind?: SpanData["kind"]
  /** Milliseconds behind {@link epoch}. */
  readonly start?: number
  readonly end?: number
  readonly status?: SpanData["status"]["code"]
  readonly message?: string
  readonly attributes?: Record<string, unknown>
  readonly events?: ReadonlyArray<{ name: string; at?: number; attributes?: Record<string, unknown> }>
  readonly links?: ReadonlyArray<{ trace: number; span: number; attributes?: Record<string, unknown> }>
  readonly service?: string
  readonly traceFlags?: number
}

const resources = new Map<string, { readonly attributes: { readonly "service.name": string } }>()
const resourceOf = (service: string) => {
  const known = resources.get(service)
  if (known !== undefined) return known
  const made = { attributes: { "service.name": service } }
  resources.set(service, made)
  return made
}

export const readable = (fields: Fields = {}): ReadableSpan => {
  const traceId = traceIdOf(fields.trace ?? 1)
  const spanId = spanIdOf(fields.id ?? 1)
  const parentSpanId = fields.parent === undefined ? undefined : spanIdOf(fields.parent)
  const start = fields.start ?? 0
  const events: Array<SpanEvent> = (fields.events ?? []).map((event) => ({
    name: event.name,
    timeUnixNano: epoch + millis(event.at ?? start),
    attributes: fromRecord(event.attributes ?? {}).list,
    droppedAttributesCount: 0
  }))
  const links: Array<SpanLink> = (fields.links ?? []).map((link) => ({
    traceId: traceIdOf(link.trace),
    spanId: spanIdOf(link.span),
    traceFlags: 1,
    isRemote: false,
    traceState: "",
    attributes: fromRecord(link.attributes ?? {}).list,
    droppedAttributesCount: 0
  }))
  return {
    traceId,
    spanId,
    parentSpanId,
    traceId0: word(traceId, 0),
    traceId1: word(traceId, 8),
    traceId2: word(traceId, 16),
    traceId3: word(traceId, 24),
    spanId0: word(spanId, 0),
    spanId1: word(spanId, 8),
    parentSpanId0: parentSpanId === undefined ? 0 : word(parentSpanId, 0),
    parentSpanId1: parentSpanId === undefined ? 0 : word(parentSpanId, 8),
    parentIsRemote: fields.remote ?? false,
    traceFlags: fields.traceFlags ?? 3,
    traceState: "",
    name: fields.name ?? "span",
    kind: (fields.kind ?? "INTERNAL").toLowerCase() as ReadableSpan["kind"],
    startTimeUnixNano: epoch + millis(start),
    endTimeUnixNano: epoch + millis(fields.end ?? start + 1),
    statusCode: fields.status ?? "UNSET",
    statusMessage: fields.message ?? "",
    attributeList: fromRecord(fields.attributes ?? {}).list,
    droppedAttributesCount: 0,
    eventList: events,
    droppedEventsCount: 0,
    linkList: links,
    droppedLinksCount: 0,
    scope: defaultScope,
    resource: resourceOf(fields.service ?? "api")
  }
}
