/** Nothing is lost that was on disk: outages, exits and kills, with real servers, files and processes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as OtlpDecoder from "../../src/otlp/OtlpDecoder.ts"
import { Telemetry, TelemetryLayer } from "../../src/Telemetry.ts"
import { reply, start, type TestServer } from "./server.ts"

const temporary: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-telemetry-spool-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

const files = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => /\.(seg|ack)$/.test(name))

/** The names of all spans that were accepted, in the order of arrival. */
const namesOf = (server: TestServer, isAccepted: (index: number) => boolean = () => true): ReadonlyArray<string> =>
  server.received.flatMap(({ body, headers }, index) =>
    isAccepted(index)
      ? Effect.runSync(Effect.fromResult(OtlpDecoder.decode(headers["content-type"]!, body))).map(({ name }) => name)
      : []
  )

const spans = (from: number, to: number): Effect.Effect<void> =>
  Effect.forEach(
    Array.from({ length: to - from }, (_, i) => from + i),
    (i) => Effect.withSpan(Effect.void, `span ${i}`),
    { discard: true }
  )

const until = (check: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => check() ? Effect.void : Effect.fail("not yet")).pipe(
    Effect.retry(Schedule.spaced("20 millis")),
    Effect.timeout("20 seconds"),
    Effect.orDie
  )

describe("a spool", () => {
  it.live(
    "keeps what a failing destination refuses, and delivers all of it afterwards",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const directory = yield* temporary
        const server = yield* start([reply(503), reply(503)])
        yield* Effect.gen(function*() {
          const telemetry = yield* Telemetry
          yield* spans(0, 1_500)
          yield* telemetry.flush()
          const during = yield* telemetry.ledger
          assert.isAbove(during.destinations[0]!.spooled, 0)
          assert.strictEqual(during.destinations[0]!.unaccounted, 0)
          yield* until(() => server.received.length > 2 && files(directory).length === 0)
          const { destinations } = yield* telemetry.ledger
          assert.deepInclude(destinations[0], { exported: 1_500, spooled: 0, queued: 0, unaccounted: 0, dropped: {} })
        }).pipe(Effect.provide(TelemetryLayer({
          serviceName: "spool",
          otlp: { tracesEndpoint: server.url },
          spool: { directory, minFreeBytes: 0 }
        })))
        const names = namesOf(server, (index) => index > 1)
        assert.strictEqual(names.length, 1_500)
        assert.strictEqual(new Set(names).size, 1_500)
      })),
    30_000
  )

  it.live("takes a burst that no queue has room for", () =>
    Effect.scoped(Effect.gen(function*() {
      const directory = yield* temporary
      const server = yield* start()
      yield* Effect.gen(function*() {
        const telemetry = yield* Telemetry
        yield* spans(0, 20_000)
        yield* until(() => files(directory).length === 0)
        yield* telemetry.flush()
        const { destinations } = yield* telemetry.ledger
        assert.deepInclude(destinations[0], { exported: 20_000, spooled: 0, unaccounted: 0, dropped: {} })
      }).pipe(Effect.provide(TelemetryLayer({
        otlp: { tracesEndpoint: server.url },
        spool: { directory, minFreeBytes: 0 }
      })))
      assert.strictEqual(new Set(namesOf(server)).size, 20_000)
    })), 30_000)

  it.live("sends everything by way of the disk where that is asked for", () =>
    Effect.scoped(Effect.gen(function*() {
      const directory = yield* temporary
      const server = yield* start()
      yield* Effect.gen(function*() {
        const telemetry = yield* Telemetry
        yield* spans(0, 700)
        const { failed } = yield* telemetry.flush()
        assert.strictEqual(failed, 0)
        const { destinations } = yield* telemetry.ledger
        assert.deepInclude(destinations[0], { exported: 700, spooled: 0, unaccounted: 0, dropped: {} })
      }).pipe(Effect.provide(TelemetryLayer({
        otlp: { tracesEndpoint: server.url, protocol: "http/json" },
        spool: { directory, mode: "always", durability: "power", minFreeBytes: 0 }
      })))
      assert.deepStrictEqual(namesOf(server), Array.from({ length: 700 }, (_, i) => `span ${i}`))
      assert.deepStrictEqual(files(directory), [])
    })), 30_000)

  it.live("isolates a record that is refused", () =>
    Effect.scoped(Effect.gen(function*() {
      const directory = yield* temporary
      const server = yield* start([reply(503), reply(400), reply(400)])
      yield* Effect.gen(function*() {
        const telemetry = yield* Telemetry
        yield* spans(0, 1_536)
        yield* telemetry.flush()
        yield* until(() => files(directory).length === 0)
        const { destinations } = yield* telemetry.ledger
        assert.deepInclude(destinations[0], {
          exported: 1_024,
          spooled: 0,
          unaccounted: 0,
          rejected: { permanent_status: 512 }
        })
      }).pipe(Effect.provide(TelemetryLayer({
        otlp: { tracesEndpoint: server.url },
        spool: { directory, minFreeBytes: 0 }
      })))
    })), 30_000)

  it.live("is found again by the next layer of the same process", () =>
    Effect.scoped(Effect.gen(function*() {
      const directory = yield* temporary
      const server = yield* start([reply(503)])
      const layer = () =>
        TelemetryLayer({
          logLevel: "none",
          otlp: { tracesEndpoint: server.url },
          spool: { directory, minFreeBytes: 0 }
        })
      yield* Effect.provide(spans(0, 50), layer())
      assert.isAbove(files(directory).length, 0)
      yield* Effect.gen(function*() {
        const telemetry = yield* Telemetry
        yield* until(() => files(directory).length === 0)
        yield* telemetry.flush()
        const { destinations } = yield* telemetry.ledger
        assert.deepInclude(destinations[0], { exported: 50, recovered: 50, spooled: 0, unaccounted: 0 })
      }).pipe(Effect.provide(layer()))
      assert.strictEqual(new Set(namesOf(server, (index) => index > 0)).size, 50)
      const folders = readdirSync(directory, { recursive: true, encoding: "utf8" })
      assert.isAtMost(folders.length, 2, folders.join())
    })), 30_000)

  it.live("goes on when its directory is deleted", () =>
    Effect.scoped(Effect.gen(function*() {
      const directory = yield* temporary
      const server = yield* start()
      yield* Effect.gen(function*() {
        const telemetry = yield* Telemetry
        yield* spans(0, 100)
        yield* telemetry.flush()
        rmSync(directory, { recursive: true })
        yield* spans(100, 200)
        yield* telemetry.flush()
        const { destinations } = yield* telemetry.ledger
        assert.deepInclude(destinations[0], { exported: 200, spooled: 0, unaccounted: 0, dropped: {} })
      }).pipe(Effect.provide(TelemetryLayer({
        otlp: { tracesEndpoint: server.url },
        spool: { directory, mode: "always", minFreeBytes: 0 }
      })))
      assert.strictEqual(new Set(namesOf(server)).size, 200)
    })), 30_000)

  it.live("is not used where others may write", () =>
    Effect.scoped(Effect.gen(function*() {
      const directory = yield* temporary
      chmodSync(directory, 0o777)
      const server = yield* start()
      yield* Effect.gen(function*() {
        yield* spans(0, 10)
        yield* (yield* Telemetry).flush()
      }).pipe(Effect.provide(TelemetryLayer({
        logLevel: "none",
        otlp: { tracesEndpoint: server.url },
        spool: { directory, mode: "always" }
      })))
      assert.strictEqual(namesOf(server).length, 10)
      assert.deepStrictEqual(readdirSync(directory), [])
    })), 30_000)
})

const root = new URL("../../", import.meta.url)

/** Makes 100 spans and leaves as `leave` says; answers when the process has ended. */
const leaving = (leave: string, target: string, directory: string, options = "") =>
  Effect.callback<{ readonly out: string; readonly err: string }>((resume) => {
    const program = `
      import { trace, TraceContext } from "effect-telemetry/promise"
      await TraceContext.initialize({
        otlp: { endpoint: ${JSON.stringify(target)} },
        spool: { directory: ${JSON.stringify(directory)}, minFreeBytes: 0 },
        ${options}
      })
      for (let i = 0; i < 100; i++) trace("span " + i, () => {})
      ${leave}
    `
    const child = spawn(
      process.execPath,
      ["--import", "tsx", "--conditions=effect-telemetry-source", "--input-type=module", "--eval", program],
      { cwd: root, env: { ...process.env, OTEL_SERVICE_NAME: "leaving" } }
    )
    let out = ""
    let err = ""
    child.stdout.on("data", (chunk: Buffer) => out += chunk.toString())
    child.stderr.on("data", (chunk: Buffer) => err += chunk.toString())
    child.on("close", () => resume(Effect.succeed({ out, err })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

describe("a process that leaves", () => {
  const ways: ReadonlyArray<readonly [string, string]> = [
    ["by itself", ""],
    ["by process.exit", "process.exit(0)"],
    ["by an uncaught error", "setTimeout(() => { throw new Error('uncaught') })"],
    ["by an unhandled rejection", "Promise.reject(new Error('unhandled'))"]
  ]
  for (const [way, leave] of ways) {
    it.live(`${way} has its 100 spans delivered by the next one`, () =>
      Effect.scoped(Effect.gen(function*() {
        const directory = yield* temporary
        const server = yield* start()
        const closed = "http://127.0.0.1:9"
        yield* leaving(leave, closed, directory)
        assert.isAbove(files(directory).length, 0)
        // Another destination gets nothing that was not meant for it.
        const other = new URL(server.url).origin
        yield* leaving("await TraceContext.shutdown()", other, directory)
        assert.deepStrictEqual(new Set(namesOf(server)).size, 100)
        assert.isAbove(files(directory).length, 0)
      })), 60_000)
  }

  it.live("has them delivered at the same address", () =>
    Effect.scoped(Effect.gen(function*() {
      const directory = yield* temporary
      const server = yield* start()
      const origin = new URL(server.url).origin
      yield* leaving("process.exit(0)", origin, directory, "serviceName: 'first',")
      assert.isAbove(files(directory).length, 0)
      yield* leaving("await TraceContext.shutdown()", origin, directory, "serviceName: 'second',")
      const services = server.received.flatMap(({ body, headers }) =>
        Effect.runSync(Effect.fromResult(OtlpDecoder.decode(headers["content-type"]!, body)))
          .map(({ resource }) => resource.attributes["service.name"])
      )
      assert.deepStrictEqual(files(directory), [])
      assert.strictEqual(services.filter((name) => name === "first").length, 100)
      assert.strictEqual(services.filter((name) => name === "second").length, 100)
    })), 60_000)
})
