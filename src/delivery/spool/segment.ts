/** One file of a spool, and what is known of its records. */
import { type Disk, type DiskFile, errorCode, isAbsent } from "./disk.ts"
import {
  ackName,
  type Crc32,
  type Mark,
  mark,
  markSize,
  readMarks,
  recordHeader,
  recordHeaderSize,
  segmentHeader,
  segmentName
} from "./format.ts"
import { missingItems, scan, type SpoolRecord } from "./scan.ts"

/** What a segment needs of its spool. */
export interface SegmentHome {
  readonly disk: Disk
  readonly crc32: Crc32
  /** Whether what is written shall survive the end of the power. */
  readonly isDurable: boolean
  /** Milliseconds since the Unix epoch. */
  readonly wallMillis: () => number
  /** Milliseconds of a clock that never jumps. */
  readonly monotonicMillis: () => number
}

/** The disk took less than it was given. */
export class ShortWrite extends Error {
  readonly code = "ENOSPC"
}

/** Most bytes of an acknowledgement file that are read: four million entries. */
const maxAckBytes = 48 * 1024 * 1024
/** An acknowledgement file is written anew, without what is outdated, when it has become this much larger. */
const ackGrowth = 64 * 1024

const nothing = /* @__PURE__ */ Promise.resolve()

export class Segment {
  readonly folder: string
  readonly name: string
  readonly index: number
  readonly salt: number
  /** Bytes on disk. */
  size = 0
  /** Records written, those that are damaged included; known of segments that this process wrote or has read. */
  written = 0
  /** Items of records that are not done. Unknown until a segment of another process has been read. */
  pendingItems: number | undefined = undefined
  /** Sequence numbers of records that were delivered or given up. */
  readonly done = new Set<number>()
  /** Records that somebody has in memory and is sending. */
  readonly held = new Set<number>()
  /** How often a record was sent without an outcome, in this process or before it died. */
  readonly tried = new Map<number, number>()
  /** When it was created, by {@link SegmentHome.monotonicMillis}. */
  readonly born: number
  /** Whether some of it may not be on the medium, and never will be for certain. */
  isSpoilt = false
  /** What the disk said when it could not put on the medium what was written, until somebody has heard of it. */
  syncError: string | undefined = undefined
  /** When it may be read again after that failed, and for how long it rests if that fails, too. */
  restsUntil = -Infinity
  rest = 1_000
  private readonly home: SegmentHome
  private readonly items: Array<number> = []
  private itemsBefore = 0
  private file: DiskFile | undefined = undefined
  private acks: DiskFile | undefined = undefined
  private hasAcks = false
  /** Bytes of the acknowledgement file, and when it is to be written anew. */
  private ackSize = 0
  private ackLimit = ackGrowth
  private syncing: Promise<void> = nothing
  private isDirty = false
  private isGone = false

  private constructor(home: SegmentHome, folder: string, name: string, index: number, salt: number, born: number) {
    this.home = home
    this.folder = folder
    this.name = name
    this.index = index
    this.salt = salt
    this.born = born
  }

  /** A new file, open for writing. Throws what the disk says; then nothing is left of it. */
  static create(home: SegmentHome, folder: string, index: number, salt: number): Segment {
    const name = segmentName(index, salt)
    const segment = new Segment(home, folder, name, index, salt, home.monotonicMillis())
    const file = home.disk.create(segment.path)
    segment.file = file
    segment.pendingItems = 0
    try {
      segment.put([segmentHeader(home.wallMillis(), salt, home.crc32)])
    } catch (error) {
      segment.close()
      segment.remove()
      throw error
    }
    if (home.isDurable) segment.follow(home.disk.syncDirectory(folder))
    return segment
  }

  /** A file that another process left. `ageMillis`: how long ago it was last written. */
  static found(
    home: SegmentHome,
    folder: string,
    name: string,
    id: { index: number; salt: number },
    size: number,
    ageMillis: number
  ): Segment {
    const segment = new Segment(home, folder, name, id.index, id.salt, home.monotonicMillis() - ageMillis)
    segment.size = size
    return segment
  }

  get path(): string {
    return this.home.disk.join(this.folder, this.name)
  }

  get isOpen(): boolean {
    return this.file !== undefined
  }

  /** Bytes on disk, those of the acknowledgements included. */
  get bytes(): number {
    return this.size + this.ackSize
  }

  /** Items that are not done, and that nobody is sending. */
  get idleItems(): number {
    let idle = this.pendingItems ?? 0
    for (const sequence of this.held) idle -= this.items[sequence] ?? 0
    return idle
  }

  get isDone(): boolean {
    return !this.isOpen && this.pendingItems !== undefined && this.done.size >= this.written
  }

  /** Appends a record and returns its number. Throws what the disk says, and leaves the file as it was. */
  append(payload: Uint8Array, items: number): number {
    const sequence = this.written
    const age = this.home.monotonicMillis() - this.born
    const header = recordHeader(
      { sequence, items, itemsBefore: this.itemsBefore, age },
      payload,
      this.salt,
      this.home.crc32
    )
    this.put([header, payload])
    this.isDirty = true
    this.written++
    this.itemsBefore += items
    this.items.push(items)
    this.pendingItems = (this.pendingItems ?? 0) + items
    return sequence
  }

  private put(parts: ReadonlyArray<Uint8Array>): void {
    const file = this.file!
    let wanted = 0
    for (const part of parts) wanted += part.length
    let taken: number
    try {
      taken = file.write(parts)
    } catch (error) {
      this.cutOff()
      throw error
    }
    if (taken < wanted) {
      this.cutOff()
      throw new ShortWrite(`the disk took ${taken} of ${wanted} bytes`)
    }
    this.size += wanted
  }

  /** What was half written is taken away, or else no more is written behind it: a reader copes with either. */
  private cutOff(): void {
    try {
      this.file!.truncate(this.size)
    } catch {
      this.close()
    }
  }

  /**
   * Puts on the medium what was written, and waits for what is on its way. Where that fails, the file takes no more
   * records, and {@link syncError} says why.
   */
  sync(): Promise<void> {
    const { file } = this
    if (file !== undefined && this.isDirty && !this.isSpoilt) {
      this.isDirty = false
      this.follow(file.sync())
    }
    return this.syncing
  }

  private follow(work: Promise<void>): void {
    const settled = work.catch((error: unknown) => {
      // The system forgets what it could not write: asked again, it would say that all is well.
      this.isSpoilt = true
      this.syncError = errorCode(error)
      this.close()
    })
    this.syncing = Promise.all([this.syncing, settled]).then(() => {})
  }

  /** No record will be added any more. */
  close(): void {
    if (this.file === undefined) return
    if (this.home.isDurable) void this.sync()
    const { file } = this
    this.file = undefined
    try {
      // It is closed once it is through.
      file.close()
    } catch {
      // Nothing is left to be done with it.
    }
  }

  /** The file is not there any more, or is another process's: nothing is written beside it. */
  disown(): void {
    this.close()
    this.isGone = true
  }

  /**
   * Reads the records that are not done. `lostItems`: those that were there and cannot be read. Throws what the disk says.
   */
  read(maxBytes: number): { readonly records: ReadonlyArray<SpoolRecord>; readonly lostItems: number } {
    const { crc32, disk } = this.home
    const bytes = disk.read(this.path, maxBytes)
    const records = scan(bytes, this.salt, crc32)
    const before = this.pendingItems
    if (before === undefined) {
      this.written = (records.at(-1)?.sequence ?? -1) + 1
      for (const record of records) this.items[record.sequence] = record.items
      this.readAcks()
    }
    const gaps = before === undefined ? missingItems(records, this.done) : 0
    this.forget(records)
    this.pendingItems = this.itemsLeft()
    return {
      // What was refused when it was written, and is there all the same, was never promised.
      records: records.filter(({ sequence }) => sequence < this.written && !this.done.has(sequence)),
      lostItems: before === undefined ? gaps : before - this.pendingItems
    }
  }

  /** Records that cannot be read count as done, unless somebody has them in memory. */
  private forget(records: ReadonlyArray<SpoolRecord>): void {
    const whole = new Set(records.map(({ sequence }) => sequence))
    for (let sequence = 0; sequence < this.written; sequence++) {
      if (!whole.has(sequence) && !this.held.has(sequence)) this.done.add(sequence)
    }
  }

  private itemsLeft(): number {
    let left = 0
    for (let sequence = 0; sequence < this.written; sequence++) {
      if (!this.done.has(sequence)) left += this.items[sequence] ?? 0
    }
    return left
  }

  private readAcks(): void {
    const { crc32, disk } = this.home
    try {
      const bytes = disk.read(this.ackPath, maxAckBytes)
      this.hasAcks = true
      this.ackSize = bytes.length
      const marks = readMarks(bytes, this.salt, crc32)
      // Of a record that is not there any more, an acknowledgement may be left; it counts for no other.
      for (const sequence of marks.done) if (sequence < this.written) this.done.add(sequence)
      for (const [sequence, times] of marks.tried) if (sequence < this.written) this.tried.set(sequence, times)
    } catch (error) {
      // Without it, records are sent again. One that is there gives way to another.
      this.hasAcks = !isAbsent(error)
    }
  }

  private get ackPath(): string {
    return this.home.disk.join(this.folder, ackName(this.name))
  }

  /** Books a record as delivered or given up. */
  finish(sequence: number): void {
    this.held.delete(sequence)
    if (this.done.has(sequence)) return
    this.done.add(sequence)
    this.tried.delete(sequence)
    if (this.pendingItems !== undefined) this.pendingItems -= this.items[sequence] ?? 0
    if (!this.isDone) this.note("done", sequence)
  }

  /** Says before a record is sent that it will be, so that one that kills the process is known afterwards. */
  attempt(sequence: number): void {
    this.tried.set(sequence, (this.tried.get(sequence) ?? 0) + 1)
    this.note("tried", sequence)
  }

  /** Says that what was sent has an outcome, if not the wanted one. */
  answer(sequence: number): void {
    if (this.tried.delete(sequence)) this.note("back", sequence)
  }

  private note(kind: Mark, sequence: number): void {
    if (this.isGone) {
      if (this.acks === undefined) return
    } else if (this.ackSize >= this.ackLimit) this.dropAcks()
    try {
      if (this.acks === undefined) {
        // Never appended to one that is there: what a crash left half written would shift every entry behind it.
        if (this.hasAcks) return this.rewriteAcks()
        this.acks = this.home.disk.create(this.ackPath)
        this.hasAcks = true
      }
      const taken = this.acks!.write([mark(kind, sequence, this.salt, this.home.crc32)])
      this.ackSize += taken
      if (taken < markSize) this.dropAcks()
    } catch {
      this.dropAcks()
    }
  }

  /** Writes everything that is known to a new file, which then takes the place of the old one. */
  private rewriteAcks(): void {
    const { crc32, disk } = this.home
    const fresh = `${this.ackPath}.new`
    try {
      // Left by a process that died before it had its place.
      disk.remove(fresh)
    } catch {
      // There is none.
    }
    this.acks = disk.create(fresh)
    const marks = [...this.done].map((sequence) => mark("done", sequence, this.salt, crc32))
    for (const [sequence, times] of this.tried) {
      for (let i = 0; i < times; i++) marks.push(mark("tried", sequence, this.salt, crc32))
    }
    const size = marks.length * markSize
    if (this.acks.write(marks) < size) throw new ShortWrite("the disk is full")
    disk.rename(fresh, this.ackPath)
    this.ackSize = size
    this.ackLimit = size + ackGrowth
  }

  private dropAcks(): void {
    try {
      this.acks?.close()
    } catch {
      // It is closed, or as good as.
    }
    this.acks = undefined
    try {
      this.home.disk.remove(`${this.ackPath}.new`)
    } catch {
      // It was not there, or has its place.
    }
  }

  /** Deletes the files. What cannot be deleted is found by the next process, and sent again. */
  remove(): void {
    this.close()
    this.dropAcks()
    const { disk } = this.home
    try {
      disk.remove(this.path)
    } catch (error) {
      // As long as the file is there, so is what is known of it.
      if (!isAbsent(error)) return
    }
    try {
      if (this.hasAcks) disk.remove(this.ackPath)
    } catch {
      // Gone already.
    }
  }
}

/** Bytes that a record of `size` bytes takes. */
export const recordSize = (size: number): number => recordHeaderSize + size
