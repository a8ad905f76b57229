/**
 * What cannot be delivered now is kept on disk and delivered later, by this process or the next one.
 *
 * **Details**
 *
 * A spool holds request bodies that were encoded before, in append-only files of its own; see decision 0006. Each
 * process writes into a folder of its own, so that any number of them may share a directory, and takes over what others
 * left when they ended. Nothing in it is trusted: every record has a checksum, and what is damaged is skipped and counted.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Zlib from "node:zlib"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { sleepUnref } from "../internal/clock.ts"
import { nodeBuiltin } from "../internal/nodeBuiltin.ts"
import { randomWord } from "../internal/random.ts"
import { ShutdownDeadline } from "./ShutdownDeadline.ts"
import { makePrivate, nodeDisk } from "./spool/disk.ts"
import type { Crc32 } from "./spool/format.ts"
import { Keeper } from "./spool/keeper.ts"
import { claim, heartbeat, rejectedName } from "./spool/owners.ts"
import { systemProcesses } from "./spool/processes.ts"
import { Rejected, type RejectedReason } from "./spool/rejected.ts"
import type { Pending, StoreBooks, StoreLimits, Ticket } from "./spool/store.ts"

/** Options of {@link layer}. */
export interface SpoolOptions {
  /**
   * Where the files are, as an absolute path. It is made if it is not there, and must belong to the user of the process
   * and be writable by nobody else; there is no default, since a directory that is shared with others is no safe place.
   */
  readonly directory: string
  /**
   * - `overflow` (default): what does not fit into memory, what could not be delivered, and what is left when the process
   *   ends.
   * - `always`: everything, before it is sent. A process that is killed loses what it made since
   *   the event loop turned last.
   */
  readonly mode?: "overflow" | "always" | undefined
  /**
   * What a record survives once it is written: the end of the `process` (default), or the end of `power`, for which the
   * disk is asked to write through every 200 ms.
   */
  readonly durability?: "process" | "power" | undefined
  /** Most bytes on disk, for each destination and process; then the oldest records give way. Default 64 MiB. */
  readonly maxBytes?: number | undefined
  /** How old a record may become. Default 24 hours. */
  readonly maxAge?: Duration.Input | undefined
  /** Bytes of the disk that are left free. Default 256 MiB. */
  readonly minFreeBytes?: number | undefined
}

/** Why items of a spool are given up. */
export type SpoolLoss = Parameters<StoreBooks["lost"]>[0]

/** Where a spool says what becomes of its items. */
export interface SpoolBooks {
  readonly lost: (reason: SpoolLoss, items: number) => void
  /** Items that another process left. */
  readonly recovered: (items: number) => void
}

/** Why a copy is kept: the status of the answer by which the destination refused it. */
export type { RejectedReason } from "./spool/rejected.ts"

/** A record that waits to be sent. */
export type SpooledRecord = Pending

/** The records of one destination. */
export interface SpoolQueue {
  readonly mode: "overflow" | "always"
  /** Most bytes on disk. */
  readonly maxBytes: number
  /** Items that are on disk, as far as they are known. */
  readonly items: () => number
  /** Whether a record waits to be sent. */
  readonly hasPending: () => boolean
  /** Writes a request body; `false` when the disk did not take it. Synchronous, so that it works as a process ends. */
  readonly write: (payload: Uint8Array, items: number) => boolean
  /**
   * {@link write}, and the record is out as if it was taken, so that it can be sent without being read again.
   */
  readonly writeOut: (payload: Uint8Array, items: number) => SpooledRecord | undefined
  /** To be called before what was written out is sent; what is taken needs it not. */
  readonly begin: (records: ReadonlyArray<SpooledRecord>) => void
  /**
   * To be called of records that are still being sent a while after that began: what a record does to a process, it has
   * done by then.
   */
  readonly clear: (records: ReadonlyArray<SpooledRecord>) => void
  /** The oldest records, at least one if any waits, and no more than `maxBytes` of them. They are out until they are settled. */
  readonly take: (maxBytes: number) => ReadonlyArray<SpooledRecord>
  /** What was taken was delivered, or given up. */
  readonly finish: (records: ReadonlyArray<SpooledRecord>) => void
  /** To be called when somebody waits for everything to be sent. */
  readonly hurry: () => void
  /** To be called when nothing is to be done: a file of which all was delivered is deleted. */
  readonly tidy: () => void
  /** What was taken shall be given out again. */
  readonly release: (records: ReadonlyArray<SpooledRecord>) => void
  /**
   * Waits, for the durability `power`, until what was written before is on the medium, or the disk has refused. Never
   * fails: {@link survives} says what came of it.
   */
  readonly sync: Effect.Effect<void>
  /** What all that this process wrote survives for certain: the end of the process, or of the power. */
  readonly survives: () => "process" | "power"
  /**
   * Keeps a copy of what the destination refused for good, with the status of the answer, in the bounded folder
   * {@link rejected}. It changes no books, and nothing depends on it: where there is no room no copy is kept, and the
   * answer is `false`.
   */
  readonly quarantine: (payload: Uint8Array, reason: RejectedReason) => boolean
  /** The folder with copies of what was given up for good. */
  readonly rejected: string
}

/** Keeps undelivered data on disk. */
export class Spool extends Context.Service<Spool, {
  /**
   * Opens the queue of a destination until the scope closes; `undefined` where the runtime has no files. A directory that
   * cannot be used is reported, takes nothing, and is looked at again.
   *
   * `signal` and `destination` decide which records are found again: a change of address sends nothing to the new one
   * that was meant for the old one.
   */
  readonly open: (options: {
    readonly signal: "traces" | "metrics" | "logs"
    readonly destination: string
    readonly books: SpoolBooks
    /** How files of `rejected` end; default `otlp`. */
    readonly extension?: "pb" | "json" | "otlp" | undefined
  }) => Effect.Effect<SpoolQueue | undefined, never, Scope.Scope>
}>()("effect-telemetry/delivery/Spool") {}

const maxSegmentBytes = 1024 * 1024
const minSegmentAge = 10_000
const syncEvery = 200
/** How long the end may wait for the medium, in milliseconds. */
const maxFinalSync = 1_000

/** Makes a spool of files. */
export const make = (options: SpoolOptions): Spool["Service"] => ({
  open: ({ books, destination, extension = "otlp", signal }) =>
    Effect.gen(function*() {
      const diagnostics = yield* Diagnostics
      const clock = yield* Clock.Clock
      const deadline = yield* ShutdownDeadline
      const disk = nodeDisk()
      const crc32 = nodeBuiltin<typeof Zlib>("zlib")?.crc32 as Crc32 | undefined
      const { directory } = options
      const refuse = (why: string): undefined => {
        diagnostics.report("error", "spool", `the spool in ${directory} is not used: ${why}`)
      }
      if (disk === undefined || crc32 === undefined) return refuse("this runtime has no files")
      const isDurable = options.durability === "power"
      const id = hex(randomWord()) + hex(randomWord())
      const names = [formatVersion, `${signal}-${hash(destination, crc32)}`] as const
      const base = disk.join(directory, ...names)
      const ownership = claim(disk, base, id, systemProcesses(), () => void makePrivate(disk, directory, ...names))

      const maxBytes = Math.max(1, options.maxBytes ?? 64 * 1024 * 1024)
      const maxAge = Duration.toMillis(Duration.fromInputUnsafe(options.maxAge ?? "24 hours"))
      const limits: StoreLimits = {
        maxBytes,
        maxSegmentBytes: Math.max(1, Math.min(maxSegmentBytes, maxBytes / 8)),
        // What is in one file gets too old together: it holds records of a small part of the time that they may be kept.
        maxSegmentAge: Math.max(minSegmentAge, maxAge / 128),
        maxAge,
        minFreeBytes: options.minFreeBytes ?? 256 * 1024 * 1024
      }
      const rejected = new Rejected(disk, base, id, extension, limits.minFreeBytes, () =>
        void makePrivate(disk, directory, ...names, rejectedName))
      const keeper = new Keeper({
        home: {
          disk,
          crc32,
          isDurable,
          wallMillis: () =>
            clock.currentTimeMillisUnsafe(),
          monotonicMillis: () =>
            Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
        },
        ownership,
        above: [base, disk.join(directory, formatVersion), directory, disk.join(directory, "..")],
        rejected,
        limits,
        books: {
          ...books,
          trouble: (why, what) =>
            diagnostics.report("warn", "spool.disk", `the spool in ${directory} cannot be ${what}: ${why}`),
          recoveredDisk: () =>
            diagnostics.report("info", "spool.disk.ok", `the spool in ${directory} is written again`)
        },
        random: () =>
          (randomWord() >>> 0) / 0x100000000
      })
      const { store } = keeper
      keeper.lookAround()

      yield* Effect.forkScoped(
        Effect.forever(Effect.andThen(
          sleepUnref(heartbeat),
          Effect.sync(() =>
            keeper.lookAround()
          )
        ))
      )
      /** Records that were written, and how many of them are on the medium at least. */
      let written = 0
      let asked = 0
      let reached = 0
      // Never fails: what cannot be done is told as trouble.
      const sync = Effect.promise(() => {
        const before = asked = written
        return keeper.sync().then((isReached) => {
          if (isReached) reached = Math.max(reached, before)
        })
      })
      if (isDurable) {
        const syncIfDirty = Effect.suspend(() => asked === written ? Effect.void : sync)
        yield* Effect.forkScoped(Effect.forever(Effect.andThen(sleepUnref(syncEvery), syncIfDirty)))
      }
      yield* Effect.addFinalizer(() => {
        const left = deadline.at === undefined ? Infinity : Number(deadline.at - clock.monotonicTimeNanosUnsafe()) / 1e6
        const last = isDurable && left > 0
          ? Effect.raceFirst(sync, Effect.sleep(Math.ceil(Math.min(left, maxFinalSync))))
          : Effect.void
        return Effect.ensuring(last, Effect.sync(() => keeper.close()))
      })

      const append = (payload: Uint8Array, items: number, isOut = false): Ticket | undefined => {
        const ticket = store.append(payload, items, isOut)
        if (ticket !== undefined) written++
        return ticket
      }

      const queue: SpoolQueue = {
        mode: options.mode ?? "overflow",
        maxBytes,
        items: () => store.items,
        hasPending: () => store.hasPending,
        write: (payload, items) => append(payload, items) !== undefined,
        writeOut: (payload, items) => {
          const ticket = append(payload, items, true)
          return ticket === undefined ? undefined : { ...ticket, payload }
        },
        begin: (records) => keeper.begin(records),
        clear: (records) => keeper.clear(records),
        take: (bytes) => keeper.take(bytes),
        finish: (records) => records.forEach((record) => store.finish(record)),
        release: (records) => keeper.release(records),
        hurry: () => store.hurry(),
        tidy: () => store.tidy(),
        sync: isDurable ? sync : Effect.void,
        survives: () => isDurable && reached === written ? "power" : "process",
        quarantine: (payload, reason) => rejected.put(payload, reason),
        rejected: rejected.folder
      }
      return queue
    })
})

/** {@link make} as a layer. */
export const layer = (options: SpoolOptions): Layer.Layer<Spool> => Layer.succeed(Spool, make(options))

const formatVersion = "v1"

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0")

/** Sixteen hexadecimal digits that differ for any two addresses a program has. */
const hash = (text: string, crc32: Crc32): string => {
  const bytes = new TextEncoder().encode(text)
  return hex(crc32(bytes)) + hex(crc32(bytes.toReversed(), 0x5bd1e995))
}
