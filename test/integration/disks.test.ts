/**
 * Real disks that fail under a running program: the program goes on, one line says so, spans go by way of memory, and by
 * way of the disk as soon as it is repaired. Every span is accounted for.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  unlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import { Telemetry, TelemetryLayer } from "../../src/Telemetry.ts"
import type { TelemetryConfigError } from "../../src/TelemetryConfig.ts"
import { namesOf, spoolFiles, temporary } from "./programs.ts"
import { type Handler, reply, start } from "./server.ts"

const spans = (from: number, to: number): Effect.Effect<void> =>
  Effect.forEach(
    Array.from({ length: to - from }, (_, i) => from + i),
    (i) => Effect.withSpan(Effect.void, `span ${i}`),
    { discard: true }
  )

const until = <R>(check: Effect.Effect<boolean, never, R>): Effect.Effect<void, never, R> =>
  Effect.flatMap(check, (isSo) => isSo ? Effect.void : Effect.fail("not yet")).pipe(
    Effect.retry(Schedule.spaced("50 millis")),
    Effect.timeout("25 seconds"),
    Effect.orDie
  )

/** A small disk of its own; `undefined` where this process may mount none. */
const smallDisk: Effect.Effect<string | undefined, never, Scope.Scope> = Effect.flatMap(
  temporary,
  (directory) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        try {
          execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", directory], { stdio: "ignore" })
          return directory
        } catch {
          return undefined
        }
      }),
      (mounted) =>
        Effect.sync(() => {
          if (mounted !== undefined) execFileSync("umount", ["-l", mounted], { stdio: "ignore" })
        })
    )
)

const noMount = "this process may not mount a disk"
const isRoot = process.getuid?.() === 0

const fill = (disk: string): void => {
  for (let size = 65_536, i = 0; size >= 1; size = Math.floor(size / 2), i++) {
    try {
      for (;; i++) writeFileSync(join(disk, `filler${i}`), new Uint8Array(size))
    } catch {
      // No room for as much.
    }
  }
  assert.strictEqual(statfsSync(disk).bavail, 0)
}

const clean = (disk: string): void => {
  for (const name of readdirSync(disk)) if (name.startsWith("filler")) unlinkSync(join(disk, name))
}

interface Story {
  readonly directory: string
  /** Before the program starts. */
  readonly before?: () => void
  /** While it runs. */
  readonly harm?: () => void
  readonly repair: () => void
  /** What the one line says. */
  readonly says: RegExp
}

/** A program that sends everything by way of the disk lives through it. */
const live = (
  { before, directory, harm, repair, says }: Story
): Effect.Effect<void, TelemetryConfigError, Scope.Scope> =>
  Effect.gen(function*() {
    const server = yield* start()
    const lines: Array<string> = []
    before?.()
    yield* Effect.gen(function*() {
      const telemetry = yield* Telemetry
      const check = Effect.fnUntraced(function*(exported: number) {
        const { destinations } = yield* telemetry.ledger
        assert.deepInclude(destinations[0], {
          exported,
          spooled: 0,
          queued: 0,
          unaccounted: 0,
          dropped: {},
          rejected: {}
        })
      })
      yield* spans(0, 50)
      yield* telemetry.flush()
      yield* check(50)
      harm?.()
      for (const made of [50, 100]) {
        yield* spans(made, made + 50)
        assert.deepInclude(yield* telemetry.flush(), { exported: 50, failed: 0, left: 0 })
      }
      yield* check(150)
      const told = lines.filter((line) => line.includes("the spool"))
      assert.strictEqual(told.length, 1, told.join("\n"))
      assert.match(told[0]!, says)
      repair()
      let made = 150
      yield* until(Effect.gen(function*() {
        yield* spans(made, ++made)
        yield* telemetry.flush()
        return lines.some((line) => line.includes("is written again"))
      }))
      yield* spans(made, ++made)
      yield* telemetry.flush()
      yield* check(made)
      assert.isAbove(readdirSync(join(directory, "v1")).length, 0)
      assert.deepStrictEqual(spoolFiles(directory), [])
      const names = namesOf(server)
      assert.strictEqual(names.length, made)
      assert.strictEqual(new Set(names).size, made)
    }).pipe(
      Effect.provide(TelemetryLayer({
        otlp: { tracesEndpoint: server.url },
        spool: { directory, mode: "always", minFreeBytes: 0 }
      })),
      Effect.provideService(Diagnostics.Diagnostics, Diagnostics.make({ write: (line) => lines.push(line) }))
    )
  })

describe("a program lives through a disk", () => {
  it.live("that is full", (context) =>
    Effect.scoped(Effect.gen(function*() {
      const disk = yield* smallDisk
      if (disk === undefined) return context.skip(noMount)
      yield* live({
        directory: join(disk, "spool"),
        harm: () => fill(disk),
        repair: () => clean(disk),
        says: /cannot be written: ENOSPC/
      })
    })))

  it.live("that is read-only by now", (context) =>
    Effect.scoped(Effect.gen(function*() {
      const disk = yield* smallDisk
      if (disk === undefined) return context.skip(noMount)
      const remount = (how: string): void => {
        execFileSync("mount", ["-o", `remount,${how}`, disk])
      }
      yield* live({
        directory: join(disk, "spool"),
        harm: () => remount("ro"),
        repair: () => remount("rw"),
        says: /cannot be written: EROFS/
      })
    })))

  it.live("that others may write on", (context) =>
    Effect.scoped(Effect.gen(function*() {
      if (process.platform === "win32") return context.skip("no permissions of this kind")
      const directory = yield* temporary
      yield* live({
        directory,
        before: () => chmodSync(directory, 0o777),
        repair: () => chmodSync(directory, 0o700),
        says: /cannot be written: others may write into it \(mode 777\)/
      })
    })))

  it.live("that belongs to somebody else", (context) =>
    Effect.scoped(Effect.gen(function*() {
      if (!isRoot) return context.skip("only root can give a folder away")
      const directory = yield* temporary
      yield* live({
        directory,
        before: () => {
          mkdirSync(join(directory, "v1"), { mode: 0o700 })
          chownSync(join(directory, "v1"), 12_345, 12_345)
        },
        repair: () => chownSync(join(directory, "v1"), 0, 0),
        says: /cannot be written: v1 belongs to another user/
      })
    })))

  for (const when of ["before", "harm"] as const) {
    it.live(`with a link in the place of a folder, ${when === "before" ? "at the start" : "later"}`, (context) =>
      Effect.scoped(Effect.gen(function*() {
        if (process.platform === "win32") return context.skip("links need privileges")
        const directory = yield* temporary
        const elsewhere = yield* temporary
        const folder = join(directory, "v1")
        yield* live({
          directory,
          [when]: () => {
            if (when === "harm") renameSync(folder, join(directory, "aside"))
            symlinkSync(elsewhere, folder)
          },
          repair: () => unlinkSync(folder),
          says: /cannot be written: v1 is no directory/
        })
        assert.deepStrictEqual(readdirSync(elsewhere), [])
      })))
  }

  /** A destination that can be away. */
  const moody = () => {
    const mood = { isAway: true }
    const handler: Handler = (exchange) => reply(mood.isAway ? 503 : 200)(exchange)
    return { mood, script: Array.from({ length: 10_000 }, () => handler) }
  }

  it.live("from which somebody deletes what waits there", () =>
    Effect.scoped(Effect.gen(function*() {
      const directory = yield* temporary
      const { mood, script } = moody()
      const server = yield* start(script)
      const lines: Array<string> = []
      yield* Effect.gen(function*() {
        const telemetry = yield* Telemetry
        yield* spans(0, 50)
        assert.deepInclude(yield* telemetry.flush(), { spooled: 50, survives: "power" })
        rmSync(directory, { recursive: true })
        yield* spans(50, 100)
        assert.deepInclude(yield* telemetry.flush(), { spooled: 50, failed: 50, survives: "power" })
        mood.isAway = false
        yield* until(Effect.map(telemetry.ledger, ({ destinations }) => destinations[0]!.exported === 50))
        const { destinations } = yield* telemetry.ledger
        assert.deepInclude(destinations[0], { spooled: 0, queued: 0, unaccounted: 0, dropped: { disk_error: 50 } })
        const told = lines.filter((line) => line.includes("spool"))
        assert.strictEqual(told.length, 1, told.join("\n"))
        assert.include(told[0], "50 spooled items lost: the files are gone")
      }).pipe(
        Effect.provide(TelemetryLayer({
          otlp: { tracesEndpoint: server.url },
          spool: { directory, durability: "power", minFreeBytes: 0 }
        })),
        Effect.provideService(Diagnostics.Diagnostics, Diagnostics.make({ write: (line) => lines.push(line) }))
      )
    })), 30_000)

  it.live(
    "that is full while the destination is away: what memory has room for is kept",
    (context) =>
      Effect.scoped(Effect.gen(function*() {
        const disk = yield* smallDisk
        if (disk === undefined) return context.skip(noMount)
        const { mood, script } = moody()
        const server = yield* start(script)
        fill(disk)
        yield* Effect.gen(function*() {
          const telemetry = yield* Telemetry
          yield* spans(0, 1_500)
          assert.deepInclude(yield* telemetry.flush({ within: "1 second" }), {
            exported: 0,
            failed: 0,
            spooled: 0,
            left: 1_500
          })
          mood.isAway = false
          assert.deepInclude(yield* telemetry.flush({ within: "25 seconds" }), { exported: 1_500, failed: 0, left: 0 })
          const { destinations } = yield* telemetry.ledger
          assert.deepInclude(destinations[0], { spooled: 0, queued: 0, unaccounted: 0, dropped: {} })
        }).pipe(Effect.provide(TelemetryLayer({
          logLevel: "none",
          otlp: { tracesEndpoint: server.url },
          spool: { directory: join(disk, "spool"), minFreeBytes: 0 }
        })))
      })),
    60_000
  )
})
