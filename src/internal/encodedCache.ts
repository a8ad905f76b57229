/**
 * What an encoder wrote before for the same text: span names, attribute keys, and attributes of which the value repeats.
 * Copying is several times cheaper than turning characters into bytes again.
 *
 * Everything is bounded: 1024 names, 1024 keys, and for each key 32 values of at most 48 characters; a full map starts
 * anew.
 */
import { allocate } from "./buffers.ts"
import { ByteWriter } from "./byteWriter.ts"
import { EncodedText } from "./encodedText.ts"
import { textSlot, textSlots } from "./textSlot.ts"

const maxEntries = 1024
const maxKeyLength = 256
const maxValueLength = 48
const maxValues = 32
const maxPositions = 128

// A cached value must pay for its making: one miss costs as much as a few hits save. A key whose values do not repeat is
// left alone for a while.
const fullCredit = 64
const hitCredit = 1
const missCost = 6
const pause = -256
const retryCredit = 24

/** An attribute key: what precedes its value, and whole attributes for values that repeat. */
export class EncodedKey extends EncodedText {
  private values: Map<string, EncodedText> | undefined = undefined
  // In front of the map: found by one comparison, without a hash of the text.
  private readonly near: Array<EncodedText | undefined> = []
  private credit = fullCredit
  /** Whether the last `find` missed and asks for what will be written. */
  wanted = false

  /** The attribute with the string `value`, if it is at hand. After a miss, `keep` may store what was written. */
  find(value: string): EncodedText | undefined {
    if (this.credit <= 0) return this.rest()
    const slot = textSlot(value)
    const near = this.near[slot]
    return near !== undefined && near.text === value ? near : this.findFar(value, slot)
  }

  private rest(): undefined {
    this.wanted = false
    if (++this.credit === 0) this.credit = retryCredit
  }

  private findFar(value: string, slot: number): EncodedText | undefined {
    this.wanted = false
    if (value.length > maxValueLength) return undefined
    const found = this.values?.get(value)
    if (found !== undefined) {
      if (this.credit < fullCredit) this.credit += hitCredit
      this.near[slot] = found
      return found
    }
    this.credit -= missCost
    if (this.credit <= 0) this.credit = pause
    this.wanted = true
    return undefined
  }

  keep(value: string, bytes: Uint8Array): void {
    this.wanted = false
    if (this.values === undefined) {
      this.values = new Map()
      for (let i = 0; i < textSlots; i++) this.near.push(undefined)
    }
    if (this.values.size >= maxValues) this.values.clear()
    const encoded = new EncodedText(value, bytes)
    this.near[textSlot(value)] = encoded
    this.values.set(value, encoded)
  }
}

/** A span name, and the keys the last span of that name had, by position. */
export class EncodedName extends EncodedText {
  readonly keys: Array<EncodedKey> = []
}

export class EncodedCache {
  private readonly names = new Map<string, EncodedName>()
  private readonly keys = new Map<string, EncodedKey>()
  private readonly scratch = new ByteWriter(allocate(256))
  private readonly writeName: (writer: ByteWriter, name: string) => void
  private readonly writeKey: (writer: ByteWriter, key: string) => void
  private nameCredit = fullCredit
  private readonly other: EncodedName

  constructor(
    writeName: (writer: ByteWriter, name: string) => void,
    writeKey: (writer: ByteWriter, key: string) => void
  ) {
    this.writeName = writeName
    this.writeKey = writeKey
    this.other = new EncodedName("", new Uint8Array(0))
  }

  /** What is known of spans with this name. An entry of size 0 means that the name is to be written as it is. */
  name(text: string): EncodedName {
    const known = this.names.get(text)
    if (known !== undefined) {
      if (this.nameCredit < fullCredit) this.nameCredit += hitCredit
      return known
    }
    if (this.nameCredit <= 0) {
      if (++this.nameCredit === 0) this.nameCredit = retryCredit
      return this.other
    }
    if (text === "" || text.length > maxKeyLength) return this.other
    if (this.names.size < maxEntries / 8) {
      // A program's own names come first and are few: they cost no credit.
    } else if ((this.nameCredit -= missCost) <= 0) this.nameCredit = pause
    if (this.names.size >= maxEntries) this.names.clear()
    const name = new EncodedName(text, this.write(this.writeName, text))
    this.names.set(text, name)
    return name
  }

  /** The key at position `index` of a span named `name`. */
  key(name: EncodedName, index: number, text: string): EncodedKey {
    const expected = name.keys[index]
    if (expected !== undefined && expected.text === text) return expected
    return this.findKey(name, index, text)
  }

  private findKey(name: EncodedName, index: number, text: string): EncodedKey {
    const key = this.anyKey(text)
    // Positions are filled in order, so the list stays dense.
    if (index <= name.keys.length && index < maxPositions && text.length <= maxKeyLength) name.keys[index] = key
    return key
  }

  /** The key wherever it stands. */
  anyKey(text: string): EncodedKey {
    const known = this.keys.get(text)
    if (known !== undefined) return known
    const key = new EncodedKey(text, this.write(this.writeKey, text))
    if (text.length > maxKeyLength) return key
    if (this.keys.size >= maxEntries) this.keys.clear()
    this.keys.set(text, key)
    return key
  }

  private write(write: (writer: ByteWriter, text: string) => void, text: string): Uint8Array {
    this.scratch.pos = 0
    write(this.scratch, text)
    return this.scratch.bytes.subarray(0, this.scratch.pos)
  }
}
