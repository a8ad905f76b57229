/** The records of one process, on a disk that fails. */
import { assert, describe, it } from "@effect/vitest"
import { crc32 } from "node:zlib"
import { parseSegmentName } from "../../../src/delivery/spool/format.ts"
import { Segment } from "../../../src/delivery/spool/segment.ts"
import {
  type Pending,
  type SpoolLoss,
  SpoolStore,
  type StoreLimits,
  } from "../../../src/delivery/spool/store.ts"
import { FakeDisk, seeded } from "./fakeDisk.ts"

const limits: StoreLimits = {
  maxBytes: 20_000,
  maxSegmentBytes: 2_000,
  maxSegmentAge: 10_000,
  maxAge: 3_600_000,
  minFreeBytes: 0
}

/** One process after the other on one disk. */
class World {
  readonly disk = new FakeDisk()
  readonly random: () => number
  clock = 0
  recovered = 0
  readonly lost: { [Reason in SpoolLoss]?: number } = {}
  troubles: Array<string> = []
  private generation = 0
  folder = ""
  store!: SpoolStore

  readonly bounds: StoreLimits
  readonly isDurable: boolean

  constructor(seed: number, bounds = limits, isDurable = false) {
    this.bounds = bounds
    this.isDurable = isDurable
    this.random = seeded(seed)
    this.start()
  }

  /** A process begins and takes over what is there. */
  start(): void {
    const { disk } = this
    const home = {
      disk,
      crc32: (bytes: Uint8Array, seed?: number) => crc32(bytes, seed),
      isDurable: this.isDurable,
      wallMillis: () => this.clock,
      monotonicMillis: () => this.clock
    }
    const before = this.generation === 0 ? [] : disk.list("/spool")
    this.folder = `/spool/${this.generation++}`
    disk.makeDirectory(this.folder)
    this.store = new SpoolStore(home, this.folder, this.bounds, {
      lost: (reason, items) => {
        this.lost[reason] = (this.lost[reason] ?? 0) + items
      },
      recovered: (items) => {
        this.recovered += items
      },
      homeless: () => {
        disk.makeDirectory(this.folder)
        this.store.abandon("disk_error")
      },
      trouble: (code) => this.troubles.push(code),
      recoveredDisk: () => this.troubles.push("ok")
    }, this.random)
    const found = before.flatMap((name) => {
      const folder = `/spool/${name}`
      return disk.list(folder).flatMap((file) => {
        const id = parseSegmentName(file)
        return id === undefined ? [] : [Segment.found(home, folder, file, id, disk.stat(`${folder}/${file}`).size, 0)]
      })
    })
    this.store.adopt(found)
  }

  get lostItems(): number {
    return Object.values(this.lost).reduce((a, b) => a + b, 0)
  }
}

const payloadOf = (id: number, size: number): Uint8Array => {
  const bytes = new Uint8Array(8 + size).fill(id % 251)
  new DataView(bytes.buffer).setFloat64(0, id)
  return bytes
}
const idOf = (payload: Uint8Array): number => new DataView(payload.buffer, payload.byteOffset, 8).getFloat64(0)

const drain = (store: SpoolStore): Array<Pending> => {
  const all: Array<Pending> = []
  for (let group = store.next(4_000); group.length > 0; group = store.next(4_000)) {
    for (const record of group) {
      all.push(record)
      store.finish(record)
    }
  }
  return all
}

describe("a spool", () => {
  it("gives out what was written, once and in order", () => {
    const { disk, store } = new World(1)
    for (let id = 0; id < 60; id++) assert.isDefined(store.append(payloadOf(id, 200), 2)
    assert.strictEqual(store.items, 120)
    assert.deepStrictEqual(drain(store).map(({ payload }) => idOf(payload)), Array.from({ length: 60 }, (_, i) => i))
    assert.strictEqual(store.items, 0)
    assert.strictEqual(store.bytes, 0)
    assert.deepStrictEqual([...disk.files.keys()], [])
  })

  it("gives out again what came back, in its place", () => {
    const { store } = new World(1)
    for (let id = 0; id < 5; id++) store.append(payloadOf(id, 10), 1)
    const [first, second] = store.next(40)
    store.finish(second!)
    store.release(first!)
    assert.deepStrictEqual(drain(store).map(({ payload }) => idOf(payload)), [0, 2, 3, 4])
  })

  it("gives out nothing that somebody holds", () => {
    const { store } = new World(1)
    for (let id = 0; id < 2; id++) store.append(payloadOf(id, 10), 1)
    const [held] = store.next(1)
    assert.deepStrictEqual(drain(store).map(({ payload }) => idOf(payload)), [1])
    assert.isFalse(store.hasPending)
    store.release(held!)
    assert.deepStrictEqual(drain(store).map(({ payload }) => idOf(payload)), [0])
  })

  it("drops the oldest segment when it is full, and says how much", () => {
    const world = new World(1)
    for (let id = 0; id < 200; id++) assert.isDefined(world.store.append(payloadOf(id, 200), 3)
    assert.isAtMost(world.store.bytes, limits.maxBytes)
    const left = drain(world.store).map(({ payload }) => idOf(payload))
    assert.strictEqual(left.at(-1), 199)
    assert.deepStrictEqual(left, Array.from({ length: left.length }, (_, i) => 200 - left.length + i))
    assert.deepStrictEqual(world.lost, { spool_full: (200 - left.length) * 3 })
  })

  it("gives up what is too old", () => {
    const world = new World(1)
    world.store.append(payloadOf(0, 10), 4)
    world.clock += limits.maxAge / 2
    world.store.append(payloadOf(1, 10), 1)
    world.clock += limits.maxAge / 2 + 1
    assert.deepStrictEqual(drain(world.store).map(({ payload }) => idOf(payload)), [1])
    assert.deepStrictEqual(world.lost, { expired: 4 })
  })

  it("takes what a full disk leaves half written away, rests, and goes on", () => {
    const world = new World(1)
    const { disk, store } = world
    store.append(payloadOf(0, 10), 1)
    disk.capacity = 100
    assert.isUndefined(store.append(payloadOf(1, 100), 1)
    assert.isUndefined(store.append(payloadOf(1, 1), 1), "it rests")
    disk.capacity = Infinity
    world.clock += 1_000
    assert.isDefined(store.append(payloadOf(2, 100), 1)
    assert.deepStrictEqual(world.troubles, ["ENOSPC", "ok"])
    assert.deepStrictEqual(drain(store).map(({ payload }) => idOf(payload)), [0, 2])
    assert.deepStrictEqual(world.lost, {})
  })

  it("has written through what it closed, where power may fail", () => {
    for (const isDurable of [true, false]) {
      const world = new World(1, limits, isDurable)
      for (let id = 0; id < 40; id++) world.store.append(payloadOf(id, 200), 1)
      world.disk.cutPower(() => 0)
      world.start()
      const left = drain(world.store).length
      // A segment of 2,000 bytes has room for eight.
      if (isDurable) assert.isAtLeast(left, 32)
      else assert.strictEqual(left, 0)
    }
  })

  it("keeps a reserve of the disk free", () => {
    const world = new World(1, { ...limits, minFreeBytes: 1_000 })
    world.disk.capacity = 900
    assert.isUndefined(world.store.append(payloadOf(0, 10), 1)
    assert.deepStrictEqual(world.troubles, ["ENOSPC"])
  })

  it("goes on when its folder is deleted, and counts what was in it", () => {
    const world = new World(1)
    const { disk, folder, store } = world
    for (let id = 0; id < 20; id++) store.append(payloadOf(id, 200), 1)
    disk.files.clear()
    disk.directories.delete(folder)
    for (let id = 20; id < 40; id++) store.append(payloadOf(id, 200), 1)
    const left = drain(store)
    assert.strictEqual(left.length + world.lostItems, 40)
    assert.strictEqual(left.at(-1) === undefined ? -1 : idOf(left.at(-1)!.payload), 39)
  })

  it("puts aside what was sent three times without an outcome", () => {
    const world = new World(1)
    world.store.append(payloadOf(0, 10), 7)
    world.store.append(payloadOf(1, 10), 1)
    for (let times = 0; times < 3; times++) {
      const [poison] = world.store.next(1)
      assert.strictEqual(idOf(poison!.payload), 0)
      poison!.segment.attempt(poison!.sequence)
      world.disk.kill()
      world.start()
    }
    assert.deepStrictEqual(drain(world.store).map(({ payload }) => idOf(payload)), [1])
    assert.deepStrictEqual(world.lost, { poison: 7 })
  })

  it("does not take an outage for poison", () => {
    const world = new World(1)
    world.store.append(payloadOf(0, 10), 1)
    for (let times = 0; times < 9; times++) {
      const [record] = world.store.next(1)
      record!.segment.attempt(record!.sequence)
      record!.segment.answer(record!.sequence)
      world.disk.kill()
      world.start()
    }
    assert.deepStrictEqual(drain(world.store).map(({ payload }) => idOf(payload)), [0])
  })
})
