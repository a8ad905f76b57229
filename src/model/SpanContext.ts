/** The part of a span that travels to other processes (`trace/api.md#spancontext`). */
import * as Schema from "effect/Schema"
import { isSpanId, isTraceId } from "../internal/hex.ts"

/** A trace id: 32 lowercase hexadecimal digits, not all zero. */
export const TraceId: Schema.Codec<string> = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{32}$/),
  Schema.makeFilter(isTraceId, { expected: "a trace id that is not zero" })
)

/** A span id: 16 lowercase hexadecimal digits, not all zero. */
export const SpanId: Schema.Codec<string> = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{16}$/),
  Schema.makeFilter(isSpanId, { expected: "a span id that is not zero" })
)

/** W3C trace flags: one byte, of which `0x01` (sampled) and `0x02` (random trace id) have a meaning. */
export const TraceFlags: Schema.Codec<number> = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0xff }))

/** The text of a `tracestate` header: printable ASCII, `""` for none. `TraceState.parse` reads its members. */
export const TraceStateHeader: Schema.Codec<string> = Schema.String.check(Schema.isPattern(/^[\x20-\x7e]*$/))

/** What identifies a span across processes. */
export interface SpanContext {
  /** 32 lowercase hexadecimal digits. */
  readonly traceId: string
  /** 16 lowercase hexadecimal digits. */
  readonly spanId: string
  /** W3C trace flags. */
  readonly traceFlags: number
  /** The `tracestate` header; `""` for none. */
  readonly traceState: string
  /** Whether the context came from another process. */
  readonly isRemote: boolean
}

/** Schema of {@link SpanContext}. */
export const SpanContext: Schema.Codec<SpanContext> = Schema.Struct({
  traceId: TraceId,
  spanId: SpanId,
  traceFlags: TraceFlags,
  traceState: TraceStateHeader,
  isRemote: Schema.Boolean
})

/** Whether both ids are valid: well-formed and not zero. */
export const isValid = (context: { readonly traceId: string; readonly spanId: string }): boolean =>
  isTraceId(context.traceId) && isSpanId(context.spanId)
