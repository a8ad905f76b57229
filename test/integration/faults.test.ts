/**
 * The fault matrix: batch processor, OTLP exporter and the Node transport against a real server that misbehaves once.
 * Whatever happens to the first batch, the second arrives and the books balance.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { randomBytes } from "node:crypto"
import { gzipSync } from "node:zlib"
import { TracesLedger } from "../../src/diagnostics/CurrentLedger.ts"
import { Diagnostics } from "../../src/diagnostics/Diagnostics.ts"
import { SignalLedger } from "../../src/diagnostics/Ledger.ts"
import * as OtlpSpanExporter from "../../src/exporters/OtlpSpanExporter.ts"
import { SpanExporter } from "../../src/exporters/SpanExporter.ts"
import type { ReadableSpan } from "../../src/model/ReadableSpan.ts"
import * as OtlpDecoder from "../../src/otlp/OtlpDecoder.ts"
import { encodeExportResponse, encodeStatus } from "../../src/otlp/OtlpResponse.ts"
import * as BatchSpanProcessor from "../../src/processors/BatchSpanProcessor.ts"
import { collected } from "../delivery/support.ts"
import { readable } from "../exporters/spans.ts"
import { early, freePort, type Handler, reply, start, type TestServer } from "./server.ts"

const protobuf = { "content-type": "application/x-protobuf" }

const pipeline = Effect.fnUntraced(function*(
  url: string,
  options?: Partial<OtlpSpanExporter.OtlpSpanExporterOptions>,
  limits?: BatchSpanProcessor.BatchSpanProcessorOptions
) {
  const ledger = new SignalLedger()
  const { diagnostics, lines } = collected()
  const scope = yield* Scope.make()
  const processor = yield* Effect.gen(function*() {
    const exporter = yield* OtlpSpanExporter.make({
      url,
      timeout: 2_000,
      retry: { base: "20 millis" },
      ...options
    })
    return yield* Effect.provideService(
      BatchSpanProcessor.make({ scheduleDelay: "10 seconds", ...limits }),
      SpanExporter,
      exporter
    )
  }).pipe(
    Scope.provide(scope),
    Effect.provideService(TracesLedger, ledger),
    Effect.provideService(Diagnostics, diagnostics)
  )
  const account = ledger.accounts[0]!
  const conserved = () => assert.strictEqual(ledger.unaccounted(account), 0)
  const offer = (span: ReadableSpan) => {
    ledger.created++
    processor.onEnd(span, { emit: () => {}, drop: () => assert.fail("dropped") })
    conserved()
  }
  const end = (count: number, nameLength = 4) => {
    for (let id = 1; id <= count; id++) offer(readable({ id, name: "n".repeat(nameLength) }))
  }
  return { account, conserved, end, offer, flush: processor.flush, lines, close: Scope.close(scope, Exit.void) }
})

interface Fault {
  readonly name: string
  readonly script: ReadonlyArray<Handler>
  readonly options?: Partial<OtlpSpanExporter.OtlpSpanExporterOptions>
  /** Of the two batches of 2 spans. */
  readonly exported: number
  readonly rejected?: Record<string, number>
  readonly dropped?: Record<string, number>
  /** So that a request takes more than one packet. */
  readonly nameLength?: number
  /** Requests whose body arrived in full. */
  readonly received: number
  /** What the first line of diagnostics says; none when it is left out. */
  readonly says?: string
}

const seconds = (count: number) => new Date(Math.ceil((Date.now() + count * 1_000) / 1_000) * 1_000).toUTCString()

const hang: Handler = () => {}

const bytes = (count: number): Handler => ({ response }) => {
  response.writeHead(200, protobuf)
  const chunk = Buffer.alloc(64 * 1024, 0x0a)
  let sent = 0
  const more = (): void => {
    while (sent < count && !response.destroyed) {
      sent += chunk.length
      if (!response.write(chunk)) return void response.once("drain", more)
    }
    response.end()
  }
  more()
}

const drip: Handler = ({ response }) => {
  response.writeHead(200, { "content-length": "100000" })
  const timer = setInterval(() => response.write("."), 20)
  response.on("close", () => clearInterval(timer))
}

const raw = (text: string): Handler => ({ request }) => {
  request.socket.end(text)
}

const faults: ReadonlyArray<Fault> = [
  {
    name: "the connection is reset within the request",
    script: [early(({ request }) => request.socket.destroy())],
    nameLength: 1_000_000,
    exported: 4,
    received: 2,
    says: "connect"
  },
  {
    name: "the connection ends after the request, without an answer",
    script: [({ request }) => request.socket.destroy()],
    exported: 4,
    received: 3,
    says: "connect"
  },
  {
    name: "the answer is cut off",
    script: [({ request, response }) => {
      response.writeHead(200, { "content-length": "100" }).write("half")
      setTimeout(() => request.socket.destroy(), 20)
    }],
    exported: 4,
    received: 3,
    says: "connect"
  },
  {
    name: "no answer",
    script: [hang],
    options: { timeout: 200 },
    exported: 4,
    received: 3,
    says: "timeout: no answer from localhost"
  },
  {
    name: "an answer that drips in",
    script: [drip],
    options: { timeout: 200 },
    exported: 4,
    received: 3,
    says: "timeout"
  },
  { name: "429", script: [reply(429)], exported: 4, received: 3, says: "HTTP 429" },
  { name: "502, 503, 504", script: [reply(502), reply(503), reply(504)], exported: 4, received: 5, says: "HTTP 502" },
  {
    name: "Retry-After in seconds",
    script: [reply(503, { "retry-after": "1" })],
    exported: 4,
    received: 3,
    says: "503"
  },
  {
    name: "Retry-After as a date",
    script: [({ response }) => response.writeHead(429, { "retry-after": seconds(1) }).end()],
    exported: 4,
    received: 3,
    says: "429"
  },
  { name: "Retry-After of 0", script: [reply(503, { "retry-after": "0" })], exported: 4, received: 3, says: "503" },
  {
    name: "400",
    script: [reply(400, protobuf, encodeStatus("application/x-protobuf", { code: 3, message: "bad span" }))],
    exported: 2,
    rejected: { permanent_status: 2 },
    received: 2,
    says: `HTTP 400: "bad span"`
  },
  {
    name: "401",
    script: [reply(401, { "content-type": "text/plain" }, "no token\n")],
    exported: 2,
    rejected: { permanent_status: 2 },
    received: 2,
    says: `credentials in the configured headers): "no token"`
  },
  {
    name: "404",
    script: [reply(404)],
    exported: 2,
    rejected: { permanent_status: 2 },
    received: 2,
    says: "/v1/traces"
  },
  { name: "500", script: [reply(500)], exported: 2, rejected: { permanent_status: 2 }, received: 2, says: "HTTP 500" },
  { name: "413", script: [reply(413)], exported: 4, received: 4 },
  {
    name: "413 for one of two halves",
    script: [reply(413), reply(413)],
    exported: 3,
    rejected: { permanent_status: 1 },
    received: 4,
    says: "HTTP 413"
  },
  {
    name: "413 before the request was read",
    script: [early(({ response }) => response.writeHead(413, { connection: "close" }).end())],
    nameLength: 100_000,
    exported: 4,
    received: 4
  },
  {
    name: "partial success",
    script: [
      reply(200, protobuf, encodeExportResponse("application/x-protobuf", { rejectedSpans: 1, errorMessage: "old" }))
    ],
    exported: 3,
    rejected: { partial_rejected: 1 },
    received: 2,
    says: `rejected 1 of 2 spans: "old"`
  },
  {
    name: "an accepted request with a page of HTML",
    script: [reply(200, { "content-type": "text/html" }, "<html>")],
    exported: 4,
    received: 2,
    says: "not OTLP"
  },
  {
    name: "an answer of 200 MB",
    script: [bytes(200e6)],
    exported: 2,
    dropped: { export_error: 2 },
    received: 2,
    says: "larger"
  },
  {
    name: "a gzip bomb",
    script: [reply(200, { ...protobuf, "content-encoding": "gzip" }, gzipSync(Buffer.alloc(100e6)))],
    exported: 2,
    dropped: { export_error: 2 },
    received: 2,
    says: "larger than 4194304 bytes"
  },
  {
    name: "an answer in gzip",
    script: [
      reply(
        200,
        { ...protobuf, "content-encoding": "gzip" },
        gzipSync(encodeExportResponse("application/x-protobuf", { rejectedSpans: 1, errorMessage: "zipped" }))
      )
    ],
    exported: 3,
    rejected: { partial_rejected: 1 },
    received: 2,
    says: "zipped"
  },
  {
    name: "an answer in broken gzip",
    script: [reply(200, { ...protobuf, "content-encoding": "gzip" }, randomBytes(500))],
    exported: 4,
    received: 2,
    says: "not OTLP"
  },
  {
    name: "an answer in a compression nobody asked for",
    script: [reply(200, { ...protobuf, "content-encoding": "br" }, randomBytes(500))],
    exported: 4,
    received: 2,
    says: "not OTLP"
  },
  {
    name: "an answer that is not HTTP",
    script: [raw("SSH-2.0-OpenSSH_9.9\r\n")],
    exported: 2,
    dropped: { export_error: 2 },
    received: 2,
    says: "did not answer in HTTP"
  },
  {
    name: "early hints and a late answer",
    script: [({ response }) => {
      response.writeEarlyHints({ link: "</a>; rel=preload" })
      setTimeout(() => response.writeHead(200).end(), 50)
    }],
    exported: 4,
    received: 2
  }
]

const scenario = (fault: Fault, server: TestServer) =>
  Effect.gen(function*() {
    const { account, close, conserved, end, flush, lines } = yield* pipeline(server.url, fault.options)
    end(2, fault.nameLength)
    yield* flush
    end(2, fault.nameLength)
    yield* flush
    assert.deepStrictEqual(
      { exported: account.exported, rejected: account.rejected, dropped: account.dropped, queued: account.queued },
      { exported: fault.exported, rejected: fault.rejected ?? {}, dropped: fault.dropped ?? {}, queued: 0 }
    )
    assert.strictEqual(server.received.length, fault.received)
    if (fault.says === undefined) assert.deepStrictEqual(lines, [])
    else assert.include(lines[0], fault.says)
    conserved()
    yield* close
  })

describe("faults", () => {
  for (const fault of faults) {
    it.live(fault.name, () => Effect.flatMap(start(fault.script), (server) => scenario(fault, server)))
  }

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
