/** A disk in memory that forgets what was not synchronised, fills up, fails, and can be damaged. */
import type { Disk, DiskFile } from "../../../src/delivery/spool/disk.ts"

export const failure = (code: string): Error => Object.assign(new Error(`${code}: fake`), { code })

/** A file. What is in `durable` stays for certain when the power fails. */
export interface FakeFile {
  readonly kind: "file"
  bytes: Uint8Array
  durable: Uint8Array
  modified: number
}

interface FakeDirectory {
  readonly kind: "directory"
  modified: number
  readonly entries: Map<string, FakeNode>
  /** Names that are on the medium, and what happened to names since, in order. */
  durable: Map<string, FakeNode>
  log: Array<(entries: Map<string, FakeNode>) => void>
}

interface FakeLink {
  readonly kind: "other"
}

type FakeNode = FakeFile | FakeDirectory | FakeLink

/** A call of {@link Disk}, or of an open file. */
export type Call = keyof Disk | keyof DiskFile

/** Random numbers in [0, 1) that a seed decides. */
export const seeded = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 0x100000000
}

const directory = (modified = 0): FakeDirectory => ({
  kind: "directory",
  modified,
  entries: new Map(),
  durable: new Map(),
  log: []
})

const changing: ReadonlySet<Call> = new Set<Call>([
  "makeDirectory",
  "create",
  "write",
  "truncate",
  "rename",
  "remove",
  "removeDirectory",
  "touch",
  "sync",
  "syncDirectory"
])

/** What the processes share. */
export class Medium {
  readonly root = directory()
  /** By the disk's clock. */
  now = 0
  /** Most bytes of all files. */
  capacity = Infinity
  /** Thrown by every call that changes something; `EIO` by those that read, too. */
  broken: string | undefined = undefined
  /** Counts how often the power failed. */
  era = 0
  /** Files that are open. */
  open = 0
}

/** The disk as one process sees it. */
export class FakeDisk implements Disk {
  readonly medium: Medium
  /** Asked before every call what shall be thrown instead; `"late"` throws `EIO` after a write has had its effect. */
  fault: ((call: Call, path: string) => string | undefined) | undefined = undefined
  private isDead = false
  private readonly born: number

  constructor(medium = new Medium()) {
    this.medium = medium
    this.born = medium.era
  }

  private readonly check = (call: Call, path: string): void => {
    if (this.isOver) throw failure("EBADF")
    const { broken } = this.medium
    if (broken !== undefined && (changing.has(call) || (broken === "EIO" && call === "read"))) throw failure(broken)
    const code = this.fault?.(call, path)
    if (code !== undefined) throw failure(code)
  }

  private get root(): FakeDirectory {
    return this.medium.root
  }

  get now(): number {
    return this.medium.now
  }

  /** Whether this process is no more. */
  get isOver(): boolean {
    return this.isDead || this.medium.era !== this.born
  }

  private find(path: string): FakeNode | undefined {
    let node: FakeNode | undefined = this.root
    for (const name of path.split("/").slice(1)) {
      if (name === "") continue
      if (node?.kind !== "directory") return undefined
      node = node.entries.get(name)
    }
    return node
  }

  private parentOf(path: string): { readonly parent: FakeDirectory; readonly name: string } {
    const cut = path.lastIndexOf("/")
    const parent = this.find(path.slice(0, cut) || "/")
    if (parent?.kind !== "directory") throw failure("ENOENT")
    return { parent, name: path.slice(cut + 1) }
  }

  private change(parent: FakeDirectory, change: (entries: Map<string, FakeNode>) => void): void {
    change(parent.entries)
    parent.modified = this.now
    parent.log.push(change)
  }

  private *walk(node: FakeNode, path: string): Generator<readonly [string, FakeNode]> {
    yield [path, node]
    if (node.kind !== "directory") return
    for (const [name, child] of node.entries) yield* this.walk(child, `${path}/${name}`)
  }

  private get room(): number {
    if (this.medium.capacity === Infinity) return Infinity
    let used = 0
    for (const { bytes } of this.files.values()) used += bytes.length
    return Math.max(0, this.medium.capacity - used)
  }

  /** Every file by its path. */
  get files(): ReadonlyMap<string, FakeFile> {
    const files = new Map<string, FakeFile>()
    for (const [path, node] of this.walk(this.root, "")) if (node.kind === "file") files.set(path, node)
    return files
  }

  has(path: string): boolean {
    return this.find(path) !== undefined
  }

  /** Somebody deletes a directory with all that is in it. */
  deleteTree(path: string): void {
    const { name, parent } = this.parentOf(path)
    this.change(parent, (entries) => entries.delete(name))
  }

  /** Somebody puts a symbolic link there. */
  plant(path: string): void {
    const { name, parent } = this.parentOf(path)
    this.change(parent, (entries) => entries.set(name, { kind: "other" }))
  }

  makeDirectory = (path: string): void => {
    this.check("makeDirectory", path)
    let node: FakeNode = this.root
    for (const name of path.split("/").slice(1)) {
      if (node.kind !== "directory") throw failure("ENOTDIR")
      let next = node.entries.get(name)
      if (next === undefined) {
        const made = next = directory(this.now)
        this.change(node, (entries) => entries.set(name, made))
      }
      node = next
    }
    if (node.kind === "file") throw failure("EEXIST")
  }

  list = (path: string): ReadonlyArray<string> => {
    this.check("list", path)
    const node = this.find(path)
    if (node?.kind !== "directory") throw failure("ENOENT")
    return [...node.entries.keys()]
  }

  stat: Disk["stat"] = (path) => {
    this.check("stat", path)
    const node = this.find(path)
    if (node === undefined) throw failure("ENOENT")
    return {
      kind: node.kind,
      size: node.kind === "file" ? node.bytes.length : 0,
      modified: node.kind === "other" ? 0 : node.modified,
      mode: node.kind === "directory" ? 0o700 : 0o600,
      isOwn: true
    }
  }

  create = (path: string): DiskFile => {
    this.check("create", path)
    const { name, parent } = this.parentOf(path)
    if (parent.entries.has(name)) throw failure("EEXIST")
    const file: FakeFile = {
      kind: "file",
      bytes: new Uint8Array(0),
      durable: new Uint8Array(0),
      modified: this.now
    }
    this.change(parent, (entries) => entries.set(name, file))
    let isOpen = true
    this.medium.open++
    /** Bytes behind this are not written any more: the system has forgotten that they were to be. */
    let forgotten = Infinity
    /** Where the next write goes, whatever somebody else did to the file. */
    let size = 0
    const open = (call: Call): void => {
      if (!isOpen) throw failure("EBADF")
      this.check(call, path)
    }
    return {
      write: (parts) => {
        let late = false
        try {
          open("write")
        } catch (error) {
          if ((error as { code?: string }).code !== "late") throw error
          late = true
        }
        const wanted = parts.reduce((sum, part) => sum + part.length, 0)
        const room = this.room
        if (room === 0 && wanted > 0) throw failure("ENOSPC")
        const taken = Math.min(wanted, room)
        const bytes = new Uint8Array(Math.max(file.bytes.length, size + taken))
        bytes.set(file.bytes)
        let left = taken
        for (const part of parts) {
          bytes.set(part.subarray(0, left), size + taken - left)
          left -= Math.min(left, part.length)
        }
        file.bytes = bytes
        file.modified = this.now
        if (late) throw failure("EIO")
        size += taken
        return taken
      },
      truncate: (to) => {
        open("truncate")
        size = to
        file.bytes = file.bytes.slice(0, to)
        file.durable = file.durable.slice(0, to)
      },
      sync: () => {
        try {
          open("sync")
        } catch (error) {
          forgotten = Math.min(forgotten, file.durable.length)
          return Promise.reject(error)
        }
        const written = file.bytes.slice(0, Math.min(forgotten, file.bytes.length))
        return Promise.resolve().then(() => {
          if (this.isOver) throw failure("EBADF")
          if (written.length > file.durable.length) file.durable = written
        })
      },
      close: () => {
        if (isOpen) this.medium.open--
        isOpen = false
      }
    }
  }

  read: Disk["read"] = (path, maxBytes) => {
    this.check("read", path)
    const node = this.find(path)
    if (node === undefined) throw failure("ENOENT")
    if (node.kind !== "file") throw failure("ELOOP")
    return node.bytes.slice(0, maxBytes)
  }

  rename = (from: string, to: string): void => {
    this.check("rename", from)
    const { name, parent } = this.parentOf(from)
    const target = this.parentOf(to)
    const node = parent.entries.get(name)
    if (node === undefined) throw failure("ENOENT")
    const there = target.parent.entries.get(target.name)
    if (there?.kind === "directory" && there.entries.size > 0) throw failure("ENOTEMPTY")
    this.change(parent, (entries) => {
      entries.delete(name)
      if (target.parent === parent) entries.set(target.name, node)
    })
    if (target.parent !== parent) this.change(target.parent, (entries) => entries.set(target.name, node))
  }

  remove = (path: string): void => {
    this.check("remove", path)
    const { name, parent } = this.parentOf(path)
    const node = parent.entries.get(name)
    if (node === undefined) throw failure("ENOENT")
    if (node.kind === "directory") throw failure("EISDIR")
    this.change(parent, (entries) => entries.delete(name))
  }

  removeDirectory = (path: string): void => {
    this.check("removeDirectory", path)
    const { name, parent } = this.parentOf(path)
    const node = parent.entries.get(name)
    if (node === undefined) throw failure("ENOENT")
    if (node.kind !== "directory") throw failure("ENOTDIR")
    if (node.entries.size > 0) throw failure("ENOTEMPTY")
    this.change(parent, (entries) => entries.delete(name))
  }

  touch = (path: string): void => {
    this.check("touch", path)
    const { name, parent } = this.parentOf(path)
    const node = parent.entries.get(name)
    if (node !== undefined && node.kind !== "file") throw failure("ELOOP")
    if (node !== undefined) node.modified = this.now
    else {
      const file: FakeFile = {
        kind: "file",
        bytes: Uint8Array.of(46),
        durable: new Uint8Array(0),
        modified: this.now
      }
      this.change(parent, (entries) => entries.set(name, file))
    }
  }

  syncDirectory = (path: string): Promise<void> => {
    try {
      this.check("syncDirectory", path)
    } catch (error) {
      return Promise.reject(error)
    }
    const node = this.find(path)
    if (node?.kind !== "directory") return Promise.reject(failure("ENOENT"))
    const entries = new Map(node.entries)
    const known = node.log.length
    return Promise.resolve().then(() => {
      if (this.isOver) throw failure("EBADF")
      node.durable = entries
      node.log = node.log.slice(known)
    })
  }

  freeBytes = (path: string): number => {
    this.check("freeBytes", path)
    if (this.find(path) === undefined) throw failure("ENOENT")
    return this.room
  }

  join = (...parts: ReadonlyArray<string>): string => parts.join("/")

  /** The process dies; what it wrote stays. Nothing that it calls afterwards has an effect. */
  kill(): void {
    this.isDead = true
  }

  /**
   * The power fails. Of what was not synchronised, some stays: of names, what happened to those of one directory up to
   * some moment; of bytes, some, torn or with zeros in between.
   */
  cutPower(random: () => number): void {
    this.medium.era++
    const seen = new Set<FakeNode>()
    const forget = (node: FakeNode): void => {
      if (seen.has(node)) return
      seen.add(node)
      if (node.kind === "file") {
        node.durable = node.durable.slice(0, node.bytes.length)
        const unsure = node.bytes.length - node.durable.length
        const kept = node.durable.length + Math.floor(random() * (unsure + 1))
        const bytes = node.bytes.slice(0, kept)
        bytes.set(node.durable.subarray(0, kept))
        if (random() < 0.3) bytes.fill(0, node.durable.length + Math.floor(random() * (kept - node.durable.length)))
        node.bytes = bytes
        node.durable = bytes.slice()
      }
      if (node.kind !== "directory") return
      const kept = Math.floor(random() * (node.log.length + 1))
      for (const change of node.log.slice(0, kept)) change(node.durable)
      node.log = []
      node.entries.clear()
      for (const [name, child] of node.durable) node.entries.set(name, child)
      node.entries.forEach(forget)
    }
    forget(this.root)
  }
}
