import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { Transport, TransportError } from "../../src/delivery/Transport.ts"
import { Diagnostics } from "../../src/diagnostics/Diagnostics.ts"
import * as OtlpSpanExporter from "../../src/exporters/OtlpSpanExporter.ts"
import { encodeExportResponse, encodeStatus } from "../../src/otlp/OtlpResponse.ts"
import { collected, scripted, type Step } from "../delivery/support.ts"
import { readable } from "./spans.ts"

const protobuf = "application/x-protobuf"
const json = "application/json"
const url = "http://localhost:4318/v1/traces"

const answer = (status: number, body: Uint8Array, contentType = protobuf): Step => ({
  status,
  body,
  headers: { "content-type": contentType }
})

const setUp = Effect.fnUntraced(function*(
  script: Iterable<Step>,
  options?: Partial<OtlpSpanExporter.OtlpSpanExporterOptions>
) {
  const server = scripted(script)
  const { diagnostics, lines } = collected()
  const exporter = yield* OtlpSpanExporter.make({ url, ...options }).pipe(
    Effect.provideService(Transport, server.transport),
    Effect.provideService(Diagnostics, diagnostics)
  )
  const send = (count: number, name = "span") => {
    const batch = exporter.makeBatch()
    for (let id = 1; id <= count; id++) assert.isTrue(batch.add(readable({ id, name }), Infinity))
    return exporter.export(batch)
  }
  const sizes = () => server.requests.map((request) => request.body.byteLength)
  return { server, lines, exporter, send, sizes }
})

/** Answers 413 to bodies above `limit`. */
const limited = (limit: number) => {
  const requests: Array<number> = []
  let accepted = 0
  const transport = Transport.of({
    send: (request) =>
      Effect.sync(() => {
        requests.push(request.body.byteLength)
        const status = request.body.byteLength > limit ? 413 : 200
        if (status === 200) accepted++
        return { status, headers: {}, body: new Uint8Array() }
      })
  })
  return { transport, requests, accepted: () => accepted }
}

describe("OtlpSpanExporter", () => {
  for (const releasesBody of [true, false]) {
    it.effect(`${releasesBody ? "uses" : "does not use"} the memory of a body again`, () =>
      Effect.gen(function*() {
        const bodies: Array<Uint8Array> = []
        const texts: Array<string> = []
        const transport = Transport.of({
          releasesBody,
          send: ({ body }) =>
            Effect.sync(() => {
              bodies.push(body)
              texts.push(new TextDecoder().decode(body))
              return { status: 200, headers: {}, body: new Uint8Array() }
            })
        })
        const exporter = yield* OtlpSpanExporter.make({ url, protocol: "http/json" }).pipe(
          Effect.provideService(Transport, transport)
        )
        for (const name of ["first, the longest", "second", "third"]) {
          const batch = exporter.makeBatch()
          batch.add(readable({ id: 1, name }), Infinity)
          yield* exporter.export(batch)
        }
        assert.deepStrictEqual(texts.map((text) => JSON.parse(text).resourceSpans[0].scopeSpans[0].spans[0].name), [
          "first, the longest",
          "second",
          "third"
        ])
        assert.strictEqual(new Set(bodies.map((body) => body.buffer)).size, releasesBody ? 1 : 3)
      }))
  }

  for (const [protocol, contentType] of [["http/protobuf", protobuf], ["http/json", json]] as const) {
    it.effect(`posts ${protocol}`, () =>
      Effect.gen(function*() {
        const { lines, send, server } = yield* setUp([], { protocol })
        assert.deepStrictEqual(yield* send(3), { exported: 3 })
        const [request] = server.requests
        assert.deepStrictEqual([request!.url, request!.headers["content-type"]], [url, contentType])
        assert.deepStrictEqual(lines, [])
        if (protocol === "http/json") {
          const body = JSON.parse(new TextDecoder().decode(request!.body))
          assert.strictEqual(body.resourceSpans[0].scopeSpans[0].spans.length, 3)
        }
      }))

    it.effect(`books what a partial success rejects, ${protocol}`, () =>
      Effect.gen(function*() {
        const body = encodeExportResponse(contentType, { rejectedItems: 2, errorMessage: "too\nold" })
        const { lines, send } = yield* setUp([answer(200, body, contentType)], { protocol })
        assert.deepStrictEqual(yield* send(5), { exported: 3, rejected: { partial_rejected: 2 } })
        assert.strictEqual(lines.length, 1)
        assert.include(lines[0], `2 of 5 spans: "too\\nold"`)
      }))

    it.effect(`tells the server's message of a refusal, ${protocol}`, () =>
      Effect.gen(function*() {
        const body = encodeStatus(contentType, { code: 3, message: "span 7 has no name" })
        const { lines, send, server } = yield* setUp([answer(400, body, contentType)], { protocol })
        assert.deepStrictEqual(yield* send(5), { exported: 0, rejected: { permanent_status: 5 } })
        assert.strictEqual(server.requests.length, 1)
        assert.strictEqual(lines.length, 1)
        assert.include(lines[0], `HTTP 400: "span 7 has no name"`)
      }))
  }

  it.effect("takes a partial success without rejected spans as a warning", () =>
    Effect.gen(function*() {
      const body = encodeExportResponse(protobuf, { rejectedItems: 0, errorMessage: "deprecated" })
      const { lines, send } = yield* setUp([answer(200, body)])
      const result = yield* send(5)
      assert.strictEqual(result.exported, 5)
      assert.include(lines[0], "deprecated")
    }))

  it.effect("books no more than it sent", () =>
    Effect.gen(function*() {
      const body = encodeExportResponse(protobuf, { rejectedItems: 1e15, errorMessage: "" })
      const { send } = yield* setUp([answer(200, body)])
      assert.deepStrictEqual(yield* send(5), { exported: 0, rejected: { partial_rejected: 5 } })
    }))

  const unusable: ReadonlyArray<[string, Step]> = [
    ["HTML", answer(200, new TextEncoder().encode("<html>log in</html>"), "text/html")],
    ["broken protobuf", answer(200, new Uint8Array([0x0a, 0xff, 0x01]))],
    ["broken JSON", answer(200, new TextEncoder().encode("{"), json)]
  ]
  for (const [name, step] of unusable) {
    it.effect(`takes an accepted request with an answer of ${name} as delivered, with a warning`, () =>
      Effect.gen(function*() {
        const { lines, send } = yield* setUp([step])
        assert.deepStrictEqual(yield* send(2), { exported: 2 })
        assert.strictEqual(lines.length, 1)
        assert.include(lines[0], "not OTLP")
      }))
  }

  it.effect("takes every 2xx as accepted", () =>
    Effect.gen(function*() {
      const { lines, send } = yield* setUp([{ status: 202 }, { status: 204 }])
      assert.deepStrictEqual([yield* send(1), yield* send(1)], [{ exported: 1 }, { exported: 1 }])
      assert.deepStrictEqual(lines, [])
    }))

  const advice: ReadonlyArray<[number, string]> = [
    [401, "credentials"],
    [403, "credentials"],
    [404, "/v1/traces"],
    [415, "protocol"],
    [307, "redirects are not followed"],
    [500, "HTTP 500"]
  ]
  for (const [status, text] of advice) {
    it.effect(`says what ${status} means`, () =>
      Effect.gen(function*() {
        const { lines, send } = yield* setUp([{ status }])
        assert.deepStrictEqual(yield* send(1), { exported: 0, rejected: { permanent_status: 1 } })
        assert.strictEqual(lines.length, 1)
        assert.include(lines[0], text)
      }))
  }

  it.effect("lets the next batch flow after a refused one", () =>
    Effect.gen(function*() {
      const { send } = yield* setUp([{ status: 400 }])
      assert.deepStrictEqual(yield* send(1), { exported: 0, rejected: { permanent_status: 1 } })
      assert.deepStrictEqual(yield* send(1), { exported: 1 })
    }))

  it.effect("reads no answer that is longer than any that says something, since parsing holds the program", () =>
    Effect.gen(function*() {
      const long = (size: number) => {
        const text = JSON.stringify({ partialSuccess: { rejectedSpans: 1 }, message: "bad", padding: "x".repeat(size) })
        return new TextEncoder().encode(text)
      }
      const json = "application/json"
      const { lines, send } = yield* setUp([
        answer(200, long(200_000), json),
        answer(200, long(300_000), json),
        answer(400, long(300_000), json)
      ])
      assert.deepStrictEqual(yield* send(2), { exported: 1, rejected: { partial_rejected: 1 } })
      assert.deepStrictEqual(yield* send(2), { exported: 2 })
      assert.deepStrictEqual(yield* send(2), { exported: 0, rejected: { permanent_status: 2 } })
      assert.include(lines[1], "not OTLP")
      assert.include(lines[2], "HTTP 400: no message")
    }))

  it.effect("shows no header value that the server quotes", () =>
    Effect.gen(function*() {
      const body = encodeStatus(protobuf, { code: 16, message: "unknown key canary-key-1" })
      const { lines, send } = yield* setUp([answer(401, body)], { headers: { "x-api-key": "canary-key-1" } })
      yield* send(1)
      assert.include(lines[0], "unknown key <redacted>")
      assert.notInclude(lines.join(), "canary")
    }))

  it.effect("fails when the time for retries is over", () =>
    Effect.gen(function*() {
      const { exporter, send } = yield* setUp(Array.from({ length: 99 }, () => ({ status: 503 })), {
        retry: { maxAge: "20 seconds" }
      })
      assert.strictEqual(exporter.retryAge, 20_000)
      const fiber = yield* Effect.forkChild(Effect.flip(send(2)))
      yield* TestClock.adjust("20 seconds")
      const error = yield* Fiber.join(fiber)
      assert.deepStrictEqual([error.destination, error.reason], ["otlp", "retry_exhausted"])
      assert.include(error.detail, "HTTP 503")
    }))

  it.effect("fails when the answer cannot be used", () =>
    Effect.gen(function*() {
      const { send } = yield* setUp([new TransportError({ reason: "response", detail: "HPE_INVALID at localhost" })])
      const error = yield* Effect.flip(send(2))
      assert.strictEqual(error.reason, "export_error")
    }))

  it.effect("sends nothing for an empty batch", () =>
    Effect.gen(function*() {
      const { send, server } = yield* setUp([])
      assert.deepStrictEqual(yield* send(0), { exported: 0 })
      assert.strictEqual(server.requests.length, 0)
    }))

  describe("size", () => {
    it.effect("splits a batch above the bound", () =>
      Effect.gen(function*() {
        const { lines, send, sizes } = yield* setUp([], { maxRequestBytes: 400 })
        assert.strictEqual((yield* send(20)).exported, 20)
        assert.isTrue(sizes().length > 2 && sizes().every((size) => size <= 400), String(sizes()))
        assert.deepStrictEqual(lines, [])
      }))

    it.effect("gives up a single span above the bound, and sends the others", () =>
      Effect.gen(function*() {
        const { exporter, server } = yield* setUp([], { maxRequestBytes: 1000 })
        const batch = exporter.makeBatch()
        for (const name of ["a", "b".repeat(2000), "c"]) batch.add(readable({ name }), Infinity)
        const result = yield* exporter.export(batch)
        assert.deepStrictEqual([result.exported, result.dropped], [2, { oversize: 1 }])
        assert.strictEqual(server.requests.length, 2)
        const alone = exporter.makeBatch()
        alone.add(readable({ name: "b".repeat(2000) }), Infinity)
        assert.strictEqual((yield* Effect.flip(exporter.export(alone))).reason, "oversize")
      }))

    it.effect("splits on 413 and splits later batches before they are sent", () =>
      Effect.gen(function*() {
        const { accepted, requests, transport } = limited(100_000)
        const exporter = yield* OtlpSpanExporter.make({ url }).pipe(Effect.provideService(Transport, transport))
        const send = () => {
          const batch = exporter.makeBatch()
          for (let id = 1; id <= 40; id++) batch.add(readable({ id, name: "x".repeat(10_000) }), Infinity)
          return exporter.export(batch)
        }
        assert.strictEqual((yield* send()).exported, 40)
        const refused = requests.filter((size) => size > 100_000).length
        assert.isTrue(refused > 0)
        const before = accepted()
        requests.length = 0
        assert.strictEqual((yield* send()).exported, 40)
        assert.deepStrictEqual(requests.filter((size) => size > 100_000), [])
        assert.strictEqual(accepted(), before * 2)
      }))

    it.effect("refuses no more than the span that 413 is meant for", () =>
      Effect.gen(function*() {
        const { transport } = limited(5_000)
        const { diagnostics, lines } = collected()
        const exporter = yield* OtlpSpanExporter.make({ url }).pipe(
          Effect.provideService(Transport, transport),
          Effect.provideService(Diagnostics, diagnostics)
        )
        const batch = exporter.makeBatch()
        for (let id = 1; id <= 8; id++) batch.add(readable({ id, name: "x".repeat(id === 3 ? 6_000 : 10) }), Infinity)
        const result = yield* exporter.export(batch)
        assert.deepStrictEqual([result.exported, result.rejected], [7, { permanent_status: 1 }])
        assert.strictEqual(lines.length, 1)
        assert.include(lines[0], "1 spans refused with HTTP 413")
      }))

    it.effect("adds up what becomes of the halves", () =>
      Effect.gen(function*() {
        const partial = encodeExportResponse(protobuf, { rejectedItems: 1, errorMessage: "" })
        const { send, server } = yield* setUp([{ status: 413 }, answer(200, partial), { status: 400 }])
        assert.deepStrictEqual(yield* send(4), {
          exported: 1,
          rejected: { partial_rejected: 1, permanent_status: 2 },
          dropped: {}
        })
        assert.strictEqual(server.requests.length, 3)
      }))

    it.effect("holds the halves together to the age of their batch", () =>
      Effect.gen(function*() {
        const { send, server } = yield* setUp(
          [{ status: 413 }, ...Array.from({ length: 99 }, () => ({ status: 503 }))],
          {
            retry: { maxAge: "20 seconds" }
          }
        )
        const fiber = yield* Effect.forkChild(Effect.flip(send(4)))
        yield* TestClock.adjust("20 seconds")
        assert.strictEqual((yield* Fiber.join(fiber)).reason, "retry_exhausted")
        assert.isTrue(server.requests.every((request) => request.at <= 20_000))
      }))
  })
})
