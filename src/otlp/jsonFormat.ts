/**
 * What all messages of OTLP have in common in JSON: attributes, resources, scopes, and the body around them. It mirrors
 * `protobufFormat.ts`.
 */
import { allocate, concat, room } from "../internal/buffers.ts"
import { ByteWriter, slackOfText } from "../internal/byteWriter.ts"
import { EncodedCache, type EncodedKey } from "../internal/encodedCache.ts"
import { literal, writeBase64, writeDouble, writeLiteral, writeString, writeUnsigned } from "../internal/jsonBytes.ts"
import type { AttributeList, Attributes, AttributeValue } from "../model/Attributes.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { Resource } from "../model/Resource.ts"
import { copyItems, type Envelope, type Grouped, type ItemFormat, memoize, type ResourceGroup } from "./OtlpBuffer.ts"

/** A piece of JSON as bytes. */
export type Literal = ReturnType<typeof literal>

const openBracket = 0x5b
const closeBracket = 0x5d
export const openBrace = 0x7b
export const closeBrace = 0x7d
const comma = 0x2c
export const quote = 0x22
const backslash = 0x5c

// Members of an object and elements of an array are written with a comma in front; the bracket then replaces the first.
export const nameField = /* @__PURE__ */ literal(`,"name":`)
export const attributesField = /* @__PURE__ */ literal(`,"attributes":`)
export const droppedAttributesField = /* @__PURE__ */ literal(`,"droppedAttributesCount":`)
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
const scopeHead = /* @__PURE__ */ literal(`{"scope":`)
const versionField = /* @__PURE__ */ literal(`,"version":`)
const bodyTail = /* @__PURE__ */ Uint8Array.of(closeBracket, closeBrace)
const commaBytes = /* @__PURE__ */ Uint8Array.of(comma)

/** The name of a span. */
export const writeName = (writer: ByteWriter, name: string): void => {
  writeLiteral(writer, nameField)
  writeString(writer, name)
}

// A whole attribute but for the members of its value and the two braces behind them.
const writeKey = (writer: ByteWriter, key: string): void => {
  writeLiteral(writer, keyHead)
  writeString(writer, key)
  writeLiteral(writer, valueField)
}

/** What the fields of one kind of request are called. */
export interface FieldNames {
  /** The start of the body, as in `{"resourceSpans":[`. */
  readonly body: string
  /** As in `,"scopeSpans":[`. */
  readonly scopes: string
  /** As in `,"spans":`. */
  readonly items: string
}

/** Writes items of one kind. */
export abstract class JsonFormat<Item extends Grouped> implements ItemFormat<Item> {
  protected readonly cache = new EncodedCache(writeName, writeKey)
  readonly resource = memoize((resource: Resource) => this.resourceEnvelope(resource))
  readonly scope = memoize((scope: InstrumentationScope) => this.scopeEnvelope(scope))
  private readonly bodyHead: Literal
  private readonly scopesField: Literal
  private readonly itemsField: Literal

  constructor(names: FieldNames) {
    this.bodyHead = literal(names.body)
    this.scopesField = literal(names.scopes)
    this.itemsField = literal(names.items)
  }

  abstract writeItem(writer: ByteWriter, item: Item): void

  /** One body with what several of this format hold. */
  merge(names: FieldNames, bodies: ReadonlyArray<Uint8Array>): Uint8Array {
    return concat([
      new TextEncoder().encode(names.body),
      ...bodies.flatMap((body, i) => [
        ...(i === 0 ? [] : [commaBytes]),
        body.subarray(this.bodyHead.size, body.length - bodyTail.length)
      ]),
      bodyTail
    ])
  }

  protected attributes(writer: ByteWriter, list: AttributeList): void {
    if (list.length === 0) return
    writeLiteral(writer, attributesField)
    const begun = writer.pos - writer.mark
    for (let i = 0; i < list.length; i += 2) {
      this.attribute(writer, this.cache.anyKey(list[i] as string), list[i + 1]!)
    }
    close(writer, begun)
  }

  /** Writes a `KeyValue`, with a comma in front. */
  protected attribute(writer: ByteWriter, key: EncodedKey, value: AttributeValue): void {
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
  protected value(writer: ByteWriter, value: AttributeValue): void {
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
    writeLiteral(head, this.scopesField)
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
    writeLiteral(head, this.itemsField)
    return { head: head.toBytes(), tail: tail(scope.schemaUrl) }
  }

  // A comma, and an object behind it.
  itemEnd(bytes: Uint8Array, at: number): number {
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
    let size = this.bodyHead.size + 2
    for (const resource of resources) {
      size += resource.head.length + resource.tail.length + 1
      for (const group of resource.scopes) size += group.head.length + group.size + group.tail.length + 1
    }
    // One comma less than members, for the resources and for the scopes of each.
    const writer = new ByteWriter(room(size - 1 - resources.length + slackOfText, reuse))
    writeLiteral(writer, this.bodyHead)
    resources.forEach((resource, i) => {
      if (i > 0) writer.byte(comma)
      writer.raw(resource.head)
      resource.scopes.forEach((group, j) => {
        if (j > 0) writer.byte(comma)
        writer.raw(group.head)
        const begun = writer.pos
        writer.pos = copyItems(group, writer.bytes, begun)
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
export const close = (writer: ByteWriter, begun: number): void => {
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

/** Writes a text behind the name of its field. */
export const text = (writer: ByteWriter, field: Literal, value: string): void => {
  writeLiteral(writer, field)
  writeString(writer, value)
}

/** Writes a count behind the name of its field. */
export const count = (writer: ByteWriter, field: Literal, value: number): void => {
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
