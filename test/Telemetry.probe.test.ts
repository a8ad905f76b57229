/** `Telemetry.probe` and `startupProbe`: whether a destination accepts data, asked before there is any. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as FetchTransport from "../src/delivery/FetchTransport.ts"
import { Transport, TransportError } from "../src/delivery/Transport.ts"
import { Diagnostics } from "../src/diagnostics/Diagnostics.ts"
import * as InMemorySpanExporter from "../src/exporters/InMemorySpanExporter.ts"
import * as OtlpSpanExporter from "../src/exporters/OtlpSpanExporter.ts"
import { decode } from "../src/otlp/OtlpDecoder.ts"
import { encodeStatus } from "../src/otlp/OtlpResponse.ts"
import { Telemetry, TelemetryLayer, type TelemetryLayerOptions } from "../src/Telemetry.ts"
import { collected, scripted, type Step } from "./delivery/support.ts"

const secret = "canary-key-4711"
const quiet = {
  env: {},
  detectors: ["none"] as const,
  otlp: {
    tracesEndpoint: "https://user:canary-pass@collector:4318/v1/traces",
    headers: { "x-api-key": Redacted.make(secret) }
  }
}

const setUp = Effect.fnUntraced(function*(
  steps: Iterable<Step> | Transport["Service"],
  options?: TelemetryLayerOptions
) {
  const server = "send" in steps ? { transport: steps, requests: [] } : scripted(steps)
  const { diagnostics, lines } = collected()
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  const context = yield* Layer.buildWithScope(TelemetryLayer({ ...quiet, ...options }), scope).pipe(
    Effect.provideService(Transport, server.transport),
    Effect.provideService(Diagnostics, diagnostics),
    Effect.provideService(Metric.MetricRegistry, new Map())
  )
  const telemetry = yield* Effect.provideContext(Telemetry, context)
  return { server, lines, telemetry, context, close: Scope.close(scope, Exit.void) }
})

const protobuf = "application/x-protobuf"
const text = (body: string): Uint8Array => new TextEncoder().encode(body)

/** What a destination may answer, and what is said about it. */
const answers: ReadonlyArray<[string, Step, string | undefined]> = [
  ["accepts", { status: 200 }, undefined],
  ["accepts without an answer", { status: 204 }, undefined],
  [
    "does not know the credentials",
    {
      status: 401,
      headers: { "content-type": protobuf },
      body: encodeStatus(protobuf, { code: 16, message: `unknown key ${secret}\u001b[2J` })
    },
    "HTTP 401 (check the credentials in the configured headers): \"unknown key <redacted>\\u001b[2J\""
  ],
  ["has no such path", { status: 404 }, "HTTP 404 (check the endpoint: traces usually go to /v1/traces): no message"],
  ["is overloaded", { status: 503 }, "HTTP 503"],
  [
    "refuses the connection",
    new TransportError({ reason: "connect", detail: "ECONNREFUSED at collector:4318" }),
    "connect: ECONNREFUSED at collector:4318"
  ],
  [
    "is something else",
    { status: 200, headers: { "content-type": "text/html" }, body: text("<html>log in</html>") },
    "the answer is not OTLP (\"text/html\"); is something else listening there?"
  ]
]

describe("probe", () => {
  for (const [what, step, trouble] of answers) {
    it.effect(`tells that a destination ${what}, and counts nothing`, () =>
      Effect.gen(function*() {
        const { lines, server, telemetry } = yield* setUp([step])
        const before = yield* telemetry.ledger
        assert.deepStrictEqual(yield* telemetry.probe, [{ destination: "otlp", trouble }])
        assert.deepStrictEqual(yield* telemetry.ledger, before)
        const [request] = server.requests
        assert.strictEqual(server.requests.length, 1)
        assert.strictEqual(request!.headers["x-api-key"], secret)
        assert.deepStrictEqual(yield* Effect.fromResult(decode(request!.headers["content-type"]!, request!.body)), [])
        // Who asked is told by the result.
        assert.deepStrictEqual(lines, [])
      }))

    it.effect(`at the start says in one line that a destination ${what}`, () =>
      Effect.gen(function*() {
        const { lines, server } = yield* setUp([step], { startupProbe: true })
        yield* TestClock.adjust(0)
        assert.strictEqual(server.requests.length, 1)
        assert.deepStrictEqual(lines, [
          trouble === undefined
            ? "effect-telemetry info: otlp: the destination accepts data"
            : `effect-telemetry error: otlp: the destination accepts no data: ${trouble}`
        ])
        assert.notInclude(lines.join(), "canary")
      }))
  }

  const hanging = FetchTransport.make({ fetch: () => new Promise(() => {}) })

  it.effect("waits for a destination that hangs no longer than a request may take", () =>
    Effect.gen(function*() {
      const { telemetry } = yield* setUp(hanging, { otlp: { ...quiet.otlp, timeout: "3 seconds" } })
      const fiber = yield* Effect.forkChild(telemetry.probe)
      yield* TestClock.adjust("2999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* Fiber.join(fiber), [
        { destination: "otlp", trouble: "timeout: no answer from collector:4318 in 3000 ms" }
      ])
    }))

  it.effect("at the start holds nobody up: neither the program nor its end", () =>
    Effect.gen(function*() {
      const { close, lines, telemetry } = yield* setUp(hanging, { startupProbe: true })
      assert.strictEqual((yield* telemetry.ledger).created, 0)
      const fiber = yield* Effect.forkChild(close)
      yield* TestClock.adjust(0)
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(fiber)))
      assert.deepStrictEqual(lines, [])
    }))

  it.effect("fails neither the layer nor who asks, whatever a transport does", () =>
    Effect.gen(function*() {
      const broken = Transport.of({ send: () => Effect.die(new Error(`defect with ${secret}`)) })
      const { lines, telemetry } = yield* setUp(broken, { startupProbe: true })
      yield* TestClock.adjust(0)
      const trouble = "the exporter failed with a defect"
      assert.deepStrictEqual(lines, [`effect-telemetry error: otlp: the destination accepts no data: ${trouble}`])
      assert.deepStrictEqual(yield* telemetry.probe, [{ destination: "otlp", trouble }])
    }))

  it.effect("asks all destinations at once, and leaves out those that cannot be asked", () =>
    Effect.gen(function*() {
      const exporters = [
        OtlpSpanExporter.make({ url: "https://a/v1/traces", name: "a" }),
        InMemorySpanExporter.makeUnsafe().exporter,
        OtlpSpanExporter.make({ url: "https://b/v1/traces", name: "b" })
      ]
      const { lines, server, telemetry } = yield* setUp([
        { status: 200, after: 1_000 },
        { status: 403, after: 1_000 },
        { status: 200 }
      ], { exporters })
      const fiber = yield* Effect.forkChild(telemetry.probe)
      yield* TestClock.adjust("1 second")
      const [a, b, ...others] = yield* Fiber.join(fiber)
      assert.deepStrictEqual([a, b?.destination, others], [{ destination: "a", trouble: undefined }, "b", []])
      assert.include(b!.trouble, "HTTP 403")
      assert.strictEqual(server.requests.length, 2)
      assert.deepStrictEqual(lines, [])
    }))

  it.effect("asks while the destination rests, too", () =>
    Effect.gen(function*() {
      const { telemetry } = yield* setUp([{ status: 401 }, { status: 401 }, { status: 503 }, { status: 200 }])
      const troubles = yield* Effect.replicateEffect(telemetry.probe, 4)
      assert.deepStrictEqual(troubles.map(([result]) => result!.trouble?.slice(0, 8)), [
        "HTTP 401",
        "HTTP 401",
        "HTTP 503",
        undefined
      ])
    }))

  it.effect("that fails does not keep the first failed delivery from being told, nor the recovery", () =>
    Effect.gen(function*() {
      const { context, lines, server, telemetry } = yield* setUp([{ status: 503 }, { status: 503 }, { status: 503 }])
      assert.deepStrictEqual(yield* telemetry.probe, [{ destination: "otlp", trouble: "HTTP 503" }])
      assert.deepStrictEqual(lines, [])
      yield* Effect.provideContext(Effect.withSpan(Effect.void, "work"), context)
      const fiber = yield* Effect.forkChild(telemetry.flush({ within: "1 hour" }))
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* Fiber.join(fiber)).exported, 1)
      assert.strictEqual(server.requests.length, 4)
      assert.deepStrictEqual(lines, [
        "effect-telemetry warn: otlp: no delivery to collector:4318, trying on: HTTP 503",
        "effect-telemetry info: otlp: collector:4318 accepts data again after 3 failed attempts"
      ])
    }))
})
