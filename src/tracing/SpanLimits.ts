import * as Context from "effect/Context"
import type { AttributeLimits } from "../model/Attributes.ts"

/**
 * Bounds of one span (`trace/sdk.md#span-limits`). What is beyond a count is dropped, newest first, and counted on the
 * span.
 */
export interface SpanLimits {
  /** Most attributes of a span. Default 128. */
  readonly attributeCountLimit: number
  /** Longest string (UTF-16 code units) or byte value. Default `Infinity`. */
  readonly attributeValueLengthLimit: number
  /** Most events of a span. Default 128. */
  readonly eventCountLimit: number
  /** Most links of a span. Default 128. */
  readonly linkCountLimit: number
  /** Most attributes of an event. Default 128. */
  readonly attributePerEventCountLimit: number
  /** Most attributes of a link. Default 128. */
  readonly attributePerLinkCountLimit: number
  /** Deepest nesting within an attribute value. Default 64. */
  readonly attributeDepthLimit: number
}

/** The specification's defaults. */
export const defaults: SpanLimits = {
  attributeCountLimit: 128,
  attributeValueLengthLimit: Infinity,
  eventCountLimit: 128,
  linkCountLimit: 128,
  attributePerEventCountLimit: 128,
  attributePerLinkCountLimit: 128,
  attributeDepthLimit: 64
}

/** The span limits that a tracer layer uses. Default: {@link defaults}. */
export const SpanLimits: Context.Reference<SpanLimits> = Context.Reference<SpanLimits>(
  "effect-telemetry/tracing/SpanLimits",
  { defaultValue: () => defaults }
)

/** The limits in the form that the attribute functions take. */
export interface CompiledSpanLimits {
  readonly span: AttributeLimits
  readonly event: AttributeLimits
  readonly link: AttributeLimits
  readonly events: number
  readonly links: number
}

/** Compiles limits once for each tracer. */
export const compile = (limits: SpanLimits): CompiledSpanLimits => {
  const attributes = (count: number): AttributeLimits => ({
    count,
    valueLength: limits.attributeValueLengthLimit,
    depth: limits.attributeDepthLimit
  })
  return {
    span: attributes(limits.attributeCountLimit),
    event: attributes(limits.attributePerEventCountLimit),
    link: attributes(limits.attributePerLinkCountLimit),
    events: limits.eventCountLimit,
    links: limits.linkCountLimit
  }
}
