/** The disk of Node, with real files. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { execFileSync, spawn } from "node:child_process"
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { makePrivate, nodeDisk, UnsafePlace } from "../../../src/delivery/spool/disk.ts"
import { temporary } from "../../integration/programs.ts"

const disk = nodeDisk()!

/** The number of the open file of that path. */
const descriptorOf = (path: string): number =>
  Number(
    readdirSync("/proc/self/fd").find((number) => {
      try {
        return readlinkSync(`/proc/self/fd/${number}`) === path
      } catch {
        return false
      }
    })
  )

const isLinux = process.platform === "linux"

describe("a disk", () => {
  it.effect("writes files that their owner alone can read, and nothing over what is there", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      const path = join(directory, "file")
      const file = disk.create(path)
      assert.strictEqual(file.write([Uint8Array.of(1, 2), Uint8Array.of(3)]), 3)
      file.truncate(1)
      file.write([Uint8Array.of(4)])
      yield* Effect.promise(() => file.sync())
      file.close()
      file.close()
      assert.deepStrictEqual([...readFileSync(path)], [1, 4])
      assert.deepStrictEqual([...disk.read(path, 1)], [1])
      assert.strictEqual(statSync(path).mode & 0o777, 0o600)
      assert.throws(() => disk.create(path), /EEXIST/)
      symlinkSync(path, join(directory, "link"))
      assert.throws(() => disk.create(join(directory, "link")))
      assert.throws(() => disk.read(join(directory, "link"), 10))
      assert.throws(() => disk.touch(join(directory, "link")))
      assert.strictEqual(disk.stat(join(directory, "link")).kind, "other")
      yield* Effect.promise(() => disk.syncDirectory(directory))
    }))

  it.effect("throws into nobody's hands when a descriptor cannot be closed", (context) =>
    Effect.gen(function*() {
      if (!isLinux) return context.skip("only Linux tells the number of an open file")
      const directory = yield* temporary
      const path = join(directory, "file")
      const file = disk.create(path)
      const descriptor = descriptorOf(path)
      const syncing = file.sync()
      file.close()
      closeSync(descriptor)
      yield* Effect.promise(() => syncing.catch(() => {}))
      // An exception in a callback would end the process in the next turn.
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }))

  it.effect("does not wait for a pipe that stands in the place of a file", (context) =>
    Effect.gen(function*() {
      if (process.platform === "win32") return context.skip("no pipes with names")
      const directory = yield* temporary
      const [pipe, late] = [join(directory, "pipe"), join(directory, "late")]
      execFileSync("mkfifo", [pipe])
      // Frees whoever waits for the other end of the pipe, in the end.
      const rescuer = yield* rescue(`sleep 4; touch ${late}; : <> ${pipe}`)
      assert.strictEqual(disk.read(pipe, 10).length, 0)
      assert.throws(() => disk.touch(pipe))
      assert.isFalse(existsSync(late))
      rescuer()
    }))
})

const rescue = (script: string): Effect.Effect<() => void, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => spawn("sh", ["-c", script], { stdio: "ignore" })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    ),
    (child) => () => void child.kill("SIGKILL")
  )

describe("a private place", () => {
  const refusal = (directory: string): string => {
    try {
      makePrivate(disk, directory, "v1", "queue")
      return "none"
    } catch (error) {
      return error instanceof UnsafePlace ? error.message : String(error)
    }
  }

  it.effect("is made with all that is above it", () =>
    Effect.gen(function*() {
      const directory = join(yield* temporary, "a", "b")
      assert.strictEqual(makePrivate(disk, directory, "v1", "queue"), join(directory, "v1", "queue"))
      for (const path of [directory, join(directory, "v1"), join(directory, "v1", "queue")]) {
        assert.strictEqual(statSync(path).mode & 0o777, 0o700, path)
      }
      assert.strictEqual(refusal(directory), "none", "it is there by now")
    }))

  it.effect("is none if one of its folders is a link, a file, or open to others", (context) =>
    Effect.gen(function*() {
      if (process.platform === "win32") return context.skip("no permissions of this kind")
      const directory = yield* temporary
      const elsewhere = yield* temporary
      for (const [name, what] of [["", "it"], ["v1", "v1"], ["v1/queue", "queue"]] as const) {
        const path = join(directory, "spool", name)
        mkdirSync(path, { recursive: true, mode: 0o700 })
        chmodSync(path, 0o720)
        assert.strictEqual(refusal(join(directory, "spool")), `others may write into ${what} (mode 720)`)
        rmSync(path, { recursive: true })
        symlinkSync(elsewhere, path)
        assert.strictEqual(refusal(join(directory, "spool")), `${what} is no directory`)
        rmSync(path)
        writeFileSync(path, "")
        assert.match(refusal(join(directory, "spool")), /EEXIST|ENOTDIR/)
        rmSync(path)
      }
      assert.deepStrictEqual(readdirSync(elsewhere), [])
    }))

  it.effect("is none if it belongs to somebody else", (context) =>
    Effect.gen(function*() {
      if (process.getuid?.() !== 0) return context.skip("only root can give a folder away")
      const directory = yield* temporary
      for (const [name, what] of [["", "it"], ["v1", "v1"], ["v1/queue", "queue"]] as const) {
        const path = join(directory, "spool", name)
        mkdirSync(path, { recursive: true, mode: 0o700 })
        chownSync(path, 12_345, 12_345)
        assert.strictEqual(refusal(join(directory, "spool")), `${what} belongs to another user`)
        chownSync(path, 0, 0)
      }
    }))
})
