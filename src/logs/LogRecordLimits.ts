import * as Context from "effect/Context"
import type { AttributeLimits } from "../model/Attributes.ts"

/**
 * Bounds of one log record (`logs/sdk.md#logrecord-limits`). What is beyond the count is dropped, newest first, and counted
 * on the record. They hold for attributes; a body is bounded by the batch.
 */
export interface LogRecordLimits {
  /** Most attributes. Default 128. */
  readonly attributeCountLimit: number
  /** Longest string (UTF-16 code units) or byte value. Default `Infinity`. */
  readonly attributeValueLengthLimit: number
  /** Deepest nesting within an attribute value or a body. Default 64. */
  readonly attributeDepthLimit: number
}

/** The specification's defaults. */
export const defaults: LogRecordLimits = {
  attributeCountLimit: 128,
  attributeValueLengthLimit: Infinity,
  attributeDepthLimit: 64
}

/** The limits that a logger layer uses. Default: {@link defaults}. */
export const LogRecordLimits: Context.Reference<LogRecordLimits> = Context.Reference<LogRecordLimits>(
  "effect-telemetry/logs/LogRecordLimits",
  { defaultValue: () => defaults }
)

/** The limits in the form that the attribute functions take. */
export const compile = (limits: LogRecordLimits): AttributeLimits => ({
  count: limits.attributeCountLimit,
  valueLength: limits.attributeValueLengthLimit,
  depth: limits.attributeDepthLimit
})
