/**
 * Writes bytes into one growing buffer, for encoders that run once per span.
 *
 * A record is written between `begin` and `end`. When it does not fit, only the record moves to a new buffer, and what
 * was written before stays where it is: whoever needs the earlier bytes keeps the buffer. Positions inside a record that
 * must survive a move are therefore held relative to `mark`.
 */
import { allocate, chunkSize, giveChunk, native, takeChunk } from "./buffers.ts"
import type { EncodedText } from "./encodedText.ts"

// Taken off the prototype once: looking it up on each call is a tenth of the cost of the call.
const utf8Write = /* @__PURE__ */ (() => native?.prototype.utf8Write)()
const textEncoder = /* @__PURE__ */ new TextEncoder()

/** Up to this length a loop over the characters beats the fixed cost of a native call. */
export const shortText = 24

/** From this length the exact size is measured first instead of reserving three bytes for each code unit. */
const longText = 4096

/** Bytes that must be free behind an encoded text. */
export const slackOfText = 4

// A bigint on its way into two words, in the byte order of the machine.
const split64 = /* @__PURE__ */ new BigUint64Array(1)
const words64 = /* @__PURE__ */ (() => new Int32Array(split64.buffer))()
const isLittleEndian = /* @__PURE__ */ (() => new Uint8Array(new Uint16Array([1]).buffer)[0] === 1)()
const lowWord = isLittleEndian ? 0 : 1
const highWord = isLittleEndian ? 1 : 0

/** Thrown when a record outgrows `limit`; one object, so that it costs no stack trace. */
export const recordTooLarge: { readonly _tag: "RecordTooLarge" } = { _tag: "RecordTooLarge" }

/** The number of bytes of `text` in UTF-8; a lone surrogate counts as U+FFFD. */
export const utf8Length = (text: string): number => {
  if (native !== undefined) return native.byteLength(text)
  let size = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80) continue
    if (code < 0x800) size += 1
    else if (code < 0xd800 || code > 0xdfff) size += 2
    else if (code < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      size += 2
      i++
    } else size += 2
  }
  return size
}

/** Bytes of `value` (an integer from 0 to 2^53) as a varint. */
export const varintSize = (value: number): number => {
  let size = 1
  while (value >= 0x80) {
    value = value < 0x80000000 ? value >>> 7 : Math.floor(value / 0x80)
    size++
  }
  return size
}

/** A position in a buffer that grows. */
export class ByteWriter {
  bytes: Uint8Array
  view: DataView
  pos = 0
  /** Where the record being written starts. */
  mark = 0
  /** Most bytes the record may take. */
  limit = Infinity
  /** Bytes of all buffers that hold finished records, the current one included. */
  capacity = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.capacity = bytes.length
  }

  /** Makes the current buffer `bytes`, written up to `pos`. */
  adopt(bytes: Uint8Array, pos: number, capacity: number): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.pos = pos
    this.capacity = capacity
  }

  /** Makes room for `size` more bytes. */
  ensure(size: number): void {
    if (this.pos + size > this.bytes.length) this.grow(size)
  }

  private grow(more: number): void {
    const used = this.pos - this.mark
    if (used > this.limit) throw recordTooLarge
    const needed = used + more
    const kept = this.mark === 0 ? this.capacity - this.bytes.length : this.capacity
    const size = Math.max(Math.ceil(Math.min(chunkSize, this.limit)), needed, used + (used >>> 1))
    const next = size === chunkSize ? takeChunk() : allocate(size)
    if (used > 0) next.set(this.bytes.subarray(this.mark, this.pos))
    this.adopt(next, used, kept + next.length)
    this.mark = 0
  }

  /** Copies the current record into a buffer of its exact size, if it is alone in a buffer. */
  trim(): void {
    if (this.mark === 0) this.fit()
  }

  /** Moves what the current buffer holds into one of its exact size; the old one is not to be used any more. */
  fit(): void {
    const { bytes, pos } = this
    if (pos === bytes.length) return
    const exact = allocate(pos)
    exact.set(bytes.subarray(0, pos))
    this.adopt(exact, pos, this.capacity - bytes.length + pos)
    giveChunk(bytes)
  }

  /** Whether the current record fills most of its buffer, yet leaves more than `slack` bytes unused. */
  isWasteful(slack: number): boolean {
    return this.pos * 2 > this.bytes.length && this.bytes.length - this.pos > slack
  }

  /** Everything written, as a copy. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.bytes.subarray(0, this.pos))
  }

  byte(value: number): void {
    this.ensure(1)
    this.bytes[this.pos++] = value
  }

  /** Writes what was encoded before. May touch the {@link slackOfText} bytes behind it. */
  text(encoded: EncodedText): void {
    const { bytes, size, words } = encoded
    this.ensure(size + slackOfText)
    let pos = this.pos
    this.pos = pos + size
    if (bytes.length !== 0) {
      this.bytes.set(bytes, pos)
      return
    }
    // Not by the view: in this loop its `setInt32` is three times slower than the four bytes in Node 24.
    const to = this.bytes
    for (let i = 0; i < words.length; i++, pos += 4) {
      const word = words[i]!
      to[pos] = word
      to[pos + 1] = word >> 8
      to[pos + 2] = word >> 16
      to[pos + 3] = word >> 24
    }
  }

  raw(source: Uint8Array): void {
    this.ensure(source.length)
    this.bytes.set(source, this.pos)
    this.pos += source.length
  }

  /** Writes an integer from 0 to 2^53 as a varint. */
  varint(value: number): void {
    this.ensure(10)
    this.pos = this.putVarint(this.pos, value)
  }

  /**
   * Writes a varint at `pos`, where there is room for it, and returns the position behind it. Unlike `varint` it never
   * moves the record, so bytes behind it are safe.
   */
  putVarint(pos: number, value: number): number {
    const bytes = this.bytes
    while (value >= 0x80) {
      bytes[pos++] = value & 0x7f | 0x80
      value = value < 0x80000000 ? value >>> 7 : Math.floor(value / 0x80)
    }
    bytes[pos] = value
    return pos + 1
  }

  /** Writes 64 bits, given as two words, as a varint. */
  varint64(hi: number, lo: number): void {
    this.ensure(10)
    const bytes = this.bytes
    let pos = this.pos
    while (hi !== 0 || (lo & ~0x7f) !== 0) {
      bytes[pos++] = lo & 0x7f | 0x80
      lo = lo >>> 7 | hi << 25
      hi >>>= 7
    }
    bytes[pos++] = lo
    this.pos = pos
  }

  /** Writes the 64 low bits of `value` as a varint. */
  varintBigInt(value: bigint): void {
    split64[0] = value
    this.varint64(words64[highWord]!, words64[lowWord]!)
  }

  /** Writes the 64 low bits of `value`, little end first, at `pos`, where there is room for them. */
  putFixed64(pos: number, value: bigint): void {
    // The engine inlines this, but not `setBigUint64`.
    split64[0] = value
    this.view.setInt32(pos, words64[lowWord]!, true)
    this.view.setInt32(pos + 4, words64[highWord]!, true)
  }

  /** Starts a length-delimited part of which the length, usually below 128, is not known. Give the result to `end`. */
  begin(): number {
    this.ensure(1)
    return ++this.pos - this.mark
  }

  /** Ends the part that `begin` started: writes its length in front of it. */
  end(begun: number): void {
    const start = begun + this.mark
    const size = this.pos - start
    if (size < 0x80) {
      this.bytes[start - 1] = size
      return
    }
    const extra = varintSize(size) - 1
    this.ensure(extra)
    const from = begun + this.mark
    this.bytes.copyWithin(from + extra, from, this.pos)
    this.pos = this.putVarint(from - 1, size) + size
  }

  /** Writes `text` as UTF-8 and returns the number of bytes. A lone surrogate becomes U+FFFD. */
  utf8(text: string): number {
    // JavaScript callers may pass anything; a length of `undefined` would spoil the position for good.
    if (typeof text !== "string") throw new TypeError("not a string")
    const length = text.length
    if (length > shortText) return this.utf8Native(text)
    this.ensure(length * 3)
    const bytes = this.bytes
    const pos = this.pos
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) return this.utf8Native(text)
      bytes[pos + i] = code
    }
    this.pos = pos + length
    return length
  }

  private utf8Native(text: string): number {
    let room = text.length * 3
    if (text.length > longText) {
      room = utf8Length(text)
      if (this.pos - this.mark + room > this.limit) throw recordTooLarge
    }
    this.ensure(room)
    const written = utf8Write !== undefined
      ? utf8Write.call(this.bytes, text, this.pos, room)
      : textEncoder.encodeInto(text, this.bytes.subarray(this.pos)).written
    this.pos += written
    return written
  }

  /** Writes the length of `text` in UTF-8 and the text. */
  delimitedUtf8(text: string): void {
    this.ensure(5)
    const guess = varintSize(text.length)
    this.pos += guess
    const begun = this.pos - this.mark
    const size = this.utf8(text)
    const actual = varintSize(size)
    if (actual !== guess) {
      this.ensure(actual - guess)
      const from = begun + this.mark
      this.bytes.copyWithin(from + actual - guess, from, from + size)
    }
    this.pos = this.putVarint(begun + this.mark - guess, size) + size
  }
}
