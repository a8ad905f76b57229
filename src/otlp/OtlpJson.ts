/**
 * OTLP traces in JSON (`opentelemetry-proto`, `docs/specification.md#json-protobuf-encoding`), written as bytes span by
 * span. It mirrors `OtlpProtobuf.ts` field by field.
 */
import type { ByteWriter } from "../internal/byteWriter.ts"
import { hexToWord } from "../internal/hex.ts"
import { literal, writeHexWord, writeLiteral, writeUnsigned, writeUnsigned64 } from "../internal/jsonBytes.ts"
import type { ReadableSpan, SpanEvent, SpanLink } from "../model/ReadableSpan.ts"
import {
  attributesField,
  close,
  closeBrace,
  count,
  droppedAttributesField,
  type FieldNames,
  JsonFormat,
  type Literal,
  nameField,
  openBrace,
  quote,
  text,
  writeName
} from "./jsonFormat.ts"
import { OtlpBuffer } from "./OtlpBuffer.ts"
import type { OtlpEncoder } from "./OtlpEncoder.ts"
import { splitJson } from "./splitBody.ts"

// As everywhere in JSON here, members are written with a comma in front.
const spanHead = /* @__PURE__ */ literal(`,{"traceId":"`)
const spanIdField = /* @__PURE__ */ literal(`","spanId":"`)
const parentSpanIdField = /* @__PURE__ */ literal(`","parentSpanId":"`)
const flagsField = /* @__PURE__ */ literal(`","flags":`)
const startField = /* @__PURE__ */ literal(`,"startTimeUnixNano":"`)
const endField = /* @__PURE__ */ literal(`","endTimeUnixNano":"`)
const traceStateField = /* @__PURE__ */ literal(`,"traceState":`)
const eventsField = /* @__PURE__ */ literal(`,"events":`)
const droppedEventsField = /* @__PURE__ */ literal(`,"droppedEventsCount":`)
const linksField = /* @__PURE__ */ literal(`,"links":`)
const droppedLinksField = /* @__PURE__ */ literal(`,"droppedLinksCount":`)
const statusField = /* @__PURE__ */ literal(`,"status":`)
const messageField = /* @__PURE__ */ literal(`,"message":`)
const codeField = /* @__PURE__ */ literal(`,"code":`)
const eventHead = /* @__PURE__ */ literal(`,{"timeUnixNano":"`)

const names: FieldNames = {
  body: `{"resourceSpans":[`,
  scopes: `,"scopeSpans":[`,
  items: `,"spans":`
}

const kinds: Readonly<Record<ReadableSpan["kind"], Literal>> = {
  internal: /* @__PURE__ */ literal(`,"kind":1`),
  server: /* @__PURE__ */ literal(`,"kind":2`),
  client: /* @__PURE__ */ literal(`,"kind":3`),
  producer: /* @__PURE__ */ literal(`,"kind":4`),
  consumer: /* @__PURE__ */ literal(`,"kind":5`)
}

const spanFlags = (traceFlags: number, isRemote: boolean): number => (traceFlags & 0xff) | (isRemote ? 0x300 : 0x100)

class SpanJsonFormat extends JsonFormat<ReadableSpan> {
  writeItem(writer: ByteWriter, span: ReadableSpan): void {
    // Room for the ids, which are written unchecked, and what stands between them.
    writer.ensure(160)
    writeLiteral(writer, spanHead)
    writeHexWord(writer, span.traceId0)
    writeHexWord(writer, span.traceId1)
    writeHexWord(writer, span.traceId2)
    writeHexWord(writer, span.traceId3)
    writeLiteral(writer, spanIdField)
    writeHexWord(writer, span.spanId0)
    writeHexWord(writer, span.spanId1)
    if ((span.parentSpanId0 | span.parentSpanId1) !== 0) {
      writeLiteral(writer, parentSpanIdField)
      writeHexWord(writer, span.parentSpanId0)
      writeHexWord(writer, span.parentSpanId1)
    }
    writeLiteral(writer, flagsField)
    writeUnsigned(writer, spanFlags(span.traceFlags, span.parentIsRemote))
    writeLiteral(writer, kinds[span.kind])
    writeLiteral(writer, startField)
    writeUnsigned64(writer, span.startTimeUnixNano)
    writeLiteral(writer, endField)
    writeUnsigned64(writer, span.endTimeUnixNano)
    writer.byte(quote)

    const name = this.cache.name(span.name)
    if (name.size !== 0) writer.text(name)
    else if (span.name !== "") writeName(writer, span.name)
    if (span.traceState !== "") text(writer, traceStateField, span.traceState)
    const list = span.attributeList
    if (list.length !== 0) {
      writeLiteral(writer, attributesField)
      const begun = writer.pos - writer.mark
      for (let i = 0; i < list.length; i += 2) {
        this.attribute(writer, this.cache.key(name, i >>> 1, list[i] as string), list[i + 1]!)
      }
      close(writer, begun)
    }
    if (span.droppedAttributesCount !== 0) count(writer, droppedAttributesField, span.droppedAttributesCount)
    if (span.eventList.length !== 0) this.events(writer, span.eventList)
    if (span.droppedEventsCount !== 0) count(writer, droppedEventsField, span.droppedEventsCount)
    if (span.linkList.length !== 0) this.links(writer, span.linkList)
    if (span.droppedLinksCount !== 0) count(writer, droppedLinksField, span.droppedLinksCount)
    if (span.statusCode !== "UNSET" || span.statusMessage !== "") this.status(writer, span)
    writer.byte(closeBrace)
  }

  private status(writer: ByteWriter, span: ReadableSpan): void {
    writeLiteral(writer, statusField)
    const begun = writer.pos - writer.mark
    if (span.statusMessage !== "") text(writer, messageField, span.statusMessage)
    if (span.statusCode !== "UNSET") count(writer, codeField, span.statusCode === "OK" ? 1 : 2)
    writer.bytes[begun + writer.mark] = openBrace
    writer.byte(closeBrace)
  }

  private events(writer: ByteWriter, events: ReadonlyArray<SpanEvent>): void {
    writeLiteral(writer, eventsField)
    const begun = writer.pos - writer.mark
    for (const event of events) {
      writeLiteral(writer, eventHead)
      writeUnsigned64(writer, event.timeUnixNano)
      writer.byte(quote)
      if (event.name !== "") text(writer, nameField, event.name)
      this.attributes(writer, event.attributes)
      if (event.droppedAttributesCount !== 0) count(writer, droppedAttributesField, event.droppedAttributesCount)
      writer.byte(closeBrace)
    }
    close(writer, begun)
  }

  private links(writer: ByteWriter, links: ReadonlyArray<SpanLink>): void {
    writeLiteral(writer, linksField)
    const begun = writer.pos - writer.mark
    for (const link of links) {
      writer.ensure(128)
      writeLiteral(writer, spanHead)
      for (let i = 0; i < 4; i++) writeHexWord(writer, hexToWord(link.traceId, i * 8))
      writeLiteral(writer, spanIdField)
      for (let i = 0; i < 2; i++) writeHexWord(writer, hexToWord(link.spanId, i * 8))
      writeLiteral(writer, flagsField)
      writeUnsigned(writer, spanFlags(link.traceFlags, link.isRemote))
      if (link.traceState !== "") text(writer, traceStateField, link.traceState)
      this.attributes(writer, link.attributes)
      if (link.droppedAttributesCount !== 0) count(writer, droppedAttributesField, link.droppedAttributesCount)
      writer.byte(closeBrace)
    }
    close(writer, begun)
  }
}

/** Makes an encoder that writes JSON, with a cache of its own. */
export const make = (): OtlpEncoder => {
  const format = new SpanJsonFormat(names)
  return {
    contentType: "application/json",
    makeSpanBatch: () => new OtlpBuffer(format),
    merge: (bodies) => format.merge(names, bodies),
    split: (body) => splitJson(body, ["resourceSpans", "scopeSpans", "spans"])
  }
}

/**
 * Writes `ExportTraceServiceRequest` in JSON, with the same content as `OtlpProtobuf.encoder`.
 *
 * **Details**
 *
 * Names in lowerCamelCase, ids in lowercase hexadecimal, enumerations as integers, 64-bit integers and timestamps as
 * decimal strings, bytes in base64, `"NaN"`, `"Infinity"` and `"-Infinity"` as strings. Fields at their default are left
 * out.
 */
export const encoder: OtlpEncoder = /* @__PURE__ */ make()
