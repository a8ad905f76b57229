// From this size on the fixed cost of a native copy is less than that of a loop.
const longBlock = 40

/** A text and the bytes written for it, ready to be copied. */
export class EncodedText {
  readonly text: string
  readonly size: number
  readonly bytes: Uint8Array
  /** The same, padded, eight bytes in each number, little end first. Empty where a native copy is better. */
  readonly doubles: Float64Array

  constructor(text: string, bytes: Uint8Array) {
    this.text = text
    this.size = bytes.length
    this.bytes = new Uint8Array(bytes)
    this.doubles = bytes.length < longBlock ? toDoubles(bytes) : none
  }
}

const none = /* @__PURE__ */ new Float64Array(0)

const toDoubles = (bytes: Uint8Array): Float64Array => {
  const padded = new Uint8Array((bytes.length + 7) & ~7)
  padded.set(bytes)
  const view = new DataView(padded.buffer)
  const doubles = Float64Array.from({ length: padded.length >>> 3 }, (_, i) => view.getFloat64(i * 8, true))
  // The engine may change the bits of what is not a number.
  return doubles.some(Number.isNaN) ? none : doubles
}
