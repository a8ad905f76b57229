/** What the files of a spool look like to others, on a real disk. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { chmodSync, lstatSync, mkdirSync, readdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { Telemetry, TelemetryLayer } from "../../../src/Telemetry.ts"
import { temporary } from "../../integration/programs.ts"
import { freePort } from "../../integration/server.ts"

const isWindows = process.platform === "win32"

const modeOf = (path: string): string => {
  const stat = lstatSync(path)
  return `${stat.isDirectory() ? "directory" : "file"} ${(stat.mode & 0o777).toString(8)}`
}

/** Ten spans that nobody takes, and what is then in `directory`. */
const spooling = Effect.fnUntraced(function*(directory: string) {
  const port = yield* freePort
  return yield* Effect.gen(function*() {
    for (let i = 0; i < 10; i++) yield* Effect.withSpan(Effect.void, `span ${i}`)
    yield* (yield* Telemetry).flush({ within: "300 millis" })
    const { spooled, unaccounted } = (yield* (yield* Telemetry).ledger).destinations[0]!
    assert.strictEqual(unaccounted, 0)
    const names = readdirSync(directory, { recursive: true, encoding: "utf8" })
    return { spooled, modes: ["", ...names].map((name) => modeOf(join(directory, name))) }
  }).pipe(Effect.provide(TelemetryLayer({
    logLevel: "none",
    shutdownTimeout: 0,
    otlp: { endpoint: `http://127.0.0.1:${port}` },
    spool: { directory, mode: "always", minFreeBytes: 0 }
  })))
})

describe("the files of a spool", () => {
  it.live("are their owner's alone, whatever the umask is", (context) =>
    Effect.scoped(Effect.gen(function*() {
      if (isWindows) return context.skip("Windows has no permission bits")
      const parent = yield* temporary
      const umask = process.umask(0)
      const { modes, spooled } = yield* spooling(join(parent, "made", "here")).pipe(
        Effect.ensuring(Effect.sync(() => process.umask(umask)))
      )
      assert.strictEqual(spooled, 10)
      assert.deepStrictEqual(new Set(modes), new Set(["directory 700", "file 600"]))
    })))

  it.live("are not made behind a symbolic link, nor where a group may write", (context) =>
    Effect.scoped(Effect.gen(function*() {
      if (isWindows) return context.skip("Windows has no permission bits")
      const parent = yield* temporary
      const elsewhere = join(parent, "elsewhere")
      mkdirSync(elsewhere, { mode: 0o700 })
      symlinkSync(elsewhere, join(parent, "link"))
      const linked = yield* spooling(join(parent, "link"))
      assert.deepStrictEqual([linked.spooled, readdirSync(elsewhere)], [0, []])
      const shared = join(parent, "shared")
      mkdirSync(shared)
      chmodSync(shared, 0o770)
      const grouped = yield* spooling(shared)
      assert.deepStrictEqual([grouped.spooled, readdirSync(shared)], [0, []])
    })))
})
