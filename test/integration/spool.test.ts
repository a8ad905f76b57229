/** Nothing is lost that was on disk: outages and a disk that changes, with real servers and files. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { chmodSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import { setImmediate } from "node:timers/promises"
import { Telemetry, TelemetryLayer } from "../../src/Telemetry.ts"
import { namesOf, spoolFiles as files, temporary } from "./programs.ts"
import { type Exchange, freePort, reply, start } from "./server.ts"

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
          assert.strictEqual((yield* telemetry.flush()).survives, "process")
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

  it.live("lets what is fresh pass the backlog, which is sent in order", () =>
    Effect.scoped(Effect.gen(function*() {
      const directory = yield* temporary
      const port = yield* freePort
      let reached = () => {}
      let go = () => {}
      const isReached = new Promise<void>((resolve) => reached = resolve)
      const isFresh = new Promise<void>((resolve) => go = resolve)
      const layer = TelemetryLayer({
        logLevel: "none",
        otlp: { tracesEndpoint: `http://localhost:${port}/v1/traces` },
        spool: { directory, mode: "always", minFreeBytes: 0 }
      })
      const large = { attributes: { padding: "x".repeat(4_000) } }
      yield* Effect.forEach(
        Array.from({ length: 1_500 }, (_, i) => i),
        (i) => Effect.withSpan(i % 100 === 0 ? Effect.sleep(1) : Effect.void, `old ${i}`, large),
        { discard: true }
      ).pipe(Effect.provide(layer))
      assert.isAbove(files(directory).length, 4)

      const hold = (exchange: Exchange): void => {
        reached()
        void isFresh.then(() => reply(200)(exchange))
      }
      const server = yield* start([reply(200), reply(200), hold], { port })
      yield* Effect.gen(function*() {
        const telemetry = yield* Telemetry
        yield* Effect.promise(() => isReached)
        yield* Effect.withSpan(Effect.void, "fresh")
        yield* Effect.promise(() => setImmediate().then(() => setImmediate()))
        go()
        yield* telemetry.flush()
        const { destinations } = yield* telemetry.ledger
        assert.deepInclude(destinations[0], { exported: 1_501, recovered: 1_500, spooled: 0, unaccounted: 0 })
      }).pipe(Effect.provide(layer))
      const requests = server.received.map((_, index) => namesOf(server, (other) => other === index))
      assert.isAbove(requests.length, 8)
      assert.isAtMost(requests.findIndex((names) => names.includes("fresh")), 4)
      assert.deepStrictEqual(
        requests.flat().filter((name) => name !== "fresh"),
        Array.from({ length: 1_500 }, (_, i) => `old ${i}`)
      )
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

  it.live.each(["http/protobuf", "http/json"] as const)(
    "keeps copies of what is refused for good, sent at once or from the disk, in %s",
    (protocol) =>
      Effect.scoped(Effect.gen(function*() {
        const directory = yield* temporary
        // Refused at once; not taken; refused from the disk; and all others are taken.
        const server = yield* start([reply(400), reply(503), reply(422)])
        const lines: Array<string> = []
        yield* Effect.gen(function*() {
          const telemetry = yield* Telemetry
          for (let batch = 0; batch < 4; batch++) {
            yield* spans(batch * 10, batch * 10 + 10)
            yield* telemetry.flush()
            if (batch === 1) yield* until(() => files(directory).length === 0)
          }
          const { destinations } = yield* telemetry.ledger
          assert.deepInclude(destinations[0], {
            exported: 20,
            spooled: 0,
            unaccounted: 0,
            dropped: {},
            rejected: { permanent_status: 20 }
          })
        }).pipe(
          Effect.provide(TelemetryLayer({
            otlp: {
              tracesEndpoint: server.url.replace("//", "//somebody:password@"),
              protocol,
              headers: { "x-api-key": "hunter2" }
            },
            spool: { directory, minFreeBytes: 0 }
          })),
          Effect.provideService(Diagnostics.Diagnostics, Diagnostics.make({ write: (line) => lines.push(line) }))
        )
        const copies = readdirSync(directory, { recursive: true, encoding: "utf8" })
          .filter((name) => /rejected.+\.(pb|json)$/.test(name)).sort()
        const end = protocol === "http/json" ? "json" : "pb"
        assert.deepStrictEqual(copies.map((name) => name.replace(/^.*rejected.[0-9a-f]+-/, "")), [
          `000000-http-400.${end}`,
          `000001-http-422.${end}`
        ])
        const refusals = lines.filter((line) => line.includes("refused with HTTP"))
        assert.strictEqual(refusals.length, 2)
        assert.match(refusals[0]!, /copies go to .*\/rejected\)$/)
        assert.strictEqual(refusals[0]!.includes(directory), true)
        assert.notInclude(refusals[1], directory, "said once")
        for (const [copy, request] of [[0, 0], [1, 2]] as const) {
          const bytes = readFileSync(join(directory, copies[copy]!))
          assert.isTrue(bytes.equals(server.received[request]!.body), "as it was sent")
          assert.notInclude(bytes.toString("latin1"), "hunter2")
          assert.notInclude(bytes.toString("latin1"), "password")
        }
      })),
    30_000
  )

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
