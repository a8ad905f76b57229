/** The records of a process, on a disk that fails. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { idsOf, limits, range, World } from "./world.ts"

describe("a spool", () => {
  it("gives out what was written, once and in order", () => {
    const world = new World()
    const peer = world.start()
    for (const id of range(0, 60)) assert.isTrue(peer.write(id, 200, 2))
    assert.strictEqual(peer.store.items, 120)
    assert.deepStrictEqual(peer.drain(), range(0, 60))
    assert.strictEqual(peer.store.items, 0)
    assert.strictEqual(peer.store.bytes, 0)
    assert.deepStrictEqual([...world.files(".seg"), ...world.files(".ack")], [])
  })

  it("gives out again what came back, in its place", () => {
    const peer = new World().start()
    for (const id of range(0, 5)) peer.write(id)
    const [first, second] = peer.keeper.take(40)
    peer.finish([second!])
    peer.keeper.release([first!])
    assert.deepStrictEqual(peer.drain(), [0, 2, 3, 4])
  })

  it("gives out nothing that somebody holds", () => {
    const peer = new World().start()
    for (const id of range(0, 2)) peer.write(id)
    const held = peer.keeper.take(1)
    assert.deepStrictEqual(idsOf(held), [0])
    assert.deepStrictEqual(peer.drain(), [1])
    assert.isFalse(peer.store.hasPending)
    peer.keeper.release(held)
    assert.deepStrictEqual(peer.drain(), [0])
  })

  it("drops the oldest segment when it is full, and says how much", () => {
    const world = new World()
    const peer = world.start()
    for (const id of range(0, 200)) {
      assert.isTrue(peer.write(id, 200, 3))
      assert.isAtMost(world.bytes, limits.maxBytes)
    }
    const left = peer.drain()
    assert.deepStrictEqual(left, range(200 - left.length, 200))
    assert.isAbove(left.length, 50)
    assert.deepStrictEqual(peer.lost, { spool_full: (200 - left.length) * 3 })
  })

  it("gives up what is too old", () => {
    const world = new World()
    const peer = world.start()
    peer.write(0, 10, 4)
    world.pass(limits.maxAge / 2)
    peer.write(1)
    world.pass(limits.maxAge / 2 + 1)
    assert.deepStrictEqual(peer.drain(), [1])
    assert.deepStrictEqual(peer.lost, { expired: 4 })
  })

  it("takes what a full disk leaves half written away, rests, and goes on", () => {
    const world = new World()
    const peer = world.start()
    peer.write(0)
    const [path] = world.files(".seg")
    const size = world.disk.files.get(path!)!.bytes.length
    world.medium.capacity = [...world.disk.files.values()].reduce((sum, { bytes }) => sum + bytes.length, 20)
    assert.isFalse(peer.write(1, 100))
    assert.strictEqual(world.disk.files.get(path!)!.bytes.length, size, "the half is gone")
    assert.isFalse(peer.write(1, 1), "it rests")
    world.medium.capacity = Infinity
    world.pass(1_000)
    assert.isTrue(peer.write(2, 100))
    assert.deepStrictEqual(peer.troubles, ["ENOSPC written", "ok"])
    assert.deepStrictEqual(peer.drain(), [0, 2])
    assert.deepStrictEqual(peer.lost, {})
  })

  it.effect("has written through what it closed, where power may fail", () =>
    Effect.gen(function*() {
      for (const isDurable of [true, false]) {
        const world = new World({ isDurable })
        const peer = world.start()
        if (isDurable) assert.isTrue(yield* Effect.promise(() => peer.keeper.sync()))
        for (const id of range(0, 40)) peer.write(id, 200)
        yield* Effect.yieldNow
        world.cutPower(() => 0)
        const next = world.start()
        // Who owned the folder is forgotten, too.
        world.takeOver(next)
        const left = next.drain()
        // A segment of 2,000 bytes has room for eight.
        if (isDurable) assert.deepStrictEqual(left, range(0, 32))
        else assert.deepStrictEqual(left, [])
      }
    }))

  it("keeps a reserve of the disk free", () => {
    const world = new World({ limits: { minFreeBytes: 1_000 } })
    const peer = world.start()
    world.medium.capacity = 900
    assert.isFalse(peer.write(0))
    assert.deepStrictEqual(peer.troubles, ["ENOSPC written"])
  })

  it("goes on when its folder is deleted, and counts what was in it", () => {
    const world = new World()
    const peer = world.start()
    for (const id of range(0, 20)) peer.write(id, 200)
    world.disk.deleteTree(peer.folder)
    for (const id of range(20, 40)) peer.write(id, 200)
    const left = peer.drain()
    assert.strictEqual(left.length + peer.lostItems, 40)
    assert.strictEqual(left.at(-1), 39)
  })

  it("puts aside what was sent three times without an outcome, and keeps a copy", () => {
    const world = new World()
    let peer = world.start()
    peer.write(0, 10, 7)
    peer.write(1)
    for (let times = 0; times < 3; times++) {
      assert.deepStrictEqual(idsOf(peer.keeper.take(1)), [0])
      peer.kill()
      peer = world.start()
    }
    assert.deepStrictEqual(peer.drain(), [1])
    assert.deepStrictEqual(peer.lost, { poison: 7 })
    assert.strictEqual(world.files("-poison.pb").length, 1)
  })

  it("is not led astray by processes that are killed young: they do not send what may have ended another", () => {
    const world = new World({ isHurried: false })
    let peer = world.start()
    for (const id of [0, 1, 2]) peer.write(id)
    assert.deepStrictEqual(idsOf(peer.keeper.take(1)), [0])
    for (let times = 0; times < 9; times++) {
      peer.kill()
      peer = world.start()
      world.pass(999)
      // The others pass.
      assert.isTrue(peer.keeper.store.hasPending)
      const others = peer.keeper.take(1_000)
      assert.deepStrictEqual(idsOf(others), [1, 2])
      peer.keeper.release(others)
    }
    peer.kill()
    peer = world.start()
    for (const record of peer.keeper.take(1_000)) peer.keeper.store.finish(record)
    assert.isFalse(peer.keeper.store.hasPending, "what waits does not keep the sender busy")
    world.pass(2_000)
    assert.isTrue(peer.keeper.store.hasPending)
    assert.deepStrictEqual(peer.drain(), [0])
    assert.deepStrictEqual(peer.lost, {})
  })

  it("does not take an outage for poison", () => {
    const world = new World()
    let peer = world.start()
    peer.write(0)
    for (let times = 0; times < 9; times++) {
      peer.keeper.release(peer.keeper.take(1))
      peer.kill()
      peer = world.start()
    }
    assert.deepStrictEqual(peer.drain(), [0])
  })
})
