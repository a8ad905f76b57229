/**
 * OTLP in JSON (`opentelemetry-proto`, `docs/specification.md#json-protobuf-encoding`), written as bytes span by span. It
 * mirrors `OtlpProtobuf.ts` field by field.
 */
import { allocate, concat, room } from "../internal/buffers.ts"
import { ByteWriter, slackOfText } from "../internal/byteWriter.ts"
import { EncodedCache, type EncodedKey } from "../internal/encodedCache.ts"
import { hexToWord } from "../internal/hex.ts"
import {
  literal,
  writeBase64,
  writeDouble,
  writeHexWord,
  writeLiteral,
  writeString,
  writeUnsigned,
  writeUnsigned64
} from "../internal/jsonBytes.ts"
import type { AttributeList, Attributes, AttributeValue } from "../model/Attributes.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { ReadableSpan, SpanEvent, SpanLink } from "../model/ReadableSpan.ts"
import type { Resource } from "../model/Resource.ts"
import type { OtlpEncoder } from "./OtlpEncoder.ts"
import {
  copySpans,
  type Envelope,
  memoize,
  OtlpSpanBuffer,
  type ResourceGroup,
  type SpanFormat
} from "./OtlpSpanBuffer.ts"
import { splitJson } from "./splitBody.ts"

const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
const comma = 0x2c
const quote = 0x22
const backslash = 0x5c

// Members of an object and elements of an array are written with a comma in front; the bracket then replaces the first.
const spanHead = /* @__PURE__ */ literal(`,{"traceId":"`)
const spanIdField = /* @__PURE__ */ literal(`","spanId":"`)
const parentSpanIdField = /* @__PURE__ */ literal(`","parentSpanId":"`)
const flagsField = /* @__PURE__ */ literal(`","flags":`)
const startField = /* @__PURE__ */ literal(`,"startTimeUnixNano":"`)
const endField = /* @__PURE__ */ literal(`","endTimeUnixNano":"`)
const traceStateField = /* @__PURE__ */ literal(`,"traceState":`)
const nameField = /* @__PURE__ */ literal(`,"name":`)
const attributesField = /* @__PURE__ */ literal(`,"attributes":`)
const droppedAttributesField = /* @__PURE__ */ literal(`,"droppedAttributesCount":`)
const eventsField = /* @__PURE__ */ literal(`,"events":`)
const droppedEventsField = /* @__PURE__ */ literal(`,"droppedEventsCount":`)
const linksField = /* @__PURE__ */ literal(`,"links":`)
const droppedLinksField = /* @__PURE__ */ literal(`,"droppedLinksCount":`)
const statusField = /* @__PURE__ */ literal(`,"status":`)
const messageField = /* @__PURE__ */ literal(`,"message":`)
const codeField = /* @__PURE__ */ literal(`,"code":`)
const eventHead = /* @__PURE__ */ literal(`,{"timeUnixNano":"`)
const keyHead = /* @__PURE__ */ literal(`,{"key":`)
const valueField = /* @__PURE__ */ literal(`,"value":{`)
const stringValue = /* @__PURE__ */ literal(`"stringValue":`)
const boolTrue = /* @__PURE__ */ literal(`"boolValue":true`)
const boolFalse = /* @__PURE__ */ literal(`"boolValue":false`)
const intValue = /* @__PURE__ */ literal(`"intValue":"`)
const doubleValue = /* @__PURE__ */ literal(`"doubleValue":`)
const bytesValue = /* @__PURE__ */ literal(`"bytesValue":"`)
const arrayValue = /* @__PURE__ */ literal(`"arrayValue":{"values":`)
const mapValue = /* @__PURE__ */ literal(`"kvlistValue":{"values":`)
const schemaUrlField = /* @__PURE__ */ literal(`,"schemaUrl":`)
const resourceHead = /* @__PURE__ */ literal(`{"resource":{`)
const scopeSpansField = /* @__PURE__ */ literal(`,"scopeSpans":[`)
const scopeHead = /* @__PURE__ */ literal(`{"scope":`)
const versionField = /* @__PURE__ */ literal(`,"version":`)
const spansField = /* @__PURE__ */ literal(`,"spans":`)
const bodyStart = `{"resourceSpans":[`
const bodyHead = /* @__PURE__ */ literal(bodyStart)
const bodyTail = /* @__PURE__ */ Uint8Array.of(closeBracket, closeBrace)
const commaBytes = /* @__PURE__ */ Uint8Array.of(comma)

const kinds: Readonly<Record<ReadableSpan["kind"], ReturnType<typeof literal>>> = {
  internal: /* @__PURE__ */ literal(`,"kind":1`),
  server: /* @__PURE__ */ literal(`,"kind":2`),
  client: /* @__PURE__ */ literal(`,"kind":3`),
  producer: /* @__PURE__ */ literal(`,"kind":4`),
  consumer: /* @__PURE__ */ literal(`,"kind":5`)
}

const spanFlags = (traceFlags: number, isRemote: boolean): number => (traceFlags & 0xff) | (isRemote ? 0x300 : 0x100)

const writeName = (writer: ByteWriter, name: string): void => {
  writeLiteral(writer, nameField)
  writeString(writer, name)
}

// A whole attribute but for the members of its value and the two braces behind them.
const writeKey = (writer: ByteWriter, key: string): void => {
  writeLiteral(writer, keyHead)
  writeString(writer, key)
  writeLiteral(writer, valueField)
}

class JsonFormat implements SpanFormat {
  private readonly cache = new EncodedCache(writeName, writeKey)
  readonly resource = memoize((resource: Resource) => this.resourceEnvelope(resource))
  readonly scope = memoize((scope: InstrumentationScope) => this.scopeEnvelope(scope))

  writeSpan(writer: ByteWriter, span: ReadableSpan): void {
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

  private attributes(writer: ByteWriter, list: AttributeList): void {
    if (list.length === 0) return
    writeLiteral(writer, attributesField)
    const begun = writer.pos - writer.mark
    for (let i = 0; i < list.length; i += 2) {
      this.attribute(writer, this.cache.anyKey(list[i] as string), list[i + 1]!)
    }
    close(writer, begun)
  }

  /** Writes a `KeyValue`, with a comma in front. */
  private attribute(writer: ByteWriter, key: EncodedKey, value: AttributeValue): void {
    const begun = writer.pos - writer.mark
    if (typeof value === "string") {
      const known = key.find(value)
      if (known !== undefined) return writer.text(known)
      writer.text(key)
      writeLiteral(writer, stringValue)
      writeString(writer, value)
      closeValue(writer)
      if (key.wanted) key.keep(value, writer.bytes.subarray(begun + writer.mark, writer.pos))
      return
    }
    writer.text(key)
    this.value(writer, value)
    closeValue(writer)
  }

  /** Writes the members of an `AnyValue`. */
  private value(writer: ByteWriter, value: AttributeValue): void {
    if (typeof value === "string") {
      writeLiteral(writer, stringValue)
      writeString(writer, value)
    } else if (typeof value !== "object") {
      scalar(writer, value)
    } else if (value instanceof Uint8Array) {
      writeLiteral(writer, bytesValue)
      writeBase64(writer, value)
      writer.byte(quote)
    } else if (Array.isArray(value)) {
      writeLiteral(writer, arrayValue)
      const begun = writer.pos - writer.mark
      for (const item of value as ReadonlyArray<AttributeValue>) {
        writer.byte(comma)
        writer.byte(openBrace)
        this.value(writer, item)
        writer.byte(closeBrace)
      }
      close(writer, begun)
      writer.byte(closeBrace)
    } else if (value !== null) {
      writeLiteral(writer, mapValue)
      this.record(writer, value as Attributes)
      writer.byte(closeBrace)
    }
  }

  /** Writes the entries of `record` as an array of `KeyValue`. */
  private record(writer: ByteWriter, record: Attributes): void {
    const begun = writer.pos - writer.mark
    for (const key of Object.keys(record)) {
      writeKey(writer, key)
      this.value(writer, record[key]!)
      closeValue(writer)
    }
    close(writer, begun)
  }

  private resourceEnvelope(resource: Resource): Envelope {
    const head = new ByteWriter(allocate(512))
    writeLiteral(head, resourceHead)
    if (Object.keys(resource.attributes).length > 0) {
      // The first member of its object: the comma in front of it is not wanted.
      head.pos--
      writeLiteral(head, attributesField)
      head.bytes[resourceHead.size - 1] = openBrace
      this.record(head, resource.attributes)
    }
    head.byte(closeBrace)
    writeLiteral(head, scopeSpansField)
    return { head: head.toBytes(), tail: tail(resource.schemaUrl) }
  }

  private scopeEnvelope(scope: InstrumentationScope): Envelope {
    const head = new ByteWriter(allocate(256))
    writeLiteral(head, scopeHead)
    const begun = head.pos
    if (scope.name !== "") text(head, nameField, scope.name)
    if (scope.version !== undefined && scope.version !== "") text(head, versionField, scope.version)
    if (scope.attributes !== undefined && Object.keys(scope.attributes).length > 0) {
      writeLiteral(head, attributesField)
      this.record(head, scope.attributes)
    }
    if (head.pos === begun) head.byte(openBrace)
    else head.bytes[begun] = openBrace
    head.byte(closeBrace)
    writeLiteral(head, spansField)
    return { head: head.toBytes(), tail: tail(scope.schemaUrl) }
  }

  // A comma, and an object behind it.
  spanEnd(bytes: Uint8Array, at: number): number {
    let depth = 0
    for (let pos = at + 1;; pos++) {
      const byte = bytes[pos]
      if (byte === quote) {
        for (pos++; bytes[pos] !== quote; pos++) if (bytes[pos] === backslash) pos++
      } else if (byte === openBrace) depth++
      else if (byte === closeBrace && --depth === 0) return pos + 1
    }
  }

  body(resources: ReadonlyArray<ResourceGroup>, reuse: Uint8Array | undefined): Uint8Array {
    let size = bodyHead.size + 2
    for (const resource of resources) {
      size += resource.head.length + resource.tail.length + 1
      for (const group of resource.scopes) size += group.head.length + group.size + group.tail.length + 1
    }
    // One comma less than members, for the resources and for the scopes of each.
    const writer = new ByteWriter(room(size - 1 - resources.length + slackOfText, reuse))
    writeLiteral(writer, bodyHead)
    resources.forEach((resource, i) => {
      if (i > 0) writer.byte(comma)
      writer.raw(resource.head)
      resource.scopes.forEach((group, j) => {
        if (j > 0) writer.byte(comma)
        writer.raw(group.head)
        const begun = writer.pos
        writer.pos = copySpans(group, writer.bytes, begun)
        writer.bytes[begun] = openBracket
        writer.raw(group.tail)
      })
      writer.raw(resource.tail)
    })
    writer.byte(closeBracket)
    writer.byte(closeBrace)
    return writer.bytes.subarray(0, writer.pos)
  }
}

/** Replaces the comma of the first element by the bracket, and closes the array. */
const close = (writer: ByteWriter, begun: number): void => {
  if (writer.pos - writer.mark === begun) writer.byte(openBracket)
  else writer.bytes[begun + writer.mark] = openBracket
  writer.byte(closeBracket)
}

const closeValue = (writer: ByteWriter): void => {
  writer.ensure(2)
  writer.bytes[writer.pos] = closeBrace
  writer.bytes[writer.pos + 1] = closeBrace
  writer.pos += 2
}

const text = (writer: ByteWriter, field: ReturnType<typeof literal>, value: string): void => {
  writeLiteral(writer, field)
  writeString(writer, value)
}

const count = (writer: ByteWriter, field: ReturnType<typeof literal>, value: number): void => {
  writeLiteral(writer, field)
  writeUnsigned(writer, value >>> 0)
}

/** Writes a boolean, number or bigint as the member of an `AnyValue`. */
const scalar = (writer: ByteWriter, value: boolean | number | bigint): void => {
  if (typeof value === "number") {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      writeLiteral(writer, intValue)
      if (value >= 0) writeUnsigned(writer, value)
      else writer.utf8(String(value))
      writer.byte(quote)
    } else {
      writeLiteral(writer, doubleValue)
      writeDouble(writer, value)
    }
  } else if (typeof value === "boolean") {
    writeLiteral(writer, value ? boolTrue : boolFalse)
  } else if (typeof value === "bigint") {
    writeLiteral(writer, intValue)
    writer.utf8(BigInt.asIntN(64, value).toString())
    writer.byte(quote)
  }
}

const tail = (schemaUrl: string | undefined): Uint8Array => {
  const writer = new ByteWriter(allocate(64))
  writer.byte(closeBracket)
  if (schemaUrl !== undefined && schemaUrl !== "") text(writer, schemaUrlField, schemaUrl)
  writer.byte(closeBrace)
  return writer.toBytes()
}

/** Makes an encoder that writes JSON, with a cache of its own. */
export const make = (): OtlpEncoder => {
  const format = new JsonFormat()
  return {
    contentType: "application/json",
    makeSpanBatch: () => new OtlpSpanBuffer(format),
    merge: (bodies) =>
      concat([
        new TextEncoder().encode(bodyStart),
        ...bodies.flatMap((body, i) => [
          ...(i === 0 ? [] : [commaBytes]),
          body.subarray(bodyHead.size, body.length - bodyTail.length)
        ]),
        bodyTail
      ]),
    split: splitJson
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
