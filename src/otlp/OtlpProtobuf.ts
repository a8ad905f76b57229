/**
 * OTLP traces in binary protobuf (`opentelemetry/proto/trace/v1/trace.proto`), written in one pass, without an object
 * between a span and its bytes.
 */
import { concat } from "../internal/buffers.ts"
import type { ByteWriter } from "../internal/byteWriter.ts"
import { hexToWord } from "../internal/hex.ts"
import type { ReadableSpan, SpanEvent, SpanLink } from "../model/ReadableSpan.ts"
import { OtlpBuffer } from "./OtlpBuffer.ts"
import type { OtlpEncoder } from "./OtlpEncoder.ts"
import { endItem, ProtobufFormat, writeName } from "./protobufFormat.ts"
import { splitProtobuf } from "./splitBody.ts"

// Tags: field number << 3 | wire type. The name says the message, then the field.
const scopeSpansSpan = 0x12
const spanAttribute = 0x4a
const eventAttribute = 0x1a
const linkAttribute = 0x22

// Comparing constants is faster than looking up a property by a name that varies.
const kindNumber = (kind: ReadableSpan["kind"]): number =>
  kind === "internal" ? 1 : kind === "server" ? 2 : kind === "client" ? 3 : kind === "producer" ? 4 : 5

/** Trace flags, with the two bits that say whether the parent (or the linked span) is remote. */
const spanFlags = (traceFlags: number, isRemote: boolean): number => (traceFlags & 0xff) | (isRemote ? 0x300 : 0x100)

class SpanProtobufFormat extends ProtobufFormat<ReadableSpan> {
  writeItem(writer: ByteWriter, span: ReadableSpan): void {
    writer.ensure(128)
    const { bytes, view } = writer
    const from = writer.pos
    let pos = from
    bytes[pos] = scopeSpansSpan
    // The length of most spans takes two bytes.
    bytes[pos + 3] = 0x0a
    bytes[pos + 4] = 16
    view.setInt32(pos + 5, span.traceId0)
    view.setInt32(pos + 9, span.traceId1)
    view.setInt32(pos + 13, span.traceId2)
    view.setInt32(pos + 17, span.traceId3)
    bytes[pos + 21] = 0x12
    bytes[pos + 22] = 8
    view.setInt32(pos + 23, span.spanId0)
    view.setInt32(pos + 27, span.spanId1)
    pos += 31
    if ((span.parentSpanId0 | span.parentSpanId1) !== 0) {
      bytes[pos] = 0x22
      bytes[pos + 1] = 8
      view.setInt32(pos + 2, span.parentSpanId0)
      view.setInt32(pos + 6, span.parentSpanId1)
      pos += 10
    }
    bytes[pos] = 0x30
    bytes[pos + 1] = kindNumber(span.kind)
    bytes[pos + 2] = 0x39
    writer.putFixed64(pos + 3, span.startTimeUnixNano)
    bytes[pos + 11] = 0x41
    writer.putFixed64(pos + 12, span.endTimeUnixNano)
    bytes[pos + 20] = 0x85
    bytes[pos + 21] = 0x01
    view.setInt32(pos + 22, spanFlags(span.traceFlags, span.parentIsRemote), true)
    writer.pos = pos + 26
    const begun = from + 3 - writer.mark

    const name = this.cache.name(span.name)
    if (name.size !== 0) writer.text(name)
    else if (span.name !== "") writeName(writer, span.name)
    if (span.traceState !== "") {
      writer.byte(0x1a)
      writer.delimitedUtf8(span.traceState)
    }
    const list = span.attributeList
    for (let i = 0; i < list.length; i += 2) {
      this.attribute(writer, spanAttribute, this.cache.key(name, i >>> 1, list[i] as string), list[i + 1]!)
    }
    if (span.droppedAttributesCount !== 0) this.count(writer, 0x50, span.droppedAttributesCount)
    if (span.eventList.length !== 0) this.events(writer, span.eventList)
    if (span.droppedEventsCount !== 0) this.count(writer, 0x60, span.droppedEventsCount)
    if (span.linkList.length !== 0) this.links(writer, span.linkList)
    if (span.droppedLinksCount !== 0) this.count(writer, 0x70, span.droppedLinksCount)
    if (span.statusCode !== "UNSET" || span.statusMessage !== "") this.status(writer, span)
    endItem(writer, begun)
  }

  private status(writer: ByteWriter, span: ReadableSpan): void {
    writer.byte(0x7a)
    const begun = writer.begin()
    if (span.statusMessage !== "") {
      writer.byte(0x12)
      writer.delimitedUtf8(span.statusMessage)
    }
    if (span.statusCode !== "UNSET") this.count(writer, 0x18, span.statusCode === "OK" ? 1 : 2)
    writer.end(begun)
  }

  private events(writer: ByteWriter, events: ReadonlyArray<SpanEvent>): void {
    for (const event of events) {
      writer.byte(0x5a)
      const begun = writer.begin()
      writer.ensure(9)
      writer.bytes[writer.pos] = 0x09
      writer.putFixed64(writer.pos + 1, event.timeUnixNano)
      writer.pos += 9
      if (event.name !== "") {
        writer.byte(0x12)
        writer.delimitedUtf8(event.name)
      }
      this.attributes(writer, eventAttribute, event.attributes)
      if (event.droppedAttributesCount !== 0) this.count(writer, 0x20, event.droppedAttributesCount)
      writer.end(begun)
    }
  }

  private links(writer: ByteWriter, links: ReadonlyArray<SpanLink>): void {
    for (const link of links) {
      writer.byte(0x6a)
      const begun = writer.begin()
      writer.ensure(33)
      const { bytes, pos, view } = writer
      bytes[pos] = 0x0a
      bytes[pos + 1] = 16
      for (let i = 0; i < 4; i++) view.setInt32(pos + 2 + i * 4, hexToWord(link.traceId, i * 8))
      bytes[pos + 18] = 0x12
      bytes[pos + 19] = 8
      for (let i = 0; i < 2; i++) view.setInt32(pos + 20 + i * 4, hexToWord(link.spanId, i * 8))
      bytes[pos + 28] = 0x35
      view.setInt32(pos + 29, spanFlags(link.traceFlags, link.isRemote), true)
      writer.pos = pos + 33
      if (link.traceState !== "") {
        writer.byte(0x1a)
        writer.delimitedUtf8(link.traceState)
      }
      this.attributes(writer, linkAttribute, link.attributes)
      if (link.droppedAttributesCount !== 0) this.count(writer, 0x28, link.droppedAttributesCount)
      writer.end(begun)
    }
  }
}

/** Makes an encoder that writes binary protobuf, with a cache of its own. */
export const make = (): OtlpEncoder => {
  const format = new SpanProtobufFormat()
  return {
    contentType: "application/x-protobuf",
    makeSpanBatch: () => new OtlpBuffer(format),
    // Messages of one type, one behind the other, are their sum: repeated fields add up.
    merge: (bodies) => concat(bodies),
    split: splitProtobuf
  }
}

/**
 * Writes `ExportTraceServiceRequest` in binary protobuf.
 *
 * **Details**
 *
 * A number that is a safe integer (and not -0) is an `int_value`, any other number a `double_value`; null is an empty
 * `AnyValue`; a lone surrogate is written as U+FFFD. Fields at their default are left out. Bits 8 and 9 of `flags` say
 * whether the parent, or the linked span, is remote.
 */
export const encoder: OtlpEncoder = /* @__PURE__ */ make()
