import type { Attributes } from "./Attributes.ts"
import type { InstrumentationScope } from "./InstrumentationScope.ts"
import type { StatusCode } from "./ReadableSpan.ts"
import type { Resource } from "./Resource.ts"

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
  readonly status: { readonly code: StatusCode; readonly message: string }
  readonly attributes: Attributes
  readonly droppedAttributesCount: number
  readonly events: ReadonlyArray<SpanEventData>
  readonly droppedEventsCount: number
  readonly links: ReadonlyArray<SpanLinkData>
  readonly droppedLinksCount: number
  readonly scope: InstrumentationScope
  readonly resource: Resource
}
