import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Delivery from "../../src/delivery/Delivery.ts"
import { Spool } from "../../src/delivery/Spool.ts"
import { Transport } from "../../src/delivery/Transport.ts"
import { Diagnostics } from "../../src/diagnostics/Diagnostics.ts"
import * as OtlpMetricExporter from "../../src/exporters/OtlpMetricExporter.ts"
import type { MetricData } from "../../src/model/MetricData.ts"
import * as Resource from "../../src/model/Resource.ts"
import { collected, scripted, type Step } from "../delivery/support.ts"
import { expected } from "../otlp/metrics.ts"
import { metricsFromJson, metricsFromProtobuf } from "../otlp/official.ts"

const url = "http://localhost:4318/v1/metrics"
const scope = { name: "test" }

const counters = (points: number, names = ["c"]): ReadonlyArray<MetricData> =>
  names.map((name) => ({
    name,
    description: "",
    unit: "",
    scope,
    resource: Resource.empty,
    data: {
      type: "sum",
      temporality: "cumulative",
      isMonotonic: true,
      points: Array.from({ length: points }, (_, i) => ({
        attributes: { i },
        startTimeUnixNano: 0n,
        timeUnixNano: 1n,
        value: BigInt(i),
        exemplars: []
      }))
    }
  }))

const setUp = Effect.fnUntraced(function*(
  transport: Transport["Service"],
  options?: Partial<OtlpMetricExporter.OtlpMetricExporterOptions>
) {
  const { diagnostics, lines } = collected()
  const exporter = yield* OtlpMetricExporter.make({ url, ...options }).pipe(
    Effect.provideService(Transport, transport),
    Effect.provideService(Diagnostics, diagnostics)
  )
  return { exporter, lines }
})

const answer = (status: number, body: unknown): Step => ({
  status,
  body: new TextEncoder().encode(JSON.stringify(body)),
  headers: { "content-type": "application/json" }
})

describe("OtlpMetricExporter", () => {
  it.effect("posts what the official decoder reads, in protobuf and JSON", () =>
    Effect.gen(function*() {
      const metrics = counters(2)
      const server = scripted([])
      const { exporter } = yield* setUp(server.transport)
      assert.deepStrictEqual(yield* exporter.export(metrics), { exported: 2 })
      const json = yield* setUp(server.transport, { protocol: "http/json" })
      assert.deepStrictEqual(yield* json.exporter.export(metrics), { exported: 2 })
      assert.deepStrictEqual(server.requests.map(({ url }) => url), [url, url])
      assert.deepStrictEqual(metricsFromProtobuf(server.requests[0]!.body), expected(metrics))
      assert.deepStrictEqual(metricsFromJson(server.requests[1]!.body), expected(metrics))
    }))

  it.effect("retries what may be retried, and no longer than it may", () =>
    Effect.gen(function*() {
      const server = scripted([{ status: 503 }, { status: 200 }])
      const { exporter } = yield* setUp(server.transport)
      const fiber = yield* Effect.forkChild(exporter.export(counters(1)))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* Fiber.join(fiber), { exported: 1 })
      const down = scripted(Array.from({ length: 1000 }, () => ({ status: 503 })))
      const failing = yield* setUp(down.transport, { retry: { maxAge: "10 seconds" } })
      const failed = yield* Effect.forkChild(Effect.flip(failing.exporter.export(counters(1))))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(failed)).reason, "retry_exhausted")
    }))

  it.effect("books partial success and refusals, and says what the server says", () =>
    Effect.gen(function*() {
      const server = scripted([
        answer(200, { partialSuccess: { rejectedDataPoints: "2", errorMessage: "too old" } }),
        answer(400, { code: 3, message: "no such thing" }),
        { status: 404 }
      ])
      const { exporter, lines } = yield* setUp(server.transport, { protocol: "http/json" })
      const metrics = counters(3)
      assert.deepStrictEqual(yield* exporter.export(metrics), { exported: 1, rejected: { partial_rejected: 2 } })
      assert.deepStrictEqual(yield* exporter.export(metrics), { exported: 0, rejected: { permanent_status: 3 } })
      yield* exporter.export(metrics)
      assert.include(lines[0], "rejected 2 of 3 data points: \"too old\"")
      assert.include(lines[1], "3 data points refused with HTTP 400: \"no such thing\"")
      assert.include(lines[2], "metrics usually go to /v1/metrics")
    }))

  it.effect("shares a delivery with other signals, and tells only what goes wrong at its own URL", () =>
    Effect.gen(function*() {
      const server = scripted([{ status: 404 }, { status: 404 }])
      const { diagnostics } = collected()
      const delivery = yield* Delivery.make({ name: "shared" }).pipe(
        Effect.provideService(Transport, server.transport),
        Effect.provideService(Diagnostics, diagnostics)
      )
      const { exporter } = yield* setUp(scripted([]).transport, { delivery })
      yield* exporter.export(counters(1))
      assert.include(exporter.failing!(), "HTTP 404")
      assert.lengthOf(server.requests, 1)
      const other = yield* OtlpMetricExporter.make({ url: "http://localhost:4318/v1/other", delivery })
      assert.isUndefined(other.failing!())
    }))

  it.effect("keeps nothing in a spool: a reader reports again what did not arrive", () =>
    Effect.gen(function*() {
      const server = scripted([{ status: 401 }])
      const { exporter } = yield* setUp(server.transport).pipe(
        Effect.provideService(Spool, Spool.of({ open: () => Effect.die("a spool was opened") }))
      )
      assert.deepStrictEqual(yield* exporter.export(counters(2)), { exported: 0, rejected: { permanent_status: 2 } })
    }))

  it.effect("splits what is too large, within a metric, too", () =>
    Effect.gen(function*() {
      const bodies: Array<Uint8Array> = []
      const transport = Transport.of({
        send: ({ body }) =>
          Effect.sync(() => {
            const status = body.byteLength > 150 ? 413 : 200
            if (status === 200) bodies.push(body)
            return { status, headers: {}, body: new Uint8Array() }
          })
      })
      const { exporter } = yield* setUp(transport)
      assert.deepInclude(yield* exporter.export(counters(8, ["a", "b"])), { exported: 16 })
      const points = bodies.flatMap((body) => pointsOf(metricsFromProtobuf(body) as Decoded))
      assert.deepStrictEqual(points, ["a", "b"].flatMap((name) => Array.from({ length: 8 }, (_, i) => `${name}${i}`)))
      const tight = yield* setUp(transport, { maxRequestBytes: 20 })
      assert.strictEqual((yield* Effect.flip(tight.exporter.export(counters(2)))).reason, "oversize")
    }))
})

interface Decoded {
  readonly resourceMetrics: ReadonlyArray<{
    readonly scopeMetrics: ReadonlyArray<{
      readonly metrics: ReadonlyArray<{
        readonly name: string
        readonly sum: { readonly dataPoints: ReadonlyArray<{ readonly asInt: string }> }
      }>
    }>
  }>
}

const pointsOf = ({ resourceMetrics }: Decoded): ReadonlyArray<string> =>
  resourceMetrics.flatMap(({ scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap(({ name, sum }) => sum.dataPoints.map(({ asInt }) => `${name}${asInt}`))
    )
  )
