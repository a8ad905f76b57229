/**
 * The format of Jaeger's clients: `uber-trace-id`, and a header `uberctx-<key>` for each entry of the baggage.
 *
 * **Details**
 *
 * Ids may be shorter than they are long, then they are padded with zeros; the whole value may be percent-encoded. The
 * debug flag means sampled. Baggage has the bounds of W3C Baggage: 64 entries, and 8,192 bytes of keys and values
 * together, each entry whole or not at all. Its keys are names of headers, which lose their case on the way.
 *
 * **Gotchas**
 *
 * OpenTelemetry has deprecated it, in favour of W3C Trace Context, which Jaeger speaks.
 */
import { isSpanId, isTraceId } from "../internal/hex.ts"
import * as percent from "../internal/percent.ts"
import * as Baggage from "../model/Baggage.ts"
import { isSampled, sampledFlag } from "../model/ReadableSpan.ts"
import { isValid, type SpanContext } from "../model/SpanContext.ts"
import { emptyContext, firstLine, type TextMapGetter, type TextMapPropagator, withRemote } from "./TextMap.ts"

const prefix = "uberctx-"

// Four fields whose colons, three characters each when encoded, are all that is ever encoded.
const maxLength = 32 + 16 + 16 + 2 + 3 * 3

const debugFlag = 0x02

const parse = (header: string): SpanContext | undefined => {
  if (header.length > maxLength) return undefined
  const [traceId, spanId, parentId, flags, ...rest] = percent.decode(header).split(":")
  if (!traceId || !spanId || parentId === undefined || flags === undefined || rest.length > 0) return undefined
  if (traceId.length > 32 || spanId.length > 16 || !/^[0-9a-fA-F]{1,2}$/.test(flags)) return undefined
  const ids = { traceId: traceId.toLowerCase().padStart(32, "0"), spanId: spanId.toLowerCase().padStart(16, "0") }
  if (!isTraceId(ids.traceId) || !isSpanId(ids.spanId)) return undefined
  const isKept = (parseInt(flags, 16) & (sampledFlag | debugFlag)) !== 0
  return { ...ids, traceFlags: isKept ? sampledFlag : 0, traceState: "", isRemote: true }
}

const parseBaggage = (carrier: TextMapGetter): Baggage.Baggage => {
  let { bytes, members } = Baggage.defaultLimits
  const baggage = new Map<string, Baggage.BaggageEntry>()
  for (const name of carrier.keys()) {
    if (name.length <= prefix.length || name.slice(0, prefix.length).toLowerCase() !== prefix) continue
    const value = firstLine(carrier.get(name.toLowerCase()))
    const key = name.slice(prefix.length)
    if (value === undefined || !percent.isToken(key) || !percent.isBaggageValue(value)) continue
    bytes -= key.length + value.length
    if (bytes < 0 || members-- <= 0) break
    baggage.set(key, { value: percent.decode(value), properties: [] })
  }
  return baggage
}

/** The propagator of `uber-trace-id` and `uberctx-*`: `jaeger` in `OTEL_PROPAGATORS`. */
export const propagator: TextMapPropagator = {
  fields: ["uber-trace-id", "uberctx-*"],
  inject({ baggage, spanContext }, set) {
    if (spanContext !== undefined && isValid(spanContext)) {
      set("uber-trace-id", `${spanContext.traceId}:${spanContext.spanId}:0:0${isSampled(spanContext) ? 1 : 0}`)
    }
    let { bytes, members } = Baggage.defaultLimits
    for (const [key, entry] of baggage) {
      if (members <= 0) break
      if (!percent.isToken(key) || entry.value.length > bytes) continue
      const value = percent.encode(entry.value)
      if (key.length + value.length > bytes) continue
      bytes -= key.length + value.length
      members--
      set(`${prefix}${key}`, value)
    }
  },
  extract(carrier, context = emptyContext) {
    const header = firstLine(carrier.get("uber-trace-id"))
    const next = withRemote(header === undefined ? undefined : parse(header), context)
    const baggage = parseBaggage(carrier)
    return baggage.size === 0 ? next : { ...next, baggage: Baggage.merge(next.baggage, baggage) }
  }
}
