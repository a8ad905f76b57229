/**
 * A file that is appended to line by line, rotated by size. Operations run one after another, whoever waits for them.
 */
import type { FileHandle } from "node:fs/promises"

/** The part of `node:fs/promises` that is used. */
export interface FileSystem {
  readonly open: (path: string, flags: string, mode?: number) => Promise<Pick<FileHandle, Handle>>
  readonly rename: (from: string, to: string) => Promise<void>
}

type Handle = "write" | "read" | "stat" | "truncate" | "sync" | "close"

export interface LineFileOptions {
  readonly path: string
  readonly mode: number
  /** Largest size of a file; `Infinity` for no rotation. A line longer than this has a file of its own. */
  readonly maxBytes: number
  /** Files kept, the one written to included. */
  readonly maxFiles: number
}

interface Open {
  readonly handle: Pick<FileHandle, Handle>
  readonly isRegular: boolean
  size: number
  /** The last line was not ended: the next one begins with a line feed. */
  torn: boolean
}

const lineFeed = 0x0a

export class LineFile {
  readonly #fs: FileSystem
  readonly #options: LineFileOptions
  #file: Open | undefined
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(fs: FileSystem, options: LineFileOptions) {
    this.#fs = fs
    this.#options = options
  }

  /** Opens the file, so that what is wrong with the path is known early. */
  open(): Promise<void> {
    return this.#next(async () => {
      await this.#opened()
    })
  }

  /** Writes `line` and a line feed. After a failure the file is opened anew. */
  append(line: Uint8Array): Promise<void> {
    return this.#next(async () => {
      try {
        let file = await this.#opened()
        if (file.isRegular && file.size > 0 && file.size + line.length + 1 > this.#options.maxBytes) {
          file = await this.#rotated(file)
        }
        await write(file, line)
        // Late, but not lost: nobody will close the file again.
        if (this.#closed) await this.#close()
      } catch (error) {
        await this.#close()
        throw error
      }
    })
  }

  /** Asks the system to put everything on the disk, and closes the file. */
  close(): Promise<void> {
    return this.#next(async () => {
      this.#closed = true
      try {
        if (this.#file?.isRegular === true) await this.#file.handle.sync()
      } finally {
        await this.#close()
      }
    })
  }

  #next<A>(operation: () => Promise<A>): Promise<A> {
    const result = this.#last.then(operation)
    this.#last = result.catch(() => {})
    return result
  }

  async #opened(): Promise<Open> {
    if (this.#file !== undefined) return this.#file
    const { mode, path } = this.#options
    const handle = await this.#fs.open(path, "a+", mode)
    try {
      const stat = await handle.stat()
      const isRegular = stat.isFile()
      let torn = false
      if (isRegular && stat.size > 0) {
        const last = new Uint8Array(1)
        await handle.read(last, 0, 1, stat.size - 1)
        torn = last[0] !== lineFeed
      }
      return this.#file = { handle, isRegular, size: stat.size, torn }
    } catch (error) {
      await handle.close().catch(() => {})
      throw error
    }
  }

  async #rotated(file: Open): Promise<Open> {
    this.#file = undefined
    await file.handle.close()
    const { maxFiles, path } = this.#options
    for (let i = maxFiles - 1; i > 0; i--) {
      const from = i === 1 ? path : `${path}.${i - 1}`
      await this.#fs.rename(from, `${path}.${i}`).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error
      })
    }
    const next = await this.#opened()
    // One file only: what it held gives way.
    if (maxFiles <= 1) {
      await next.handle.truncate(0)
      next.size = 0
      next.torn = false
    }
    return next
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    if (file !== undefined) await file.handle.close().catch(() => {})
  }
}

const write = async (file: Open, line: Uint8Array): Promise<void> => {
  const bytes = new Uint8Array(line.length + (file.torn ? 2 : 1))
  if (file.torn) bytes[0] = lineFeed
  bytes.set(line, file.torn ? 1 : 0)
  bytes[bytes.length - 1] = lineFeed
  let written = 0
  try {
    while (written < bytes.length) {
      const { bytesWritten } = await file.handle.write(bytes, written, bytes.length - written)
      if (bytesWritten === 0) throw new Error("the file takes no more bytes")
      written += bytesWritten
    }
    file.size += written
    file.torn = false
  } catch (error) {
    if (written > 0 && file.isRegular) await removeTail(file, written)
    throw error
  }
}

/** Takes back the part of a line, unless somebody else wrote behind it. */
const removeTail = async (file: Open, written: number): Promise<void> => {
  try {
    const { size } = await file.handle.stat()
    if (size === file.size + written) await file.handle.truncate(file.size)
  } catch {
    // The line that follows begins with a line feed then.
  }
}
