/** A batch that keeps its spans as values, for exporters that need them whole. */
import type { Attributes, AttributeValue } from "../model/Attributes.ts"
import type { ReadableSpan } from "../model/ReadableSpan.ts"
import * as SpanData from "../model/SpanData.ts"
import type { SpanBatch } from "./SpanExporter.ts"

/** Spans gathered as values. */
export interface SpanDataBatch extends SpanBatch {
  readonly spans: ReadonlyArray<SpanData.SpanData>
}

/** Makes an empty batch. `bytes` is an estimate: two bytes for each character, and a fixed share for each field. */
export const make = (): SpanDataBatch => {
  const spans: Array<SpanData.SpanData> = []
  let bytes = 0
  return {
    spans,
    get count() {
      return spans.length
    },
    get bytes() {
      return bytes
    },
    add(span: ReadableSpan, maxBytes: number): boolean {
      const data = SpanData.fromReadable(span)
      const size = sizeOf(data)
      if (bytes + size > maxBytes) return false
      spans.push(data)
      bytes += size
      return true
    }
  }
}

const sizeOf = (span: SpanData.SpanData): number => {
  let size = 400 + 2 * (span.name.length + span.status.message.length + span.traceState.length)
  size += sizeOfAll(span.attributes)
  for (const event of span.events) size += 80 + 2 * event.name.length + sizeOfAll(event.attributes)
  for (const link of span.links) size += 200 + 2 * link.traceState.length + sizeOfAll(link.attributes)
  return size
}

/** An estimate of the bytes of attributes. */
export const sizeOfAll = (attributes: Attributes): number => {
  let size = 0
  for (const key in attributes) size += 32 + 2 * key.length + sizeOfValue(attributes[key]!)
  return size
}

/** An estimate of the bytes of a value. */
export const sizeOfValue = (value: AttributeValue): number => {
  if (typeof value === "string") return 2 * value.length
  if (typeof value !== "object" || value === null) return 8
  if (value instanceof Uint8Array) return value.length
  if (!Array.isArray(value)) return sizeOfAll(value as Attributes)
  let size = 16
  for (const item of value as ReadonlyArray<AttributeValue>) size += 8 + sizeOfValue(item)
  return size
}
