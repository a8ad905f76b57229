/** Attributes, resources and scopes in protobuf, for what is written once in a while and needs no cache. */
import { allocate } from "../internal/buffers.ts"
import { ByteWriter } from "../internal/byteWriter.ts"
import type { Attributes, AttributeValue } from "../model/Attributes.ts"

/** A writer of its own, with room for about `size` bytes. */
export const makeWriter = (size: number): ByteWriter => new ByteWriter(allocate(size))

/** Writes a text field, if there is a text. */
export const writeText = (writer: ByteWriter, tag: number, text: string | undefined): void => {
  if (text === undefined || text === "") return
  writer.byte(tag)
  writer.delimitedUtf8(text)
}

/** Writes a message field. */
export const writeMessage = (writer: ByteWriter, tag: number, write: () => void): void => {
  writer.byte(tag)
  const begun = writer.begin()
  write()
  writer.end(begun)
}

/** Writes a double without its tag. */
export const writeDouble = (writer: ByteWriter, value: number): void => {
  writer.ensure(8)
  writer.view.setFloat64(writer.pos, value, true)
  writer.pos += 8
}

/** Writes the 64 low bits of `value` without a tag. */
export const writeFixed64 = (writer: ByteWriter, value: bigint): void => {
  writer.ensure(8)
  writer.putFixed64(writer.pos, value)
  writer.pos += 8
}

// Between `begin` and `end` and not by functions: a function for each part of each point would double the cost of a report.

/** Writes each attribute as a `KeyValue` field. */
export const writeAttributes = (writer: ByteWriter, tag: number, attributes: Attributes): void => {
  for (const key of Object.keys(attributes)) {
    writer.byte(tag)
    const entry = writer.begin()
    writer.byte(0x0a)
    writer.delimitedUtf8(key)
    writer.byte(0x12)
    const any = writer.begin()
    writeValue(writer, attributes[key]!)
    writer.end(any)
    writer.end(entry)
  }
}

/** Writes the fields of an `AnyValue`. */
const writeValue = (writer: ByteWriter, value: AttributeValue): void => {
  if (typeof value === "string") {
    writer.byte(0x0a)
    writer.delimitedUtf8(value)
  } else if (typeof value === "number") {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      writer.byte(0x21)
      writeDouble(writer, value)
    } else {
      writer.byte(0x18)
      writer.varint64(Math.floor(value / 0x100000000) | 0, value | 0)
    }
  } else if (typeof value === "boolean") {
    writer.byte(0x10)
    writer.byte(value ? 1 : 0)
  } else if (typeof value === "bigint") {
    writer.byte(0x18)
    writer.varintBigInt(value)
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
    writeAttributes(writer, 0x0a, value as Attributes)
    writer.end(map)
  }
}
