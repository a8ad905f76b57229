/**
 * Reads binary protobuf that nobody vouches for: every length is checked against what is there before anything is made
 * of it.
 */

/** What a reader throws; the decoder that owns it turns it into its own error. */
export class MalformedBytes {
  readonly offset: number
  readonly detail: string

  constructor(offset: number, detail: string) {
    this.offset = offset
    this.detail = detail
  }
}

const textDecoder = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true })

/** A message between two offsets. Call `next`, look at `field` and `wire`, and read the value or `skip` it. */
export class ProtobufReader {
  readonly bytes: Uint8Array
  readonly view: DataView
  pos: number
  readonly end: number
  field = 0
  wire = 0

  constructor(bytes: Uint8Array, view: DataView, pos: number, end: number) {
    this.bytes = bytes
    this.view = view
    this.pos = pos
    this.end = end
  }

  static of(bytes: Uint8Array): ProtobufReader {
    return new ProtobufReader(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
  }

  fail(detail: string): never {
    throw new MalformedBytes(this.pos, detail)
  }

  /** Reads the next tag; `false` at the end. */
  next(): boolean {
    if (this.pos >= this.end) return false
    const tag = this.uint32()
    this.field = tag >>> 3
    this.wire = tag & 7
    if (this.field === 0) this.fail("field number 0")
    return true
  }

  private take(size: number): number {
    const from = this.pos
    if (size > this.end - from) this.fail(`${size} bytes expected, ${this.end - from} left`)
    this.pos = from + size
    return from
  }

  /** Fails unless the current field has this wire type. */
  private expect(wire: number): void {
    if (this.wire !== wire) this.fail(`field ${this.field} has wire type ${this.wire}, not ${wire}`)
  }

  private uint32(): number {
    const byte = this.pos < this.end ? this.bytes[this.pos]! : 0x80
    if (byte < 0x80) {
      this.pos++
      return byte
    }
    const value = this.rawVarint()
    if (value > 0xffffffffn) this.fail("32-bit value out of range")
    return Number(value)
  }

  private rawVarint(): bigint {
    const { bytes, end } = this
    let small = 0
    // Four bytes fit a small integer; most values are that short.
    for (let shift = 0; shift < 28; shift += 7) {
      if (this.pos >= end) this.fail("truncated varint")
      const byte = bytes[this.pos++]!
      small |= (byte & 0x7f) << shift
      if (byte < 0x80) return BigInt(small)
    }
    let value = BigInt(small)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      if (this.pos >= end) this.fail("truncated varint")
      const byte = bytes[this.pos++]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    return this.fail("varint longer than ten bytes")
  }

  /** An unsigned 32-bit value; more significant bits are cut off, as the format says. */
  varint32(): number {
    this.expect(0)
    return Number(BigInt.asUintN(32, this.rawVarint()))
  }

  int64(): bigint {
    this.expect(0)
    return BigInt.asIntN(64, this.rawVarint())
  }

  fixed32(): number {
    this.expect(5)
    return this.view.getUint32(this.take(4), true)
  }

  fixed64(): bigint {
    this.expect(1)
    return this.view.getBigUint64(this.take(8), true)
  }

  double(): number {
    this.expect(1)
    return this.view.getFloat64(this.take(8), true)
  }

  /** The part of `bytes` that the field holds; not a copy. */
  slice(): Uint8Array {
    this.expect(2)
    const size = this.uint32()
    const from = this.take(size)
    return this.bytes.subarray(from, from + size)
  }

  /** Text; what is not UTF-8 becomes U+FFFD. */
  text(): string {
    return textDecoder.decode(this.slice())
  }

  /** A reader of the message that the field holds. */
  message(): ProtobufReader {
    this.expect(2)
    const size = this.uint32()
    const from = this.take(size)
    return new ProtobufReader(this.bytes, this.view, from, from + size)
  }

  skip(depth = 0): void {
    switch (this.wire) {
      case 0:
        this.rawVarint()
        return
      case 1:
        this.take(8)
        return
      case 2:
        this.take(this.uint32())
        return
      case 3:
        return this.skipGroup(depth)
      case 5:
        this.take(4)
        return
      default:
        this.fail(`wire type ${this.wire}`)
    }
  }

  private skipGroup(depth: number): void {
    if (depth >= 100) this.fail("groups nested too deeply")
    const field = this.field
    while (this.next()) {
      if (this.wire === 4) {
        if (this.field !== field) this.fail("group ended by another")
        return
      }
      this.skip(depth + 1)
    }
    this.fail("group without end")
  }
}
