// From this size on the fixed cost of a native copy is less than that of a loop.
const longText = 40

const noWords = /* @__PURE__ */ new Int32Array(0)
const noBytes = /* @__PURE__ */ new Uint8Array(0)

/** A text and the bytes written for it, ready to be copied. */
export class EncodedText {
  readonly text: string
  readonly size: number
  /** A short text, padded, four bytes in each word, little end first; empty for a long one. */
  readonly words: Int32Array
  /** A long text; empty for a short one. */
  readonly bytes: Uint8Array

  constructor(text: string, bytes: Uint8Array) {
    this.text = text
    this.size = bytes.length
    const isShort = bytes.length < longText
    this.words = isShort ? toWords(bytes) : noWords
    this.bytes = isShort ? noBytes : new Uint8Array(bytes)
  }
}

const toWords = (bytes: Uint8Array): Int32Array => {
  const words = new Int32Array((bytes.length + 3) >>> 2)
  for (let i = 0; i < bytes.length; i++) words[i >>> 2]! |= bytes[i]! << ((i & 3) * 8)
  return words
}
