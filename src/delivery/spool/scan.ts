/** Reads a segment, whatever happened to it. */
import { type Crc32, readRecordHeader, recordHeaderSize, recordMagic } from "./format.ts"

/** A record that is whole. */
export interface SpoolRecord {
  readonly sequence: number
  readonly items: number
  /** Items of all records before it. */
  readonly itemsBefore: number
  /** Milliseconds from the creation of the segment. */
  readonly age: number
  /** A view of the scanned bytes. */
  readonly payload: Uint8Array
}

/** More than any segment has room for: what claims to be of a higher number was never written. */
const maxRecords = 0x200000

/**
 * Finds every record of a segment that is undamaged.
 *
 * **Details**
 *
 * A record whose header is whole and whose payload is not is skipped by its length. Where a header is damaged, the next
 * whole one is searched for. No length is believed before its header's checksum is right, and nothing is allocated by it.
 * Records are told apart by their number, not by where they stand: a stretch of the segment that a disk put into a wrong
 * place costs only what it lies upon. They are returned in the order of their numbers.
 */
export const scan = (bytes: Uint8Array, salt: number, crc32: Crc32): ReadonlyArray<SpoolRecord> => {
  const found = new Map<number, SpoolRecord>()
  let at = 0
  while (at < bytes.length) {
    const header = readRecordHeader(bytes, at, salt, crc32)
    const start = at + recordHeaderSize
    const end = start + (header?.length ?? 0)
    // Cut off, or damaged inside: a whole record may still follow, even inside what the length covers.
    if (
      header === undefined || header.sequence >= maxRecords || end > bytes.length ||
      crc32(bytes.subarray(start, end)) !== header.payloadCrc
    ) {
      at = nextMagic(bytes, at + 1)
      continue
    }
    const { age, items, itemsBefore, sequence } = header
    // Of two with one number, the first counts.
    if (!found.has(sequence)) {
      found.set(sequence, { sequence, items, itemsBefore, age, payload: bytes.subarray(start, end) })
    }
    at = end
  }
  return [...found.values()].sort((a, b) => a.sequence - b.sequence)
}

/**
 * Items of the records that are missing between others, those apart that are `done`. What is missing behind the last is
 * not known.
 */
export const missingItems = (records: ReadonlyArray<SpoolRecord>, done: ReadonlySet<number>): number => {
  let missing = 0
  let next = 0
  let nextItems = 0
  for (const { items, itemsBefore, sequence } of records) {
    let isDone = true
    for (; next < sequence; next++) isDone &&= done.has(next)
    if (!isDone) missing += Math.max(0, itemsBefore - nextItems)
    nextItems = itemsBefore + items
    next = sequence + 1
  }
  return missing
}

const nextMagic = (bytes: Uint8Array, from: number): number => {
  for (let at = bytes.indexOf(recordMagic[0]!, from); at >= 0; at = bytes.indexOf(recordMagic[0]!, at + 1)) {
    if (bytes[at + 1] === recordMagic[1] && bytes[at + 2] === recordMagic[2] && bytes[at + 3] === recordMagic[3]) {
      return at
    }
  }
  return bytes.length
}
