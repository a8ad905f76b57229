/**
 * A real Collector samples what we have sampled: by its probabilistic sampler and by its tail sampling. It keeps the
 * traces that we would keep, and the weights it writes count what there was before anybody sampled.
 *
 * The Collector is `$OTELCOL_BIN`, or what `node scripts/collector/build.mjs` built; without either, or without its
 * probabilistic sampler, the tests are skipped.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { spawn, spawnSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { SpanData } from "../../src/model/SpanData.ts"
import * as OtlpDecoder from "../../src/otlp/OtlpDecoder.ts"
import * as OtTraceState from "../../src/sampling/OtTraceState.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import { TelemetryLayer } from "../../src/Telemetry.ts"
import * as IdGenerator from "../../src/tracing/IdGenerator.ts"
import * as Trace from "../../src/tracing/Trace.ts"
import { temporary } from "./programs.ts"
import { freePort } from "./server.ts"

const built = fileURLToPath(new URL("../../.cache/collector/otelcol", import.meta.url))
const binary = process.env["OTELCOL_BIN"] ?? built
const isPresent = existsSync(binary) &&
  spawnSync(binary, ["components"], { encoding: "utf8" }).stdout.includes("name: probabilistic_sampler")
if (!isPresent) {
  console.log(
    `collector sampling tests skipped: there is no ${binary} with probabilistic_sampler; build it with "node scripts/collector/build.mjs"`
  )
}

const pipelines = ["all", "equalizing", "proportional", "tail"] as const
type Pipeline = typeof pipelines[number]

const configOf = (directory: string, port: number): string => {
  const file = (name: Pipeline): string => JSON.stringify(join(directory, `${name}.jsonl`))
  return `
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
processors:
  probabilistic_sampler/equalizing: { mode: equalizing, sampling_percentage: 25 }
  probabilistic_sampler/proportional: { mode: proportional, sampling_percentage: 50 }
  tail_sampling:
    decision_wait: 1s
    num_traces: 50000
    policies:
      - { name: errors, type: status_code, status_code: { status_codes: [ERROR] } }
      - { name: rest, type: probabilistic, probabilistic: { sampling_percentage: 25 } }
exporters:
${pipelines.map((name) => `  file/${name}: { path: ${file(name)}, flush_interval: 50ms }`).join("\n")}
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces/all: { receivers: [otlp], exporters: [file/all] }
    traces/equalizing: { receivers: [otlp], processors: [probabilistic_sampler/equalizing], exporters: [file/equalizing] }
    traces/proportional: { receivers: [otlp], processors: [probabilistic_sampler/proportional], exporters: [file/proportional] }
    traces/tail: { receivers: [otlp], processors: [tail_sampling], exporters: [file/tail] }
`
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false))
    socket.on("connect", () => socket.destroy())
  })

const until = (check: () => boolean | Promise<boolean>, what: () => string): Effect.Effect<void> =>
  Effect.sleep("50 millis").pipe(
    Effect.andThen(Effect.promise(async () => await check())),
    Effect.repeat({ until: (holds) => holds }),
    Effect.timeout("30 seconds"),
    Effect.catch(() => Effect.die(new Error(what())))
  )

interface Collector {
  readonly endpoint: string
  readonly written: (pipeline: Pipeline) => ReadonlyArray<SpanData>
}

const collector: Effect.Effect<Collector, never, Scope.Scope> = Effect.gen(function*() {
  const directory = yield* temporary
  const port = yield* freePort
  const config = join(directory, "config.yaml")
  writeFileSync(config, configOf(directory, port))
  let log = ""
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(binary, [
        "--config",
        `file:${config}`,
        "--feature-gates=processor.tailsamplingprocessor.usetracestate"
      ], { stdio: ["ignore", "ignore", "pipe"] })
      child.stderr.on("data", (chunk: Buffer) => log += chunk.toString())
      return child
    }),
    (child) =>
      Effect.promise(() =>
        new Promise<void>((resolve) => {
          if (child.exitCode !== null) return resolve()
          child.on("exit", () => resolve())
          child.kill("SIGTERM")
        })
      )
  )
  yield* until(() => isListening(port), () => `the Collector does not listen: ${log.slice(-2_000)}`)
  return {
    endpoint: `http://127.0.0.1:${port}`,
    written: (pipeline) => {
      const path = join(directory, `${pipeline}.jsonl`)
      const lines = existsSync(path) ? readFileSync(path).toString().split("\n").slice(0, -1) : []
      return lines.flatMap((line) =>
        Effect.runSync(Effect.fromResult(OtlpDecoder.decode("application/json", new TextEncoder().encode(line))))
      )
    }
  }
})

/** What our three services keep of the traces that they start. */
const services = [
  { name: "most", probability: 0.9, seed: 1 },
  { name: "half", probability: 0.5, seed: 2 },
  { name: "tenth", probability: 0.1, seed: 3 }
] as const

const tracesOfEach = 1_500

/** Every fifth trace has an error. */
const isError = (i: number): boolean => i % 5 === 0

const emit = (endpoint: string, { name, probability, seed }: typeof services[number]): Effect.Effect<void> => {
  const ids = IdGenerator.seeded(seed)
  return Effect.forEach(
    Array.from({ length: tracesOfEach }, (_, i) => i),
    (i) => Effect.exit(Trace.root(Trace.span(isError(i) ? Effect.fail("broken") : Effect.void, "child"), `trace ${i}`)),
    { discard: true }
  ).pipe(
    Effect.provide(
      TelemetryLayer({
        serviceName: name,
        env: {},
        detectors: ["none"],
        otlp: { endpoint },
        batch: { maxQueueSize: 10_000 },
        shutdownTimeout: "20 seconds"
      }).pipe(
        Layer.provide(Sampler.layerParentBased(Sampler.probability(probability))),
        Layer.provide(Layer.succeed(IdGenerator.IdGenerator, ids))
      )
    ),
    Effect.orDie
  )
}

const thresholdOf = (span: SpanData): Threshold.Threshold =>
  OtTraceState.read(span.traceState).threshold ?? Threshold.always

const randomnessOf = (span: SpanData): Threshold.Threshold => Threshold.fromHex(span.traceId.slice(18))!

const isWithin = ({ hi, lo }: Threshold.Threshold, span: SpanData): boolean => {
  const randomness = randomnessOf(span)
  return Threshold.keeps({ hi, lo }, randomness.hi, randomness.lo)
}

const service = (span: SpanData): string => String(span.resource.attributes["service.name"])

/** The number of traces that the kept roots stand for, and half of its 95 % confidence interval. */
const estimate = (spans: ReadonlyArray<SpanData>): { readonly count: number; readonly margin: number } => {
  let count = 0
  let variance = 0
  for (const span of spans) {
    const p = Threshold.toProbability(thresholdOf(span))
    count += 1 / p
    variance += (1 - p) / p ** 2
  }
  return { count, margin: 1.96 * Math.sqrt(variance) }
}

const roots = (spans: ReadonlyArray<SpanData>): ReadonlyArray<SpanData> =>
  spans.filter(({ parentSpanId }) => parentSpanId === undefined)

const idsOf = (spans: ReadonlyArray<SpanData>): ReadonlyArray<string> => spans.map(({ spanId }) => spanId).sort()

const isWrong = (spans: ReadonlyArray<SpanData>): boolean => spans.some((span) => span.status.code === "ERROR")

describe.skipIf(!isPresent)("a Collector that samples what we have sampled", () => {
  it.live("keeps what we would keep, and weighs it as we do", () =>
    Effect.gen(function*() {
      const { endpoint, written } = yield* collector
      yield* Effect.forEach(services, (one) => emit(endpoint, one), { discard: true })

      const quarter = Threshold.fromHex("c")!
      // What we sent is known at once; what may be expected of it follows from that.
      let sent: ReadonlyArray<SpanData> = []
      yield* until(() => {
        const before = sent.length
        sent = written("all")
        return sent.length > 0 && sent.length === before
      }, () => "nothing arrived")
      const failed = new Set(sent.filter(({ status }) => status.code === "ERROR").map(({ traceId }) => traceId))
      const expected: Record<Exclude<Pipeline, "proportional">, ReadonlyArray<SpanData>> = {
        all: sent,
        equalizing: sent.filter((span) => isWithin(quarter, span)),
        tail: sent.filter((span) => failed.has(span.traceId) || isWithin(quarter, span))
      }
      yield* until(
        () => written("tail").length >= expected.tail.length,
        () => `tail sampling kept ${written("tail").length} of ${expected.tail.length} spans`
      )
      for (const pipeline of ["equalizing", "tail"] as const) {
        assert.deepStrictEqual(idsOf(written(pipeline)), idsOf(expected[pipeline]), pipeline)
      }

      // One rule everywhere: a kept span's randomness is at least the threshold that is written on it.
      for (const pipeline of pipelines) {
        for (const span of written(pipeline)) assert.isTrue(isWithin(thresholdOf(span), span), span.traceState)
      }
      const ofHalf = (pipeline: Pipeline) =>
        new Set(
          written(pipeline).filter((span) => service(span) === "half").map((span) => Threshold.toHex(thresholdOf(span)))
        )
      assert.deepStrictEqual([...ofHalf("all")], ["8"])
      assert.deepStrictEqual([...ofHalf("equalizing")], ["c"])
      assert.deepStrictEqual([...ofHalf("proportional")], ["c"])
      // A trace that was kept for its error keeps the weight that we gave it.
      assert.deepStrictEqual([...ofHalf("tail")].sort(), ["8", "c"])

      // Equalizing leaves alone what is rarer already; proportional halves that too.
      for (const span of written("equalizing")) {
        const tenth = Threshold.fromProbability(0.1)
        assert.deepStrictEqual(thresholdOf(span), service(span) === "tenth" ? tenth : quarter)
      }
      for (const { name, probability } of services) {
        for (const span of written("proportional").filter((span) => service(span) === name)) {
          const written = Threshold.toProbability(thresholdOf(span))
          assert.approximately(written / (probability / 2), 1, 1e-4)
        }
      }

      // Whoever counts by weight finds the traces that there were, in each service and behind each sampler.
      for (const pipeline of pipelines) {
        for (const { name } of services) {
          const { count, margin } = estimate(roots(written(pipeline)).filter((span) => service(span) === name))
          assert.approximately(count, tracesOfEach, margin + 0.5, `${name} behind ${pipeline}`)
        }
      }
      const errors = roots(written("tail")).filter((span) => failed.has(span.traceId))
      assert.isTrue(isWrong(errors))
      const { count, margin } = estimate(errors)
      assert.approximately(count, services.length * tracesOfEach / 5, margin, "errors")
    }), 60_000)
})
