/**
 * Trace and span ids live on a span as signed 32-bit words: four for a trace id, two for a span id. A word is a small
 * integer to the engine, so an id costs no allocation until somebody asks for its hexadecimal text.
 */
const byteToHex: ReadonlyArray<string> = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))

/** Eight lowercase hexadecimal digits of one signed 32-bit word. */
export const wordToHex = (word: number): string =>
  byteToHex[word >>> 24]! + byteToHex[(word >>> 16) & 0xff]! + byteToHex[(word >>> 8) & 0xff]! + byteToHex[word & 0xff]!

const digit = (code: number): number =>
  code >= 0x30 && code <= 0x39 ? code - 0x30 : code >= 0x61 && code <= 0x66 ? code - 0x57 : -1

/** The word written at `offset` as eight lowercase hexadecimal digits. The text must have been checked before. */
export const hexToWord = (text: string, offset: number): number => {
  let word = 0
  for (let i = 0; i < 8; i++) word = (word << 4) | digit(text.charCodeAt(offset + i))
  return word
}

/** Whether `text` holds only lowercase hexadecimal digits between `from` (inclusive) and `to` (exclusive). */
export const isLowerHex = (text: string, from: number, to: number): boolean => {
  if (text.length < to) return false
  for (let i = from; i < to; i++) {
    if (digit(text.charCodeAt(i)) < 0) return false
  }
  return true
}

/** A W3C trace id: 32 lowercase hexadecimal digits, not all zero. */
export const isTraceId = (text: string): boolean =>
  text.length === 32 && isLowerHex(text, 0, 32) && text !== "00000000000000000000000000000000"

/** A W3C span id: 16 lowercase hexadecimal digits, not all zero. */
export const isSpanId = (text: string): boolean =>
  text.length === 16 && isLowerHex(text, 0, 16) && text !== "0000000000000000"
