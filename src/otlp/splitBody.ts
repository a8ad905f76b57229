/** What is on disk is a request body; one that is too large for the destination is taken apart. */
import * as Result from "effect/Result"
import { type SpanData, toReadable } from "../model/SpanData.ts"
import { decode } from "./OtlpDecoder.ts"
import type { OtlpEncoder } from "./OtlpEncoder.ts"

/** A request body, and how many spans it holds. */
export interface Part {
  readonly body: Uint8Array
  readonly count: number
}

/** Two bodies with the spans of one, in order; `undefined` where it holds one span, or cannot be read. */
export const splitBody = (encoder: OtlpEncoder, body: Uint8Array): readonly [Part, Part] | undefined => {
  const decoded = decode(encoder.contentType, body)
  if (Result.isFailure(decoded) || decoded.success.length < 2) return undefined
  const spans = decoded.success
  const middle = Math.ceil(spans.length / 2)
  const first = encoded(encoder, spans.slice(0, middle))
  const second = encoded(encoder, spans.slice(middle))
  return first === undefined || second === undefined ? undefined : [first, second]
}

const encoded = (encoder: OtlpEncoder, spans: ReadonlyArray<SpanData>): Part | undefined => {
  const batch = encoder.makeSpanBatch()
  for (const span of spans) {
    if (!batch.add(toReadable(span), Infinity)) return undefined
  }
  return { body: batch.toBody(), count: batch.count }
}
