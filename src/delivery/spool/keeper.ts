/** The spool of one destination in one process: its records, its folder, and what it takes over from others. */
import { type Disk, errorCode, reasonOf } from "./disk.ts"
import { parseSegmentName } from "./format.ts"
import { aliveName, type Ownership } from "./owners.ts"
import type { Rejected } from "./rejected.ts"
import { Segment, type SegmentHome } from "./segment.ts"
import { type Pending, SpoolStore, type StoreBooks, type StoreLimits } from "./store.ts"

export interface KeeperOptions {
  readonly home: SegmentHome
  readonly ownership: Ownership
  /** The folder of folders that `ownership` is in, and those above it that the spool made. */
  readonly above: ReadonlyArray<string>
  readonly rejected: Rejected
  readonly limits: StoreLimits
  readonly books: Omit<StoreBooks, "homeless" | "poisoned">
  readonly random: () => number
}

export class Keeper {
  readonly store: SpoolStore
  private readonly options: KeeperOptions
  private readonly disk: Disk
  /** Folders of others by now this one's, with the segments that were found in them; `undefined` before that. */
  private readonly adopted = new Map<string, ReadonlyArray<Segment> | undefined>()
  /** Whether the last look failed. */
  private isOut = false
  /** Puts the names of the folders on the medium, once for each time that they were made. */
  private naming: Promise<boolean> | undefined = undefined

  constructor(options: KeeperOptions) {
    this.options = options
    const { books, home, limits, ownership, random, rejected } = options
    this.disk = home.disk
    this.store = new SpoolStore(home, ownership.folder, limits, {
      ...books,
      homeless: () => this.beat(),
      poisoned: (payload) => void rejected.put(payload, "poison")
    }, random)
  }

  private beat(): void {
    const state = this.options.ownership.beat()
    if (state === "kept") return
    this.naming = undefined
    // Whoever took the folder over sends what was in it.
    this.store.abandon(state === "taken" ? "taken_over" : "disk_error")
  }

  /** What is to be done once in every heartbeat. Never throws. */
  lookAround(): void {
    try {
      this.beat()
      this.missFolders()
      for (const folder of this.options.ownership.adopt()) this.adopted.set(folder, undefined)
      if (this.isOut) this.store.revive()
      this.isOut = false
    } catch (error) {
      this.isOut = true
      this.options.books.trouble(reasonOf(error), "written")
    }
    for (const [folder, segments] of this.adopted) {
      if (segments !== undefined) continue
      try {
        const found = this.segmentsIn(folder)
        this.adopted.set(folder, found)
        this.store.adopt(found)
      } catch (error) {
        // It is this one's already: if not now, it is read at the next look.
        this.options.books.trouble(errorCode(error), "read")
      }
    }
    this.store.expire()
    this.leaveEmpty()
  }

  /** Folders that were taken over from this one while it was thought to be gone, or deleted. */
  private missFolders(): void {
    if (this.adopted.size === 0) return
    const { disk } = this
    const [base = ""] = this.options.above
    const names = disk.list(base)
    for (const folder of this.adopted.keys()) {
      if (names.some((name) => disk.join(base, name) === folder)) continue
      this.adopted.delete(folder)
      const isTaken = names.some((name) => disk.join(base, name).startsWith(folder.replace(/[^~]*$/, "")))
      this.store.abandon(isTaken ? "taken_over" : "disk_error", folder)
    }
  }

  private leaveEmpty(): void {
    for (const [folder, segments] of this.adopted) {
      if (segments?.some((segment) => this.store.has(segment)) !== false) continue
      this.adopted.delete(folder)
      this.options.ownership.leave(folder)
    }
  }

  /** The segments in `folder`, oldest first. What belongs to none of them any more is removed. */
  private segmentsIn(folder: string): ReadonlyArray<Segment> {
    const { disk } = this
    const { home, ownership } = this.options
    const found: Array<Segment> = []
    const names = new Set(disk.list(folder))
    // By the disk's own clock: this was written just now.
    const now = disk.stat(disk.join(ownership.folder, aliveName)).modified
    for (const name of names) {
      const path = disk.join(folder, name)
      const id = parseSegmentName(name)
      try {
        if (id !== undefined) {
          const { kind, modified, size } = disk.stat(path)
          if (kind === "file") found.push(Segment.found(home, folder, name, id, size, Math.max(0, now - modified)))
        } else if (name.endsWith(".ack.new") || (name.endsWith(".ack") && !names.has(name.replace(/ack$/, "seg")))) {
          disk.remove(path)
        }
      } catch {
        // One file that cannot be looked at is left to the next process.
      }
    }
    return found.sort((a, b) => a.index - b.index)
  }

  /** The oldest records, marked as about to be sent. */
  take(maxBytes: number): ReadonlyArray<Pending> {
    const records = this.store.next(maxBytes)
    this.begin(records)
    return records
  }

  /** Marks records as about to be sent. */
  begin(records: ReadonlyArray<Pending>): void {
    for (const { segment, sequence } of records) segment.attempt(sequence)
  }

  /** Says of records that are being sent that it is not they who end the process, if that ends now. */
  clear(records: ReadonlyArray<Pending>): void {
    for (const { segment, sequence } of records) segment.answer(sequence)
  }

  release(records: ReadonlyArray<Pending>): void {
    for (const record of records) {
      record.segment.answer(record.sequence)
      this.store.release(record)
    }
  }

  /** Puts on the medium what was written; `false` where that failed. */
  sync(): Promise<boolean> {
    this.naming ??= Promise.all(this.options.above.map((path) => this.disk.syncDirectory(path))).then(
      () => true,
      (error: unknown) => {
        this.naming = undefined
        this.options.books.trouble(errorCode(error), "synchronised")
        return false
      }
    )
    return Promise.all([this.naming, this.store.sync()]).then(([isNamed, isWritten]) => isNamed && isWritten)
  }

  /** Closes the files. What is left is anybody's at once: without a sign of life, its owner is gone. */
  close(): void {
    this.store.close()
    this.leaveEmpty()
    this.options.ownership.leave(this.options.ownership.folder)
  }
}
