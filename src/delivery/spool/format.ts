/**
 * How a spool stands on disk. A segment is a file: a header, then records, one behind the other. A record is a header of
 * {@link recordHeaderSize} bytes and a payload, which is a request body (or a part of one) that was encoded before.
 *
 * The checksum of each record header starts from the segment's salt, a random number that stands in the file's name. A
 * payload that holds something like a record, or a stale block of another segment, is thus never taken for one, and a
 * damaged segment header loses nothing but the time of creation.
 *
 * All numbers are little-endian.
 */

/** CRC-32 (IEEE), as `zlib.crc32`; `seed` continues a checksum. */
export type Crc32 = (bytes: Uint8Array, seed?: number) => number

export const segmentHeaderSize = 24
export const recordHeaderSize = 32

const segmentMagic = /* @__PURE__ */ Uint8Array.from("ETSPOOL1", (sign) => sign.charCodeAt(0))
/** Begins every record: no byte of it is found in UTF-8 text. */
export const recordMagic = /* @__PURE__ */ Uint8Array.of(0xf5, 0xe7, 0xc1, 0xfe)

/** What precedes a payload. */
export interface RecordHeader {
  /** Number of the record in its segment, from 0. */
  readonly sequence: number
  /** Spans, log records or points in the payload. */
  readonly items: number
  /** Items of all records before it in the segment: what a gap held is known from it. */
  readonly itemsBefore: number
  /** Milliseconds from the creation of the segment to the writing of the record. */
  readonly age: number
  /** Bytes of the payload. */
  readonly length: number
}

/** A segment's name: position in the order of a spool, and salt. */
export const segmentName = (index: number, salt: number): string =>
  `${String(index).padStart(10, "0")}-${(salt >>> 0).toString(16).padStart(8, "0")}.seg`

/** Index and salt of a name made by {@link segmentName}, `undefined` for any other. */
export const parseSegmentName = (name: string): { readonly index: number; readonly salt: number } | undefined => {
  const match = /^(\d{10,15})-([0-9a-f]{8})\.seg$/.exec(name)
  return match === null ? undefined : { index: Number(match[1]), salt: Number.parseInt(match[2]!, 16) }
}

/** The acknowledgements of a segment. */
export const ackName = (segment: string): string => segment.replace(/\.seg$/, ".ack")

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** The first bytes of a segment; `created` in milliseconds since the Unix epoch. */
export const segmentHeader = (created: number, salt: number, crc32: Crc32): Uint8Array => {
  const bytes = new Uint8Array(segmentHeaderSize)
  bytes.set(segmentMagic)
  const view = viewOf(bytes)
  view.setFloat64(8, created, true)
  view.setUint32(20, crc32(bytes.subarray(0, 20), salt), true)
  return bytes
}

/** The bytes in front of `payload`. */
export const recordHeader = (
  header: Omit<RecordHeader, "length">,
  payload: Uint8Array,
  salt: number,
  crc32: Crc32
): Uint8Array => {
  const bytes = new Uint8Array(recordHeaderSize)
  bytes.set(recordMagic)
  const view = viewOf(bytes)
  view.setUint32(4, payload.length, true)
  view.setUint32(8, header.sequence, true)
  view.setUint32(12, header.items, true)
  view.setUint32(16, header.itemsBefore, true)
  view.setUint32(20, Math.min(Math.max(0, header.age), 0xffffffff), true)
  view.setUint32(24, crc32(payload), true)
  view.setUint32(28, crc32(bytes.subarray(0, 28), salt), true)
  return bytes
}

/** The header at `at`, `undefined` where there is none that is whole. */
export const readRecordHeader = (
  bytes: Uint8Array,
  at: number,
  salt: number,
  crc32: Crc32
): (RecordHeader & { readonly payloadCrc: number }) | undefined => {
  if (at + recordHeaderSize > bytes.length) return undefined
  for (let i = 0; i < recordMagic.length; i++) {
    if (bytes[at + i] !== recordMagic[i]) return undefined
  }
  const head = bytes.subarray(at, at + recordHeaderSize)
  const view = viewOf(head)
  if (view.getUint32(28, true) !== crc32(head.subarray(0, 28), salt)) return undefined
  return {
    length: view.getUint32(4, true),
    sequence: view.getUint32(8, true),
    items: view.getUint32(12, true),
    itemsBefore: view.getUint32(16, true),
    age: view.getUint32(20, true),
    payloadCrc: view.getUint32(24, true)
  }
}

/**
 * What an entry of an acknowledgement file says of a record: it is `done` (delivered or given up); it is about to be
 * sent (`tried`, written before); it was not taken, but an outcome came `back`.
 */
export type Mark = "done" | "tried" | "back"

const markNumbers: { readonly [Kind in Mark]: number } = { done: 1, tried: 2, back: 3 }

export const markSize = 12

/** An entry. */
export const mark = (kind: Mark, sequence: number, salt: number, crc32: Crc32): Uint8Array => {
  const bytes = new Uint8Array(markSize)
  const view = viewOf(bytes)
  view.setUint32(0, markNumbers[kind], true)
  view.setUint32(4, sequence, true)
  view.setUint32(8, crc32(bytes.subarray(0, 8), salt), true)
  return bytes
}

/** What is known of the records of a segment. */
export interface Marks {
  readonly done: Set<number>
  /** How often each was sent without an outcome: more than once, and it may be what kills the process. */
  readonly tried: Map<number, number>
}

/** Reads an acknowledgement file. What is damaged is left out: its records are sent again. */
export const readMarks = (bytes: Uint8Array, salt: number, crc32: Crc32): Marks => {
  const marks: Marks = { done: new Set(), tried: new Map() }
  const view = viewOf(bytes)
  for (let at = 0; at + markSize <= bytes.length; at += markSize) {
    if (view.getUint32(at + 8, true) !== crc32(bytes.subarray(at, at + 8), salt)) continue
    const sequence = view.getUint32(at + 4, true)
    const kind = view.getUint32(at, true)
    if (kind === markNumbers.done) marks.done.add(sequence)
    else if (kind === markNumbers.back) marks.tried.delete(sequence)
    else marks.tried.set(sequence, (marks.tried.get(sequence) ?? 0) + 1)
  }
  return marks
}
