/**
 * B3, the format of Zipkin: the single header `b3`, or several, `x-b3-*`.
 *
 * **Details**
 *
 * Both forms are read, the single one first; which one is written is the difference between {@link single} and
 * {@link multi}. A trace id of 64 bits is padded with zeros. The debug flag means sampled, and travels on as the member
 * `b3=d` of the tracestate, so that it also survives a hop that speaks W3C only.
 *
 * **Gotchas**
 *
 * A sampling state without ids (`b3: 0`) is not read, and one that is left to the receiver is taken as not sampled, as
 * other implementations of OpenTelemetry take it.
 */
import { isSpanId, isTraceId } from "../internal/hex.ts"
import { isSampled, sampledFlag } from "../model/ReadableSpan.ts"
import { isValid, type SpanContext } from "../model/SpanContext.ts"
import * as TraceState from "../model/TraceState.ts"
import {
  firstLine,
  type PropagationContext,
  type TextMapGetter,
  type TextMapPropagator,
  withRemote
} from "./TextMap.ts"

// The longest: 32 and 16 digits, the sampling state, and 16 digits of the parent.
const maxLength = 32 + 1 + 16 + 1 + 1 + 1 + 16

const debugState = "b3=d"

const isDebug = ({ traceState }: SpanContext): boolean =>
  traceState.includes(debugState) && TraceState.get(TraceState.parse(traceState) ?? TraceState.empty, "b3") === "d"

/** `1`, `0`, `d`, or what older tracers wrote; `undefined` for anything else. */
const flagOf = (state: string | undefined): number | undefined => {
  switch (state) {
    case "1":
    case "d":
    case "true":
    case "True":
      return sampledFlag
    case undefined:
    case "0":
    case "false":
    case "False":
      return 0
    default:
      return undefined
  }
}

const contextOf = (
  traceId: string | undefined,
  spanId: string | undefined,
  state: string | undefined
): SpanContext | undefined => {
  const traceFlags = flagOf(state)
  if (traceId === undefined || spanId === undefined || traceFlags === undefined) return undefined
  if (traceId.length > 32 || spanId.length > 16) return undefined
  const ids = {
    traceId: traceId.padStart(traceId.length === 16 ? 32 : 0, "0").toLowerCase(),
    spanId: spanId.toLowerCase()
  }
  if (!isTraceId(ids.traceId) || !isSpanId(ids.spanId)) return undefined
  return { ...ids, traceFlags, traceState: state === "d" ? debugState : "", isRemote: true }
}

const parseSingle = (header: string): SpanContext | undefined => {
  if (header.length > maxLength) return undefined
  const [traceId, spanId, state, parentId, ...rest] = header.split("-")
  if (rest.length > 0 || (parentId !== undefined && !isSpanId(parentId.toLowerCase()))) return undefined
  // The words for a state belong to the other form.
  return state !== undefined && state.length !== 1 ? undefined : contextOf(traceId, spanId, state)
}

const parseMulti = (carrier: TextMapGetter): SpanContext | undefined => {
  const isDebugged = firstLine(carrier.get("x-b3-flags")) === "1"
  return contextOf(
    firstLine(carrier.get("x-b3-traceid")),
    firstLine(carrier.get("x-b3-spanid")),
    isDebugged ? "d" : firstLine(carrier.get("x-b3-sampled"))
  )
}

const extract = (carrier: TextMapGetter, context?: PropagationContext): PropagationContext => {
  const header = firstLine(carrier.get("b3"))
  return withRemote((header === undefined ? undefined : parseSingle(header)) ?? parseMulti(carrier), context)
}

/** Writes `b3`, reads both forms: `b3` in `OTEL_PROPAGATORS`. */
export const single: TextMapPropagator = {
  fields: ["b3"],
  inject({ spanContext }, set) {
    if (spanContext === undefined || !isValid(spanContext)) return
    const state = isDebug(spanContext) ? "d" : isSampled(spanContext) ? "1" : "0"
    set("b3", `${spanContext.traceId}-${spanContext.spanId}-${state}`)
  },
  extract
}

/** Writes `x-b3-traceid`, `x-b3-spanid` and a sampling state, reads both forms: `b3multi` in `OTEL_PROPAGATORS`. */
export const multi: TextMapPropagator = {
  fields: ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags"],
  inject({ spanContext }, set) {
    if (spanContext === undefined || !isValid(spanContext)) return
    set("x-b3-traceid", spanContext.traceId)
    set("x-b3-spanid", spanContext.spanId)
    if (isDebug(spanContext)) set("x-b3-flags", "1")
    else set("x-b3-sampled", isSampled(spanContext) ? "1" : "0")
  },
  extract
}
