import { assert, describe, it } from "@effect/vitest"
import { crc32 } from "node:zlib"
import {
  readRecordHeader,
  recordHeader,
  recordHeaderSize,
  segmentHeader,
  segmentHeaderSize
} from "../../../src/delivery/spool/format.ts"
import { missingItems, scan } from "../../../src/delivery/spool/scan.ts"
import { seeded } from "./fakeDisk.ts"

const salt = 0xc0ffee

interface Written {
  readonly start: number
  readonly end: number
  readonly items: number
  readonly payload: string
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** A segment with records of random payloads, some of which hold whole records under another salt. */
const segment = (random: () => number, salted = salt): {
  readonly bytes: Uint8Array
  readonly written: ReadonlyArray<Written>
} => {
  const parts: Array<Uint8Array> = [segmentHeader(1_000, salted, crc32)]
  const written: Array<Written> = []
  let at = segmentHeaderSize
  let itemsBefore = 0
  for (let sequence = 0; sequence < 12; sequence++) {
    const items = 1 + Math.floor(random() * 5)
    const payload = new Uint8Array(Math.floor(random() * 400))
    for (let i = 0; i < payload.length; i++) payload[i] = Math.floor(random() * 256)
    if (random() < 0.3) {
      // A record as of a segment that stood here before, or of somebody who wants to be read: all but the salt is right.
      const inner = Uint8Array.of(1, 2, 3)
      const forged = recordHeader({ sequence, items: 1_000, itemsBefore, age: 0 }, inner, salted ^ 1, crc32)
      if (payload.length > forged.length + inner.length) payload.set([...forged, ...inner], 1)
    }
    const header = recordHeader({ sequence, items, itemsBefore, age: sequence }, payload, salted, crc32)
    parts.push(header, payload)
    const end = at + header.length + payload.length
    written.push({ start: at, end, items, payload: hex(payload) })
    at = end
    itemsBefore += items
  }
  return { bytes: Buffer.concat(parts), written }
}

/** Which of the records stand in `bytes` byte by byte, looked for in the simplest way. */
const standing = (original: Uint8Array, written: ReadonlyArray<Written>, bytes: Uint8Array): ReadonlySet<number> => {
  const whole = new Set<number>()
  for (const [sequence, { end, start }] of written.entries()) {
    if (Buffer.from(bytes).includes(Buffer.from(original.subarray(start, end)))) whole.add(sequence)
  }
  return whole
}

const kinds: ReadonlyArray<
  readonly [string, (bytes: Uint8Array, at: number, length: number, random: () => number) => Uint8Array]
> = [
  ["bit flip", (bytes, at, _, random) => {
    bytes[at]! ^= 1 << Math.floor(random() * 8)
    return bytes
  }],
  ["zeroed page", (bytes, at) => {
    const from = at - at % 512
    return bytes.fill(0, from, from + 512)
  }],
  ["random run", (bytes, at, length, random) => {
    for (let i = at; i < Math.min(bytes.length, at + length); i++) bytes[i] = Math.floor(random() * 256)
    return bytes
  }],
  ["truncation", (bytes, at) => bytes.subarray(0, at)],
  ["zero tail", (bytes, at) => bytes.fill(0, at)],
  ["block written to a wrong place", (bytes, at, length, random) => {
    const from = Math.floor(random() * bytes.length)
    return bytes.copyWithin(at, from, Math.min(from + length, bytes.length))
  }],
  [
    "block doubled",
    (bytes, at, length) =>
      Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at, at + length), bytes.subarray(at + length)])
  ],
  ["block cut out", (bytes, at, length) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])],
  ["block of another segment laid over", (bytes, at, length, random) => {
    const foreign = segment(random, salt ^ 0x5a5a5a5a).bytes
    bytes.set(foreign.subarray(at, Math.min(at + length, foreign.length, bytes.length)), at)
    return bytes
  }],
  ["block of another segment put in", (bytes, at, length, random) => {
    const foreign = segment(random, salt ^ 0x5a5a5a5a).bytes
    return Buffer.concat([bytes.subarray(0, at), foreign.subarray(0, length), bytes.subarray(at)])
  }],
  ["record headers of this salt and of no sense", (bytes, at, _, random) => {
    // As of a writer with a bug: the checksum of the header is right, what it says is not.
    const forged = recordHeader(
      { sequence: Math.floor(random() * 4e9), items: 1, itemsBefore: 0, age: 0 },
      new Uint8Array(0),
      salt,
      crc32
    )
    const view = new DataView(forged.buffer)
    view.setUint32(4, Math.floor(random() * 4e9), true)
    view.setUint32(28, crc32(forged.subarray(0, 28), salt), true)
    bytes.set(forged.subarray(0, bytes.length - at), at)
    return bytes
  }]
]

describe("a segment", () => {
  it("is read whole", () => {
    const { bytes, written } = segment(seeded(1))
    const records = scan(bytes, salt, crc32)
    assert.deepStrictEqual(records.map(({ payload }) => hex(payload)), written.map((w) => w.payload))
    assert.deepStrictEqual(records.map(({ sequence }) => sequence), written.map((_, i) => i))
    assert.strictEqual(missingItems(records, new Set()), 0)
  })

  it("loses to 22,000 damages nothing that is whole, and never gives out what was not written", () => {
    const random = seeded(2)
    const hits = new Map<string, number>()
    let lost = 0
    for (let round = 0; round < 200; round++) {
      const { bytes, written } = segment(random)
      for (let i = 0; i < 110; i++) {
        const [kind, hit] = kinds[i % kinds.length]!
        const at = Math.floor(random() * bytes.length)
        const damaged = hit(Uint8Array.from(bytes), at, 1 + Math.floor(random() * 900), random)
        const say = (text: string): string => `round ${round}, ${kind} at ${at}: ${text}`
        const whole = standing(bytes, written, damaged)
        const records = scan(damaged, salt, crc32)
        assert.deepStrictEqual(
          records.map(({ sequence }) => sequence),
          [...whole].sort((a, b) => a - b),
          say("what is whole is found, once and in order, and nothing else is")
        )
        let missing = 0
        for (const { items, payload, sequence } of records) {
          assert.strictEqual(hex(payload), written[sequence]!.payload, say(`payload of ${sequence}`))
          assert.strictEqual(items, written[sequence]!.items, say(`items of ${sequence}`))
        }
        // What is lost is known from the records around it.
        const last = records.at(-1)?.sequence ?? -1
        for (let sequence = 0; sequence < last; sequence++) {
          if (!whole.has(sequence)) missing += written[sequence]!.items
        }
        assert.strictEqual(missingItems(records, new Set()), missing, say("items that are missing"))
        hits.set(kind, (hits.get(kind) ?? 0) + 1)
        lost += written.length - whole.size
      }
    }
    assert.strictEqual(hits.size, kinds.length)
    for (const [kind, times] of hits) assert.strictEqual(times, 2_000, kind)
    assert.isAbove(lost, 10_000, "the damages damage")
  })

  it("reads nothing from what is no segment", () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(5), new Uint8Array(10_000).fill(0xf5)]) {
      assert.deepStrictEqual(scan(bytes, salt, crc32), [])
    }
  })

  it("holds nothing that a payload only pretends to be, even when the record around it is damaged", () => {
    const inner = Uint8Array.of(1, 2, 3)
    const forged = recordHeader({ sequence: 1, items: 9, itemsBefore: 1, age: 0 }, inner, salt ^ 1, crc32)
    const payload = Buffer.concat([new Uint8Array(10), forged, inner, new Uint8Array(10)])
    const header = recordHeader({ sequence: 0, items: 1, itemsBefore: 0, age: 0 }, payload, salt, crc32)
    const bytes = Buffer.concat([segmentHeader(0, salt, crc32), header, payload])
    assert.isDefined(readRecordHeader(bytes, segmentHeaderSize + recordHeaderSize + 10, salt ^ 1, crc32))
    bytes[bytes.length - 1]! ^= 1
    assert.deepStrictEqual(scan(bytes, salt, crc32), [])
  })

  it("does not count what was delivered before it was damaged as missing", () => {
    const { bytes, written } = segment(seeded(4))
    for (const damaged of [3, 4, 8]) bytes[written[damaged]!.start]! ^= 1
    const records = scan(bytes, salt, crc32)
    const items = (...sequences: ReadonlyArray<number>): number =>
      sequences.reduce((sum, sequence) => sum + written[sequence]!.items, 0)
    assert.strictEqual(missingItems(records, new Set()), items(3, 4, 8))
    assert.strictEqual(missingItems(records, new Set([3, 4])), items(8))
    assert.strictEqual(missingItems(records, new Set([3])), items(3, 4, 8), "which of the two is which is not known")
  })
})
