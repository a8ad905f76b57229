/** Reads a segment, whatever happened to it. */
import { type Crc32, readRecordHeader, recordHeaderSize, recordMagic, segmentHeaderSize } from "./format.ts"

/** A record that is whole. */
export interface SpoolRecord {
  readonly sequence: number
  readonly items: number
  /** Milliseconds from the creation of the segment. */
  readonly age: number
  /** A view of the scanned bytes. */
  readonly payload: Uint8Array
}

/** What a segment holds. */
export interface Scan {
  /** In the order of writing. */
  readonly records: ReadonlyArray<SpoolRecord>
  /** Items of records that are damaged, as far as the records around them tell. */
  readonly lostItems: number
  /** Damaged bytes, the torn tail apart. */
  readonly lostBytes: number
  /** Bytes behind the last record that is whole: what a crash left half written, or damage. */
  readonly tornBytes: number
}

/**
 * Finds every record of a segment that is undamaged.
 *
 * **Details**
 *
 * A record whose header is whole and whose payload is not is skipped by its length. Where a header is damaged, the next
 * whole one is searched for. No length is believed before its header's checksum is right, and nothing is allocated by it.
 */
export const scan = (bytes: Uint8Array, salt: number, crc32: Crc32): Scan => {
  const records: Array<SpoolRecord> = []
  let lostItems = 0
  let lostBytes = 0
  let nextItems = 0
  /** Where the first byte stands that belongs to no whole record so far. */
  let from = Math.min(segmentHeaderSize, bytes.length)
  let at = from
  while (at < bytes.length) {
    const header = readRecordHeader(bytes, at, salt, crc32)
    // Of two records that claim the same place in the order, the first counts.
    if (header === undefined || header.itemsBefore < nextItems) {
      at = nextMagic(bytes, at + 1)
      continue
    }
    const start = at + recordHeaderSize
    const end = start + header.length
    const payload = bytes.subarray(start, end)
    if (end > bytes.length || crc32(payload) !== header.payloadCrc) {
      // Cut off, or damaged inside: a whole record may still follow, even inside what the length covers.
      at = nextMagic(bytes, at + 1)
      continue
    }
    lostItems += header.itemsBefore - nextItems
    lostBytes += at - from
    nextItems = header.itemsBefore + header.items
    records.push({ sequence: header.sequence, items: header.items, age: header.age, payload })
    at = end
    from = end
  }
  return { records, lostItems, lostBytes, tornBytes: bytes.length - from }
}

const nextMagic = (bytes: Uint8Array, from: number): number => {
  for (let at = bytes.indexOf(recordMagic[0]!, from); at >= 0; at = bytes.indexOf(recordMagic[0]!, at + 1)) {
    if (bytes[at + 1] === recordMagic[1] && bytes[at + 2] === recordMagic[2] && bytes[at + 3] === recordMagic[3]) {
      return at
    }
  }
  return bytes.length
}
