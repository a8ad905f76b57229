/**
 * What a spool asks of a disk. All calls but `sync` run to their end at once: a spool is written while the process is
 * leaving, too. They throw what the system says; a path that is not there is an `ENOENT`.
 */
import type * as Fs from "node:fs"
import { nodeBuiltin } from "../../internal/nodeBuiltin.ts"

/** An open file. */
export interface DiskFile {
  /** Writes all of `parts`, one after the other, at the end, and returns the bytes that were taken: fewer on a full disk. */
  readonly write: (parts: ReadonlyArray<Uint8Array>) => number
  /** Cuts the file off at `size`, where the next write goes. */
  readonly truncate: (size: number) => void
  /** Puts on the medium what was written before the call. */
  readonly sync: () => Promise<void>
  readonly close: () => void
}

/** What a spool needs to know of a path. */
export interface DiskStat {
  readonly kind: "file" | "directory" | "other"
  readonly size: number
  /** Milliseconds by the disk's clock. */
  readonly modified: number
  /** Permission bits, and whether the process owns it; `undefined` where the system has no such thing. */
  readonly mode: number | undefined
  readonly isOwn: boolean | undefined
}

export interface Disk {
  /** Makes a directory that only its owner can enter; what is above it is made, too. */
  readonly makeDirectory: (path: string) => void
  /** Names in a directory. */
  readonly list: (path: string) => ReadonlyArray<string>
  /** Follows no symbolic link. */
  readonly stat: (path: string) => DiskStat
  /** Opens a file that must not exist yet, readable by its owner alone. */
  readonly create: (path: string) => DiskFile
  /** The whole file. Follows no symbolic link, and reads nothing but regular files of at most `maxBytes`. */
  readonly read: (path: string, maxBytes: number) => Uint8Array
  readonly rename: (from: string, to: string) => void
  readonly remove: (path: string) => void
  /** Removes a directory that is empty. */
  readonly removeDirectory: (path: string) => void
  /** Sets the time of modification of a file to now, by the disk's clock. */
  readonly touch: (path: string) => void
  /** Puts the names in a directory on the medium. */
  readonly syncDirectory: (path: string) => Promise<void>
  /** Bytes that may still be written, `Infinity` where that is not known. */
  readonly freeBytes: (path: string) => number
  readonly join: (...parts: ReadonlyArray<string>) => string
}

/** The error code of a failed call, as in `ENOSPC`. */
export const errorCode = (error: unknown): string => {
  const code = typeof error === "object" && error !== null ? (error as { readonly code?: unknown }).code : undefined
  return typeof code === "string" ? code : "EIO"
}

/** Whether a call failed because there is no such path. */
export const isAbsent = (error: unknown): boolean => errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR"

/** A place that others have a hand in: nothing is written there. */
export class UnsafePlace extends Error {
  readonly code = "EPERM"
}

/** Why a call failed, in a word or a sentence. */
export const reasonOf = (error: unknown): string => error instanceof UnsafePlace ? error.message : errorCode(error)

/**
 * Makes `directory` and the folders `below` it, one in the other, and answers the path of the last. Throws what the disk
 * says, and {@link UnsafePlace} where one of them is a link, is another user's, or can be written by others.
 */
export const makePrivate = (disk: Disk, directory: string, ...below: ReadonlyArray<string>): string => {
  let path = directory
  for (const name of ["", ...below]) {
    if (name !== "") path = disk.join(path, name)
    disk.makeDirectory(path)
    const { isOwn, kind, mode } = disk.stat(path)
    const what = name === "" ? "it" : name
    if (kind !== "directory") throw new UnsafePlace(`${what} is no directory`)
    if (isOwn === false) throw new UnsafePlace(`${what} belongs to another user`)
    if (mode !== undefined && (mode & 0o022) !== 0) {
      throw new UnsafePlace(`others may write into ${what} (mode ${mode.toString(8)})`)
    }
  }
  return path
}

const privateDirectory = 0o700
const privateFile = 0o600

class NodeFile implements DiskFile {
  private readonly fs: typeof Fs
  private readonly descriptor: number
  private size = 0
  private isOpen = true
  private syncing = 0

  constructor(fs: typeof Fs, descriptor: number) {
    this.fs = fs
    this.descriptor = descriptor
  }

  write(parts: ReadonlyArray<Uint8Array>): number {
    const written = this.fs.writevSync(this.descriptor, [...parts], this.size)
    this.size += written
    return written
  }

  truncate(size: number): void {
    this.fs.ftruncateSync(this.descriptor, size)
    this.size = size
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.fs.fdatasync(this.descriptor, (error) => {
        this.syncing--
        if (!this.isOpen && this.syncing === 0) closeQuietly(this.fs, this.descriptor)
        if (error === null) resolve()
        else reject(error)
      })
      this.syncing++
    })
  }

  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    // A descriptor that is being synchronised must not be given to another file meanwhile.
    if (this.syncing === 0) this.fs.closeSync(this.descriptor)
  }
}

/** Closes a descriptor in a callback, where nobody would catch what is thrown. */
const closeQuietly = (fs: typeof Fs, descriptor: number): void => {
  try {
    fs.closeSync(descriptor)
  } catch {
    // It is closed all the same.
  }
}

// What a system answers that does not let a directory be opened or synchronised, and does not need it.
const isNoTrouble = (error: unknown): boolean => /^(EACCES|EINVAL|EISDIR|ENOTSUP|EPERM)$/.test(errorCode(error))

/** The disk of Node; `undefined` in a runtime without one. */
export const nodeDisk = (): Disk | undefined => {
  const fs = nodeBuiltin<typeof Fs>("fs")
  const path = nodeBuiltin<typeof import("node:path")>("path")
  if (fs?.writevSync === undefined || path === undefined) return undefined
  // A pipe that somebody put in the place of a file must not hold up the program: it is not waited for.
  const { O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY, O_WRONLY } = fs.constants
  const uid = process.getuid?.()
  return {
    makeDirectory: (directory) => void fs.mkdirSync(directory, { recursive: true, mode: privateDirectory }),
    list: (directory) => fs.readdirSync(directory),
    stat: (name) => {
      const stat = fs.lstatSync(name)
      return {
        kind: stat.isFile() ? "file" : stat.isDirectory() ? "directory" : "other",
        size: stat.size,
        modified: stat.mtimeMs,
        mode: uid === undefined ? undefined : stat.mode & 0o777,
        isOwn: uid === undefined ? undefined : stat.uid === uid
      }
    },
    create: (name) => new NodeFile(fs, fs.openSync(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, privateFile)),
    read: (name, maxBytes) => {
      const descriptor = fs.openSync(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      try {
        const stat = fs.fstatSync(descriptor)
        const size = stat.isFile() ? Math.min(stat.size, maxBytes) : 0
        const bytes = new Uint8Array(size)
        let read = 0
        for (let more = -1; more !== 0 && read < size; read += more) {
          more = fs.readSync(descriptor, bytes, read, size - read, read)
        }
        return bytes.subarray(0, read)
      } finally {
        fs.closeSync(descriptor)
      }
    },
    rename: (from, to) => fs.renameSync(from, to),
    remove: (name) => fs.unlinkSync(name),
    removeDirectory: (directory) => fs.rmdirSync(directory),
    touch: (name) => {
      // Written, not set by `utimes`: it is the disk's clock that counts, which may be another machine's. The same byte
      // again, which a full disk has room for.
      const descriptor = fs.openSync(name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, privateFile)
      try {
        fs.writeSync(descriptor, ".", 0)
      } finally {
        fs.closeSync(descriptor)
      }
    },
    syncDirectory: (directory) =>
      new Promise((resolve, reject) => {
        fs.open(directory, O_RDONLY, (failed, descriptor) => {
          if (failed !== null) return isNoTrouble(failed) ? resolve() : reject(failed)
          fs.fsync(descriptor, (error) => {
            closeQuietly(fs, descriptor)
            if (error === null || isNoTrouble(error)) resolve()
            else reject(error)
          })
        })
      }),
    freeBytes: (directory) => {
      if (fs.statfsSync === undefined) return Infinity
      const { bavail, bsize } = fs.statfsSync(directory)
      return bavail * bsize
    },
    join: path.join
  }
}
