/** Attributes, resources and scopes in protobuf, for what is written once in a while and needs no cache. */
import { allocate } from "../internal/buffers.ts"
import { ByteWriter } from "../internal/byteWriter.ts"
import type { Attributes, AttributeValue } from "../model/Attributes.ts"

/** A writer of its own. */
export const makeWriter = (): ByteWriter => new ByteWriter(allocate(1024))

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

/** Writes each attribute as a `KeyValue` field. */
export const writeAttributes = (writer: ByteWriter, tag: number, attributes: Attributes): void => {
  for (const key of Object.keys(attributes)) {
    writeMessage(writer, tag, () => {
      writer.byte(0x0a)
      writer.delimitedUtf8(key)
      writeMessage(writer, 0x12, () => writeValue(writer, attributes[key]!))
    })
  }
}

/** Writes the fields of an `AnyValue`. */
const writeValue = (writer: ByteWriter, value: AttributeValue): void => {
  switch (typeof value) {
    case "string":
      writer.byte(0x0a)
      return writer.delimitedUtf8(value)
    case "boolean":
      writer.byte(0x10)
      return writer.byte(value ? 1 : 0)
    case "bigint":
      writer.byte(0x18)
      return writer.varintBigInt(value)
    case "number":
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
        writer.byte(0x18)
        return writer.varintBigInt(BigInt(value))
      }
      writer.byte(0x21)
      return writeDouble(writer, value)
  }
  if (value === null) return
  if (value instanceof Uint8Array) {
    writer.byte(0x3a)
    writer.varint(value.length)
    return writer.raw(value)
  }
  if (Array.isArray(value)) {
    return writeMessage(writer, 0x2a, () => {
      for (const item of value as ReadonlyArray<AttributeValue>) {
        writeMessage(writer, 0x0a, () => writeValue(writer, item))
      }
    })
  }
  writeMessage(writer, 0x32, () => writeAttributes(writer, 0x0a, value as Attributes))
}
