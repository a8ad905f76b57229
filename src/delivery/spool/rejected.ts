/**
 * Copies of what was given up for good, for somebody to look at: request bodies that the destination refused, and such as
 * were being sent whenever the process ended. All processes of a queue put them into one folder, which is bounded.
 */
import type { Disk } from "./disk.ts"
import { rejectedName } from "./owners.ts"

/** Why a body was given up: the status of the refusal, or that it may be what ends the process. */
export type RejectedReason = number | "poison"

/** Most bytes of all copies. */
export const maxRejectedBytes = 8 * 1024 * 1024
/** Most copies: looking through them must not take long. */
export const maxRejectedFiles = 256

/** How a file of copies ends that is being written. */
const partEnd = ".part"
const pattern = /^[0-9a-z]+-\d+-(?:http-\d{3}|poison)\.(?:pb|json|otlp)(?:\.part)?$/

interface Copy {
  readonly name: string
  readonly size: number
  readonly modified: number
}

export class Rejected {
  private readonly disk: Disk
  private readonly base: string
  private readonly id: string
  private readonly extension: "pb" | "json" | "otlp"
  private readonly minFreeBytes: number
  private readonly secure: () => void
  private count = 0
  /** A copy is never changed: it is looked at once. */
  private known = new Map<string, Copy>()

  /** `secure` makes {@link folder}, and throws where that is no safe place. */
  constructor(
    disk: Disk,
    base: string,
    id: string,
    extension: "pb" | "json" | "otlp",
    minFreeBytes: number,
    secure: () => void
  ) {
    this.disk = disk
    this.base = base
    this.id = id
    this.extension = extension
    this.minFreeBytes = minFreeBytes
    this.secure = secure
  }

  /** The folder. */
  get folder(): string {
    return this.disk.join(this.base, rejectedName)
  }

  /** Keeps a copy if that can be done, and answers whether it was; the oldest give way. Never throws. */
  put(body: Uint8Array, reason: RejectedReason): boolean {
    if (body.length > maxRejectedBytes) return false
    const { disk, folder } = this
    let part: string | undefined
    try {
      this.secure()
      if (disk.freeBytes(folder) < this.minFreeBytes + body.length) return false
      this.makeRoom(folder, body.length)
      const number = String(this.count++).padStart(6, "0")
      const why = reason === "poison" ? reason : `http-${String(Math.trunc(reason) % 1_000).padStart(3, "0")}`
      const path = disk.join(folder, `${this.id}-${number}-${why}.${this.extension}`)
      part = path + partEnd
      const file = disk.create(part)
      let taken: number
      try {
        taken = file.write([body])
      } finally {
        file.close()
      }
      // It has its name only when it is whole.
      if (taken === body.length) {
        disk.rename(part, path)
        return true
      }
    } catch {
      // It was to be a help: nothing depends on it.
    }
    if (part !== undefined) this.remove(part)
    return false
  }

  private makeRoom(folder: string, size: number): void {
    const copies = this.copiesIn(folder).sort((a, b) => a.modified - b.modified || (a.name < b.name ? -1 : 1))
    let bytes = size
    for (const copy of copies) bytes += copy.size
    let count = copies.length
    for (const copy of copies) {
      if (bytes <= maxRejectedBytes && count < maxRejectedFiles) return
      this.remove(this.disk.join(folder, copy.name))
      bytes -= copy.size
      count--
    }
  }

  /** The copies that are there; what else is in the folder is somebody's, and left alone. */
  private copiesIn(folder: string): Array<Copy> {
    const copies = new Map<string, Copy>()
    for (const name of this.disk.list(folder)) {
      if (!pattern.test(name)) continue
      try {
        let copy = this.known.get(name)
        if (copy === undefined) {
          const { kind, modified, size } = this.disk.stat(this.disk.join(folder, name))
          if (kind !== "file") continue
          copy = { name, size, modified }
        }
        copies.set(name, copy)
      } catch {
        // Another process removed it meanwhile.
      }
    }
    const all = [...copies.values()]
    for (const name of copies.keys()) if (name.endsWith(partEnd)) copies.delete(name)
    this.known = copies
    return all
  }

  private remove(path: string): void {
    try {
      this.disk.remove(path)
    } catch {
      // Another process was faster.
    }
  }
}
