/** What once went wrong: each of these tests failed before. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { heartbeat } from "../../../src/delivery/spool/owners.ts"
import { idsOf, limits, range, World } from "./world.ts"

/** Changes the bytes of a file. */
const change = (world: World, path: string, by: (bytes: Uint8Array) => Uint8Array): void => {
  const file = world.disk.files.get(path)!
  file.bytes = by(file.bytes)
}

describe("the books of a spool", () => {
  it.each(["finish", "release"] as const)(
    "hold each record once when the folder is taken over while some are sent, then %s",
    (end) => {
      const world = new World()
      const sleeper = world.start("a")
      for (const id of range(0, 6)) sleeper.write(id, 10, 2)
      const held = sleeper.keeper.take(40)
      assert.deepStrictEqual(idsOf(held), [0, 1])
      const other = world.start("b")
      world.takeOver(other)
      sleeper.keeper.lookAround()
      assert.deepStrictEqual(sleeper.lost, { taken_over: 8 }, "those that are sent are not lost yet")
      if (end === "finish") sleeper.finish(held)
      else sleeper.keeper.release(held)
      assert.deepStrictEqual(sleeper.lost, { taken_over: end === "finish" ? 8 : 12 })
      assert.strictEqual(sleeper.store.items, 0)
      assert.deepStrictEqual(sleeper.drain(), [])
      assert.isTrue(sleeper.write(6))
      assert.deepStrictEqual(sleeper.drain(), [6], "it goes on in a folder of its own")
      assert.includeMembers(other.drain(), range(2, 6))
    }
  )

  it("hold what was written after the folder was taken over or deleted, before the process knew of it", () => {
    for (const how of ["taken over", "deleted", "file deleted"] as const) {
      const world = new World()
      const sleeper = world.start("a")
      sleeper.write(0)
      if (how === "taken over") {
        const other = world.start("b")
        world.takeOver(other)
        assert.deepStrictEqual(other.drain(), [0])
      } else if (how === "deleted") world.disk.deleteTree(sleeper.folder)
      else world.disk.remove(world.files(".seg")[0]!)
      assert.isTrue(sleeper.write(1))
      sleeper.keeper.lookAround()
      assert.deepStrictEqual(sleeper.lost, how === "taken over" ? { taken_over: 1 } : { disk_error: 1 }, how)
      assert.deepStrictEqual(sleeper.drain(), [1], how)
    }
  })

  it("hold what was taken over, and then taken away, once", () => {
    for (const how of ["taken over", "deleted"] as const) {
      const world = new World()
      const dead = world.start()
      for (const id of range(0, 4)) dead.write(id, 10, 2)
      dead.kill()
      const second = world.start()
      assert.deepStrictEqual(idsOf(second.keeper.take(1)), [0])
      if (how === "deleted") world.disk.deleteTree(`${dead.folder}~p2`)
      else {
        // Without its own folder it looks as if it was gone.
        world.disk.deleteTree(second.folder)
        const third = world.start()
        third.keeper.close()
        third.kill()
      }
      second.keeper.lookAround()
      assert.deepStrictEqual(second.lost, how === "deleted" ? { disk_error: 6 } : { taken_over: 6 }, how)
      assert.deepStrictEqual(second.drain(), how === "deleted" ? [] : range(0, 4), how)
      assert.strictEqual(second.store.items, 0)
    }
  })

  it("take no mark of a record that was cut off for that of another", () => {
    const world = new World()
    const first = world.start()
    for (const id of range(0, 3)) first.write(id)
    const records = first.keeper.take(1_000)
    first.finish([records[2]!])
    first.keeper.release(records.slice(0, 2))
    const [path] = world.files(".seg")
    first.kill()
    change(world, path!, (bytes) => bytes.slice(0, bytes.length - 20))
    const second = world.start()
    const [record] = second.keeper.take(1)
    second.finish([record!])
    assert.deepStrictEqual(second.drain(), [1])
  })

  it("know nothing of a record that was refused when it was written, and is on the disk all the same", () => {
    const world = new World()
    const peer = world.start()
    peer.write(0)
    peer.disk.fault = (call) => call === "write" ? "late" : call === "truncate" ? "EIO" : undefined
    assert.isFalse(peer.write(1))
    peer.disk.fault = undefined
    assert.strictEqual(peer.store.items, 1)
    assert.deepStrictEqual(peer.drain(), [0])
    assert.deepStrictEqual(peer.lost, {})
    assert.strictEqual(peer.store.items, 0)
  })

  it("say of what is damaged only what was not delivered before", () => {
    const world = new World()
    const first = world.start()
    for (const id of range(0, 5)) first.write(id, 10, 3)
    const records = first.keeper.take(1_000)
    first.finish(records.slice(0, 2))
    first.kill()
    const [path] = world.files(".seg")
    // The first two records and the fourth, each of 50 bytes behind a header of 24.
    for (const at of [30, 80, 180]) {
      change(world, path!, (bytes) => {
        bytes[at]! ^= 1
        return bytes
      })
    }
    const second = world.start()
    assert.deepStrictEqual(second.drain(), [2, 4])
    assert.deepStrictEqual(second.lost, { corrupt: 3 })
  })

  it("take what is too old out, though nobody sends", () => {
    const world = new World()
    const peer = world.start()
    peer.write(0, 10, 4)
    world.pass(limits.maxAge + heartbeat)
    peer.keeper.lookAround()
    assert.deepStrictEqual(peer.lost, { expired: 4 })
    assert.deepStrictEqual(world.files(".seg"), [])
  })
})

describe("a spool on a disk that fails now and then", () => {
  it("finds what it took over though the folder could not be listed at first", () => {
    const world = new World()
    const first = world.start()
    for (const id of range(0, 3)) first.write(id)
    first.kill()
    const second = world.start()
    assert.deepStrictEqual(second.drain(), range(0, 3))
    second.write(3)
    second.kill()
    const third = world.start("b")
    third.disk.fault = (call, path) => call === "list" && path.includes("~") ? "EIO" : undefined
    world.takeOver(third)
    assert.include(third.troubles, "EIO read")
    assert.deepStrictEqual(third.drain(), [])
    third.disk.fault = undefined
    third.keeper.lookAround()
    assert.deepStrictEqual(third.drain(), [3])
  })

  it("writes and sends what can be, though one file cannot be read, and that one later", () => {
    const world = new World()
    const peer = world.start()
    for (const id of range(0, 12)) peer.write(id, 300)
    const [bad, ...others] = world.files(".seg")
    assert.isAbove(others.length, 1)
    peer.disk.fault = (call, path) => call === "read" && path === bad ? "EIO" : undefined
    const sent = peer.drain()
    assert.deepStrictEqual(sent, range(12 - sent.length, 12))
    assert.isFalse(peer.store.hasPending, "it rests")
    assert.isTrue(peer.write(12))
    assert.deepStrictEqual(peer.drain(), [12])
    peer.disk.fault = undefined
    world.pass(1_000)
    assert.deepStrictEqual(peer.drain(), range(0, 12 - sent.length))
    assert.deepStrictEqual(peer.lost, {})
  })

  it("gives way for others where the oldest can neither be read nor counted", () => {
    const world = new World()
    const peer = world.start()
    for (const id of range(0, 50)) peer.write(id, 200)
    peer.kill()
    const second = world.start()
    second.disk.fault = (call) => call === "read" ? "EIO" : undefined
    for (const id of range(50, 150)) assert.isTrue(second.write(id, 200))
    assert.isAtMost(world.bytes, limits.maxBytes)
  })

  it("takes only the guilty of those that were sent together for poison", () => {
    const world = new World()
    let peer = world.start()
    for (const id of range(0, 4)) peer.write(id)
    const delivered: Array<number> = []
    let deaths = 0
    while (deaths < 10) {
      const records = peer.keeper.take(1_000)
      if (records.length === 0) break
      if (idsOf(records).includes(2)) {
        deaths++
        peer.kill()
        peer = world.start()
        continue
      }
      delivered.push(...idsOf(records))
      peer.finish(records)
    }
    assert.deepStrictEqual(delivered, [0, 1, 3])
    assert.deepStrictEqual(peer.lost, { poison: 1 })
    assert.strictEqual(deaths, 3)
  })

  it("sends alone what was being sent when two processes ended, also where others wait that were not", () => {
    const world = new World()
    const first = world.start()
    for (const id of range(0, 3)) first.write(id)
    assert.deepStrictEqual(idsOf(first.keeper.take(1)), [0])
    first.kill()
    const second = world.start()
    assert.deepStrictEqual(idsOf(second.keeper.take(1_000)), [0, 1, 2])
    second.kill()
    const third = world.start()
    assert.deepStrictEqual(idsOf(third.keeper.take(1_000)), [0])
    assert.deepStrictEqual(idsOf(third.keeper.take(1_000)), [1, 2])
  })

  it.effect("ends a file that the medium did not take, and says so", () =>
    Effect.gen(function*() {
      const world = new World({ isDurable: true })
      const peer = world.start()
      const sync = Effect.promise(() => peer.keeper.sync())
      const synced: Array<string> = []
      peer.write(0)
      assert.isTrue(yield* sync)
      peer.write(1)
      const [bad] = world.files(".seg")
      peer.disk.fault = (call, path) => {
        if (call === "sync") synced.push(path)
        return call === "sync" && path === bad && synced.length === 1 ? "EIO" : undefined
      }
      assert.isFalse(yield* sync)
      assert.deepStrictEqual(peer.troubles, ["EIO synchronised"])
      assert.isFalse(peer.write(2), "it rests")
      world.pass(1_000)
      assert.isTrue(peer.write(3))
      assert.isFalse(yield* sync, "some of what is here may not be on the medium")
      assert.strictEqual(synced.filter((path) => path === bad).length, 1, "it is never asked again: it would lie")
      assert.strictEqual(world.files(".seg").length, 2)
      assert.deepStrictEqual(peer.drain(), [0, 1, 3], "what it holds can be read all the same")
      assert.deepStrictEqual(peer.lost, {})
      assert.isTrue(yield* sync)
      assert.deepStrictEqual(peer.troubles, ["EIO synchronised", "ok"])
    }))

  it.effect("puts the names of its folders on the medium, too, and says where that failed", () =>
    Effect.gen(function*() {
      const world = new World({ isDurable: true })
      const peer = world.start()
      const sync = Effect.promise(() => peer.keeper.sync())
      peer.write(0)
      peer.disk.fault = (call, path) => call === "syncDirectory" && path === "/spool" ? "EIO" : undefined
      assert.isFalse(yield* sync)
      peer.disk.fault = undefined
      assert.isTrue(yield* sync)
      world.cutPower(() => 0)
      const next = world.start()
      world.takeOver(next)
      assert.deepStrictEqual(next.drain(), [0])
    }))

  it("is used as soon as its place can be, though it could not be at the start", () => {
    const world = new World()
    world.disk.makeDirectory("/spool")
    world.disk.plant("/spool/v1")
    const peer = world.start()
    assert.isFalse(peer.write(0))
    assert.isFalse(peer.write(1), "it rests")
    assert.deepStrictEqual(peer.troubles, ["v1 is no directory written", "v1 is no directory written"])
    world.disk.deleteTree("/spool/v1")
    world.pass(heartbeat)
    peer.keeper.lookAround()
    assert.strictEqual(peer.troubles.at(-1), "ok")
    assert.isTrue(peer.write(2))
    assert.deepStrictEqual(peer.drain(), [2])
  })

  it("removes what nobody needs any more from a folder that it took over", () => {
    const world = new World()
    const first = world.start()
    first.write(0)
    const [path] = world.files(".seg")
    for (const name of [path!.replace("seg", "ack.new"), `${first.folder}/0000000009-00000000.ack`]) {
      world.disk.create(name)
    }
    first.kill()
    const second = world.start()
    assert.deepStrictEqual(world.files(".new"), [])
    assert.deepStrictEqual(world.files(".ack"), [])
    assert.deepStrictEqual(second.drain(), [0])
    second.keeper.lookAround()
    assert.isFalse(world.disk.has(`${first.folder}~p2`))
  })

  it("keeps the marks of a file that cannot be deleted, so that nothing is sent again", () => {
    const world = new World()
    const first = world.start()
    for (const id of range(0, 3)) first.write(id)
    first.disk.fault = (call, path) => call === "remove" && path.endsWith(".seg") ? "EACCES" : undefined
    const records = first.keeper.take(1_000)
    first.finish(records.slice(0, 2))
    first.finish(records.slice(2))
    first.kill()
    assert.strictEqual(world.files(".seg").length, 1)
    assert.notInclude(world.start().drain(), 0)
  })

  it("is not led astray by a mark that a full disk took half of", () => {
    const world = new World()
    const peer = world.start()
    for (const id of range(0, 4)) peer.write(id)
    const records = peer.keeper.take(1_000)
    peer.finish([records[0]!])
    world.medium.capacity = [...world.disk.files.values()].reduce((sum, { bytes }) => sum + bytes.length, 5)
    peer.finish([records[1]!])
    world.medium.capacity = Infinity
    peer.finish([records[2]!])
    peer.kill()
    assert.deepStrictEqual(world.start().drain(), [3])
  })

  it("counts the marks, and writes them anew before they are many", () => {
    const world = new World({ limits: { maxBytes: 200_000 } })
    const peer = world.start()
    for (const id of range(0, 4)) peer.write(id)
    for (let tries = 0; tries < 10_000; tries++) peer.keeper.release(peer.keeper.take(1_000))
    assert.strictEqual(peer.store.bytes, world.bytes)
    assert.isBelow(world.bytes, 70_000)
    assert.deepStrictEqual(peer.drain(), range(0, 4))
    assert.strictEqual(peer.store.bytes, 0)
  })

  it("has no more files than it can look after, however small they are", () => {
    const world = new World({ limits: { maxBytes: 100_000_000 } })
    const peer = world.start()
    let written = 0
    for (; written < 4_200; written++) {
      peer.write(written)
      world.clock += limits.maxSegmentAge
      if (written % 100 === 0) assert.isAtMost(world.files(".seg").length, 4_096)
    }
    assert.strictEqual(world.files(".seg").length, 4_096)
    assert.deepStrictEqual(peer.lost, { spool_full: 4_200 - 4_096 })
  })
})
