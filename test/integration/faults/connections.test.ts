/** The way to the collector: names, addresses, connections, and both ways of being slow. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as http2 from "node:http2"
import type { AddressInfo, Server, Socket } from "node:net"
import * as blackhole from "../blackhole.ts"
import * as certificates from "../certificates.ts"
import { planLookups, plannedName, plans } from "../lookups.ts"
import { early, freePort, type Handler, reply, start, type TestServer } from "../server.ts"
import { booksOf, drip, hang, pipeline } from "./pipeline.ts"

/** Two batches of two spans; a long name takes more than the kernel's buffers. */
const twoBatches = Effect.fnUntraced(function*(
  url: string,
  options?: Parameters<typeof pipeline>[1],
  nameLength?: number
) {
  const { books, close, conserved, end, flush, lines } = yield* pipeline(url, options, { maxQueueBytes: 2 ** 26 })
  end(2, nameLength)
  yield* flush
  const first = books()
  end(2, nameLength)
  yield* flush
  conserved()
  yield* close
  conserved()
  return { first, books: books(), lines }
})

const all = booksOf({ exported: 4 })
const impatient = { base: "1 milli", maxAge: "300 millis", probeInterval: "20 millis" } as const

/** A handler for as long as the server is not healed, and the cure. */
const curable = (handler: Handler) => {
  let isIll = true
  const step: Handler = (exchange) => isIll ? handler(exchange) : reply(200)(exchange)
  return { script: Array.from({ length: 500 }, () => step), heal: () => isIll = false }
}

/** What gives up on the first batch must not give up on the second. */
const recovers = Effect.fnUntraced(function*(
  url: string,
  heal: Effect.Effect<unknown, never, Scope.Scope>,
  options?: Parameters<typeof pipeline>[1]
) {
  const { books, close, conserved, end, flush, lines } = yield* pipeline(url, { retry: impatient, ...options })
  end(2)
  yield* flush
  assert.deepStrictEqual(books(), booksOf({ dropped: { retry_exhausted: 2 } }))
  yield* heal
  end(2)
  yield* flush
  assert.deepStrictEqual(books(), booksOf({ exported: 2, dropped: { retry_exhausted: 2 } }))
  conserved()
  yield* close
  return lines
})

const planned = (plan: Parameters<typeof planLookups>[0]): Effect.Effect<unknown, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.sync(() => planLookups(plan)), (restore) => Effect.sync(restore))

const named = ({ url }: TestServer): string => url.replace("localhost", plannedName)

describe("being slow", () => {
  it.live("a server that reads slowly is given up at the deadline, and sent everything again", () =>
    Effect.gen(function*() {
      const server = yield* start([early(({ request, response }) => {
        request.pause()
        const timer = setInterval(() => request.read(64), 20)
        response.on("close", () => clearInterval(timer))
      })])
      const { books, lines } = yield* twoBatches(server.url, { timeout: 300 }, 8_000_000)
      assert.deepStrictEqual(books, all)
      assert.include(lines[0], "timeout")
      // Each span is a batch of its own, being so large; none but the first comes on the connection that was given up.
      assert.deepStrictEqual(server.received.map(({ connection }) => connection), [1, 1, 1, 1])
    }))

  it.live("a server that always answers byte by byte costs what it was sent, and nothing that comes later", () =>
    Effect.gen(function*() {
      const { heal, script } = curable(drip)
      const server = yield* start(script)
      const lines = yield* recovers(server.url, Effect.sync(heal), { timeout: 100 })
      assert.include(lines[0], "timeout")
    }))

  it.live("a server that takes a request and never answers any does the same", () =>
    Effect.gen(function*() {
      const { heal, script } = curable(hang)
      const server = yield* start(script)
      const lines = yield* recovers(server.url, Effect.sync(heal), { timeout: 100 })
      assert.include(lines[0], "timeout")
    }))
})

describe("connections", () => {
  it.live("one that is reset within the request is replaced, and the request sent again", () =>
    Effect.gen(function*() {
      const server = yield* start([
        early(({ request }) => request.once("data", () => request.socket.resetAndDestroy()))
      ])
      const { books } = yield* twoBatches(server.url, undefined, 1_000_000)
      assert.deepStrictEqual(books, all)
      assert.strictEqual(server.received.length, 2)
    }))

  it.live("one that the server closes after each answer costs nothing but another one", () =>
    Effect.gen(function*() {
      const server = yield* start([reply(200, { connection: "close" }), reply(200, { connection: "close" })])
      const { books, lines } = yield* twoBatches(server.url)
      assert.deepStrictEqual([books, lines], [all, []])
      assert.deepStrictEqual(server.received.map(({ connection }) => connection), [0, 1])
    }))

  it.live("one that proves closed on every second request loses nothing, and sends nothing twice", () =>
    Effect.gen(function*() {
      let accepted = 0
      const stale = early(({ request }) => void request.socket.resetAndDestroy())
      const fine: Handler = ({ response }) => {
        accepted++
        response.end()
      }
      const server = yield* start(Array.from({ length: 12 }, (_, i) => i % 3 === 1 ? stale : fine))
      // A retry would come in hours.
      const retry = { base: "10 hours", maxBackoff: "10 hours" } as const
      const { books, close, end, flush, lines } = yield* pipeline(server.url, { retry })
      for (let i = 0; i < 4; i++) {
        end(1)
        yield* flush
      }
      assert.deepStrictEqual([books(), lines], [booksOf({ exported: 4 }), []])
      assert.strictEqual(accepted, 4)
      yield* close
    }))

  it.live("are refused until they are not", () =>
    Effect.scoped(Effect.gen(function*() {
      const port = yield* freePort
      const lines = yield* recovers(`http://localhost:${port}/v1/traces`, start([], { port }))
      assert.include(lines[0], "ECONNREFUSED")
    })))

  it.live("without a certificate that anybody vouches for are told and not used", () =>
    Effect.gen(function*() {
      const tls = { cert: certificates.serverCertificate, key: certificates.serverKey }
      const server = yield* start([], { tls })
      const { books, lines } = yield* twoBatches(server.url, { retry: impatient })
      assert.deepStrictEqual(books, booksOf({ dropped: { retry_exhausted: 4 } }))
      assert.include(lines[0], "tls")
      assert.strictEqual(server.received.length, 0)
    }))
})

describe("closing", () => {
  const ways: ReadonlyArray<readonly [string, Handler]> = [
    ["nobody answers", hang],
    ["everything is refused for now", reply(503)],
    ["an answer drips in", drip],
    ["every connection is reset", ({ request }) => void request.socket.resetAndDestroy()]
  ]
  for (const [what, handler] of ways) {
    it.live(`ends in time while ${what}, and counts what is left`, () =>
      Effect.gen(function*() {
        const server = yield* start(Array.from({ length: 100 }, () => handler))
        const { books, close, conserved, end, lines } = yield* pipeline(server.url, {}, {
          shutdownTimeout: "200 millis"
        })
        end(100)
        yield* Effect.timeoutOrElse(close, { duration: "10 seconds", orElse: () => Effect.die(new Error("hangs")) })
        conserved()
        assert.deepStrictEqual(books(), booksOf({ dropped: { shutdown_timeout: 100 } }))
        assert.include(lines.at(-1), "100 items lost (shutdown_timeout)")
      }))
  }
})

/** A server of HTTP/2, and of nothing else. */
const http2Only = (make: () => Server) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const sockets: Array<Socket> = []
        const server = make().on("connection", (socket: Socket) => sockets.push(socket.on("error", () => {})))
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
        return { server, sockets }
      }),
      ({ server, sockets }) =>
        Effect.sync(() => {
          for (const socket of sockets) socket.destroy()
          server.close()
        })
    ),
    ({ server }) => (server.address() as AddressInfo).port
  )

describe("a server that speaks HTTP/2 only", () => {
  it.live("in clear text is told, and what it was sent is counted", () =>
    Effect.gen(function*() {
      const port = yield* http2Only(() => http2.createServer())
      const { books, lines } = yield* twoBatches(`http://localhost:${port}/v1/traces`)
      assert.deepStrictEqual(books, booksOf({ dropped: { export_error: 4 } }))
      assert.include(lines[0], "did not answer in HTTP")
    }))

  it.live("over TLS is told, and what it was sent is counted", () =>
    Effect.gen(function*() {
      const tls = { cert: certificates.serverCertificate, key: certificates.serverKey, allowHTTP1: false }
      const port = yield* http2Only(() => http2.createSecureServer(tls).on("unknownProtocol", (socket) => socket.end()))
      const { books, lines } = yield* twoBatches(`https://localhost:${port}/v1/traces`, {
        certificate: certificates.authority,
        retry: impatient
      })
      assert.deepStrictEqual(books, booksOf({ dropped: { retry_exhausted: 4 } }))
      assert.isNotEmpty(lines)
    }))
})

describe("names and addresses", () => {
  it.live("a name that is never found is tried again", () =>
    Effect.scoped(Effect.gen(function*() {
      yield* planned(plans.fails)
      const server = yield* start()
      const { books, lines } = yield* twoBatches(named(server), { retry: impatient })
      assert.deepStrictEqual(books, booksOf({ dropped: { retry_exhausted: 4 } }))
      assert.include(lines[0], "ENOTFOUND")
    })))

  it.live("a name that flaps costs nothing: it is looked up for each connection", () =>
    Effect.scoped(Effect.gen(function*() {
      yield* planned(plans.flaps)
      const closing = reply(200, { connection: "close" })
      const server = yield* start([closing, closing])
      const { books, first, lines } = yield* twoBatches(named(server))
      assert.deepStrictEqual([first, books], [booksOf({ exported: 2 }), all])
      assert.include(lines[0], "EAI_AGAIN")
      assert.strictEqual(server.received.length, 2)
    })))

  it.live("IPv6 that swallows every packet leaves IPv4, within the deadline of one request", (context) =>
    Effect.scoped(Effect.gen(function*() {
      yield* planned(plans["both families"])
      const server = yield* start()
      const hole = yield* Effect.acquireRelease(
        Effect.promise(() => blackhole.open(server.port).catch((error: unknown) => String(error))),
        (close) => Effect.sync(() => typeof close === "function" && close())
      )
      if (typeof hole === "string") return context.skip(`IPv6 swallows nothing here: ${hole}`)
      const { books, lines } = yield* twoBatches(named(server), { timeout: 5_000 })
      assert.deepStrictEqual([books, lines], [all, []])
      assert.strictEqual(server.received.length, 2)
    })))
})

describe("a batch of 65 MiB", () => {
  const mebibyte = 2 ** 20
  const limits = { maxQueueBytes: 256 * mebibyte, maxBatchBytes: 256 * mebibyte }

  it.live("is split: no request is larger than 64 MiB, and everything arrives", () =>
    Effect.gen(function*() {
      const server = yield* start()
      const { books, close, end, flush, lines } = yield* pipeline(server.url, { timeout: "20 seconds" }, limits)
      end(65, mebibyte)
      yield* flush
      assert.deepStrictEqual([books(), lines], [booksOf({ exported: 65 }), []])
      assert.strictEqual(server.received.length, 2)
      for (const { body } of server.received) assert.isAtMost(body.length, 64 * mebibyte)
      yield* close
    }))

  it.live("of one span is given up and counted, and the next batch arrives", () =>
    Effect.gen(function*() {
      const server = yield* start()
      const { books, close, end, flush, lines } = yield* pipeline(server.url, { timeout: "20 seconds" }, limits)
      end(1, 65 * mebibyte)
      yield* flush
      end(2)
      yield* flush
      assert.deepStrictEqual(books(), booksOf({ exported: 2, dropped: { oversize: 1 } }))
      assert.include(lines[0], "more than 67108864")
      assert.strictEqual(server.received.length, 1)
      yield* close
    }))
})
