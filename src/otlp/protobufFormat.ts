/**
 * What all messages of OTLP have in common in binary protobuf: attributes, resources, scopes, and the body around them.
 * Written in one pass, without an object between an item and its bytes.
 */
import { allocate, room } from "../internal/buffers.ts"
import { ByteWriter, varintSize } from "../internal/byteWriter.ts"
import { EncodedCache, type EncodedKey } from "../internal/encodedCache.ts"
import type { AttributeList, Attributes, AttributeValue } from "../model/Attributes.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { Resource } from "../model/Resource.ts"
import {
  copyItems,
  type Envelope,
  type Grouped,
  type ItemFormat,
  memoize,
  type ResourceGroup,
  type ScopeGroup
} from "./OtlpBuffer.ts"

const resourceAttribute = 0x0a
const scopeAttribute = 0x1a
const mapEntry = 0x0a

/** Most bytes before a scalar value such that all lengths take one byte. */
const shortKey = 112

/** The name of a span. */
export const writeName = (writer: ByteWriter, name: string): void => {
  writer.byte(0x2a)
  writer.delimitedUtf8(name)
}

// A whole attribute but for its value: tag, length, key, tag of the value, length of the value. Both lengths, and the tag,
// are filled in for each value.
const writeKey = (writer: ByteWriter, key: string): void => {
  writer.byte(0)
  writer.byte(0)
  writer.byte(0x0a)
  writer.delimitedUtf8(key)
  writer.byte(0x12)
  writer.byte(0)
}

/** Writes items of one kind; every item is the field 2 of its scope. */
export abstract class ProtobufFormat<Item extends Grouped> implements ItemFormat<Item> {
  protected readonly cache = new EncodedCache(writeName, writeKey)
  readonly resource = memoize(resourceEnvelope)
  readonly scope = memoize(scopeEnvelope)

  abstract writeItem(writer: ByteWriter, item: Item): void

  protected attributes(writer: ByteWriter, tag: number, list: AttributeList): void {
    for (let i = 0; i < list.length; i += 2) {
      this.attribute(writer, tag, this.cache.anyKey(list[i] as string), list[i + 1]!)
    }
  }

  /** Writes a `KeyValue` as the field `tag`. */
  protected attribute(writer: ByteWriter, tag: number, key: EncodedKey, value: AttributeValue): void {
    if (typeof value === "string") return this.textAttribute(writer, tag, key, value)
    if (key.size > shortKey || (typeof value === "object" && value !== null)) {
      return longAttribute(writer, tag, key.text, value)
    }
    writer.ensure(key.size + 16)
    const start = writer.pos
    writer.text(key)
    scalar(writer, value)
    const { bytes } = writer
    const size = writer.pos - start - key.size
    bytes[start] = tag
    bytes[start + 1] = key.size - 2 + size
    bytes[start + key.size - 1] = size
  }

  private textAttribute(writer: ByteWriter, tag: number, key: EncodedKey, value: string): void {
    const begun = writer.pos - writer.mark
    const known = key.find(value)
    if (known !== undefined) {
      writer.text(known)
      writer.bytes[begun + writer.mark] = tag
      return
    }
    if (key.size + value.length > 127) return this.longText(writer, tag, key, value, value.length)
    writer.text(key)
    writer.ensure(2)
    writer.pos += 2
    const size = writer.utf8(value)
    const { bytes } = writer
    const start = begun + writer.mark
    if (key.size + size > 127) {
      writer.pos = start
      return this.longText(writer, tag, key, value, size)
    }
    const at = start + key.size
    bytes[start] = tag
    bytes[start + 1] = key.size + size
    bytes[at - 1] = size + 2
    bytes[at] = 0x0a
    bytes[at + 1] = size
    if (key.wanted) key.keep(value, bytes.subarray(start, writer.pos))
  }

  /** `size` is the guessed number of bytes of `value`: right for ASCII. */
  private longText(writer: ByteWriter, tag: number, key: EncodedKey, value: string, size: number): void {
    const begun = writer.pos - writer.mark
    const anySize = 1 + varintSize(size) + size
    const keyValueSize = key.size - 3 + varintSize(anySize) + anySize
    // The words start with a tag and a length of one byte each, which the real ones then replace.
    const extra = varintSize(keyValueSize) - 1
    writer.ensure(key.size + extra + 32)
    const start = writer.pos
    writer.pos = start + extra
    writer.text(key)
    writer.bytes[start] = tag
    writer.putVarint(start + 1, keyValueSize)
    const pos = writer.putVarint(start + extra + key.size - 1, anySize)
    writer.bytes[pos] = 0x0a
    writer.pos = writer.putVarint(pos + 1, size)
    const written = writer.utf8(value)
    if (written === size) return
    writer.pos = begun + writer.mark
    this.longText(writer, tag, key, value, written)
  }

  protected count(writer: ByteWriter, tag: number, count: number): void {
    writer.byte(tag)
    writer.varint(count >>> 0)
  }

  itemEnd(bytes: Uint8Array, at: number): number {
    let size = 0
    let shift = 1
    let pos = at + 1
    for (; bytes[pos]! >= 0x80; pos++, shift *= 0x80) size += (bytes[pos]! & 0x7f) * shift
    return pos + 1 + size + bytes[pos]! * shift
  }

  body(resources: ReadonlyArray<ResourceGroup>, reuse: Uint8Array | undefined): Uint8Array {
    const sizes = resources.map(resourceSize)
    let total = 0
    for (const size of sizes) total += framedSize(size)
    const writer = new ByteWriter(room(total, reuse))
    resources.forEach((resource, i) => {
      writer.byte(0x0a)
      writer.varint(sizes[i]!)
      writer.raw(resource.head)
      for (const group of resource.scopes) {
        writer.byte(0x12)
        writer.varint(scopeSize(group))
        writer.raw(group.head)
        writer.pos = copyItems(group, writer.bytes, writer.pos)
        writer.raw(group.tail)
      }
      writer.raw(resource.tail)
    })
    return writer.bytes
  }
}

const longAttribute = (writer: ByteWriter, tag: number, key: string, value: AttributeValue): void => {
  writer.byte(tag)
  const entry = writer.begin()
  writer.byte(0x0a)
  writer.delimitedUtf8(key)
  writer.byte(0x12)
  const any = writer.begin()
  writeValue(writer, value)
  writer.end(any)
  writer.end(entry)
}

/** Writes the fields of an `AnyValue`. */
export const writeValue = (writer: ByteWriter, value: AttributeValue): void => {
  if (typeof value === "string") {
    writer.byte(0x0a)
    writer.delimitedUtf8(value)
  } else if (typeof value !== "object") {
    writer.ensure(16)
    scalar(writer, value)
  } else if (value instanceof Uint8Array) {
    writer.byte(0x3a)
    writer.varint(value.length)
    writer.raw(value)
  } else if (Array.isArray(value)) {
    writer.byte(0x2a)
    const array = writer.begin()
    for (const item of value as ReadonlyArray<AttributeValue>) {
      writer.byte(0x0a)
      const any = writer.begin()
      writeValue(writer, item)
      writer.end(any)
    }
    writer.end(array)
  } else if (value !== null) {
    writer.byte(0x32)
    const map = writer.begin()
    writeAttributes(writer, mapEntry, value as Attributes)
    writer.end(map)
  }
}

/** Writes each attribute as the field `tag`, without a cache. */
export const writeAttributes = (writer: ByteWriter, tag: number, attributes: Attributes): void => {
  for (const key of Object.keys(attributes)) longAttribute(writer, tag, key, attributes[key]!)
}

/** A resource, without outer framing. */
export const resourceEnvelope = (resource: Resource): Envelope => {
  const head = new ByteWriter(allocate(512))
  head.byte(0x0a)
  const begun = head.begin()
  writeAttributes(head, resourceAttribute, resource.attributes)
  head.end(begun)
  return { head: head.toBytes(), tail: schemaUrl(resource.schemaUrl) }
}

/** A scope, without outer framing. */
export const scopeEnvelope = (scope: InstrumentationScope): Envelope => {
  const head = new ByteWriter(allocate(128))
  head.byte(0x0a)
  const begun = head.begin()
  if (scope.name !== "") {
    head.byte(0x0a)
    head.delimitedUtf8(scope.name)
  }
  if (scope.version !== undefined && scope.version !== "") {
    head.byte(0x12)
    head.delimitedUtf8(scope.version)
  }
  if (scope.attributes !== undefined) writeAttributes(head, scopeAttribute, scope.attributes)
  head.end(begun)
  return { head: head.toBytes(), tail: schemaUrl(scope.schemaUrl) }
}

/** Writes a boolean, number, bigint or null as the fields of an `AnyValue`. There is room for it. */
const scalar = (writer: ByteWriter, value: boolean | number | bigint | null): void => {
  const { bytes, pos } = writer
  if (typeof value === "number") {
    if (value >= 0 && value < 0x80 && (value | 0) === value && !Object.is(value, -0)) {
      bytes[pos] = 0x18
      bytes[pos + 1] = value
      writer.pos = pos + 2
    } else if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      bytes[pos] = 0x18
      writer.pos = pos + 1
      writer.varint64(Math.floor(value / 0x100000000) | 0, value | 0)
    } else {
      bytes[pos] = 0x21
      writer.view.setFloat64(pos + 1, value, true)
      writer.pos = pos + 9
    }
  } else if (typeof value === "boolean") {
    bytes[pos] = 0x10
    bytes[pos + 1] = value ? 1 : 0
    writer.pos = pos + 2
  } else if (typeof value === "bigint") {
    bytes[pos] = 0x18
    writer.pos = pos + 1
    writer.varintBigInt(value)
  }
}

/** Ends an item of which the length was given two bytes. */
export const endItem = (writer: ByteWriter, begun: number): void => {
  let start = begun + writer.mark
  const size = writer.pos - start
  const shift = varintSize(size) - 2
  if (shift !== 0) {
    if (shift > 0) writer.ensure(shift)
    start = begun + writer.mark
    writer.bytes.copyWithin(start + shift, start, start + size)
  }
  writer.pos = writer.putVarint(start - 2, size) + size
}

const schemaUrl = (url: string | undefined): Uint8Array => {
  if (url === undefined || url === "") return new Uint8Array(0)
  const writer = new ByteWriter(allocate(url.length + 8))
  writer.byte(0x1a)
  writer.delimitedUtf8(url)
  return writer.toBytes()
}

const framedSize = (size: number): number => 1 + varintSize(size) + size

const scopeSize = (group: ScopeGroup): number => group.head.length + group.size + group.tail.length

const resourceSize = (resource: ResourceGroup): number => {
  let size = resource.head.length + resource.tail.length
  for (const group of resource.scopes) size += framedSize(scopeSize(group))
  return size
}
