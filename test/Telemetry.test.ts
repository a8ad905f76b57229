import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import * as Propagator from "../src/context/Propagator.ts"
import { Transport, TransportError, type TransportRequest } from "../src/delivery/Transport.ts"
import * as Diagnostics from "../src/diagnostics/Diagnostics.ts"
import * as InMemorySpanExporter from "../src/exporters/InMemorySpanExporter.ts"
import { decode } from "../src/otlp/OtlpDecoder.ts"
import * as Sampler from "../src/sampling/Sampler.ts"
import { flush, Telemetry, TelemetryLayer } from "../src/Telemetry.ts"
import * as IdGenerator from "../src/tracing/IdGenerator.ts"
import * as Trace from "../src/tracing/Trace.ts"
import { collected } from "./delivery/support.ts"

const quiet = { env: {}, detectors: ["none"] as const }

/** A transport that answers by a script, and what it was sent. */
const scripted = (answer: (request: TransportRequest, index: number) => number | TransportError) => {
  const requests: Array<TransportRequest> = []
  const layer = Layer.succeed(Transport, {
    send: (request) =>
      Effect.suspend(() => {
        const result = answer(request, requests.push(request) - 1)
        return typeof result === "number"
          ? Effect.succeed({ status: result, headers: {}, body: new Uint8Array() })
          : Effect.fail(result)
      })
  })
  return { layer, requests }
}

const silent = Layer.succeed(Diagnostics.Diagnostics, Diagnostics.make({ level: "none" }))
const span = Effect.withSpan(Effect.void, "work")

describe("TelemetryLayer", () => {
  it.effect("delivers by OTLP to the default endpoint, with who emits", () =>
    Effect.gen(function*() {
      const { layer, requests } = scripted(() => 200)
      yield* span.pipe(
        Effect.provide(TelemetryLayer({ ...quiet, serviceName: "shop", serviceVersion: "1.2" })),
        Effect.provide(layer)
      )
      assert.deepStrictEqual(requests.map(({ url }) => url), ["http://localhost:4318/v1/traces"])
      const spans = yield* Effect.fromResult(decode(requests[0]!.headers["content-type"]!, requests[0]!.body))
      assert.deepStrictEqual(spans.map(({ name }) => name), ["work"])
      const { attributes } = spans[0]!.resource
      assert.deepInclude({ ...attributes }, {
        "service.name": "shop",
        "service.version": "1.2",
        "telemetry.sdk.name": "effect-telemetry",
        "telemetry.sdk.language": "nodejs"
      })
    }))

  it.effect("reads the environment, from a provided ConfigProvider too, and an option wins", () =>
    Effect.gen(function*() {
      const { layer, requests } = scripted(() => 200)
      yield* span.pipe(
        Effect.provide(TelemetryLayer({ detectors: ["none"], serviceName: "explicit" })),
        Effect.provide(layer),
        Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({
          OTEL_SERVICE_NAME: "ambient",
          OTEL_RESOURCE_ATTRIBUTES: "team=blue",
          OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/base",
          OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
          OTEL_EXPORTER_OTLP_HEADERS: "x-team=v"
        })))
      )
      const [request] = requests
      assert.strictEqual(request!.url, "http://collector:4318/base/v1/traces")
      assert.strictEqual(request!.headers["x-team"], "v")
      const [decoded] = yield* Effect.fromResult(decode(request!.headers["content-type"]!, request!.body))
      assert.deepInclude({ ...decoded!.resource.attributes }, { "service.name": "explicit", team: "blue" })
    }))

  it.effect("fails for options that cannot be taken, with path, value and what is allowed", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.provide(span, TelemetryLayer({ ...quiet, batch: { maxQueueSize: 0 } })))
      assert.strictEqual(error._tag, "TelemetryConfigError")
      assert.include(error.message, "batch.maxQueueSize")
      assert.include(error.message, "0")
    }))

  it.effect("redacts unless told otherwise", () =>
    Effect.gen(function*() {
      const secret = Effect.withSpan(Effect.void, "login", { attributes: { password: "hunter2" } })
      const seen = (redact: boolean | undefined) =>
        Effect.gen(function*() {
          const memory = InMemorySpanExporter.makeUnsafe()
          yield* Effect.provide(secret, TelemetryLayer({ ...quiet, redact, exporters: [memory.exporter] }))
          return (yield* memory.spans)[0]!.attributes["password"]
        })
      assert.strictEqual(yield* seen(undefined), "REDACTED")
      assert.strictEqual(yield* seen(false), "hunter2")
    }))

  it.effect("every part is replaced by providing its service", () =>
    Effect.gen(function*() {
      const memory = InMemorySpanExporter.makeUnsafe()
      const headers = yield* Trace.headers.pipe(
        Effect.withSpan("work"),
        Effect.provide(TelemetryLayer({ ...quiet, exporters: [memory.exporter] })),
        Effect.provide(Sampler.layerProbability(0)),
        Effect.provide(Propagator.layer(Propagator.baggage)),
        Effect.provide(Layer.succeed(IdGenerator.IdGenerator, IdGenerator.seeded(7)))
      )
      assert.deepStrictEqual(headers, {})
      assert.deepStrictEqual(yield* memory.spans, [])
    }))

  it.effect("several exporters at once, each with its own books; one that fails harms no other", () =>
    Effect.gen(function*() {
      const { layer } = scripted(() => 400)
      const memory = InMemorySpanExporter.makeUnsafe()
      const [result, ledger] = yield* Effect.gen(function*() {
        yield* span
        const telemetry = yield* Telemetry
        return [yield* telemetry.flush(), yield* telemetry.ledger] as const
      }).pipe(
        Effect.provide(TelemetryLayer({ ...quiet, exporters: [memory.exporter], tracesExporters: ["otlp"] })),
        Effect.provide(layer),
        Effect.provide(silent)
      )
      assert.deepStrictEqual(result, { exported: 1, failed: 1, spooled: 0, left: 0 })
      assert.deepStrictEqual(
        ledger.destinations.map(({ destination, exported, rejected }) => [destination, exported, rejected]),
        [["memory", 1, {}], ["otlp", 0, { permanent_status: 1 }]]
      )
    }))
})

describe("Telemetry", () => {
  it.effect("flush returns at its deadline, says what is left, and the rest goes on", () =>
    Effect.gen(function*() {
      let up = false
      const { layer } = scripted(() => up ? 200 : 503)
      yield* Effect.gen(function*() {
        yield* span
        const first = yield* Effect.forkChild(flush({ within: "2 seconds" }))
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual(yield* Fiber.join(first), { exported: 0, failed: 0, spooled: 0, left: 1 })
        up = true
        const second = yield* Effect.forkChild(flush({ within: "1 minute" }))
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* Fiber.join(second), { exported: 1, failed: 0, spooled: 0, left: 0 })
      }).pipe(Effect.provide(TelemetryLayer(quiet)), Effect.provide(layer), Effect.provide(silent))
    }))

  it.effect("health: failing while the destination does not answer or refuses, ok again afterwards", () =>
    Effect.gen(function*() {
      let status = 503
      const { layer } = scripted(() => status)
      yield* Effect.gen(function*() {
        const { health } = yield* Telemetry
        const flushed = Effect.gen(function*() {
          const fiber = yield* Effect.forkChild(flush({ within: "1 minute" }))
          yield* TestClock.adjust("1 minute")
          yield* Fiber.join(fiber)
        })
        assert.strictEqual((yield* health).status, "ok")
        yield* span
        yield* flushed
        assert.strictEqual((yield* health).status, "failing")
        assert.include((yield* health).destinations[0]!.failing, "HTTP 503")
        status = 200
        yield* flushed
        assert.strictEqual((yield* health).status, "ok")
        status = 404
        yield* span
        yield* flushed
        assert.strictEqual((yield* health).status, "failing")
      }).pipe(Effect.provide(TelemetryLayer(quiet)), Effect.provide(layer), Effect.provide(silent))
    }))

  it.effect("closing has one deadline for all destinations, and books what it could not deliver", () =>
    Effect.gen(function*() {
      const refused = new TransportError({ reason: "connect", detail: "refused" })
      const { layer } = scripted(() => refused)
      let ledger: Telemetry["Service"]["ledger"] | undefined
      const fiber = yield* Effect.forkChild(
        Effect.gen(function*() {
          yield* span
          ledger = (yield* Telemetry).ledger
        }).pipe(Effect.provide(TelemetryLayer(quiet)), Effect.provide(layer), Effect.provide(silent))
      )
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual((yield* ledger!).destinations[0]!.dropped, { shutdown_timeout: 1 })
    }))

  it.effect("closing tries once at once a destination that rests after failures", () =>
    Effect.gen(function*() {
      let isUp = false
      const refused = new TransportError({ reason: "connect", detail: "refused" })
      const { layer, requests } = scripted(() => isUp ? 200 : refused)
      let ledger: Telemetry["Service"]["ledger"] | undefined
      yield* Effect.gen(function*() {
        yield* Effect.replicateEffect(span, 1_500)
        yield* TestClock.adjust("40 seconds")
        ledger = (yield* Telemetry).ledger
        assert.isAtLeast(requests.length, 5)
        isUp = true
      }).pipe(
        Effect.provide(TelemetryLayer(quiet)),
        Effect.provide(layer),
        Effect.provide(silent),
        // Every delay is a half of the longest.
        Effect.provideService(Random.Random, { nextIntUnsafe: () => 0, nextDoubleUnsafe: () => 0.5 })
      )
      assert.strictEqual((yield* ledger!).destinations[0]!.exported, 1_500)
    }))

  it.effect("closing waits for no destination that rests beyond the end, once it has been tried", () =>
    Effect.gen(function*() {
      const refused = new TransportError({ reason: "connect", detail: "refused" })
      const { layer, requests } = scripted(() => refused)
      const { diagnostics, lines } = collected()
      let ledger: Telemetry["Service"]["ledger"] | undefined
      let before = 0
      yield* Effect.gen(function*() {
        yield* Effect.replicateEffect(span, 1_500)
        yield* TestClock.adjust("40 seconds")
        ledger = (yield* Telemetry).ledger
        before = requests.length
      }).pipe(
        Effect.provide(TelemetryLayer(quiet)),
        Effect.provide(layer),
        Effect.provideService(Diagnostics.Diagnostics, diagnostics),
        // Every delay is a half of the longest.
        Effect.provideService(Random.Random, { nextIntUnsafe: () => 0, nextDoubleUnsafe: () => 0.5 })
      )
      // Nothing moved the clock, so nothing waited for it.
      assert.strictEqual(requests.length, before + 1)
      assert.deepInclude((yield* ledger!).destinations[0], {
        dropped: { shutdown_timeout: 1_500 },
        queued: 0,
        unaccounted: 0
      })
      assert.include(lines.at(-1), "1500 items lost (shutdown_timeout)")
    }))

  it.effect("names problems of the environment in health", () =>
    Effect.gen(function*() {
      const { problems } = yield* Effect.flatMap(Telemetry, ({ health }) => health)
      assert.strictEqual(problems.length, 1)
      assert.include(problems[0], "OTEL_BSP_MAX_QUEUE_SIZE=\"many\"")
    }).pipe(
      Effect.provide(TelemetryLayer({
        detectors: ["none"],
        tracesExporters: ["none"],
        env: { OTEL_BSP_MAX_QUEUE_SIZE: "many" }
      })),
      Effect.provide(silent)
    ))
})
