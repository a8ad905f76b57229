/** Copies of what was given up for good. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makePrivate, nodeDisk } from "../../../src/delivery/spool/disk.ts"
import { maxRejectedBytes, maxRejectedFiles, Rejected } from "../../../src/delivery/spool/rejected.ts"
import { temporary } from "../../integration/programs.ts"
import { FakeDisk } from "./fakeDisk.ts"

const base = "/queue"
const folder = `${base}/rejected`

const make = (disk = new FakeDisk(), id = "me"): { disk: FakeDisk; rejected: Rejected } => {
  disk.makeDirectory(base)
  return { disk, rejected: new Rejected(disk, base, id, "pb", 0, () => void makePrivate(disk, base, "rejected")) }
}

const namesIn = (disk: FakeDisk): ReadonlyArray<string> => [...disk.files.keys()].map((path) => path.slice(7)).sort()

describe("what was rejected", () => {
  it("is kept byte by byte, and its name says why", () => {
    const { disk, rejected } = make()
    assert.isTrue(rejected.put(Uint8Array.of(1, 2, 3), 400))
    assert.isTrue(rejected.put(Uint8Array.of(4), "poison"))
    assert.deepStrictEqual(namesIn(disk), [
      "rejected/me-000000-http-400.pb",
      "rejected/me-000001-poison.pb"
    ])
    assert.deepStrictEqual(disk.files.get(`${folder}/me-000000-http-400.pb`)!.bytes, Uint8Array.of(1, 2, 3))
    assert.strictEqual(disk.medium.open, 0)
  })

  it("is bounded in bytes: the oldest give way, whoever wrote them", () => {
    const { disk, rejected } = make()
    const other = make(disk, "other").rejected
    const third = new Uint8Array(maxRejectedBytes / 3)
    for (let i = 0; i < 3; i++) {
      disk.medium.now += 1_000
      assert.isTrue((i === 0 ? other : rejected).put(third, 400))
    }
    disk.medium.now += 1_000
    rejected.put(Uint8Array.of(1, 2, 3), 422)
    assert.deepStrictEqual(namesIn(disk), [0, 1, 2].map((i) => `rejected/me-00000${i}-http-4${i === 2 ? 22 : "00"}.pb`))
    assert.isFalse(rejected.put(new Uint8Array(maxRejectedBytes + 1), 413))
    assert.strictEqual(disk.files.size, 3)
    assert.isTrue(rejected.put(new Uint8Array(maxRejectedBytes), 413))
    assert.strictEqual(disk.files.size, 1)
  })

  it("is bounded in files", () => {
    const { disk, rejected } = make()
    for (let i = 0; i < maxRejectedFiles + 20; i++) {
      disk.medium.now++
      rejected.put(Uint8Array.of(i), 400)
    }
    assert.strictEqual(disk.files.size, maxRejectedFiles)
    assert.strictEqual(namesIn(disk)[0], "rejected/me-000020-http-400.pb")
  })

  it("counts what a process left half written, and leaves alone what is somebody's", () => {
    const { disk, rejected } = make()
    disk.makeDirectory(folder)
    const left = disk.create(`${folder}/dead-000000-http-400.pb.part`)
    left.write([new Uint8Array(maxRejectedBytes)])
    disk.create(`${folder}/notes.txt`).write([new Uint8Array(maxRejectedBytes)])
    disk.medium.now = 1
    assert.isTrue(rejected.put(Uint8Array.of(1), 400))
    assert.deepStrictEqual(namesIn(disk), ["rejected/me-000000-http-400.pb", "rejected/notes.txt"])
  })

  it.each(["makeDirectory", "list", "create", "write", "rename", "freeBytes"] as const)(
    "is not kept where the disk fails to %s, and nobody is harmed",
    (broken) => {
      const { disk, rejected } = make()
      disk.fault = (call) => call === broken ? "EIO" : undefined
      assert.isFalse(rejected.put(Uint8Array.of(1), 400))
      assert.deepStrictEqual(namesIn(disk), [])
      assert.strictEqual(disk.medium.open, 0)
      disk.fault = undefined
      assert.isTrue(rejected.put(Uint8Array.of(1), 400))
    }
  )

  it("is not kept where there is no room", () => {
    const { disk, rejected } = make()
    assert.isTrue(rejected.put(Uint8Array.of(1, 2), 400))
    disk.medium.capacity = 5
    assert.isFalse(rejected.put(Uint8Array.of(1, 2, 3, 4), 400))
    assert.strictEqual(disk.files.size, 1)
    const reserved = new Rejected(disk, base, "me2", "pb", 10, () => void makePrivate(disk, base, "rejected"))
    assert.isFalse(reserved.put(Uint8Array.of(1), 400))
  })

  it.effect("is its owner's alone, and goes nowhere else", () =>
    Effect.gen(function*() {
      const disk = nodeDisk()!
      const directory = yield* temporary
      const rejected = new Rejected(
        disk,
        directory,
        "me",
        "json",
        0,
        () => void makePrivate(disk, directory, "rejected")
      )
      assert.isTrue(rejected.put(Uint8Array.of(123, 125), 400))
      const path = join(rejected.folder, "me-000000-http-400.json")
      assert.strictEqual(readFileSync(path, "utf8"), "{}")
      assert.strictEqual(statSync(path).mode & 0o777, 0o600)
      assert.strictEqual(statSync(rejected.folder).mode & 0o777, 0o700)
      const elsewhere = yield* temporary
      const other = join(directory, "other")
      mkdirSync(other)
      symlinkSync(elsewhere, join(other, "rejected"))
      assert.isFalse(
        new Rejected(disk, other, "me", "json", 0, () => void makePrivate(disk, other, "rejected")).put(
          Uint8Array.of(1),
          400
        )
      )
      assert.deepStrictEqual(readdirSync(elsewhere), [])
      const third = join(directory, "third")
      mkdirSync(third)
      writeFileSync(join(third, "rejected"), "")
      assert.isFalse(
        new Rejected(disk, third, "me", "json", 0, () => void makePrivate(disk, third, "rejected")).put(
          Uint8Array.of(1),
          400
        )
      )
    }))
})
