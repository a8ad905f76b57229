import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import { spawn } from "node:child_process"
import type { IncomingMessage } from "node:http"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import * as DefaultTransport from "../../src/delivery/DefaultTransport.ts"
import * as FetchTransport from "../../src/delivery/FetchTransport.ts"
import * as NodeTransport from "../../src/delivery/NodeTransport.ts"
import type { Transport, TransportRequest } from "../../src/delivery/Transport.ts"
import * as certificates from "../integration/certificates.ts"
import { early, freePort, reply, start } from "../integration/server.ts"

const request = (url: string, given?: Partial<TransportRequest>): TransportRequest => ({
  url,
  headers: {},
  body: new TextEncoder().encode("hello"),
  timeoutMillis: 5_000,
  maxResponseBytes: 1_000,
  ...given
})

const text = (body: Uint8Array): string => new TextDecoder().decode(body)

// What both transports promise.
const transports = [
  ["NodeTransport", NodeTransport.make()],
  ["FetchTransport", Effect.succeed(FetchTransport.make())]
] as const

for (const [name, make] of transports) {
  describe(name, () => {
    const send = (given: TransportRequest) =>
      Effect.flatMap(make, (transport: Transport["Service"]) => transport.send(given))
    const fails = (given: TransportRequest) => Effect.flip(send(given))

    it.live("posts and hands over the answer", () =>
      Effect.gen(function*() {
        const server = yield* start([reply(418, { "X-Thing": "a" }, "teapot")])
        const response = yield* send(request(`${server.url}?a=b`, { headers: { "x-key": "value" } }))
        assert.deepStrictEqual([response.status, response.headers["x-thing"], text(response.body)], [
          418,
          "a",
          "teapot"
        ])
        const [received] = server.received
        assert.deepStrictEqual([received!.method, received!.path, text(received!.body)], [
          "POST",
          "/v1/traces?a=b",
          "hello"
        ])
        assert.deepStrictEqual([received!.headers["x-key"], received!.headers["content-length"]], ["value", "5"])
      }))

    it.live("asks without a body", () =>
      Effect.gen(function*() {
        const server = yield* start([reply(304, { etag: `"1"` })])
        const asking = request(server.url, {
          method: "GET",
          headers: { "if-none-match": `"1"` },
          body: new Uint8Array()
        })
        const response = yield* send(asking)
        assert.deepStrictEqual([response.status, response.headers["etag"]], [304, `"1"`])
        const [received] = server.received
        assert.strictEqual(received!.method, "GET")
        assert.strictEqual(received!.headers["if-none-match"], `"1"`)
        assert.isUndefined(received!.headers["content-length"])
        assert.strictEqual(received!.body.length, 0)
      }))

    it.live("reads an answer in gzip, and no more of it than the bound", () =>
      Effect.gen(function*() {
        const zipped = (size: number) => reply(200, { "content-encoding": "gzip" }, gzipSync("z".repeat(size)))
        const server = yield* start([zipped(1_000), zipped(1_001)])
        assert.strictEqual((yield* send(request(server.url))).body.length, 1_000)
        const error = yield* fails(request(server.url))
        assert.deepStrictEqual([error.reason, error.detail], ["response", "the answer is larger than 1000 bytes"])
      }))

    it.live("reads an answer up to the bound", () =>
      Effect.gen(function*() {
        const server = yield* start([reply(200, {}, "z".repeat(1_000)), reply(200, {}, "z".repeat(1_001))])
        assert.strictEqual((yield* send(request(server.url))).body.length, 1_000)
        assert.strictEqual((yield* fails(request(server.url))).reason, "response")
      }))

    it.live("does not follow a redirect", () =>
      Effect.gen(function*() {
        const other = yield* start()
        const server = yield* start([reply(307, { location: other.url })])
        assert.strictEqual((yield* send(request(server.url))).status, 307)
        assert.strictEqual(other.received.length, 0)
      }))

    it.live("ends an exchange at its deadline, the body of the answer included", () =>
      Effect.gen(function*() {
        const server = yield* start([() => {}, ({ response }) =>
          response.writeHead(200, { "content-length": "9" }).write("a")])
        for (const attempt of [1, 2]) {
          const error = yield* fails(request(server.url, { timeoutMillis: 150 }))
          assert.strictEqual(error.reason, "timeout", `attempt ${attempt}`)
        }
      }))

    it.live("ends an exchange that is interrupted", () =>
      Effect.gen(function*() {
        let closed: () => void = () => {}
        const isClosed = new Promise<void>((resolve) => closed = resolve)
        let arrived: () => void = () => {}
        const hasArrived = new Promise<void>((resolve) => arrived = resolve)
        const server = yield* start([({ request }) => {
          request.socket.on("close", closed)
          arrived()
        }])
        const fiber = yield* Effect.forkChild(send(request(server.url)))
        yield* Effect.promise(() => hasArrived)
        yield* Fiber.interrupt(fiber)
        yield* Effect.promise(() => isClosed)
      }))

    it.live("tells no secret in an error", () =>
      Effect.gen(function*() {
        const port = yield* freePort
        const server = yield* start([early(({ request }) => request.socket.destroy())])
        const headers = { authorization: "canary-1", "x-bad": "canary\u0000" }
        for (const url of [`http://localhost:${port}/`, server.url, "http://canary:canary@localhost:1/", "canary"]) {
          for (const given of [headers, { authorization: "canary-1" }]) {
            const error = yield* fails(request(url, { headers: given }))
            assert.notInclude(error.message, "canary")
          }
        }
      }))

    it.live("fails to connect where nobody listens", () =>
      Effect.gen(function*() {
        const port = yield* freePort
        assert.strictEqual((yield* fails(request(`http://localhost:${port}/`))).reason, "connect")
      }))
  })
}

describe("NodeTransport", () => {
  it.live("reads nothing of a body once the exchange has ended", () =>
    Effect.gen(function*() {
      const transport = yield* NodeTransport.make()
      let incoming: IncomingMessage | undefined
      const server = yield* start([early((exchange) => {
        incoming = exchange.request
        incoming.socket.pause()
        exchange.response.end()
      })])
      const answer = yield* transport.send(request(server.url, { body: new Uint8Array(64 * 1024 * 1024) }))
      assert.deepStrictEqual([answer.status, transport.releasesBody], [200, true])
      const { socket } = incoming!
      const isOver = new Promise<unknown>((resolve) => {
        if (socket.destroyed) resolve(undefined)
        socket.once("close", resolve)
        incoming!.once("end", resolve)
      })
      socket.resume()
      yield* Effect.promise(() => isOver)
      assert.isFalse(incoming!.complete)
    }))

  it.live("waits for the answer that arrived while the event loop was blocked", () =>
    Effect.gen(function*() {
      const transport = yield* NodeTransport.make()
      // Another process answers in time; this one does not get to read it before its deadline has passed.
      const child = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn(process.execPath, [
            "-e",
            `require("node:http").createServer((q, s) => q.resume().on("end", () => setTimeout(() => s.end(), 100))).listen(0, function() { console.log(this.address().port) })`
          ], { stdio: ["ignore", "pipe", "ignore"] })
        ),
        (child) => Effect.sync(() => child.kill())
      )
      const port = yield* Effect.promise(() => new Promise<string>((resolve) => child.stdout.once("data", resolve)))
      const url = `http://127.0.0.1:${String(port).trim()}/`
      const fiber = yield* Effect.forkChild(transport.send(request(url, { timeoutMillis: 250 })))
      // Lets the request out, and then nothing in.
      yield* Effect.sleep("50 millis")
      // Blocked in the phase right before the timers, so that the deadline comes before the answer.
      yield* Effect.promise(() =>
        new Promise<void>((resolve) =>
          setImmediate(() => {
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400)
            resolve()
          })
        )
      )
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
    }))

  it.live("refuses a URL that is not http or https", () =>
    Effect.gen(function*() {
      const transport = yield* NodeTransport.make()
      for (const url of ["", "localhost:4318", "ftp://localhost/", "file:///etc/passwd"]) {
        assert.strictEqual((yield* Effect.flip(transport.send(request(url)))).reason, "response")
      }
    }))

  describe("TLS", () => {
    const tls = { key: certificates.serverKey, cert: certificates.serverCertificate }
    const sending = (url: string, options?: NodeTransport.NodeTransportOptions) =>
      Effect.flatMap(DefaultTransport.make(options), (transport) => transport.send(request(url)))

    it.live("refuses a certificate of an unknown authority", () =>
      Effect.gen(function*() {
        const server = yield* start([], { tls })
        const error = yield* Effect.flip(sending(server.url))
        assert.strictEqual(error.reason, "tls")
        assert.strictEqual(server.received.length, 0)
      }))

    it.live("trusts the configured authority, for the names of the certificate only", () =>
      Effect.gen(function*() {
        const server = yield* start([], { tls })
        const options = { certificate: certificates.authority }
        assert.strictEqual((yield* sending(server.url, options)).status, 200)
        const error = yield* Effect.flip(sending(server.url.replace("localhost", "127.0.0.2"), options))
        assert.include(["tls", "connect"], error.reason)
      }))

    it.live("shows the client's certificate", () =>
      Effect.gen(function*() {
        const server = yield* start([], {
          tls: { ...tls, ca: certificates.authority, requestCert: true, rejectUnauthorized: true }
        })
        const certificate = certificates.authority
        assert.strictEqual(
          (yield* sending(server.url, {
            certificate,
            clientCertificate: certificates.clientCertificate,
            clientKey: Redacted.make(certificates.clientKey)
          })).status,
          200
        )
        yield* Effect.flip(sending(server.url, { certificate }))
        assert.strictEqual(server.received.length, 1)
      }))

    it.live("takes PEM text that is none for a TLS failure", () =>
      Effect.gen(function*() {
        const server = yield* start([], { tls })
        const error = yield* Effect.flip(sending(server.url, { clientCertificate: "canary", clientKey: "canary" }))
        assert.strictEqual(error.reason, "tls")
        assert.notInclude(error.message, "canary")
      }))

    it.live("takes a server without TLS for a TLS failure", () =>
      Effect.gen(function*() {
        const server = yield* start()
        const error = yield* Effect.flip(sending(server.url.replace("http:", "https:")))
        assert.strictEqual(error.reason, "tls")
      }))
  })

  it.live(
    "does not keep the process alive: neither an idle connection, nor a batch that waits, nor one that retries",
    () =>
      Effect.gen(function*() {
        const server = yield* start([reply(200), reply(503, { "retry-after": "500" })])
        const script = fileURLToPath(new URL("leaving.ts", import.meta.url))
        const child = spawn(
          process.execPath,
          ["--import", "tsx", "--conditions=effect-telemetry-source", script, server.url],
          { stdio: ["ignore", "pipe", "pipe"] }
        )
        let output = ""
        let errors = ""
        child.stdout.on("data", (chunk) => output += chunk)
        child.stderr.on("data", (chunk) => errors += chunk)
        const code = yield* Effect.promise(() => new Promise((resolve) => child.on("close", resolve)))
        assert.deepStrictEqual([code, output.trim(), server.received.length], [0, "exported 1, queued 0, lost 2", 2])
        assert.include(errors, "2 items lost (shutdown): the process ended before they were delivered")
      }),
    30_000
  )
})
