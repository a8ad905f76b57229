/** The segments of one destination: what this process wrote, and what it took over from others. */
import { errorCode, isAbsent, reasonOf } from "./disk.ts"
import { segmentHeaderSize } from "./format.ts"
import type { SpoolRecord } from "./scan.ts"
import { recordSize, Segment, type SegmentHome } from "./segment.ts"

/** Bounds of a spool. */
export interface StoreLimits {
  /** Most bytes on disk. */
  readonly maxBytes: number
  /** A segment is closed when the next record would make it larger than this. */
  readonly maxSegmentBytes: number
  /** A segment is closed when it is older than this, in milliseconds. */
  readonly maxSegmentAge: number
  /** Records older than this are given up, in milliseconds. */
  readonly maxAge: number
  /** Nothing is written while the disk has less than this free. */
  readonly minFreeBytes: number
}

/** Why items of a spool are given up. */
export type SpoolLoss = "spool_full" | "expired" | "corrupt" | "poison" | "disk_error" | "taken_over"

/** Who is told what becomes of items. */
export interface StoreBooks {
  readonly lost: (reason: SpoolLoss, items: number) => void
  /** Items that another process left are known now. */
  readonly recovered: (items: number) => void
  /** The disk failed, as the code or the sentence says; what could not be done is not tried again for a while. */
  readonly trouble: (code: string, what: "written" | "read" | "synchronised") => void
  /** The content of a record that was given up as `poison`. */
  readonly poisoned: (payload: Uint8Array) => void
  /** The disk takes records again. */
  readonly recoveredDisk: () => void
  /** The own folder is not there: it is to be made anew, and the store told to {@link SpoolStore.abandon}. */
  readonly homeless: () => void
}

/** A record that was written. */
export interface Ticket {
  readonly segment: Segment
  readonly sequence: number
  readonly items: number
}

/** A record that is to be sent again. */
export interface Pending extends Ticket {
  readonly payload: Uint8Array
}

/** How often a record may be sent without an outcome before it is taken for what kills the process. */
const maxTries = 3
/**
 * How long a process must have lived before it sends what may have ended another, for each time that it may have, in
 * milliseconds: processes that are killed young, whatever the reason, accuse nothing.
 */
const probation = 1_000
const firstPause = 1_000
const maxPause = 60_000
/** Most files; beyond, the oldest give way as they do beyond the bound on bytes. */
const maxSegments = 4_096

export class SpoolStore {
  /** Oldest first. */
  private readonly segments: Array<Segment> = []
  private readonly home: SegmentHome
  private readonly folder: string
  private readonly limits: StoreLimits
  private readonly books: StoreBooks
  private readonly random: () => number
  private readonly openedAt: number
  private isHurried = false
  private nextIndex = 0
  private loaded: { readonly segment: Segment; readonly records: Array<SpoolRecord> } | undefined = undefined
  /** Segments whose files are gone, of which somebody is still sending records. */
  private readonly parted = new Map<Segment, SpoolLoss>()
  /** When the disk may be tried again, and how long the next pause is. */
  private brokenUntil = -Infinity
  private pause = firstPause

  constructor(
    home: SegmentHome,
    folder: string,
    limits: StoreLimits,
    books: StoreBooks,
    random: () => number
  ) {
    this.home = home
    this.folder = folder
    this.limits = limits
    this.books = books
    this.random = random
    this.openedAt = home.monotonicMillis()
  }

  /** Bytes on disk. */
  get bytes(): number {
    let bytes = 0
    for (const segment of this.segments) bytes += segment.bytes
    return bytes
  }

  /** Items that are neither delivered nor given up, of segments that have been read. */
  get items(): number {
    let items = 0
    for (const segment of this.segments) items += segment.pendingItems ?? 0
    return items
  }

  /** Whether a record waits to be sent that nobody is sending. */
  get hasPending(): boolean {
    const now = this.home.monotonicMillis()
    return this.segments.some((segment) => segment.restsUntil <= now && this.isPending(segment, now))
  }

  private isPending(segment: Segment, now: number): boolean {
    if (segment.pendingItems === undefined) return true
    let left = segment.written - segment.done.size - segment.held.size
    for (const [sequence, tries] of segment.tried) {
      if (!segment.held.has(sequence) && this.waits(tries, now)) left--
    }
    return left > 0
  }

  /** Whether what was tried so often is not to be tried yet. */
  private waits(tries: number, now: number): boolean {
    return tries > 0 && tries < maxTries && !this.isHurried && now - this.openedAt < tries * probation
  }

  /** What is left is to be sent now, or by another process: nothing waits for this one to become old. */
  hurry(): void {
    this.isHurried = true
  }

  /** Writes a record; `undefined` when it could not be. With `isHeld`, {@link next} does not give it out. */
  append(payload: Uint8Array, items: number, isHeld = false): Ticket | undefined {
    const { home } = this
    const size = recordSize(payload.length)
    const isBroken = this.brokenUntil !== -Infinity
    if (isBroken && home.monotonicMillis() < this.brokenUntil) return undefined
    if (!this.makeRoom(size + segmentHeaderSize)) return undefined
    try {
      const segment = this.openSegment(size)
      if (segment === undefined) return this.fail("ENOSPC", "written")
      const sequence = segment.append(payload, items)
      if (isHeld) segment.held.add(sequence)
      if (isBroken) this.revive()
      return { segment, sequence, items }
    } catch (error) {
      // What was written stays for `next`; no more is written to a file that failed.
      this.segments.at(-1)?.close()
      return this.fail(reasonOf(error), "written")
    }
  }

  /** The disk can be used again. */
  revive(): void {
    this.brokenUntil = -Infinity
    this.pause = firstPause
    this.books.recoveredDisk()
  }

  private fail(code: string, what: "written" | "synchronised"): undefined {
    this.brokenUntil = this.home.monotonicMillis() + this.pause
    this.pause = Math.min(maxPause, this.pause * 2)
    this.books.trouble(code, what)
  }

  private openSegment(size: number): Segment | undefined {
    const { home, limits } = this
    const last = this.segments.at(-1)
    if (last?.isOpen === true) {
      const isFull = last.written > 0 && last.size + size > limits.maxSegmentBytes
      if (isFull || home.monotonicMillis() - last.born >= limits.maxSegmentAge) last.close()
      else if (this.isThere(last)) return last
    }
    try {
      return this.create(size)
    } catch (error) {
      if (!isAbsent(error)) throw error
      this.books.homeless()
      return this.create(size)
    }
  }

  /**
   * Whether what is written to an open segment will be found. A process that was halted may have lost its folder to
   * another, or to somebody who tidied up: then what it wrote would go to nobody.
   */
  private isThere(segment: Segment): boolean {
    try {
      this.home.disk.stat(segment.path)
      return true
    } catch (error) {
      if (!isAbsent(error)) throw error
      this.books.homeless()
      if (this.has(segment)) this.part(segment, "disk_error")
      return false
    }
  }

  private create(size: number): Segment | undefined {
    const { home, limits } = this
    if (home.disk.freeBytes(this.folder) < limits.minFreeBytes + size) return undefined
    const segment = Segment.create(home, this.folder, this.nextIndex++, this.random() * 0x100000000 >>> 0)
    this.segments.push(segment)
    return segment
  }

  private makeRoom(size: number): boolean {
    if (size > this.limits.maxBytes) return false
    while (this.bytes + size > this.limits.maxBytes || this.segments.length >= maxSegments) {
      const oldest = this.segments.find((segment) => segment.held.size === 0 && segment !== this.loaded?.segment) ??
        this.segments.find((segment) => segment.held.size === 0)
      if (oldest === undefined) return false
      this.giveUp(oldest, "spool_full")
    }
    return true
  }

  private giveUp(segment: Segment, reason: SpoolLoss): void {
    segment.close()
    // What it holds must be known to be counted.
    if (segment.pendingItems === undefined) this.read(segment)
    this.books.lost(reason, segment.pendingItems ?? 0)
    this.discard(segment)
  }

  private discard(segment: Segment): void {
    segment.remove()
    const at = this.segments.indexOf(segment)
    if (at >= 0) this.segments.splice(at, 1)
    if (this.loaded?.segment === segment) this.loaded = undefined
  }

  /** Takes over files of another process, oldest first; they are sent before what this one writes. */
  adopt(segments: ReadonlyArray<Segment>): void {
    const own = this.segments.findIndex((segment) => segment.folder === this.folder)
    this.segments.splice(own < 0 ? this.segments.length : own, 0, ...segments)
  }

  /** The oldest records that nobody is sending, of one segment: at least one, and no more than `maxBytes` of them. */
  next(maxBytes: number): ReadonlyArray<Pending> {
    this.expire()
    const now = this.home.monotonicMillis()
    for (const segment of this.segments.slice()) {
      if (segment.isDone) {
        this.discard(segment)
        continue
      }
      if (!this.isPending(segment, now) || segment.restsUntil > now) continue
      const group = this.take(segment, maxBytes)
      if (group.length > 0) return group
    }
    return []
  }

  private take(segment: Segment, maxBytes: number): ReadonlyArray<Pending> {
    if (this.loaded?.segment !== segment || this.loaded.records.length === 0) {
      segment.close()
      const records = this.read(segment)
      if (records === undefined) return []
      this.loaded = { segment, records: [...records] }
    }
    const group: Array<Pending> = []
    const now = this.home.monotonicMillis()
    const { records } = this.loaded
    let bytes = 0
    while (records.length > 0) {
      const { items, payload, sequence } = records[0]!
      const tries = segment.tried.get(sequence) ?? 0
      // What was sent when two processes ended is sent alone, so that the innocent are not taken for poison with the guilty.
      if (group.length > 0 && (tries > 1 || bytes + payload.length > maxBytes)) break
      records.shift()
      if (segment.held.has(sequence) || segment.done.has(sequence) || this.waits(tries, now)) continue
      if (tries >= maxTries) {
        this.books.poisoned(payload)
        this.books.lost("poison", items)
        segment.finish(sequence)
        continue
      }
      segment.held.add(sequence)
      bytes += payload.length
      group.push({ segment, sequence, items, payload })
      if (tries > 1) break
    }
    if (segment.isDone) this.discard(segment)
    return group
  }

  /** Reads a closed segment, and books what is lost of it. */
  private read(segment: Segment): ReadonlyArray<SpoolRecord> | undefined {
    const wasKnown = segment.pendingItems !== undefined
    try {
      const { lostItems, records } = segment.read(maxReadBytes(this.limits))
      if (!wasKnown) this.books.recovered((segment.pendingItems ?? 0) + lostItems)
      if (lostItems > 0) this.books.lost("corrupt", lostItems)
      if (segment.isDone) this.discard(segment)
      return records
    } catch (error) {
      if (isAbsent(error)) this.part(segment, "disk_error")
      else {
        segment.restsUntil = this.home.monotonicMillis() + segment.rest
        segment.rest = Math.min(maxPause, segment.rest * 2)
        this.books.trouble(errorCode(error), "read")
      }
      return undefined
    }
  }

  /** The file is gone. What somebody is sending is not lost before it comes back. */
  private part(segment: Segment, reason: SpoolLoss): void {
    segment.disown()
    this.books.lost(reason, segment.idleItems)
    this.segments.splice(this.segments.indexOf(segment), 1)
    if (this.loaded?.segment === segment) this.loaded = undefined
    if (segment.held.size > 0) this.parted.set(segment, reason)
  }

  /** Gives up what is too old. */
  expire(): void {
    const now = this.home.monotonicMillis()
    for (const segment of this.segments.slice()) {
      if (now - segment.born > this.limits.maxAge && segment.held.size === 0) this.giveUp(segment, "expired")
    }
  }

  /** A record was delivered or given up. */
  finish({ segment, sequence }: Ticket): void {
    segment.finish(sequence)
    if (this.parted.has(segment)) this.forget(segment)
    else if (segment.isDone) this.discard(segment)
  }

  /** A held record was not delivered: {@link next} gives it out again. */
  release({ items, segment, sequence }: Ticket): void {
    const reason = this.parted.get(segment)
    if (reason !== undefined && segment.held.has(sequence)) this.books.lost(reason, items)
    segment.held.delete(sequence)
    if (reason !== undefined) this.forget(segment)
    // It is read anew, in its place.
    if (this.loaded?.segment === segment) this.loaded = undefined
  }

  private forget(segment: Segment): void {
    if (segment.held.size === 0) this.parted.delete(segment)
  }

  /** Whether a segment is still to be delivered or to be deleted. */
  has(segment: Segment): boolean {
    return this.segments.includes(segment)
  }

  /** A folder, the own one if none is given, is gone or another's by now: what was in it is not this spool's any more. */
  abandon(reason: "disk_error" | "taken_over", gone = this.folder): void {
    for (const segment of this.segments.filter(({ folder }) => folder === gone)) this.part(segment, reason)
  }

  /**
   * Puts on the medium what was written; `false` as long as that failed for some of what is still here. Told as trouble
   * once.
   */
  sync(): Promise<boolean> {
    return Promise.all(this.segments.map((segment) => segment.sync())).then(() => {
      let failed: string | undefined
      for (const segment of this.segments) {
        failed ??= segment.syncError
        segment.syncError = undefined
      }
      if (failed !== undefined) this.fail(failed, "synchronised")
      return failed === undefined && !this.segments.some((segment) => segment.isSpoilt && segment.pendingItems !== 0)
    })
  }

  /** Deletes the open segment if everything in it was delivered or given up: a program that is quiet leaves no file. */
  tidy(): void {
    const last = this.segments.at(-1)
    if (last?.isOpen !== true || last.written === 0 || last.done.size < last.written) return
    last.close()
    this.discard(last)
  }

  /** Closes the open segment, so that another process can take it over whole. */
  close(): void {
    for (const segment of this.segments.slice()) {
      segment.close()
      if (segment.isDone) this.discard(segment)
    }
  }
}

// A segment holds at least one record, however large; and one of another process may have had other limits.
const maxReadBytes = (limits: StoreLimits): number => Math.max(limits.maxBytes, limits.maxSegmentBytes) + 0x10000
