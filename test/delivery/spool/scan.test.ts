import { assert, describe, it } from "@effect/vitest"
import { crc32 } from "node:zlib"
import { recordHeader, segmentHeader, segmentHeaderSize } from "../../../src/delivery/spool/format.ts"
import { scan } from "../../../src/delivery/spool/scan.ts"
import { seeded } from "./fakeDisk.ts"

const salt = 0xc0ffee

interface Written {
  readonly start: number
  readonly end: number
  readonly items: number
  readonly payload: string
}

/** A segment with records of random payloads, some of which hold whole records of their own. */
const segment = (random: () => number): { readonly bytes: Uint8Array; readonly written: ReadonlyArray<Written> } => {
  const parts: Array<Uint8Array> = [segmentHeader(1_000, salt, crc32)]
  const written: Array<Written> = []
  let at = segmentHeaderSize
  let itemsBefore = 0
  for (let sequence = 0; sequence < 12; sequence++) {
    const items = 1 + Math.floor(random() * 5)
    const payload = new Uint8Array(Math.floor(random() * 400))
    for (let i = 0; i < payload.length; i++) payload[i] = Math.floor(random() * 256)
    if (random() < 0.3) {
      // A record under another salt, as of a segment that stood here before, or of somebody who wants to be read.
      const inner = Uint8Array.of(1, 2, 3)
      const forged = recordHeader({ sequence, items: 1_000, itemsBefore, age: 0 }, inner, salt ^ 1, crc32)
      if (payload.length > forged.length + inner.length) payload.set([...forged, ...inner], 1)
    }
    const header = recordHeader({ sequence, items, itemsBefore, age: sequence }, payload, salt, crc32)
    parts.push(header, payload)
    const end = at + header.length + payload.length
    written.push({ start: at, end, items, payload: Buffer.from(payload).toString("hex") })
    at = end
    itemsBefore += items
  }
  return { bytes: Uint8Array.from(parts.flatMap((part) => [...part])), written }
}

/** Damages `bytes` and tells which stretch. */
const damage = (bytes: Uint8Array, random: () => number): { readonly bytes: Uint8Array; from: number; to: number } => {
  const damaged = Uint8Array.from(bytes)
  const from = Math.floor(random() * bytes.length)
  const kind = Math.floor(random() * 5)
  if (kind === 0) return { bytes: damaged.slice(0, from), from, to: bytes.length }
  const to = Math.min(bytes.length, from + 1 + Math.floor(kind === 1 ? 0 : random() * 600))
  for (let i = from; i < to; i++) {
    damaged[i] = kind === 1
      ? damaged[i]! ^ (1 << Math.floor(random() * 8))
      : kind === 2
      ? 0
      : Math.floor(random() * 256)
  }
  return { bytes: damaged, from, to: kind === 4 ? to : to }
}

describe("a segment", () => {
  it("is read whole", () => {
    const { bytes, written } = segment(seeded(1))
    const { lostBytes, lostItems, records, tornBytes } = scan(bytes, salt, crc32)
    assert.deepStrictEqual(
      records.map(({ payload }) => Buffer.from(payload).toString("hex")),
      written.map((w) => w.payload)
    )
    assert.deepStrictEqual(records.map(({ sequence }) => sequence), written.map((_, i) => i))
    assert.deepStrictEqual([lostBytes, lostItems, tornBytes], [0, 0, 0])
  })

  it("loses to 12,000 damages nothing that is whole, and never gives out what was not written", () => {
    const random = seeded(2)
    for (let round = 0; round < 600; round++) {
      const { bytes, written } = segment(random)
      for (let i = 0; i < 20; i++) {
        const hit = damage(bytes, random)
        const { lostItems, records, tornBytes } = scan(hit.bytes, salt, crc32)
        const found = new Map(records.map((record) => [record.sequence, record]))
        assert.strictEqual(found.size, records.length, `round ${round}: a record came twice`)
        let missing = 0
        let missingAtEnd = 0
        for (const [sequence, { end, items, payload, start }] of written.entries()) {
          const record = found.get(sequence)
          const isWhole = end <= hit.from || (start >= hit.to && end <= hit.bytes.length)
          if (isWhole) assert.isDefined(record, `round ${round}: record ${sequence} is whole and was not found`)
          if (record === undefined) {
            missing += items
            missingAtEnd += items
          } else {
            missingAtEnd = 0
            assert.strictEqual(Buffer.from(record.payload).toString("hex"), payload)
            assert.strictEqual(record.items, items)
          }
        }
        for (const sequence of found.keys()) assert.isBelow(sequence, written.length)
        // What is lost is known from the records around it; behind the last one, that something is torn is known.
        assert.strictEqual(lostItems, missing - missingAtEnd)
        if (missingAtEnd > 0 && hit.bytes.length > (written.at(-1)?.end ?? 0)) assert.isAbove(tornBytes, 0)
      }
    }
  })

  it("reads nothing from what is no segment", () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(5), new Uint8Array(10_000).fill(0xf5)]) {
      assert.deepStrictEqual(scan(bytes, salt, crc32).records, [])
    }
  })

  it("is not misled by a length that was never written", () => {
    const { bytes } = segment(seeded(3))
    const forged = recordHeader({ sequence: 0, items: 1, itemsBefore: 0, age: 0 }, new Uint8Array(0), salt, crc32)
    new DataView(forged.buffer).setUint32(4, 0xffffffff, true)
    bytes.set(forged, segmentHeaderSize)
    const { records } = scan(bytes, salt, crc32)
    assert.isFalse(records.some(({ sequence }) => sequence === 0))
    assert.isTrue(records.length >= 10)
  })
})
