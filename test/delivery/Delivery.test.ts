import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import { TestClock } from "effect/testing"
import { gunzipSync } from "node:zlib"
import { type DeliveryOptions, type DeliveryRequest, make } from "../../src/delivery/Delivery.ts"
import { ShutdownDeadline } from "../../src/delivery/ShutdownDeadline.ts"
import { Transport, TransportError } from "../../src/delivery/Transport.ts"
import { Diagnostics } from "../../src/diagnostics/Diagnostics.ts"
import { collected, scripted, type Step } from "./support.ts"

const url = "http://localhost:4318/v1/traces"
const body = new TextEncoder().encode("spans")
const request: DeliveryRequest = { url, contentType: "application/x-protobuf", body }
const connect = new TransportError({ reason: "connect", detail: "ECONNREFUSED at localhost:4318" })
const status = (code: number, headers?: Record<string, string>): Step =>
  headers === undefined ? { status: code } : { status: code, headers }

// The same draw each time, so that every delay is known: backoff is 0.5 s, 1 s, 2 s, 4 s, 8 s, 15 s, 15 s ...
const half = { nextIntUnsafe: () => 0, nextDoubleUnsafe: () => 0.5 }

const setUp = Effect.fnUntraced(function*(script: Iterable<Step>, options?: Partial<DeliveryOptions>) {
  const server = scripted(script)
  const { diagnostics, lines } = collected()
  const delivery = yield* make({ name: "otlp", ...options }).pipe(
    Effect.provideService(Transport, server.transport),
    Effect.provideService(Diagnostics, diagnostics)
  )
  return {
    server,
    lines,
    delivery,
    send: (given = request) => Effect.provideService(delivery.send(given), Random.Random, half)
  }
})

describe("Delivery", () => {
  it.effect("sends once when it is accepted", () =>
    Effect.gen(function*() {
      const { lines, send, server } = yield* setUp([])
      const response = yield* send()
      assert.strictEqual(response.status, 200)
      const [sent] = server.requests
      assert.strictEqual(server.requests.length, 1)
      assert.strictEqual(sent!.url, url)
      assert.deepStrictEqual(sent!.body, body)
      assert.strictEqual(sent!.timeoutMillis, 10_000)
      assert.strictEqual(sent!.maxResponseBytes, 4 * 1024 * 1024)
      assert.match(
        sent!.headers["user-agent"]!,
        /^effect-telemetry\/\d+\.\d+\.\d+ OTel-OTLP-Exporter-JavaScript\/\d+\.\d+\.\d+$/
      )
      assert.strictEqual(sent!.headers["content-type"], "application/x-protobuf")
      assert.isUndefined(sent!.headers["content-encoding"])
      assert.deepStrictEqual(lines, [])
    }))

  it.effect("repeats retryable failures with growing delays, and says so once", () =>
    Effect.gen(function*() {
      const { lines, send, server } = yield* setUp([connect, status(503), status(429), status(502), status(504)])
      const fiber = yield* Effect.forkChild(send())
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
      assert.deepStrictEqual(server.times(), [0, 0.5, 1.5, 3.5, 7.5, 16])
      assert.strictEqual(lines.length, 2)
      assert.include(lines[0], "connect: ECONNREFUSED")
      assert.include(lines[1], "accepts data again after 5 failed attempts")
    }))

  for (const code of [301, 307, 400, 401, 403, 404, 408, 413, 500, 501]) {
    it.effect(`hands ${code} over at once`, () =>
      Effect.gen(function*() {
        const { send, server } = yield* setUp([status(code)])
        assert.strictEqual((yield* send()).status, code)
        assert.strictEqual(server.requests.length, 1)
      }))
  }

  it.effect("does not repeat what got an unusable answer", () =>
    Effect.gen(function*() {
      const { lines, send, server } = yield* setUp([new TransportError({ reason: "response", detail: "broken" })])
      const error = yield* Effect.flip(send())
      assert.strictEqual(error.reason, "export_error")
      assert.strictEqual(server.requests.length, 1)
      assert.strictEqual(lines.length, 1)
    }))

  it.effect("probes slowly where a certificate is refused, and loses nothing when it is replaced", () =>
    Effect.gen(function*() {
      const tls = new TransportError({ reason: "tls", detail: "CERT_HAS_EXPIRED at localhost" })
      const { delivery, lines, send, server } = yield* setUp([tls, tls, tls])
      const fiber = yield* Effect.forkChild(send())
      yield* TestClock.adjust("100 seconds")
      assert.include(delivery.failing(), "CERT_HAS_EXPIRED")
      yield* TestClock.adjust("100 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
      assert.deepStrictEqual(server.times(), [0, 0.5, 60.5, 120.5])
      assert.strictEqual(lines.length, 2)
      assert.isUndefined(delivery.failing())
    }))

  describe("a destination that is down", () => {
    const down = (count: number) => Array.from({ length: count }, () => connect)

    it.effect("is tried by one sender at a time, and by all once it answers", () =>
      Effect.gen(function*() {
        const { delivery, send, server } = yield* setUp([...down(5), { status: 503, after: 4_000 }, {
          status: 200,
          after: 4_000
        }])
        yield* Effect.forkChild(send())
        yield* TestClock.adjust("8 seconds")
        assert.strictEqual(server.requests.length, 5)
        const others = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(send()))
        yield* TestClock.adjust("10 seconds")
        // The probe is under way: nobody else is let through.
        assert.deepStrictEqual(server.times().slice(5), [16])
        assert.isTrue(delivery.isPaused(url))
        yield* TestClock.adjust("3 minutes")
        const times = server.times().slice(6)
        assert.strictEqual(times.length, 4)
        const probed = times[0]!
        assert.deepStrictEqual(times, [probed, probed + 4, probed + 4, probed + 4])
        for (const other of others) assert.strictEqual((yield* Fiber.join(other)).status, 200)
      }))

    it.effect("is left to the next sender when a probe is interrupted", () =>
      Effect.gen(function*() {
        const { send, server } = yield* setUp([...down(5), "hang"])
        const first = yield* Effect.forkChild(send())
        yield* TestClock.adjust("20 seconds")
        const second = yield* Effect.forkChild(send())
        yield* TestClock.adjust("20 seconds")
        assert.strictEqual(server.requests.length, 6)
        yield* Fiber.interrupt(first)
        yield* TestClock.adjust(0)
        assert.strictEqual((yield* Fiber.join(second)).status, 200)
      }))

    it.effect("takes nothing from those who have a place to keep it, until its pause is over", () =>
      Effect.gen(function*() {
        const { delivery, server } = yield* setUp(down(1))
        const once = Effect.provideService(delivery.sendOnce(request), Random.Random, half)
        yield* Effect.flip(once)
        const open = yield* Effect.forkChild(delivery.whenOpen(url))
        assert.strictEqual((yield* Effect.flip(once)).reason, "retry_exhausted")
        assert.isTrue(delivery.isPaused(url))
        yield* TestClock.adjust("500 millis")
        yield* Fiber.join(open)
        assert.strictEqual((yield* once).status, 200)
        assert.deepStrictEqual(server.times(), [0, 0.5])
      }))
  })

  describe("a destination that refuses everything", () => {
    it.effect("has the next request at once, the third a minute later, and is asked once a minute", () =>
      Effect.gen(function*() {
        const { delivery, lines, send, server } = yield* setUp([status(401), status(401), status(403), status(404)])
        yield* send()
        yield* send()
        assert.include(delivery.failing(), "HTTP 401")
        for (let i = 0; i < 3; i++) {
          const fiber = yield* Effect.forkChild(send())
          yield* TestClock.adjust("70 seconds")
          yield* Fiber.join(fiber)
        }
        assert.deepStrictEqual(server.times(), [0, 0, 60, 120, 180])
        assert.isUndefined(delivery.failing())
        assert.strictEqual(lines.length, 1)
        assert.include(lines[0], "accepts data again after 4 failed attempts")
      }))

    it.effect("at one URL only goes on to take what is sent to another", () =>
      Effect.gen(function*() {
        const { delivery, lines, send, server } = yield* setUp([status(404), status(200), status(405), status(200)])
        const logs = { ...request, url: "http://localhost:4318/v1/logs" }
        yield* send(logs)
        yield* send()
        yield* send(logs)
        yield* send()
        assert.deepStrictEqual(server.times(), [0, 0, 0, 0])
        assert.isTrue(delivery.isPaused(logs.url))
        assert.isFalse(delivery.isPaused(url))
        assert.include(delivery.failing(logs.url), "HTTP 405")
        assert.isUndefined(delivery.failing(url))
        assert.include(delivery.failing(), "HTTP 405")
        const open = yield* Effect.forkChild(delivery.whenOpen(logs.url))
        const late = yield* Effect.forkChild(send(logs))
        yield* TestClock.adjust("40 seconds")
        assert.strictEqual(server.requests.length, 4)
        yield* TestClock.adjust("30 seconds")
        yield* Fiber.join(open)
        yield* Fiber.join(late)
        assert.deepStrictEqual(server.times(), [0, 0, 0, 0, 60])
        assert.isUndefined(delivery.failing())
        assert.include(lines.join(), "accepts data again after 2 failed attempts")
      }))

    it.effect("because of the credentials refuses it at every URL", () =>
      Effect.gen(function*() {
        const { delivery, send, server } = yield* setUp([status(401), status(401)])
        const logs = { ...request, url: "http://localhost:4318/v1/logs" }
        yield* send(logs)
        yield* send(logs)
        assert.isTrue(delivery.isPaused(url))
        assert.include(delivery.failing(url), "HTTP 401")
        const waiting = yield* Effect.forkChild(send())
        yield* TestClock.adjust("59 seconds")
        assert.strictEqual(server.requests.length, 2)
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(waiting)
        assert.deepStrictEqual(server.times(), [0, 0, 60])
      }))

    it.effect("is not taken for one because of a single request", () =>
      Effect.gen(function*() {
        const { send, server } = yield* setUp([status(403), status(200), status(403), status(200)])
        for (let i = 0; i < 4; i++) yield* send()
        assert.deepStrictEqual(server.times(), [0, 0, 0, 0])
      }))
  })

  it.effect("waits as long as Retry-After asks, in seconds", () =>
    Effect.gen(function*() {
      const { send, server } = yield* setUp([status(503, { "retry-after": "30" })])
      yield* Effect.forkChild(send())
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(server.times(), [0, 33])
    }))

  it.effect("waits as long as Retry-After asks, as a date, by the server's clock", () =>
    Effect.gen(function*() {
      const { send, server } = yield* setUp([
        status(429, { "retry-after": "Sun, 22 Nov 2026 12:00:20 GMT", date: "Sun, 22 Nov 2026 12:00:00 GMT" })
      ])
      yield* Effect.forkChild(send())
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(server.times(), [0, 22])
    }))

  it.effect("takes the backoff as the least delay, and for a header that is not valid", () =>
    Effect.gen(function*() {
      const { send, server } = yield* setUp([
        status(503, { "retry-after": "0" }),
        status(503, { "retry-after": "later" }),
        status(503, { "retry-after": "0" })
      ])
      yield* Effect.forkChild(send())
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(server.times(), [0, 0.5, 1.5, 3.5])
    }))

  it.effect("closes the gate for every sender", () =>
    Effect.gen(function*() {
      const { send, server } = yield* setUp([status(503, { "retry-after": "100" })])
      yield* Effect.forkChild(send())
      yield* TestClock.adjust("1 second")
      yield* Effect.forkChild(send())
      yield* Effect.forkChild(send())
      yield* TestClock.adjust("108 seconds")
      assert.strictEqual(server.requests.length, 1)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(server.times(), [0, 110, 110, 110])
    }))

  it.effect("does not open the gate for a shorter Retry-After that comes later", () =>
    Effect.gen(function*() {
      const { send, server } = yield* setUp([
        { status: 503, headers: { "retry-after": "100" }, after: 1_000 },
        { status: 503, headers: { "retry-after": "10" }, after: 2_000 }
      ])
      yield* Effect.all([Effect.forkChild(send()), Effect.forkChild(send())])
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(server.times(), [0, 0, 111, 111])
    }))

  it.effect("gives a batch up at its age, after one last attempt", () =>
    Effect.gen(function*() {
      const { send, server } = yield* setUp(Array.from({ length: 100 }, () => status(503)), {
        retry: { maxAge: "10 seconds" }
      })
      const fiber = yield* Effect.forkChild(Effect.flip(send()))
      yield* TestClock.adjust("1 minute")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error.reason, "retry_exhausted")
      assert.include(error.message, "HTTP 503")
      assert.deepStrictEqual(server.times(), [0, 0.5, 1.5, 3.5, 7.5, 10])
    }))

  it.effect("tries once more at the end, whatever its backoff, and not before a Retry-After", () =>
    Effect.gen(function*() {
      const hasten = new Set<() => void>()
      const atTheEnd = Effect.provideService(ShutdownDeadline, { at: undefined, hasten })
      const ends = (seconds: number) =>
        Effect.andThen(
          TestClock.adjust(`${seconds} seconds`),
          Effect.andThen(Effect.sync(() => hasten.forEach((call) => call())), TestClock.adjust("1 millis"))
        )

      const resting = yield* atTheEnd(setUp(Array.from({ length: 7 }, () => connect), { retry: { maxAge: "1 hour" } }))
      const fiber = yield* Effect.forkChild(resting.send())
      yield* ends(40)
      const before = resting.server.times()
      assert.deepStrictEqual(before.slice(0, 6), [0, 0.5, 1.5, 3.5, 7.5, 16])
      // It failed once more, and rests again.
      assert.strictEqual(before.at(-1), 40)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)

      hasten.clear()
      const told = yield* atTheEnd(setUp([status(503, { "retry-after": "30" })]))
      const obedient = yield* Effect.forkChild(told.send())
      yield* ends(10)
      assert.strictEqual(told.server.requests.length, 1)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(obedient)).status, 200)
      assert.isAtLeast(told.server.times()[1]!, 30)
    }))

  it.effect("holds a batch to its age while the gate is closed, and lets the next one pass it", () =>
    Effect.gen(function*() {
      const { send, server } = yield* setUp([status(503, { "retry-after": "3600" })])
      const first = yield* Effect.forkChild(Effect.flip(send()))
      yield* TestClock.adjust("299 seconds")
      assert.isUndefined(first.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(first)).reason, "retry_exhausted")
      // The hour was cut to ten minutes, and a tenth more by jitter.
      yield* TestClock.adjust("160 seconds")
      const second = yield* Effect.forkChild(send())
      yield* TestClock.adjust("200 seconds")
      assert.strictEqual((yield* Fiber.join(second)).status, 200)
      assert.deepStrictEqual(server.times(), [0, 660])
    }))

  it.effect("counts the age from the batch's first request", () =>
    Effect.gen(function*() {
      const { send, server } = yield* setUp([connect], { retry: { maxAge: "10 seconds" } })
      yield* TestClock.adjust("20 seconds")
      const error = yield* Effect.flip(send({ ...request, since: 0n }))
      assert.strictEqual(error.reason, "retry_exhausted")
      assert.strictEqual(server.requests.length, 1)
    }))

  it.effect("aborts the request when interrupted", () =>
    Effect.gen(function*() {
      const { send, server } = yield* setUp(["hang"])
      const fiber = yield* Effect.forkChild(send())
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(server.aborted, 1)
    }))

  it.effect("takes a timeout of zero as none", () =>
    Effect.gen(function*() {
      const { send, server } = yield* setUp([], { timeout: 0 })
      yield* send()
      assert.strictEqual(server.requests[0]!.timeoutMillis, Infinity)
    }))

  it.live("compresses with gzip", () =>
    Effect.gen(function*() {
      const { send, server } = yield* setUp([status(503)], { compression: "gzip", retry: { base: "1 milli" } })
      yield* send()
      assert.strictEqual(server.requests.length, 2)
      for (const sent of server.requests) {
        assert.strictEqual(sent.headers["content-encoding"], "gzip")
        assert.deepStrictEqual(new Uint8Array(gunzipSync(sent.body)), body)
      }
      // One compression serves every attempt.
      assert.strictEqual(server.requests[0]!.body, server.requests[1]!.body)
    }))

  describe("headers", () => {
    it.effect("sends the configured ones, which win over User-Agent", () =>
      Effect.gen(function*() {
        const { lines, send, server } = yield* setUp([], {
          headers: { "X-Scope": "a", Authorization: Redacted.make("Bearer canary-1"), "USER-AGENT": "mine/1" }
        })
        yield* send()
        const { headers } = server.requests[0]!
        assert.strictEqual(headers["x-scope"], "a")
        assert.strictEqual(headers["authorization"], "Bearer canary-1")
        assert.strictEqual(headers["user-agent"], "mine/1")
        assert.deepStrictEqual(lines, [])
      }))

    it.effect("leaves out what HTTP does not allow or the exporter sets, and names no value", () =>
      Effect.gen(function*() {
        const { lines, send, server } = yield* setUp([], {
          headers: {
            "x-split": "canary-1\r\nevil: 1",
            "b a d": "canary-2",
            "Content-Length": "canary-3",
            "transfer-encoding": "canary-4",
            "x-wide": "canary-☃",
            "": "canary-5"
          }
        })
        yield* send()
        assert.deepStrictEqual(Object.keys(server.requests[0]!.headers).sort(), ["content-type", "user-agent"])
        assert.strictEqual(lines.length, 6)
        assert.notInclude(lines.join(), "canary")
      }))

    it.effect("turns user and password of the URL into a header, and shows them nowhere", () =>
      Effect.gen(function*() {
        const { lines, send, server } = yield* setUp([connect, status(500)])
        const fiber = yield* Effect.forkChild(
          send({ ...request, url: "http://us%40er:canary-p%C3%A4ss@localhost:4318/v1/traces" })
        )
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(fiber)
        const sent = server.requests[0]!
        assert.strictEqual(sent.url, url)
        assert.strictEqual(
          sent.headers["authorization"],
          `Basic ${Buffer.from("us@er:canary-päss").toString("base64")}`
        )
        assert.notInclude(lines.join(), "canary")
      }))

    it.effect("lets a configured Authorization win over the URL's", () =>
      Effect.gen(function*() {
        const { send, server } = yield* setUp([], { headers: { authorization: "Bearer x" } })
        yield* send({ ...request, url: "http://a:b@localhost/v1/traces" })
        assert.strictEqual(server.requests[0]!.headers["authorization"], "Bearer x")
      }))

    it.effect("removes what the headers hold from a server's text", () =>
      Effect.gen(function*() {
        const { delivery } = yield* setUp([], {
          headers: { authorization: "Bearer canary-token", "x-api-key": "canary-key" }
        })
        assert.strictEqual(
          delivery.scrub("invalid token canary-token; key canary-key"),
          "invalid token <redacted>; key <redacted>"
        )
      }))

    it.effect("removes what the URL holds, and what Basic credentials stand for, from a server's text", () =>
      Effect.gen(function*() {
        const ofUrl = yield* setUp([])
        yield* ofUrl.send({
          ...request,
          url: "http://canary-user:canary%20pass@localhost/v1/traces?key=canary%2Fquery&v=1"
        })
        const quoted = `canary-user, canary pass, canary%20pass, ${
          btoa("canary-user:canary pass")
        }, canary/query, canary%2Fquery, 1`
        assert.strictEqual(ofUrl.delivery.scrub(quoted), `${"<redacted>, ".repeat(6)}1`)
        const ofHeader = yield* setUp([], { headers: { authorization: `Basic ${btoa("someone:canary-pass")}` } })
        assert.strictEqual(ofHeader.delivery.scrub("someone, canary-pass"), "<redacted>, <redacted>")
      }))

    const clear: ReadonlyArray<[string, Record<string, string>, boolean]> = [
      ["http://collector.example/v1/traces", { authorization: "x" }, true],
      ["http://collector.example/v1/traces", { "x-api-key": "x" }, true],
      ["http://user:pass@collector.example/v1/traces", {}, true],
      ["http://127.0.0.1.example.com/v1/traces", { authorization: "x" }, true],
      ["https://collector.example/v1/traces", { authorization: "x" }, false],
      ["http://collector.example/v1/traces", { "x-tenant": "x" }, false],
      ["http://localhost:4318/v1/traces", { authorization: "x" }, false],
      ["http://127.0.0.1:4318/v1/traces", { authorization: "x" }, false],
      ["http://[::1]:4318/v1/traces", { authorization: "x" }, false]
    ]
    for (const [target, headers, isClear] of clear) {
      const what = `${Object.keys(headers)[0] ?? "user information"} to ${target}`
      it.effect(`${isClear ? "withholds" : "sends"} ${what}`, () =>
        Effect.gen(function*() {
          const { lines, send, server } = yield* setUp([], { headers })
          yield* send({ ...request, url: target })
          yield* send({ ...request, url: target })
          const names = Object.keys(headers).length === 0 ? ["authorization"] : Object.keys(headers)
          for (const sent of server.requests) {
            assert.notInclude(sent.url, "pass")
            for (const name of names) assert.strictEqual(name in sent.headers, !isClear)
          }
          assert.strictEqual(lines.length, isClear ? 1 : 0)
          if (isClear) assert.include(lines[0], "clear text")
        }))
    }

    it.effect("sends credentials in clear text where that was allowed", () =>
      Effect.gen(function*() {
        const { lines, send, server } = yield* setUp([], {
          headers: { authorization: "Bearer x" },
          allowClearTextCredentials: true
        })
        yield* send({ ...request, url: "http://collector.example/v1/traces" })
        assert.strictEqual(server.requests[0]!.headers["authorization"], "Bearer x")
        assert.deepStrictEqual(lines, [])
      }))
  })

  const metadata = ["169.254.169.254", "[fd00:ec2::254]", "metadata.google.internal", "0xa9fea9fe", "2852039166"]
  for (const host of metadata) {
    it.effect(`sends nothing to the metadata service at ${host}`, () =>
      Effect.gen(function*() {
        const { lines, send, server } = yield* setUp([])
        const error = yield* Effect.flip(send({ ...request, url: `http://${host}/latest/meta-data` }))
        assert.include(error.message, "metadata service")
        assert.strictEqual(server.requests.length, 0)
        assert.strictEqual(lines.length, 1)
      }))
  }

  for (const bad of ["", "collector:4318", "ftp://host/", "/v1/traces", "http://canary:pass@"]) {
    it.effect(`refuses the URL ${JSON.stringify(bad)} without a request`, () =>
      Effect.gen(function*() {
        const { lines, send, server } = yield* setUp([])
        const error = yield* Effect.flip(send({ ...request, url: bad }))
        assert.strictEqual(error.reason, "export_error")
        assert.strictEqual(server.requests.length, 0)
        assert.strictEqual(lines.length, 1)
        assert.notInclude(lines.join() + error.message, "canary")
      }))
  }
})
