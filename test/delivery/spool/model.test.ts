/**
 * Laws of the spool, whatever happens to processes and disk: what it took and what was not damaged is delivered; nothing
 * is delivered that nobody wrote; each process accounts for every item once; the bound on bytes holds; nothing throws.
 *
 * `HISTORIES=15000 npx vitest run test/delivery/spool/model.test.ts` for as many histories as wanted, others each time.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { heartbeat } from "../../../src/delivery/spool/owners.ts"
import type { Pending } from "../../../src/delivery/spool/store.ts"
import type { FakeFile } from "./fakeDisk.ts"
import { idOf, payloadOf, type Peer, World } from "./world.ts"

const histories = process.env["HISTORIES"]

const int = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

const Action = Schema.Struct({
  kind: Schema.Literals([
    "settle",
    "sync",
    "roll",
    "wait",
    "sleep",
    "start",
    "kill",
    "close",
    "cut power",
    "corrupt",
    "truncate",
    "delete folder",
    "fill disk",
    "break disk",
    "late write",
    "failing sync",
    "repair disk",
    "jump"
  ]),
  /** Which process, and which of what else there is to choose from. */
  who: int(3),
  which: int(10_000),
  size: int(400),
  /** What it does before that. */
  writes: int(3),
  isTaking: Schema.Boolean
})

const Program = Schema.Struct({
  actions: Schema.Array(Action).check(Schema.isMaxLength(60)),
  seed: int(1_000_000),
  isTight: Schema.Boolean,
  /** Nothing but processes that come and go. */
  isCalm: Schema.Boolean,
  isDurable: Schema.Boolean
})

/** What the model knows of a record. */
interface Known {
  readonly id: number
  readonly items: number
  readonly size: number
  /** Whether the spool said that it has it. */
  isTaken: boolean
  /** Where it stands, and whether the bytes are still there for certain. */
  file: FakeFile | undefined
  end: number
  isDamaged: boolean
  isSynced: boolean
  /** How often it was sent without an outcome: at three it may be poison. */
  unanswered: number
  taken: number
  delivered: number
  /** How often more it may be delivered than once: it was out when its sender died or lost its folder. */
  again: number
}

class Model {
  readonly world: World
  readonly broken: Array<string> = []
  readonly known: Array<Known> = []
  readonly peers: Array<Actor> = []
  /** Once the disk failed, marks may be missing. */
  isTroubled = false
  /** Who is taken for gone, and is not, sends what somebody else sends, too. */
  hasSlept = false
  /** Who lost its own folder to somebody who tidied up looks as if it was gone. */
  hasDeleted = false

  constructor(program: typeof Program.Type) {
    const { isDurable, isTight, seed } = program
    this.world = new World({
      seed,
      isDurable,
      limits: isTight ? { maxBytes: 3_000, maxSegmentBytes: 400, maxAge: 100_000 } : { maxBytes: 1e9, maxAge: 1e12 }
    })
    this.start("a")
  }

  must(holds: boolean, what: string): void {
    if (!holds && this.broken.length < 5) this.broken.push(what)
  }

  start(machine: string): void {
    // Those who are awake have said so since the last jump of a clock.
    this.look()
    this.peers.push(new Actor(this, this.world.start(machine), machine))
  }

  get living(): ReadonlyArray<Actor> {
    return this.peers.filter(({ peer }) => !peer.disk.isOver)
  }

  look(): void {
    for (const actor of this.living) if (!actor.isAsleep) actor.peer.keeper.lookAround()
  }

  wait(millis: number): void {
    for (let left = millis; left > 0; left -= heartbeat) {
      this.world.pass(Math.min(left, heartbeat))
      this.look()
    }
  }

  recordOf({ items, payload }: Pending): Known | undefined {
    const record = payload.length < 8 ? undefined : this.known[idOf(payload)]
    const isWhole = record !== undefined && Buffer.from(payloadOf(record.id, record.size)).equals(payload)
    this.must(isWhole, `a payload was given out that nobody wrote: ${Buffer.from(payload).toString("hex")}`)
    this.must(record?.items === items, `items of ${record?.id}`)
    return isWhole ? record : undefined
  }

  /** Damages a file at one place, and everything behind that as far as `reach`. */
  damage(file: FakeFile, at: number, reach: number, change: (bytes: Uint8Array) => Uint8Array): void {
    this.isTroubled = true
    file.bytes = change(file.bytes)
    file.durable = change(file.durable)
    for (const record of this.known) {
      if (record.file !== file || record.end <= at || record.end - record.size - 40 > at + reach) continue
      record.isDamaged = true
    }
  }

  cutPower(): void {
    this.isTroubled = true
    this.world.cutPower()
    for (const record of this.known) if (!record.isSynced) record.isDamaged = true
  }

  /** What must hold at every moment. */
  check(): void {
    for (const { awakeLoss, isAsleep, peer } of this.living) {
      if (isAsleep) continue
      const taken = peer.lost.taken_over ?? 0
      this.must(this.hasDeleted || taken === awakeLoss, `who was awake lost ${taken - awakeLoss} items to another`)
    }
    for (const actor of this.living) {
      const { delivered, peer, written } = actor
      const had = written + peer.recovered
      const has = delivered + peer.lostItems + peer.store.items + actor.partedItems
      this.must(had === has, `${had} items in the books of ${peer.folder}, but ${has}`)
      this.must(Object.values(peer.lost).every((items) => items >= 0), `less than nothing lost`)
    }
  }

  /** Everything that is left comes out. */
  end(): void {
    const { world } = this
    world.medium.capacity = Infinity
    world.medium.broken = undefined
    for (const actor of this.living) {
      actor.peer.disk.fault = undefined
      actor.settle(0, "release")
      if (actor.peer.folder.length % 2 === 0) actor.peer.keeper.close()
      actor.kill()
    }
    this.start("z")
    const last = this.peers.at(-1)!
    // A folder is taken over when the one of that name before it is empty.
    for (let round = 0; round < 4; round++) {
      world.takeOver(last.peer)
      while (last.take(1_000).length > 0) {
        last.settle(0, "finish")
        this.check()
      }
    }
    last.peer.keeper.lookAround()
    this.must(last.peer.store.items === 0 && !last.peer.store.hasPending, "items are left")
    this.must(world.files(".seg").length === 0, `files are left: ${world.files(".seg").join()}`)
    // Marks that a disk did not take, or that nobody reads, make an innocent look like poison.
    const tries = this.isTroubled || this.hasSlept ? "taken" : "unanswered"
    const missing = this.known.filter((record) =>
      record.isTaken && !record.isDamaged && record.delivered === 0 && record[tries] < 3
    )
    let givenUp = 0
    for (const { peer: { lost } } of this.peers) givenUp += (lost.spool_full ?? 0) + (lost.expired ?? 0)
    const lost = missing.reduce((sum, { items }) => sum + items, 0)
    this.must(lost <= givenUp, `missing ${missing.map(({ id }) => id).join()}, though only ${givenUp} were given up`)
    for (const { again, delivered, id } of this.known) {
      this.must(this.isTroubled || this.hasSlept || delivered <= 1 + again, `${id} was delivered ${delivered} times`)
    }
  }
}

/** A process, and what it did. */
class Actor {
  readonly model: Model
  readonly peer: Peer
  readonly machine: string
  isAsleep = false
  awakeLoss = 0
  written = 0
  delivered = 0
  held: Array<{ readonly record: Known; readonly pending: Pending }> = []

  constructor(model: Model, peer: Peer, machine: string) {
    this.model = model
    this.peer = peer
    this.machine = machine
  }

  /** Items that it sends while their file is gone. */
  get partedItems(): number {
    return this.held.reduce(
      (sum, { pending, record }) => this.peer.store.has(pending.segment) ? sum : sum + record.items,
      0
    )
  }

  write(size: number, items: number): void {
    const { model, peer } = this
    const id = model.known.length
    const record: Known = {
      id,
      items,
      size,
      isTaken: false,
      file: undefined,
      end: 0,
      isDamaged: false,
      isSynced: false,
      unanswered: 0,
      taken: 0,
      delivered: 0,
      again: 0
    }
    model.known.push(record)
    const ticket = peer.store.append(payloadOf(id, size), items)
    if (ticket === undefined) return
    this.written += items
    record.isTaken = true
    record.end = ticket.segment.size
    record.file = peer.disk.files.get(ticket.segment.path)
    // Somebody took the folder over or deleted it, and this process does not know yet.
    if (record.file === undefined) record.isDamaged ||= model.isTroubled
    model.must(peer.store.bytes <= model.world.limits.maxBytes, `${peer.store.bytes} bytes`)
    if (!model.isTroubled && !model.hasSlept) {
      model.must(model.world.bytes >= peer.store.bytes, "bytes that are not there are counted")
    }
  }

  take(bytes: number): ReadonlyArray<Pending> {
    const { model, peer } = this
    const group = peer.keeper.take(bytes)
    for (const pending of group) {
      const record = model.recordOf(pending)
      if (record === undefined) continue
      for (const held of this.held) {
        if (held.record !== record) continue
        // What another process took over may come back by way of it.
        model.must(model.hasSlept || !peer.store.has(held.pending.segment), `${record.id} is out twice`)
        record.again++
      }
      for (const other of model.living) {
        if (other === this || !other.held.some((held) => held.record === record)) continue
        const isTheirs = other.held.some((held) =>
          held.record === record && model.world.disk.has(held.pending.segment.path)
        )
        model.must(model.isTroubled || !isTheirs, `${record.id} is sent by two`)
        record.again++
      }
      record.unanswered++
      record.taken++
      this.held.push({ record, pending })
    }
    return group
  }

  /** Settles what is out, from the `from`th on. */
  settle(from: number, how: "finish" | "release"): void {
    const { model, peer } = this
    const isHealthy = model.world.medium.capacity === Infinity && model.world.medium.broken === undefined &&
      peer.disk.fault === undefined
    for (const { pending, record } of this.held.splice(from)) {
      if (how === "finish") {
        peer.finish([pending])
        this.delivered += record.items
        record.delivered++
      } else {
        // Where the file is another's by now, or gone, nobody reads that an outcome came back.
        const isNoted = isHealthy && model.world.disk.has(pending.segment.path)
        const before = peer.lost.taken_over ?? 0
        peer.keeper.release([pending])
        // It was taken over before; that is told when it comes back.
        this.awakeLoss += (peer.lost.taken_over ?? 0) - before
        if (isNoted) record.unanswered--
      }
    }
  }

  kill(): void {
    for (const { record } of this.held) record.again++
    this.peer.kill()
  }
}

const act = (model: Model, { isTaking, kind, size, which, who, writes }: typeof Action.Type): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { world } = model
    const { living } = model
    const actor = living[who % Math.max(1, living.length)]
    if (actor !== undefined) {
      for (let i = 0; i < writes; i++) actor.write((size + i * 137) % 401, 1 + (which + i) % 5)
      if (isTaking) actor.take((size * 7) % 900)
    }
    const files = [...world.disk.files].filter(([path, file]) => /\.(seg|ack)$/.test(path) && file.bytes.length > 0)
    const [path, file] = files[which % Math.max(1, files.length)] ?? []
    if (kind === "start" && living.length < 4) model.start(who % 2 === 0 ? "a" : "b")
    else if (kind === "wait") model.wait(which * 10)
    else if (kind === "jump") {
      world.medium.now += (which - 5_000) * 1_000
      model.look()
    } else if (kind === "cut power") model.cutPower()
    else if (kind === "corrupt" && file !== undefined) {
      const at = which % file.bytes.length
      model.damage(file, at, 0, (bytes) => bytes.map((byte, i) => i === at ? byte ^ (1 + size % 255) : byte))
    } else if (kind === "truncate" && file !== undefined && path !== undefined) {
      const at = which % file.bytes.length
      model.damage(file, at, Infinity, (bytes) => bytes.slice(0, at))
    } else if (kind === "fill disk") {
      model.isTroubled = true
      world.medium.capacity = size * 10
    } else if (kind === "break disk") {
      model.isTroubled = true
      world.medium.broken = who % 2 === 0 ? "EIO" : "EROFS"
    } else if (kind === "repair disk") {
      world.medium.capacity = Infinity
      world.medium.broken = undefined
      for (const { peer } of living) peer.disk.fault = undefined
    }
    if (actor === undefined) return
    const { peer } = actor
    if (kind === "settle") actor.settle(size % 3, which % 3 === 0 ? "release" : "finish")
    else if (kind === "roll") peer.store.close()
    else if (kind === "sync") {
      const taken = model.known.filter(({ file, isTaken }) => isTaken && file !== undefined)
      const mine = taken.filter(({ file }) =>
        [...peer.disk.files].some(([at, other]) => other === file && at.startsWith(`${peer.folder}/`))
      )
      const isSynced = yield* Effect.promise(() => peer.keeper.sync())
      if (isSynced && world.isDurable) { for (const record of mine) record.isSynced = true }
    } else if (kind === "sleep") {
      model.hasSlept = true
      actor.isAsleep = !actor.isAsleep
      if (!actor.isAsleep) peer.keeper.lookAround()
      actor.awakeLoss = peer.lost.taken_over ?? 0
    } else if (kind === "kill") actor.kill()
    else if (kind === "close") {
      actor.settle(0, "release")
      peer.keeper.close()
      peer.kill()
    } else if (kind === "delete folder" && world.disk.has(peer.folder)) {
      model.isTroubled = model.hasDeleted = true
      const gone = new Set(
        [...world.disk.files].filter(([at]) => at.startsWith(`${peer.folder}/`)).map(([, file]) => file)
      )
      for (const record of model.known) if (record.file !== undefined && gone.has(record.file)) record.isDamaged = true
      world.disk.deleteTree(peer.folder)
    } else if (kind === "late write") {
      model.isTroubled = true
      peer.disk.fault = (call) => call === "write" ? "late" : call === "truncate" && which % 2 === 0 ? "EIO" : undefined
    } else if (kind === "failing sync") {
      peer.disk.fault = (call) => call === "sync" || call === "syncDirectory" ? "EIO" : undefined
    }
  })

const troubles: ReadonlySet<string> = new Set([
  "cut power",
  "corrupt",
  "truncate",
  "delete folder",
  "fill disk",
  "break disk",
  "late write",
  "failing sync"
])

describe("the laws of a spool", () => {
  it.effect.prop(
    "hold for every history",
    [Program],
    ([program]) =>
      Effect.gen(function*() {
        const model = new Model(program)
        model.check()
        for (const action of program.actions) {
          if (program.isCalm && troubles.has(action.kind)) continue
          yield* act(model, action)
          // What was synchronised on the way is through.
          yield* Effect.yieldNow
          model.check()
        }
        model.end()
        assert.strictEqual(model.broken.join("\n"), "")
      }),
    histories === undefined
      ? { arbitrary: { runs: 1_000, size: 60, seed: 1 }, timeout: 120_000 }
      : { arbitrary: { runs: Number(histories), size: 60 }, timeout: Number(histories) * 100 }
  )
})
