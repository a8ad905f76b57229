/**
 * Writes JSON as bytes, without a string or an object in between.
 */
import { type ByteWriter, shortText } from "./byteWriter.ts"
import { EncodedText } from "./encodedText.ts"

const quote = 0x22
const backslash = 0x5c

/** A piece of ASCII text, ready to be copied. */
export const literal = (text: string): EncodedText =>
  new EncodedText(text, Uint8Array.from(text, (character) => character.charCodeAt(0)))

export const writeLiteral = (writer: ByteWriter, piece: EncodedText): void => writer.text(piece)

/** Writes `text` between quotes, escaped; a lone surrogate becomes U+FFFD. */
export const writeString = (writer: ByteWriter, text: string): void => {
  writer.byte(quote)
  if (text.length <= shortText) writeShort(writer, text)
  else writeLong(writer, text)
  writer.byte(quote)
}

const writeShort = (writer: ByteWriter, text: string): void => {
  const length = text.length
  writer.ensure(length)
  const { bytes, pos } = writer
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code >= 0x80 || code === quote || code === backslash) return writeEscaped(writer, text)
    bytes[pos + i] = code
  }
  writer.pos = pos + length
}

const writeLong = (writer: ByteWriter, text: string): void => {
  // Bytes are cheaper to look at than characters, and few texts hold anything to escape.
  const size = writer.utf8(text)
  const { bytes, pos } = writer
  for (let i = pos - size; i < pos; i++) {
    const byte = bytes[i]!
    if (byte < 0x20 || byte === quote || byte === backslash) {
      writer.pos = pos - size
      return writeEscaped(writer, text)
    }
  }
}

const writeEscaped = (writer: ByteWriter, text: string): void => {
  const quoted = JSON.stringify(text.toWellFormed())
  writer.utf8(quoted.slice(1, -1))
}

const hexPairs = /* @__PURE__ */ Uint16Array.from({ length: 256 }, (_, byte) => {
  const text = byte.toString(16).padStart(2, "0")
  return text.charCodeAt(0) | text.charCodeAt(1) << 8
})

/** Writes a word as eight hexadecimal digits. There is room for them. */
export const writeHexWord = (writer: ByteWriter, word: number): void => {
  const { pos, view } = writer
  view.setUint16(pos, hexPairs[word >>> 24]!, true)
  view.setUint16(pos + 2, hexPairs[(word >>> 16) & 0xff]!, true)
  view.setUint16(pos + 4, hexPairs[(word >>> 8) & 0xff]!, true)
  view.setUint16(pos + 6, hexPairs[word & 0xff]!, true)
  writer.pos = pos + 8
}

/** Writes an integer from 0 to 2^53. */
export const writeUnsigned = (writer: ByteWriter, value: number): void => {
  let digits = 1
  for (let bound = 10; value >= bound; bound *= 10) digits++
  writer.ensure(digits)
  writeDigits(writer, value, digits)
}

const writeDigits = (writer: ByteWriter, value: number, digits: number): void => {
  const { bytes } = writer
  let at = writer.pos + digits
  writer.pos = at
  for (let i = digits; i > 0; i--) {
    // Small integers divide faster.
    const rest = value < 0x40000000 ? (value / 10) | 0 : Math.floor(value / 10)
    bytes[--at] = 0x30 + (value - rest * 10)
    value = rest
  }
}

/** Writes an unsigned 64-bit integer in decimal. */
export const writeUnsigned64 = (writer: ByteWriter, value: bigint): void => {
  writer.ensure(24)
  const { pos, view } = writer
  view.setBigUint64(pos, value, true)
  const lo = view.getUint32(pos, true)
  const hi = view.getUint32(pos + 4, true)
  // Long division by 10^9, sixteen bits at a time: no step leaves the exact range of a double.
  const billion = 1_000_000_000
  const first = Math.floor(hi / billion)
  const middle = (hi - first * billion) * 0x10000 + (lo >>> 16)
  const second = Math.floor(middle / billion)
  const last = (middle - second * billion) * 0x10000 + (lo & 0xffff)
  const third = Math.floor(last / billion)
  const high = first * 0x100000000 + second * 0x10000 + third
  const low = last - third * billion
  if (high === 0) return writeUnsigned(writer, low)
  writeUnsigned(writer, high)
  writeDigits(writer, low, 9)
}

/** Writes a JSON number, or, for what JSON has no number for, its name between quotes. */
export const writeDouble = (writer: ByteWriter, value: number): void => {
  if (!Number.isFinite(value)) writeString(writer, String(value))
  else writer.utf8(Object.is(value, -0) ? "-0" : String(value))
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
const base64Code = (bits: number): number => base64Digits.charCodeAt(bits & 0x3f)

/** Writes bytes in padded base64. */
export const writeBase64 = (writer: ByteWriter, source: Uint8Array): void => {
  writer.ensure(Math.ceil(source.length / 3) * 4)
  const { bytes } = writer
  let pos = writer.pos
  for (let i = 0; i < source.length; i += 3) {
    const left = source.length - i
    const group = source[i]! << 16 | (left > 1 ? source[i + 1]! << 8 : 0) | (left > 2 ? source[i + 2]! : 0)
    bytes[pos++] = base64Code(group >>> 18)
    bytes[pos++] = base64Code(group >>> 12)
    bytes[pos++] = left > 1 ? base64Code(group >>> 6) : 0x3d
    bytes[pos++] = left > 2 ? base64Code(group) : 0x3d
  }
  writer.pos = pos
}
