/**
 * W3C Trace Context level 2: the `traceparent` and `tracestate` headers.
 *
 * **Details**
 *
 * Of a header that is not valid nothing is used: an invalid `traceparent` means a new trace, an invalid `tracestate` is
 * dropped alone. Parsing is linear in the length of the header and never throws.
 */
import { isLowerHex } from "../internal/hex.ts"
import { randomFlag, sampledFlag } from "../model/ReadableSpan.ts"
import { isValid, type SpanContext } from "../model/SpanContext.ts"
import * as TraceState from "../model/TraceState.ts"
import { emptyContext, type TextMapPropagator } from "./TextMap.ts"

const knownFlags = sampledFlag | randomFlag

/** Length of a `traceparent` of version 00, and of the part of any later version that this one understands. */
const length = 55

const dash = 0x2d

const zeroTraceId = "0".repeat(32)
const zeroSpanId = "0".repeat(16)

const digit = (code: number): number =>
  code >= 0x30 && code <= 0x39 ? code - 0x30 : code >= 0x61 && code <= 0x66 ? code - 0x57 : -1

// Negative when one of both is no digit.
const byteAt = (text: string, at: number): number => {
  const high = digit(text.charCodeAt(at))
  const low = digit(text.charCodeAt(at + 1))
  return high < 0 || low < 0 ? -1 : high << 4 | low
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

const trim = (text: string): string => {
  let from = 0
  let to = text.length
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

/** What a `traceparent` says. */
export interface Traceparent {
  readonly traceId: string
  readonly spanId: string
  /** The flags this version knows: sampled and random. */
  readonly traceFlags: number
}

/**
 * Reads a `traceparent`, or `undefined` when it is not valid.
 *
 * **Details**
 *
 * Version 00 is 55 characters. Of a later version these 55 characters are read, if the header ends there or goes on with
 * `-`; version `ff` is invalid. Digits are lowercase. Ids of zeros are invalid. Blanks around the value are ignored. A
 * comma says that several lines were joined, which makes the header invalid in every version.
 */
export const parseTraceparent = (header: string): Traceparent | undefined => {
  const text = header.length === length ? header : trim(header)
  if (text.length < length) return undefined
  const version = byteAt(text, 0)
  if (version < 0 || version === 0xff) return undefined
  if (text.length > length) {
    if (version === 0 || text.charCodeAt(length) !== dash || text.includes(",", length)) return undefined
  }
  if (text.charCodeAt(2) !== dash || text.charCodeAt(35) !== dash || text.charCodeAt(52) !== dash) return undefined
  const flags = byteAt(text, 53)
  if (flags < 0 || !isLowerHex(text, 3, 35) || !isLowerHex(text, 36, 52)) return undefined
  const traceId = text.slice(3, 35)
  const spanId = text.slice(36, 52)
  return traceId === zeroTraceId || spanId === zeroSpanId
    ? undefined
    : { traceId, spanId, traceFlags: flags & knownFlags }
}

/** Writes a `traceparent` of version 00, or `undefined` when an id is not valid. Unknown flags are left out. */
export const formatTraceparent = (context: {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
}): string | undefined =>
  isValid(context) ? `00-${context.traceId}-${context.spanId}-0${context.traceFlags & knownFlags}` : undefined

const single = (value: string | ReadonlyArray<string> | undefined): string | undefined =>
  typeof value === "string" ? value : value?.length === 1 ? value[0] : undefined

// Lines are parts of one list.
const readTraceState = (value: string | ReadonlyArray<string> | undefined): string => {
  if (value === undefined) return ""
  if (typeof value === "string") return TraceState.normalizeHeader(value)
  let size = value.length - 1
  for (const line of value) size += line.length
  return size > TraceState.maxLength ? "" : TraceState.normalizeHeader(value.join(","))
}

// A tracestate may come from a program, not from a header that was checked.
const isSendable = (text: string): boolean => {
  if (text.length > TraceState.maxLength) return false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code > 0x7e) return false
  }
  return true
}

/** The propagator of `traceparent` and `tracestate`. */
export const propagator: TextMapPropagator = {
  fields: ["traceparent", "tracestate"],
  inject({ spanContext }, set) {
    if (spanContext === undefined) return
    const traceparent = formatTraceparent(spanContext)
    if (traceparent === undefined) return
    set("traceparent", traceparent)
    if (spanContext.traceState !== "" && isSendable(spanContext.traceState)) set("tracestate", spanContext.traceState)
  },
  extract(carrier, context = emptyContext) {
    const header = single(carrier.get("traceparent"))
    const parent = header === undefined ? undefined : parseTraceparent(header)
    if (parent === undefined) return context
    const spanContext: SpanContext = {
      traceId: parent.traceId,
      spanId: parent.spanId,
      traceFlags: parent.traceFlags,
      traceState: readTraceState(carrier.get("tracestate")),
      isRemote: true
    }
    return { spanContext, baggage: context.baggage }
  }
}
