/** How requests travel: their shape, their connections, their memory, and what they tell. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as OtlpDecoder from "../../../src/otlp/OtlpDecoder.ts"
import { readable } from "../../exporters/spans.ts"
import { early, freePort, type Handler, reply, start } from "../server.ts"
import { drip, hang, pipeline } from "./pipeline.ts"
import { faults } from "./table.ts"

describe("requests", () => {
  it.live("sends the whole request with its length", () =>
    Effect.gen(function*() {
      const server = yield* start()
      for (const compression of ["none", "gzip"] as const) {
        const { close, end } = yield* pipeline(server.url, { compression, headers: { "x-tenant": "a" } })
        end(100)
        yield* close
      }
      for (const { body, headers, method, path } of server.received) {
        assert.deepStrictEqual([method, path], ["POST", "/v1/traces"])
        assert.strictEqual(headers["content-length"], String(body.length))
        assert.isUndefined(headers["transfer-encoding"])
        assert.strictEqual(headers["x-tenant"], "a")
        assert.strictEqual(headers["accept-encoding"], "gzip")
      }
      assert.deepStrictEqual(server.received.map(({ headers }) => headers["content-encoding"]), [undefined, "gzip"])
      assert.isTrue(server.received[1]!.body.length < server.received[0]!.body.length / 2)
    }))

  it.live("uses one connection for requests that follow one another", () =>
    Effect.gen(function*() {
      const server = yield* start()
      const { close, end, flush } = yield* pipeline(server.url)
      for (let i = 0; i < 5; i++) {
        end(1)
        yield* flush
      }
      assert.deepStrictEqual(server.received.map(({ connection }) => connection), [0, 0, 0, 0, 0])
      yield* close
    }))

  it.live("replaces a connection that the server had closed, at once and silently", () =>
    Effect.gen(function*() {
      const server = yield* start([reply(200), early(({ request }) => request.socket.destroy())])
      // A retry would come in hours.
      const { account, close, end, flush, lines } = yield* pipeline(server.url, {
        retry: { base: "10 hours", maxBackoff: "10 hours" }
      })
      end(1)
      yield* flush
      end(1)
      yield* flush
      assert.deepStrictEqual([account.exported, server.connections()], [2, 2])
      assert.deepStrictEqual(lines, [])
      yield* close
    }))

  for (const status of [301, 302, 307, 308]) {
    it.live(`does not follow ${status}`, () =>
      Effect.gen(function*() {
        const other = yield* start()
        const server = yield* start([reply(status, { location: other.url })])
        const { account, close, end, flush, lines } = yield* pipeline(server.url, {
          headers: { authorization: "canary" }
        })
        end(1)
        yield* flush
        assert.strictEqual(other.received.length, 0)
        assert.deepStrictEqual(account.rejected, { permanent_status: 1 })
        assert.include(lines[0], "redirects are not followed")
        assert.notInclude(lines.join(), "canary")
        yield* close
      }))
  }

  it.live("delivers when a refused connection comes back", () =>
    Effect.gen(function*() {
      const port = yield* freePort
      const { account, close, end, flush, lines } = yield* pipeline(`http://localhost:${port}/v1/traces`)
      end(3)
      const flushing = yield* Effect.forkChild(flush)
      yield* Effect.sleep("150 millis")
      assert.deepStrictEqual([account.exported, account.queued], [0, 3])
      const server = yield* start([], { port })
      yield* Fiber.join(flushing)
      assert.deepStrictEqual([account.exported, server.received.length], [3, 1])
      assert.match(lines[0]!, /ECONNREFUSED at localhost/)
      assert.match(lines[1]!, /accepts data again/)
      yield* close
    }))

  // Encoded batches and bodies take turns in the same memory; no answer, however early or late, may mix them up.
  it.live("keeps the bytes of one request out of another", () =>
    Effect.gen(function*() {
      const fates: ReadonlyArray<Handler> = [
        reply(200),
        early(({ response }) => void response.end()),
        ({ response }) => void setTimeout(() => response.end(), 3),
        reply(503),
        early(({ request }) => void request.socket.destroy()),
        ({ response }) => void setImmediate(() => response.destroy()),
        reply(413),
        reply(400)
      ]
      const server = yield* start(Array.from({ length: 200 }, (_, i) => fates[(i * 7 + (i >>> 3)) % fates.length]!))
      const { account, conserved, flush, offer } = yield* pipeline(
        server.url,
        { retry: { base: "1 millis" } },
        { maxExportBatchSize: 8, maxQueueSize: 4_000, concurrency: 3 }
      )
      for (let i = 0; i < 1_600; i++) {
        const text = `${i} ${"v".repeat(i % 37 === 0 ? 30_000 : (i * 31) % 400)}`
        offer(readable({ id: 1 + i, name: text, attributes: { i, text } }))
        if (i % 64 === 63) yield* Effect.sleep(1)
      }
      yield* flush
      conserved()
      assert.isAbove(account.exported, 200)
      let spans = 0
      for (const { body } of server.received) {
        for (const span of Result.getOrThrow(OtlpDecoder.decode("application/x-protobuf", body))) {
          assert.strictEqual(span.attributes["text"], span.name)
          assert.isTrue(span.name.startsWith(`${String(span.attributes["i"])} `))
          spans++
        }
      }
      assert.isAbove(spans, account.exported / 2)
    }))

  it.live("holds a bounded number of spans while nobody answers, and closes in time", () =>
    Effect.gen(function*() {
      const server = yield* start(Array.from({ length: 100 }, () => hang))
      const { account, close, conserved, end, lines } = yield* pipeline(server.url, {}, {
        shutdownTimeout: "200 millis"
      })
      end(600)
      yield* Effect.sleep("50 millis")
      end(5_000)
      assert.deepStrictEqual([account.queued, account.dropped], [2048, { queue_full: 3552 }])
      yield* close
      conserved()
      assert.deepStrictEqual(account.dropped, { queue_full: 3552, shutdown_timeout: 2048 })
      assert.strictEqual(server.received.length, 1)
      assert.strictEqual(lines.length, 2)
    }))

  it.live("shows no secret in any of it", () =>
    Effect.gen(function*() {
      const script = faults.flatMap((fault) => fault.script[0] === hang || fault.script[0] === drip ? [] : fault.script)
      const server = yield* start(script)
      const { account, close, end, flush, lines } = yield* pipeline(
        server.url.replace("http://", "http://canary-user:canary-pass@"),
        {
          headers: { "x-api-key": "canary-key", "x-bad": "canary\u0000bad" },
          retry: { base: "1 milli", probeInterval: "20 millis" }
        }
      )
      for (let i = 0; i < script.length; i++) {
        end(2)
        yield* flush
      }
      assert.isTrue(server.received.every(({ headers }) => headers["authorization"] !== undefined))
      assert.isTrue(lines.length > 5)
      assert.notInclude(lines.join("\n"), "canary")
      assert.strictEqual(account.queued, 0)
      yield* close
    }))
})
