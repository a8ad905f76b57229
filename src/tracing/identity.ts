/** The identity of a span: which trace, which span, which flags. */
import { hexToWord, wordToHex } from "../internal/hex.ts"
import type { Baggage } from "../model/Baggage.ts"
import type { SpanContext } from "../model/SpanContext.ts"
import type { ParentContext } from "./parentContext.ts"
import type { Span, SpanIdentity } from "./Span.ts"

/** The W3C context of an identity, or `undefined` for one without a trace. */
export const identityContext = (identity: SpanIdentity): SpanContext | undefined =>
  isInvalid(identity) ? undefined : {
    traceId: hexOf(identity.traceId0, identity.traceId1, identity.traceId2, identity.traceId3),
    spanId: hexOf(identity.spanId0, identity.spanId1),
    traceFlags: identity.traceFlags,
    traceState: identity.traceState,
    isRemote: false
  }

/** Words as lowercase hexadecimal digits. */
export const hexOf = (...words: ReadonlyArray<number>): string => words.map(wordToHex).join("")

/** Whether there is no trace behind it. */
export const isInvalid = (span: SpanIdentity): boolean =>
  span.traceId0 === 0 && span.traceId1 === 0 && span.traceId2 === 0 && span.traceId3 === 0

/** The identity of a span that is its parent's context and nothing of its own. */
export const passThrough = (
  own: Span | undefined,
  foreign: ParentContext | undefined,
  baggage: Baggage | undefined
): SpanIdentity => {
  const word = (text: string | undefined, offset: number) => text === undefined ? 0 : hexToWord(text, offset)
  return {
    traceId0: own?.traceId0 ?? word(foreign?.traceId, 0),
    traceId1: own?.traceId1 ?? word(foreign?.traceId, 8),
    traceId2: own?.traceId2 ?? word(foreign?.traceId, 16),
    traceId3: own?.traceId3 ?? word(foreign?.traceId, 24),
    spanId0: own?.spanId0 ?? word(foreign?.spanId, 0),
    spanId1: own?.spanId1 ?? word(foreign?.spanId, 8),
    parentSpanId0: 0,
    parentSpanId1: 0,
    parentIsRemote: foreign?.isRemote ?? false,
    traceFlags: own?.traceFlags ?? foreign?.traceFlags ?? 0,
    traceState: own?.traceState ?? foreign?.traceState ?? "",
    baggage: baggage ?? own?.baggage ?? foreign?.baggage
  }
}

/** An identity being made. */
export type MutableIdentity = { -readonly [Key in keyof SpanIdentity]: SpanIdentity[Key] }

/** An identity of nothing yet. */
export const blankIdentity = (): MutableIdentity => ({
  traceId0: 0,
  traceId1: 0,
  traceId2: 0,
  traceId3: 0,
  spanId0: 0,
  spanId1: 0,
  parentSpanId0: 0,
  parentSpanId1: 0,
  parentIsRemote: false,
  traceFlags: 0,
  traceState: "",
  baggage: undefined
})
