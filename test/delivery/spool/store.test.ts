/** The spool against a model, on a disk that forgets. */
import { assert, describe, it } from "@effect/vitest"
import { crc32 } from "node:zlib"
import { parseSegmentName } from "../../../src/delivery/spool/format.ts"
import { Segment } from "../../../src/delivery/spool/segment.ts"
import {
  type Pending,
  type SpoolLoss,
  SpoolStore,
  type StoreLimits,
  type Ticket
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
    for (let id = 0; id < 60; id++) assert.isDefined(store.append(payloadOf(id, 200), 2, false))
    assert.strictEqual(store.items, 120)
    assert.deepStrictEqual(drain(store).map(({ payload }) => idOf(payload)), Array.from({ length: 60 }, (_, i) => i))
    assert.strictEqual(store.items, 0)
    assert.strictEqual(store.bytes, 0)
    assert.deepStrictEqual([...disk.files.keys()], [])
  })

  it("gives out again what came back, in its place", () => {
    const { store } = new World(1)
    for (let id = 0; id < 5; id++) store.append(payloadOf(id, 10), 1, false)
    const [first, second] = store.next(40)
    store.finish(second!)
    store.release(first!)
    assert.deepStrictEqual(drain(store).map(({ payload }) => idOf(payload)), [0, 2, 3, 4])
  })

  it("gives out nothing that somebody holds", () => {
    const { store } = new World(1)
    const held = store.append(payloadOf(0, 10), 1, true)!
    store.append(payloadOf(1, 10), 1, false)
    assert.deepStrictEqual(drain(store).map(({ payload }) => idOf(payload)), [1])
    assert.isFalse(store.hasPending)
    store.release(held)
    assert.deepStrictEqual(drain(store).map(({ payload }) => idOf(payload)), [0])
  })

  it("drops the oldest segment when it is full, and says how much", () => {
    const world = new World(1)
    for (let id = 0; id < 200; id++) assert.isDefined(world.store.append(payloadOf(id, 200), 3, false))
    assert.isAtMost(world.store.bytes, limits.maxBytes)
    const left = drain(world.store).map(({ payload }) => idOf(payload))
    assert.strictEqual(left.at(-1), 199)
    assert.deepStrictEqual(left, Array.from({ length: left.length }, (_, i) => 200 - left.length + i))
    assert.deepStrictEqual(world.lost, { spool_full: (200 - left.length) * 3 })
  })

  it("gives up what is too old", () => {
    const world = new World(1)
    world.store.append(payloadOf(0, 10), 4, false)
    world.clock += limits.maxAge / 2
    world.store.append(payloadOf(1, 10), 1, false)
    world.clock += limits.maxAge / 2 + 1
    assert.deepStrictEqual(drain(world.store).map(({ payload }) => idOf(payload)), [1])
    assert.deepStrictEqual(world.lost, { expired: 4 })
  })

  it("takes what a full disk leaves half written away, rests, and goes on", () => {
    const world = new World(1)
    const { disk, store } = world
    store.append(payloadOf(0, 10), 1, false)
    disk.capacity = 100
    assert.isUndefined(store.append(payloadOf(1, 100), 1, false))
    assert.isUndefined(store.append(payloadOf(1, 1), 1, false), "it rests")
    disk.capacity = Infinity
    world.clock += 1_000
    assert.isDefined(store.append(payloadOf(2, 100), 1, false))
    assert.deepStrictEqual(world.troubles, ["ENOSPC", "ok"])
    assert.deepStrictEqual(drain(store).map(({ payload }) => idOf(payload)), [0, 2])
    assert.deepStrictEqual(world.lost, {})
  })

  it("has written through what it closed, where power may fail", () => {
    for (const isDurable of [true, false]) {
      const world = new World(1, limits, isDurable)
      for (let id = 0; id < 40; id++) world.store.append(payloadOf(id, 200), 1, false)
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
    assert.isUndefined(world.store.append(payloadOf(0, 10), 1, false))
    assert.deepStrictEqual(world.troubles, ["ENOSPC"])
  })

  it("goes on when its folder is deleted, and counts what was in it", () => {
    const world = new World(1)
    const { disk, folder, store } = world
    for (let id = 0; id < 20; id++) store.append(payloadOf(id, 200), 1, false)
    disk.files.clear()
    disk.directories.delete(folder)
    for (let id = 20; id < 40; id++) store.append(payloadOf(id, 200), 1, false)
    const left = drain(store)
    assert.strictEqual(left.length + world.lostItems, 40)
    assert.strictEqual(left.at(-1) === undefined ? -1 : idOf(left.at(-1)!.payload), 39)
  })

  it("puts aside what was sent three times without an outcome", () => {
    const world = new World(1)
    world.store.append(payloadOf(0, 10), 7, false)
    world.store.append(payloadOf(1, 10), 1, false)
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
    world.store.append(payloadOf(0, 10), 1, false)
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

describe("the model of a spool", () => {
  /** What the model knows of a record. */
  interface Known {
    readonly items: number
    state: "stored" | "held" | "out" | "finished"
    ticket: Ticket | undefined
    /** May be missing: the disk was damaged, forgot it, or the spool gave it up. */
    uncertain: boolean
    finishedIn: number
  }

  const run = (seed: number, withDamage: boolean): void => {
    const world = new World(seed)
    const { disk, random } = world
    const known = new Map<number, Known>()
    let nextId = 1
    let damaged = false
    /** A disk that took no marks gives out again what was delivered, but only to the next process. */
    let troubled = false
    let process = 0
    const say = (text: string): string => `seed ${seed}: ${text}`
    const pick = (state: Known["state"]): [number, Known] | undefined => {
      const all = [...known].filter(([, record]) => record.state === state)
      return all[Math.floor(random() * all.length)]
    }
    const give = (group: ReadonlyArray<Pending>): void => {
      for (const record of group) {
        const id = idOf(record.payload)
        const model = known.get(id)
        assert.isDefined(model, say(`record ${id} was never written`))
        assert.strictEqual(record.items, model!.items, say(`items of ${id}`))
        assert.deepStrictEqual(record.payload, payloadOf(id, record.payload.length - 8), say(`payload of ${id}`))
        if (model!.state === "finished" && (damaged || troubled) && model!.finishedIn < process) {
          model!.state = "stored"
        }
        assert.strictEqual(model!.state, "stored", say(`record ${id} was given out`))
        model!.state = "out"
        model!.ticket = record
      }
    }
    const restart = (): void => {
      disk.broken = undefined
      process++
      world.start()
      for (const record of known.values()) {
        if (record.state === "held" || record.state === "out") record.state = "stored"
        record.ticket = undefined
      }
    }
    for (let step = 0; step < 150; step++) {
      const { store } = world
      world.clock += Math.floor(random() * 3_000)
      const dice = random()
      const before = { ...world.lost }
      if (dice < 0.45) {
        const hold = random() < 0.3
        const items = 1 + Math.floor(random() * 9)
        const ticket = store.append(payloadOf(nextId, Math.floor(random() * 300)), items, hold)
        if (ticket !== undefined) {
          known.set(nextId, { items, state: hold ? "held" : "stored", ticket, uncertain: false, finishedIn: 0 })
        } else assert.isAbove(world.troubles.length, 0, say("a record was refused without trouble"))
        nextId++
      } else if (dice < 0.6) give(store.next(Math.floor(random() * 1_000)))
      else if (dice < 0.8) {
        const picked = pick(random() < 0.5 ? "out" : "held")
        if (picked !== undefined) {
          const [, record] = picked
          if (random() < 0.7) {
            record.state = "finished"
            record.finishedIn = process
            store.finish(record.ticket!)
          } else {
            record.state = "stored"
            store.release(record.ticket!)
          }
        }
      } else if (dice < 0.86) {
        disk.kill()
        restart()
      } else if (dice < 0.91) {
        troubled = true
        if (dice < 0.89) disk.capacity = random() < 0.5 ? 0 : Infinity
        else disk.broken = random() < 0.5 ? "EIO" : undefined
      } else if (withDamage && dice < 0.95) {
        damaged = true
        const files = [...disk.files.values()].filter(({ bytes }) => bytes.length > 0)
        const file = files[Math.floor(random() * files.length)]
        if (file !== undefined) {
          const at = Math.floor(random() * file.bytes.length)
          if (random() < 0.5) file.bytes = file.bytes.slice(0, at)
          else file.bytes[at]! ^= 1 << Math.floor(random() * 8)
          for (const record of known.values()) record.uncertain = true
        }
      } else if (withDamage && dice < 0.97) {
        damaged = true
        disk.cutPower(random)
        restart()
        for (const record of known.values()) record.uncertain = true
      }
      if ((world.lost.spool_full ?? 0) !== (before.spool_full ?? 0)) {
        // The spool chose; the model only knows that somebody is missing.
        for (const record of known.values()) if (record.state === "stored") record.uncertain = true
      }
      if (!damaged) {
        const lost = Object.keys(world.lost).filter((reason) =>
          reason !== "spool_full" && world.lost[reason as SpoolLoss]! > 0
        )
        assert.deepStrictEqual(lost, [], say("something was lost on a disk without damage"))
      }
    }
    // Everything that is still there comes out.
    disk.capacity = Infinity
    disk.broken = undefined
    world.clock += 120_000
    for (const [, record] of known) {
      if (record.state !== "held" && record.state !== "out") continue
      record.state = "stored"
      world.store.release(record.ticket!)
    }
    for (let group = world.store.next(2_000); group.length > 0; group = world.store.next(2_000)) {
      give(group)
      for (const ticket of group) world.store.finish(ticket)
    }
    const missing = [...known].filter(([, record]) => record.state === "stored" && !record.uncertain)
    assert.deepStrictEqual(missing.map(([id]) => id), [], say("records are missing"))
    assert.strictEqual(world.store.items, 0, say("items are left"))
  }

  it("agrees with it on a disk that is only full or out of order, over 400 random histories", () => {
    for (let seed = 1; seed <= 400; seed++) run(seed, false)
  })

  it("agrees with it on a disk that is damaged and loses power, over 400 random histories", () => {
    for (let seed = 1_001; seed <= 1_400; seed++) run(seed, true)
  })
})
