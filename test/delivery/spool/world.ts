/** Machines and processes that share a disk. */
import { crc32 } from "node:zlib"
import { makePrivate } from "../../../src/delivery/spool/disk.ts"
import { Keeper } from "../../../src/delivery/spool/keeper.ts"
import { claim, heartbeat } from "../../../src/delivery/spool/owners.ts"
import { Rejected } from "../../../src/delivery/spool/rejected.ts"
import type { Pending, SpoolLoss, SpoolStore, StoreLimits } from "../../../src/delivery/spool/store.ts"
import { FakeDisk, Medium, seeded } from "./fakeDisk.ts"

export const limits: StoreLimits = {
  maxBytes: 20_000,
  maxSegmentBytes: 2_000,
  maxSegmentAge: 10_000,
  maxAge: 3_600_000,
  minFreeBytes: 0
}

/** Where the folders of the processes are. */
export const base = "/spool/v1/queue"

export class World {
  readonly medium = new Medium()
  readonly limits: StoreLimits
  readonly isDurable: boolean
  /** Whether every process sends what may have ended another at once. */
  readonly isHurried: boolean
  readonly random: () => number
  /** Milliseconds of the clock that never jumps. */
  clock = 0
  readonly peers: Array<Peer> = []
  /** Which processes of which machine run. */
  readonly running = new Set<string>()

  constructor(
    options: { seed?: number; limits?: Partial<StoreLimits>; isDurable?: boolean; isHurried?: boolean } = {}
  ) {
    this.limits = { ...limits, ...options.limits }
    this.isDurable = options.isDurable ?? false
    this.isHurried = options.isHurried ?? true
    this.random = seeded(options.seed ?? 1)
  }

  /** The disk, seen from outside. */
  get disk(): FakeDisk {
    return new FakeDisk(this.medium)
  }

  /** A process begins, and takes over what it may. */
  start(machine = "a"): Peer {
    const peer = new Peer(this, this.peers.length + 1, machine)
    this.peers.push(peer)
    peer.keeper.lookAround()
    return peer
  }

  /** Time passes, by all clocks. */
  pass(millis: number): void {
    this.clock += millis
    this.medium.now += millis
  }

  /** A process is silent until others think that it is gone. */
  takeOver(peer: Peer): void {
    for (let looks = 0; looks < 10; looks++) {
      this.pass(heartbeat)
      peer.keeper.lookAround()
    }
  }

  cutPower(random = this.random): void {
    this.disk.cutPower(random)
    this.running.clear()
  }

  /** Paths of the files whose names end so. */
  files(end: string): ReadonlyArray<string> {
    return [...this.disk.files.keys()].filter((path) => path.endsWith(end))
  }

  /** Bytes of segments and marks. */
  get bytes(): number {
    let bytes = 0
    for (const [path, file] of this.disk.files) if (/\.(seg|ack)$/.test(path)) bytes += file.bytes.length
    return bytes
  }
}

export class Peer {
  readonly world: World
  readonly disk: FakeDisk
  readonly folder: string
  readonly keeper: Keeper
  readonly store: SpoolStore
  readonly lost: { [Reason in SpoolLoss]?: number } = {}
  readonly troubles: Array<string> = []
  recovered = 0
  private readonly name: string

  constructor(world: World, pid: number, machine: string) {
    this.world = world
    this.disk = new FakeDisk(world.medium)
    this.name = `${machine}${pid}`
    world.running.add(this.name)
    const started = (other: number): string | undefined =>
      world.running.has(`${machine}${other}`) ? `start ${other}` : undefined
    const secure = (): void => void makePrivate(this.disk, "/spool", "v1", "queue")
    const ownership = claim(this.disk, base, `p${pid}`, {
      self: { pid, boot: machine, namespace: "pid", started: started(pid) },
      startedOf: started
    }, secure)
    this.folder = ownership.folder
    this.keeper = new Keeper({
      home: {
        disk: this.disk,
        crc32: (bytes, seed) => crc32(bytes, seed),
        isDurable: world.isDurable,
        wallMillis: () => world.medium.now,
        monotonicMillis: () => world.clock
      },
      ownership,
      above: [base, "/spool/v1", "/spool", ""],
      rejected: new Rejected(
        this.disk,
        base,
        `p${pid}`,
        "pb",
        world.limits.minFreeBytes,
        () => void makePrivate(this.disk, "/spool", "v1", "queue", "rejected")
      ),
      limits: world.limits,
      books: {
        lost: (reason, items) => {
          this.lost[reason] = (this.lost[reason] ?? 0) + items
        },
        recovered: (items) => {
          this.recovered += items
        },
        trouble: (code, what) => this.troubles.push(`${code} ${what}`),
        recoveredDisk: () => this.troubles.push("ok")
      },
      random: world.random
    })
    // Most tests are of what is sent when everything is.
    if (world.isHurried) this.keeper.store.hurry()
    this.store = this.keeper.store
  }

  get lostItems(): number {
    return Object.values(this.lost).reduce((a, b) => a + b, 0)
  }

  /** Writes a record of that number; whether the disk took it. */
  write(id: number, size = 10, items = 1): boolean {
    return this.store.append(payloadOf(id, size), items) !== undefined
  }

  /** Takes and delivers everything that waits, and answers the numbers. */
  drain(bytes = 4_000): Array<number> {
    const all: Array<number> = []
    for (let group = this.keeper.take(bytes); group.length > 0; group = this.keeper.take(bytes)) {
      all.push(...idsOf(group))
      this.finish(group)
    }
    return all
  }

  finish(records: ReadonlyArray<Pending>): void {
    for (const record of records) this.store.finish(record)
  }

  /** The process ends at once. */
  kill(): void {
    this.disk.kill()
    this.world.running.delete(this.name)
  }
}

export const payloadOf = (id: number, size: number): Uint8Array => {
  const bytes = new Uint8Array(8 + size).fill(id % 251)
  new DataView(bytes.buffer).setFloat64(0, id)
  return bytes
}

export const idOf = (payload: Uint8Array): number =>
  new DataView(payload.buffer, payload.byteOffset, payload.length).getFloat64(0)

export const idsOf = (records: ReadonlyArray<Pending>): Array<number> => records.map(({ payload }) => idOf(payload))

/** Whole numbers from `from` to before `to`. */
export const range = (from: number, to: number): Array<number> => Array.from({ length: to - from }, (_, i) => from + i)
