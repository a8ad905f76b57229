import { assert, describe, it } from "@effect/vitest"
import { type FileSystem, LineFile, type LineFileOptions } from "../../src/internal/lineFile.ts"

/** A file system of one file in memory, whose writes take what `take` says, or fail. */
const memory = (take: (call: number, length: number) => number | Error, start = "") => {
  const state = { bytes: [...new TextEncoder().encode(start)], opened: 0, closed: 0, calls: 0, foreign: "" }
  const handle = {
    write: (buffer: Uint8Array, offset: number, length: number) => {
      const taken = take(state.calls++, length)
      if (taken instanceof Error) {
        state.bytes.push(...new TextEncoder().encode(state.foreign))
        return Promise.reject(taken)
      }
      state.bytes.push(...buffer.subarray(offset, offset + taken))
      return Promise.resolve({ bytesWritten: taken, buffer })
    },
    read: (buffer: Uint8Array, offset: number, length: number, position: number) => {
      buffer.set(state.bytes.slice(position, position + length), offset)
      return Promise.resolve({ bytesRead: length, buffer })
    },
    stat: () => Promise.resolve({ size: state.bytes.length, isFile: () => true }),
    truncate: (size: number) => {
      state.bytes.length = size
      return Promise.resolve()
    },
    sync: () => Promise.resolve(),
    close: () => {
      state.closed++
      return Promise.resolve()
    }
  }
  const fs = {
    open: () => {
      state.opened++
      return Promise.resolve(handle)
    },
    rename: () => Promise.resolve()
  } as unknown as FileSystem
  return { fs, state, text: () => new TextDecoder().decode(new Uint8Array(state.bytes)) }
}

const options: LineFileOptions = { path: "/f", mode: 0o600, maxBytes: Infinity, maxFiles: 5 }
const line = (text: string) => new TextEncoder().encode(text)

const failure = async (promise: Promise<void>): Promise<string> => {
  try {
    await promise
  } catch (error) {
    return (error as Error).message
  }
  return assert.fail("did not fail")
}

describe("LineFile", () => {
  it("goes on where a write stopped short", async () => {
    const { fs, text } = memory((_, length) => Math.min(length, 3))
    const file = new LineFile(fs, options)
    await file.append(line("abcdefgh"))
    await file.append(line("ij"))
    assert.strictEqual(text(), "abcdefgh\nij\n")
  })

  it("takes back the part of a line that did not fit, and opens the file anew", async () => {
    const full = new Error("ENOSPC")
    const { fs, state, text } = memory((call, length) => call === 1 ? 4 : call === 2 ? full : length)
    const file = new LineFile(fs, options)
    await file.append(line("first"))
    assert.strictEqual(await failure(file.append(line("second"))), "ENOSPC")
    assert.strictEqual(text(), "first\n")
    assert.deepStrictEqual([state.opened, state.closed], [1, 1])
    await file.append(line("third"))
    assert.strictEqual(text(), "first\nthird\n")
    assert.strictEqual(state.opened, 2)
  })

  it("leaves what somebody else wrote behind it, and begins a new line", async () => {
    const { fs, state, text } = memory((call, length) => call === 0 ? 4 : call === 1 ? new Error("EIO") : length)
    const file = new LineFile(fs, options)
    state.foreign = "theirs"
    await failure(file.append(line("ours")))
    await file.append(line("next"))
    assert.strictEqual(text(), "ourstheirs\nnext\n")
  })

  it("does not wait forever for a file that takes nothing", async () => {
    const { fs } = memory(() => 0)
    assert.include(await failure(new LineFile(fs, options).append(line("x"))), "takes no more bytes")
  })

  it("closes a file that cannot be looked at", async () => {
    const { fs, state } = memory((_, length) => length, "x")
    const broken: FileSystem = {
      ...fs,
      open: async (...args) => ({ ...(await fs.open(...args)), stat: () => Promise.reject(new Error("EIO")) }) as never
    }
    assert.strictEqual(await failure(new LineFile(broken, options).open()), "EIO")
    assert.strictEqual(state.closed, 1)
  })

  it("passes on why a file could not be rotated", async () => {
    const { fs, state } = memory((_, length) => length, "full\n")
    const file = new LineFile({
      ...fs,
      rename: () => Promise.reject(Object.assign(new Error("EACCES"), { code: "EACCES" }))
    }, {
      ...options,
      maxBytes: 6
    })
    assert.strictEqual(await failure(file.append(line("x"))), "EACCES")
    assert.strictEqual(state.opened, state.closed)
  })
})
