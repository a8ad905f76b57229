/** Nothing is lost that was on disk: outages and a disk that changes, with real servers and files. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { chmodSync, readdirSync, rmSync } from "node:fs"
import { Telemetry, TelemetryLayer } from "../../src/Telemetry.ts"
import { namesOf, spoolFiles as files, temporary } from "./programs.ts"
import { reply, start } from "./server.ts"

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
