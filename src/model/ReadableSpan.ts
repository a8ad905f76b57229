/**
 * An ended span as processors and encoders see it: the live span's own fields, nothing copied.
 *
 * **Gotchas**
 *
 * The object belongs to the tracer and is valid while `onEnd` runs. To keep a span, take its `SpanData`
 * (`SpanData.fromReadable`).
 */
import type { SpanKind as EffectSpanKind } from "effect/Tracer"
import type { AttributeList } from "./Attributes.ts"
import type { InstrumentationScope } from "./InstrumentationScope.ts"
import type { Resource } from "./Resource.ts"

/** `trace/api.md#set-status`. */
export type StatusCode = "UNSET" | "OK" | "ERROR"

/** A named moment within a span. */
export interface SpanEvent {
  readonly name: string
  /** Nanoseconds since the Unix epoch. */
  readonly timeUnixNano: bigint
  readonly attributes: AttributeList
  readonly droppedAttributesCount: number
}

/** A reference to another span. */
export interface SpanLink {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
  readonly isRemote: boolean
  /** The `tracestate` header of the linked context; `""` for none. */
  readonly traceState: string
  readonly attributes: AttributeList
  readonly droppedAttributesCount: number
}

/**
 * An ended span. A processor may change `name`, the status and the contents of the lists; one that decides about export
 * also `traceFlags` and `traceState`.
 */
export interface ReadableSpan {
  /** 32 lowercase hexadecimal digits. */
  readonly traceId: string
  /** 16 lowercase hexadecimal digits. */
  readonly spanId: string
  /** 16 lowercase hexadecimal digits, or `undefined` for a root span. */
  readonly parentSpanId: string | undefined

  // The same ids as signed 32-bit words, big end first, so that a binary encoder parses no text.
  readonly traceId0: number
  readonly traceId1: number
  readonly traceId2: number
  readonly traceId3: number
  readonly spanId0: number
  readonly spanId1: number
  /** Both zero for a root span. */
  readonly parentSpanId0: number
  readonly parentSpanId1: number

  readonly parentIsRemote: boolean
  /** W3C trace flags: `0x01` sampled (to be exported), `0x02` random. */
  traceFlags: number
  /** The `tracestate` header of this span's context; `""` for none. */
  traceState: string

  name: string
  readonly kind: EffectSpanKind
  /** Nanoseconds since the Unix epoch. */
  readonly startTimeUnixNano: bigint
  /** Nanoseconds since the Unix epoch; never before the start. */
  readonly endTimeUnixNano: bigint
  statusCode: StatusCode
  /** `""` for none; meaningful with `ERROR` only. */
  statusMessage: string

  readonly attributeList: AttributeList
  droppedAttributesCount: number
  /** May be replaced in place; an empty list may be frozen. */
  readonly eventList: Array<SpanEvent>
  droppedEventsCount: number
  /** May be replaced in place; an empty list may be frozen. */
  readonly linkList: Array<SpanLink>
  droppedLinksCount: number

  readonly scope: InstrumentationScope
  readonly resource: Resource

  /** Gives back memory that only a span in the making needs; for who keeps spans after their end. */
  readonly compact?: (() => void) | undefined
}

/** W3C flag: the span is selected for export. */
export const sampledFlag = 0x01

/** W3C Trace Context level 2 flag: the trace id is random. */
export const randomFlag = 0x02

/** Whether the sampler selected the span for export; a recorded span may be seen by processors without it. */
export const isSampled = (span: { readonly traceFlags: number }): boolean => (span.traceFlags & sampledFlag) !== 0
