/** A disk in memory that forgets what was not synchronised, fills up, fails, and can be damaged. */
import type { Disk, DiskFile } from "../../../src/delivery/spool/disk.ts"

const failure = (code: string): Error => Object.assign(new Error(`${code}: fake`), { code })

interface FakeFile {
  bytes: Uint8Array
  /** Bytes that a power cut leaves for certain. */
  durable: number
  modified: number
}

/** Random numbers in [0, 1) that a seed decides. */
export const seeded = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 0x100000000
}

export class FakeDisk implements Disk {
  readonly files = new Map<string, FakeFile>()
  readonly directories = new Set<string>(["/"])
  /** By the disk's clock. */
  now = 0
  /** Most bytes of all files. */
  capacity = Infinity
  /** Thrown by every call that changes something. */
  broken: string | undefined = undefined
  /** What the process has open is worth nothing after it died. */
  private era = 0

  private readonly check = (): void => {
    if (this.broken !== undefined) throw failure(this.broken)
  }

  private get used(): number {
    let used = 0
    for (const { bytes } of this.files.values()) used += bytes.length
    return used
  }

  private parentOf(path: string): string {
    return path.slice(0, path.lastIndexOf("/")) || "/"
  }

  makeDirectory = (path: string): void => {
    this.check()
    for (let part = path; part !== "/"; part = this.parentOf(part)) this.directories.add(part)
  }

  list = (path: string): ReadonlyArray<string> => {
    if (!this.directories.has(path)) throw failure("ENOENT")
    return [...this.files.keys(), ...this.directories]
      .filter((name) => name !== path && name !== "/" && this.parentOf(name) === path)
      .map((name) => name.slice(path.length + 1))
  }

  stat: Disk["stat"] = (path) => {
    const file = this.files.get(path)
    if (file === undefined && !this.directories.has(path)) throw failure("ENOENT")
    return {
      kind: file === undefined ? "directory" : "file",
      size: file?.bytes.length ?? 0,
      modified: file?.modified ?? this.now,
      mode: file === undefined ? 0o700 : 0o600,
      isOwn: true
    }
  }

  create = (path: string): DiskFile => {
    this.check()
    if (!this.directories.has(this.parentOf(path))) throw failure("ENOENT")
    if (this.files.has(path)) throw failure("EEXIST")
    const file: FakeFile = { bytes: new Uint8Array(0), durable: 0, modified: this.now }
    this.files.set(path, file)
    const era = this.era
    let isOpen = true
    const open = (): void => {
      if (!isOpen || era !== this.era) throw failure("EBADF")
      this.check()
    }
    return {
      write: (parts) => {
        open()
        const wanted = parts.flatMap((part) => [...part])
        const room = Math.max(0, this.capacity - this.used)
        if (room === 0 && wanted.length > 0) throw failure("ENOSPC")
        const taken = wanted.slice(0, room)
        file.bytes = Uint8Array.from([...file.bytes, ...taken])
        file.modified = this.now
        return taken.length
      },
      truncate: (size) => {
        open()
        file.bytes = file.bytes.slice(0, size)
        file.durable = Math.min(file.durable, size)
      },
      sync: async () => {
        open()
        file.durable = file.bytes.length
      },
      close: () => {
        isOpen = false
      }
    }
  }

  read: Disk["read"] = (path, maxBytes) => {
    const file = this.files.get(path)
    if (file === undefined) throw failure("ENOENT")
    if (this.broken === "EIO") throw failure("EIO")
    return file.bytes.slice(0, maxBytes)
  }

  rename = (from: string, to: string): void => {
    this.check()
    const file = this.files.get(from)
    if (file !== undefined) {
      this.files.delete(from)
      this.files.set(to, file)
      return
    }
    if (!this.directories.has(from)) throw failure("ENOENT")
    const moved = [...this.files].filter(([path]) => path.startsWith(`${from}/`))
    for (const [path, file] of moved) {
      this.files.delete(path)
      this.files.set(to + path.slice(from.length), file)
    }
    this.directories.delete(from)
    this.directories.add(to)
  }

  remove = (path: string): void => {
    this.check()
    if (!this.files.delete(path)) throw failure("ENOENT")
  }

  removeDirectory = (path: string): void => {
    this.check()
    if (this.list(path).length > 0) throw failure("ENOTEMPTY")
    this.directories.delete(path)
  }

  touch = (path: string): void => {
    this.check()
    this.files.set(path, { bytes: new Uint8Array(1), durable: 1, modified: this.now })
  }

  syncDirectory = async (): Promise<void> => {}

  freeBytes = (): number => this.capacity - this.used

  join = (...parts: ReadonlyArray<string>): string => parts.join("/")

  /** The process dies; what it wrote stays. */
  kill(): void {
    this.era++
  }

  /** The power fails: of what was not synchronised, some stays, whole or torn. */
  cutPower(random: () => number): void {
    this.era++
    for (const file of this.files.values()) {
      const kept = file.durable + Math.floor(random() * (file.bytes.length - file.durable + 1))
      file.bytes = file.bytes.slice(0, kept)
    }
  }
}
