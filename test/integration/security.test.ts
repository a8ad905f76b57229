/** What an attacker on the wire, on the disk or at the log gets: nothing. With real servers and processes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { Telemetry, TelemetryLayer } from "../../src/Telemetry.ts"
import { booksOf, pipeline } from "./faults/pipeline.ts"
import { facade, namesOf, run, spoolFiles, temporary } from "./programs.ts"
import { type Handler, reply, start, type TestServer } from "./server.ts"

const text = (value: unknown): string => JSON.stringify(value)

const contentsOf = (directory: string): string =>
  readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => `${path}\n${readFileSync(path, "latin1")}`)
    .join("\n")

const bodiesOf = ({ received }: TestServer): string =>
  received
    .map(({ body, headers }) => (headers["content-encoding"] === "gzip" ? gunzipSync(body) : body).toString("latin1"))
    .join("\n")

/** Says back everything it was sent, as a server does that explains a refusal. */
const gossip = (status: number): Handler => ({ request, response }) => {
  const { authorization = "" } = request.headers
  const credentials = authorization.startsWith("Basic ") ? atob(authorization.slice(6)) : authorization
  response.writeHead(status, { "content-type": "text/plain" })
  response.end(`${request.url} ${credentials} ${text(request.headers)}`)
}

describe.concurrent("a secret", () => {
  // Each begins alike, so that one search finds all of them.
  const inspected = `
    import { inspect } from "node:util"
    const seen = []
    const look = (value) => {
      seen.push(inspect(value, { depth: 20, showHidden: true, getters: true }), JSON.stringify(value) ?? "")
      if (value instanceof Error) seen.push(value.stack, value.message, String(value))
    }
    process.on("exit", () => console.log(seen.join("\\n")))
  `
  const spansWithSecrets = `
    import * as Redacted from "effect/Redacted"
    const secrets = {
      password: "canary-attribute",
      "http.request.header.authorization": ["Bearer canary-attribute"],
      "url.full": "https://canary-attribute:canary-attribute@shop.example/?token=canary-attribute",
      wrapped: Redacted.make("canary-attribute"),
      nested: { api_key: "canary-attribute", list: [{ secret: "canary-attribute" }] }
    }
    trace("secrets", { attributes: secrets }, (span) => span.addEvent("event", secrets))
    await trace("fails", () => Promise.reject(new Error("refused: password=canary-attribute"))).catch(() => {})
  `
  const looking = `
    await TraceContext.flush({ within: "1 seconds" })
    look(await TraceContext.health())
    look(await TraceContext.ledger())
    look(await TraceContext.probe())
    look(await TraceContext.shutdown())
    look(TraceContext)
  `

  const ways: ReadonlyArray<readonly [string, ReadonlyArray<Handler>]> = [
    ["is refused", Array.from({ length: 9 }, () => gossip(401))],
    ["is told why a request is bad", Array.from({ length: 9 }, () => gossip(400))],
    ["is told to wait", Array.from({ length: 9 }, () => gossip(503))],
    ["is accepted with gossip", Array.from({ length: 9 }, () => gossip(200))],
    ["is cut off", Array.from({ length: 9 }, (): Handler => ({ request }) => void request.socket.resetAndDestroy())]
  ]
  for (const [what, script] of ways) {
    for (const compression of ["none", "gzip"]) {
      if (compression === "gzip" && what !== "is refused") continue
      it.live(
        `is in nothing that a program writes, shows or keeps when it ${what} (${compression})`,
        () =>
          Effect.scoped(Effect.gen(function*() {
            const directory = yield* temporary
            const server = yield* start(script)
            const url = new URL(server.url)
            url.username = "canary-user"
            url.password = "canary-password"
            url.search = "token=canary-query"
            const { code, err, out } = yield* run(
              inspected + facade(
                `otlp: { tracesEndpoint: ${
                  text(url.href)
                }, compression: "${compression}", headers: { "x-api-key": "canary-header" } },
               logLevel: "debug", shutdownTimeout: 300,
               spool: { directory: ${text(directory)}, mode: "always", minFreeBytes: 0 }`,
                spansWithSecrets + looking
              ),
              { OTEL_EXPORTER_OTLP_HEADERS: "x-other=canary-environment" }
            )
            assert.strictEqual(code, 0, err)
            // They did go where they belong.
            const { headers, path } = server.received[0]!
            assert.deepStrictEqual(
              [headers["authorization"], headers["x-api-key"], headers["x-other"], path],
              [
                `Basic ${btoa("canary-user:canary-password")}`,
                "canary-header",
                "canary-environment",
                "/v1/traces?token=canary-query"
              ]
            )
            for (const place of [out, err, contentsOf(directory), bodiesOf(server)]) {
              assert.notInclude(place, "canary")
              assert.notInclude(place, btoa("canary-user:canary-password"))
            }
            // What was searched is what there is.
            assert.include(out, "exported")
            assert.include(bodiesOf(server), "REDACTED")
            const isKept = spoolFiles(directory).length > 0
            assert.strictEqual(isKept, what !== "is told why a request is bad" && what !== "is accepted with gossip")
            if (isKept) assert.include(contentsOf(directory), "REDACTED")
          })),
        30_000
      )
    }
  }

  it.live(
    "in a client's key, or in the name of what is asked for, is in no line when TLS fails",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const directory = yield* temporary
        const key = join(directory, "key.pem")
        writeFileSync(key, "-----BEGIN PRIVATE KEY-----\ncanarykey\n-----END PRIVATE KEY-----\n")
        const server = yield* start()
        const { code, err, out } = yield* run(
          inspected + facade(
            `otlp: { tracesEndpoint: ${text(server.url.replace("http:", "https:"))}, clientKey: ${
              text(key)
            }, clientCertificate: ${text(key)} },
           logLevel: "debug", shutdownTimeout: 300`,
            spansWithSecrets + looking
          )
        )
        assert.strictEqual(code, 0, err)
        assert.include(err, "lost (shutdown_timeout)")
        assert.notInclude(out + err, "canary")
      })),
    30_000
  )

  it.live("in options that cannot be taken is in no error", () =>
    Effect.gen(function*() {
      const { code, err, out } = yield* run(`
        import { TraceContext } from "effect-telemetry/promise"
        ${inspected}
        await TraceContext.initialize({
          serviceName: 1,
          otlp: {
            endpoint: "ftp://canary-user:canary-password@host/?canary-query",
            headers: { "bad name": "canary-header", good: "canary-header\\n" },
            timeout: "canary-nonsense-is-shown-as-it-is".slice(0, 0)
          }
        }).catch((error) => look(error))`)
      assert.strictEqual(code, 0, err)
      assert.include(out, "TelemetryConfigError")
      assert.notInclude(out + err, "canary")
    }), 30_000)
})

describe.concurrent("requests of the library itself", () => {
  it.live("go through no proxy that the environment names", () =>
    Effect.gen(function*() {
      const server = yield* start()
      const proxy = yield* start()
      const address = new URL(proxy.url).origin
      const names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
      const { code, err } = yield* run(
        facade(`otlp: { tracesEndpoint: ${text(server.url)} }`, "spans(0, 3); await TraceContext.shutdown()"),
        { ...Object.fromEntries(names.map((name) => [name, address])), NO_PROXY: "", no_proxy: "" }
      )
      assert.deepStrictEqual([code, err], [0, ""])
      assert.deepStrictEqual([namesOf(server).length, proxy.received.length, proxy.connections()], [3, 0, 0])
    }), 30_000)

  it.live("are not traced, and carry no context of a span", () =>
    Effect.scoped(Effect.gen(function*() {
      const server = yield* start([reply(503), reply(429, { "retry-after": "0" })])
      yield* Effect.gen(function*() {
        const telemetry = yield* Telemetry
        yield* Effect.withSpan(telemetry.flush(), "flushes")
        yield* Effect.withSpan(Effect.void, "other")
        yield* Effect.withSpan(telemetry.probe, "probes")
        yield* telemetry.flush()
        const { created, destinations } = yield* telemetry.ledger
        assert.strictEqual(created, 3)
        assert.deepInclude(destinations[0], { exported: 3, unaccounted: 0 })
      }).pipe(Effect.provide(TelemetryLayer({ logLevel: "none", otlp: { tracesEndpoint: server.url } })))
      assert.deepStrictEqual(new Set(namesOf(server)), new Set(["flushes", "other", "probes"]))
      for (const { headers } of server.received) {
        for (const name of ["traceparent", "tracestate", "baggage", "b3"]) assert.isUndefined(headers[name])
      }
    })), 30_000)
})

describe("the answer of a collector", () => {
  const nested = (open: string, close: string, depth: number, inside: string): string =>
    open.repeat(depth) + inside + close.repeat(depth)
  const bodies: ReadonlyArray<readonly [string, string, string | Uint8Array]> = [
    ["arrays nested a million deep", "application/json", nested("[", "]", 1_000_000, "")],
    ["objects nested a hundred thousand deep", "application/json", nested(`{"partialSuccess":`, "}", 100_000, "1")],
    ["JSON that never ends", "application/json", "[".repeat(4_000_000)],
    ["keys of a prototype", "application/json", `{"__proto__":{"partialSuccess":{"rejectedSpans":9}},"constructor":1}`],
    ["groups nested without end", "application/x-protobuf", new Uint8Array(1_000_000).fill(0x0b)],
    ["a length beyond everything", "application/x-protobuf", Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f)],
    ["a number without end", "application/x-protobuf", new Uint8Array(1_000).fill(0xff)]
  ]
  for (const [name, type, body] of bodies) {
    for (const status of [200, 400]) {
      it.live(`may hold ${name}, with ${status}: the books balance, and the next batch arrives`, () =>
        Effect.gen(function*() {
          const server = yield* start([reply(status, { "content-type": type }, body)])
          const { books, close, conserved, end, flush } = yield* pipeline(server.url)
          end(1)
          yield* flush
          end(1)
          yield* flush
          assert.deepStrictEqual(
            books(),
            status === 200 ? booksOf({ exported: 2 }) : booksOf({ exported: 1, rejected: { permanent_status: 1 } })
          )
          conserved()
          yield* close
        }))
    }
  }

  it.live("writes nothing on a terminal, and no second line into a log", () =>
    Effect.gen(function*() {
      const evil = `\u001b]8;;http://evil\u0007\u001b[2J\r\neffect-telemetry info: all is well\u009b\u202e${
        "x".repeat(10_000)
      }`
      const server = yield* start([
        reply(400, { "content-type": "text/plain; charset=utf-8" }, evil),
        reply(400, { "content-type": "application/json" }, text({ code: 3, message: evil })),
        reply(200, { "content-type": "application/json" }, text({ partialSuccess: { errorMessage: evil } })),
        reply(200, { "content-type": `text/${"y".repeat(500)}` }, evil)
      ])
      const { close, end, flush, lines } = yield* pipeline(server.url)
      for (let i = 0; i < 4; i++) {
        end(1)
        yield* flush
      }
      assert.isAtLeast(lines.length, 3)
      for (const line of lines) {
        assert.isAtMost(line.length, 1_024)
        // eslint-disable-next-line no-control-regex
        assert.notMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/)
      }
      yield* close
    }))
})
