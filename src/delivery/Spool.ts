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
import { type Disk, errorCode, nodeDisk } from "./spool/disk.ts"
import { type Crc32, parseSegmentName } from "./spool/format.ts"
import { aliveName, heartbeat, own, type Ownership } from "./spool/owners.ts"
import { systemProcesses } from "./spool/processes.ts"
import { Segment, type SegmentHome } from "./spool/segment.ts"
import { type Pending, SpoolStore, type StoreBooks, type StoreLimits } from "./spool/store.ts"

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

/** A record that waits to be sent. */
export type SpooledRecord = Pending

/** The records of one destination. */
export interface SpoolQueue {
  readonly mode: "overflow" | "always"
  /** Items that are on disk, as far as they are known. */
  readonly items: () => number
  /** Whether a record waits to be sent. */
  readonly hasPending: () => boolean
  /** Writes a request body; `false` when the disk did not take it. Synchronous, so that it works as a process ends. */
  readonly write: (payload: Uint8Array, items: number) => boolean
  /** The oldest records, at least one if any waits, and no more than `maxBytes` of them. They are out until they are settled. */
  readonly take: (maxBytes: number) => ReadonlyArray<SpooledRecord>
  /** What was taken was delivered, or given up. */
  readonly finish: (records: ReadonlyArray<SpooledRecord>) => void
  /** What was taken shall be given out again. */
  readonly release: (records: ReadonlyArray<SpooledRecord>) => void
}

/** Keeps undelivered data on disk. */
export class Spool extends Context.Service<Spool, {
  /**
   * Opens the queue of a destination until the scope closes; `undefined` where it cannot be, which is reported.
   *
   * `signal` and `destination` decide which records are found again: a change of address sends nothing to the new one
   * that was meant for the old one.
   */
  readonly open: (options: {
    readonly signal: "traces" | "metrics" | "logs"
    readonly destination: string
    readonly books: SpoolBooks
  }) => Effect.Effect<SpoolQueue | undefined, never, Scope.Scope>
}>()("effect-telemetry/delivery/Spool") {}

const maxSegmentBytes = 1024 * 1024
const maxSegmentAge = 10_000
const syncEvery = 200

/** Makes a spool of files. */
export const make = (options: SpoolOptions): Spool["Service"] => ({
  open: ({ books, destination, signal }) =>
    Effect.gen(function*() {
      const diagnostics = yield* Diagnostics
      const clock = yield* Clock.Clock
      const disk = nodeDisk()
      const crc32 = nodeBuiltin<typeof Zlib>("zlib")?.crc32 as Crc32 | undefined
      const refuse = (why: string): undefined => {
        diagnostics.report("error", "spool", `the spool in ${options.directory} is not used: ${why}`)
      }
      if (disk === undefined || crc32 === undefined) return refuse("this runtime has no files")
      const home: SegmentHome = {
        disk,
        crc32,
        isDurable: options.durability === "power",
        wallMillis: () => clock.currentTimeMillisUnsafe(),
        monotonicMillis: () => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
      }
      const opened = tryOpen(disk, options.directory, `${signal}-${hash(destination, crc32)}`)
      if (typeof opened === "string") return refuse(opened)

      const maxBytes = Math.max(1, options.maxBytes ?? 64 * 1024 * 1024)
      const limits: StoreLimits = {
        maxBytes,
        maxSegmentBytes: Math.max(1, Math.min(maxSegmentBytes, maxBytes / 8)),
        maxSegmentAge,
        maxAge: Duration.toMillis(Duration.fromInputUnsafe(options.maxAge ?? "24 hours")),
        minFreeBytes: options.minFreeBytes ?? 256 * 1024 * 1024
      }
      const trouble = (code: string): void =>
        diagnostics.report("warn", "spool.disk", `the spool in ${options.directory} cannot be written: ${code}`)
      const beat = (): void => {
        // Whoever took the folder over sends what was in it.
        const state = opened.beat()
        if (state !== "kept") store.abandon(state === "taken" ? "taken_over" : "disk_error")
      }
      const store: SpoolStore = new SpoolStore(home, opened.folder, limits, {
        ...books,
        trouble,
        homeless: beat,
        recoveredDisk: () =>
          diagnostics.report("info", "spool.disk.ok", `the spool in ${options.directory} is written again`)
      }, () => (randomWord() >>> 0) / 0x100000000)

      let isDirty = false
      const adopted = new Map<string, ReadonlyArray<Segment>>()
      const leaveEmpty = (): void => {
        for (const [folder, segments] of adopted) {
          if (segments.some((segment) => store.has(segment))) continue
          adopted.delete(folder)
          opened.leave(folder)
        }
      }
      const lookAround = (): void => {
        try {
          beat()
          for (const folder of opened.adopt()) {
            const segments = segmentsIn(home, folder, disk.join(opened.folder, aliveName))
            adopted.set(folder, segments)
            store.adopt(segments)
          }
          leaveEmpty()
        } catch (error) {
          trouble(errorCode(error))
        }
      }
      lookAround()

      yield* Effect.forkScoped(Effect.forever(Effect.andThen(sleepUnref(heartbeat), Effect.sync(lookAround))))
      if (options.durability === "power") {
        const sync = Effect.suspend(() => {
          if (!isDirty) return Effect.void
          isDirty = false
          return Effect.ignore(Effect.tryPromise(() => store.sync()))
        })
        yield* Effect.forkScoped(Effect.forever(Effect.andThen(sleepUnref(syncEvery), sync)))
      }
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          store.close()
          leaveEmpty()
          // Without a sign of life in it, what is left is anybody's at once: the next layer of this process, too.
          opened.leave(opened.folder)
        })
      )

      const queue: SpoolQueue = {
        mode: options.mode ?? "overflow",
        items: () => store.items,
        hasPending: () => store.hasPending,
        write: (payload, items) => {
          isDirty = true
          return store.append(payload, items, false) !== undefined
        },
        take: (bytes) => {
          const records = store.next(bytes)
          for (const { segment, sequence } of records) segment.attempt(sequence)
          return records
        },
        finish: (records) => records.forEach((record) => store.finish(record)),
        release: (records) =>
          records.forEach((record) => {
            record.segment.answer(record.sequence)
            store.release(record)
          })
      }
      return queue
    })
})

/** {@link make} as a layer. */
export const layer = (options: SpoolOptions): Layer.Layer<Spool> => Layer.succeed(Spool, make(options))

const formatVersion = "v1"

/** The folder of this process, or why there is none. */
const tryOpen = (disk: Disk, directory: string, queue: string): Ownership | string => {
  try {
    disk.makeDirectory(directory)
    const stat = disk.stat(directory)
    if (stat.kind !== "directory") return "it is no directory"
    if (stat.isOwn === false) return "it belongs to another user"
    if (stat.mode !== undefined && (stat.mode & 0o022) !== 0) {
      return `others may write into it (mode ${stat.mode.toString(8)})`
    }
    const base = disk.join(directory, formatVersion, queue)
    disk.makeDirectory(base)
    return own(disk, base, hex(randomWord()) + hex(randomWord()), systemProcesses())
  } catch (error) {
    return errorCode(error)
  }
}

/** The segments in `folder`, oldest first; `touched` is a file that was written just now. */
const segmentsIn = (home: SegmentHome, folder: string, touched: string): ReadonlyArray<Segment> => {
  const { disk } = home
  const found: Array<Segment> = []
  const now = disk.stat(touched).modified
  const names = disk.list(folder)
  for (const name of names) {
    const path = disk.join(folder, name)
    const id = parseSegmentName(name)
    if (id !== undefined) {
      const { kind, modified, size } = disk.stat(path)
      if (kind === "file") found.push(Segment.found(home, folder, name, id, size, Math.max(0, now - modified)))
    } else if (name.endsWith(".ack") && !names.includes(name.replace(/\.ack$/, ".seg"))) disk.remove(path)
  }
  return found.sort((a, b) => a.index - b.index)
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0")

/** Sixteen hexadecimal digits that differ for any two addresses a program has. */
const hash = (text: string, crc32: Crc32): string => {
  const bytes = new TextEncoder().encode(text)
  return hex(crc32(bytes)) + hex(crc32(bytes.toReversed(), 0x5bd1e995))
}
