import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { setImmediate, setTimeout } from "node:timers/promises"
import { Transport, TransportError, type TransportRequest } from "../../src/delivery/Transport.ts"
import { Diagnostics } from "../../src/diagnostics/Diagnostics.ts"
import * as InMemorySpanExporter from "../../src/exporters/InMemorySpanExporter.ts"
import * as JaegerRemoteSampler from "../../src/sampling/JaegerRemoteSampler.ts"
import { Sampler, type SamplingInput } from "../../src/sampling/Sampler.ts"
import type { SamplerConfig } from "../../src/sampling/SamplerConfig.ts"
import * as Sampling from "../../src/sampling/Sampling.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import { TelemetryLayer } from "../../src/Telemetry.ts"
import { collected } from "../delivery/support.ts"
import { type Handler, reply, start } from "../integration/server.ts"

const named = (name: string): SamplingInput => ({
  name,
  kind: "server",
  parent: undefined,
  traceId: "0af7651916cd43dd8448eb211c80319c",
  attributes: {},
  links: []
})

const json = (body: unknown): Handler => reply(200, { "content-type": "application/json" }, JSON.stringify(body))

const probabilistic = (samplingRate: unknown) => ({
  strategyType: "PROBABILISTIC",
  probabilisticSampling: { samplingRate }
})

/** Lets real sockets go on until something holds, however slow they are. */
const eventually = (holds: () => boolean, state: () => string) =>
  Effect.gen(function*() {
    for (let turns = 0; !holds(); turns++) {
      if (turns > 20_000) assert.fail(`nothing came: ${state()}`)
      yield* Effect.promise(() => setTimeout(1))
    }
    yield* Effect.promise(() => setImmediate())
  })

/** A sampler that asks a real server, which answers by `script`. */
const asking = Effect.fnUntraced(function*(
  script: ReadonlyArray<Handler>,
  options?: (origin: string) => JaegerRemoteSampler.Options
) {
  const server = yield* start(script)
  const origin = `http://127.0.0.1:${server.port}`
  const { diagnostics, lines } = collected()
  const scope = yield* Effect.scope
  const polling = yield* Scope.fork(scope)
  const sampler = yield* JaegerRemoteSampler.make(
    options?.(origin) ?? { endpoint: `${origin}/sampling`, serviceName: "shop & co" }
  ).pipe(Effect.provideService(Diagnostics, diagnostics), Scope.provide(polling))
  const until = (holds: () => boolean) => eventually(holds, () => `${sampler.description} ${lines.join(" | ")}`)
  return { server, lines, sampler, until, polling }
})

const thresholdOf = (
  sampler: { decide: (input: SamplingInput) => { threshold: Threshold.Threshold } },
  name = "GET /"
) => Threshold.toProbability(sampler.decide(named(name)).threshold)

const nearly = (actual: number, expected: number): void => {
  assert.isBelow(Math.abs(actual - expected), expected * 1e-3)
}

describe("JaegerRemoteSampler", () => {
  it.effect("asks for its service, decides by the initial sampler until there is an answer, then by that", () =>
    Effect.gen(function*() {
      const { sampler, server, until } = yield* asking([json(probabilistic(0.25))])
      nearly(thresholdOf(sampler), 0.001)
      yield* until(() => sampler.description === "JaegerRemote{Probability{0.25}}")
      nearly(thresholdOf(sampler), 0.25)
      assert.strictEqual(server.received[0]!.method, "GET")
      assert.strictEqual(server.received[0]!.path, "/sampling?service=shop+%26+co")
      assert.isTrue(sampler.decide(named("x")).reliable)
      assert.deepStrictEqual(sampler.decideByParent?.(undefined), sampler.decide(named("x")))
    }))

  it.effect("asks again at each interval and follows the answer", () =>
    Effect.gen(function*() {
      const { sampler, server, until } = yield* asking([json(probabilistic(0.25)), json(probabilistic(0.5))])
      yield* until(() => sampler.description.includes("0.25"))
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(server.received.length, 1)
      yield* TestClock.adjust("1 second")
      yield* until(() => sampler.description.includes("0.5}"))
      assert.strictEqual(server.received.length, 2)
    }))

  it.effect("decides each operation by its own strategy, and others by the default", () =>
    Effect.gen(function*() {
      const { sampler, until } = yield* asking([json({
        strategyType: "PROBABILISTIC",
        operationSampling: {
          defaultSamplingProbability: 0.125,
          defaultLowerBoundTracesPerSecond: 0,
          perOperationStrategies: [
            { operation: "GET /cart", probabilisticSampling: { samplingRate: 1 } },
            { operation: "GET /healthz", probabilisticSampling: { samplingRate: 0 } }
          ]
        }
      })])
      yield* until(() => sampler.description.includes("PerOperation"))
      assert.strictEqual(thresholdOf(sampler, "GET /cart"), 1)
      assert.strictEqual(thresholdOf(sampler, "GET /healthz"), 0)
      assert.strictEqual(thresholdOf(sampler, "constructor"), 0.125)
      assert.isUndefined(sampler.decideByParent?.(undefined))
    }))

  it.effect("limits traces per second, with weights that add up", () =>
    Effect.gen(function*() {
      const { sampler, until } = yield* asking([
        json({ strategyType: "RATE_LIMITING", rateLimitingSampling: { maxTracesPerSecond: 10 } })
      ])
      yield* until(() => sampler.description.includes("RateLimit"))
      let expected = 0
      for (let second = 0; second < 60; second++) {
        for (let i = 0; i < 100; i++) {
          const decision = sampler.decide(named("x"))
          assert.isTrue(decision.reliable)
          if (second >= 30) expected += Threshold.toProbability(decision.threshold)
          yield* TestClock.adjust("10 millis")
        }
      }
      assert.isBelow(Math.abs(expected / 30 - 10), 0.5)
    }))

  it.effect("keeps at least the lower bound of an operation that has little traffic", () =>
    Effect.gen(function*() {
      const operationSampling = {
        defaultSamplingProbability: 0.001,
        defaultLowerBoundTracesPerSecond: 0.5,
        perOperationStrategies: [{ operation: "rare", probabilisticSampling: { samplingRate: 0.001 } }]
      }
      const { sampler, until } = yield* asking([json({ operationSampling })])
      yield* until(() => sampler.description.includes("PerOperation"))
      yield* TestClock.adjust("40 seconds")
      assert.strictEqual(thresholdOf(sampler, "rare"), 1)
      assert.strictEqual(thresholdOf(sampler, "another"), 1)
      let probability = 1
      for (let i = 0; i < 2_000; i++) {
        yield* TestClock.adjust("5 millis")
        probability = thresholdOf(sampler, "rare")
      }
      assert.isBelow(probability, 0.01)
      assert.isAtLeast(probability, 0.000_999)
    }))

  const hostile: ReadonlyArray<readonly [what: string, handler: Handler, reason: string]> = [
    ["no JSON", reply(200, {}, "<html>"), "no JSON"],
    ["nothing", reply(200), "no JSON"],
    ["another status", reply(503, {}, JSON.stringify(probabilistic(1))), "status 503"],
    ["a redirect", reply(302, { location: "http://127.0.0.1:1/" }), "status 302"],
    ["a list", json([]), "no object"],
    ["a rate above one", json(probabilistic(2)), "samplingRate is no number from 0 to 1"],
    ["a rate that is text", json(probabilistic("1")), "samplingRate is no number from 0 to 1"],
    ["a strategy that nobody knows", json({ strategyType: "LOTTERY" }), "strategyType is not known"],
    ["a limit below zero", json({ strategyType: 1, rateLimitingSampling: { maxTracesPerSecond: -1 } }), "maxTraces"],
    [
      "an operation without a name",
      json({ operationSampling: { defaultSamplingProbability: 1, perOperationStrategies: [{}] } }),
      "perOperationStrategies.0 names no operation"
    ],
    ["more bytes than allowed", reply(200, {}, `"${"x".repeat(2_000_000)}"`), "larger than 1048576 bytes"],
    ["a connection that breaks", ({ response }) => response.destroy(), "connect"]
  ]
  for (const [what, handler, reason] of hostile) {
    it.effect(`keeps the last good strategy when it is answered with ${what}, and says so in one line`, () =>
      Effect.gen(function*() {
        const { lines, sampler, server, until } = yield* asking([
          json(probabilistic(0.25)),
          handler,
          handler,
          json(probabilistic(0.5))
        ])
        yield* until(() => sampler.description.includes("0.25"))
        yield* TestClock.adjust("1 minute")
        yield* until(() => lines.length === 1)
        assert.include(lines[0], reason)
        assert.include(lines[0], "the last good ones stay in force")
        assert.include(sampler.description, "0.25")
        yield* TestClock.adjust("1 minute")
        yield* until(() => server.received.length >= 3)
        yield* until(() => lines.length === 1)
        yield* TestClock.adjust("1 minute")
        yield* until(() => sampler.description.includes("0.5}"))
        assert.strictEqual(lines.length, 2)
        assert.include(lines[1], "good again")
      }))
  }

  it.effect("bounds each answer in time and bytes, whoever sends", () =>
    Effect.gen(function*() {
      const requests: Array<TransportRequest> = []
      const { diagnostics, lines } = collected()
      const sampler = yield* JaegerRemoteSampler.make({ timeout: "2 seconds", maxBytes: 1_000 }).pipe(
        Effect.provideService(Diagnostics, diagnostics),
        Effect.provideService(Transport, {
          send: (request) =>
            Effect.suspend(() => {
              requests.push(request)
              return Effect.fail(new TransportError({ reason: "timeout", detail: "no answer in 2000 ms" }))
            })
        })
      )
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(requests.length, 1)
      assert.strictEqual(requests[0]!.url, "http://localhost:5778/sampling?service=unknown_service")
      assert.strictEqual(requests[0]!.timeoutMillis, 2_000)
      assert.strictEqual(requests[0]!.maxResponseBytes, 1_000)
      assert.include(lines[0], "no answer in 2000 ms; the initial sampler stays in force")
      nearly(thresholdOf(sampler), 0.001)
    }))

  it.effect("stops asking when its scope closes", () =>
    Effect.gen(function*() {
      const { polling, sampler, server, until } = yield* asking([json(probabilistic(0.25))])
      yield* until(() => sampler.description.includes("0.25"))
      yield* Scope.close(polling, Exit.void)
      yield* TestClock.adjust("10 minutes")
      yield* Effect.promise(() => setImmediate())
      assert.strictEqual(server.received.length, 1)
    }))

  it.effect("is what OTEL_TRACES_SAMPLER names, for the service of the telemetry", () =>
    Effect.gen(function*() {
      const server = yield* start([json(probabilistic(0))])
      const env = {
        OTEL_SERVICE_NAME: "shop",
        OTEL_TRACES_SAMPLER: "parentbased_jaeger_remote",
        OTEL_TRACES_SAMPLER_ARG: `endpoint=http://127.0.0.1:${server.port}/sampling,initialSamplingRate=1`
      }
      const context = yield* Layer.build(
        TelemetryLayer({ env, shutdownOn: [] }).pipe(Layer.provideMerge(InMemorySpanExporter.layer()))
      )
      const kept = Effect.map(
        Effect.currentSpan,
        ({ sampled }) => sampled
      ).pipe(Effect.withSpan("root"), Effect.provideContext(context))
      assert.isTrue(yield* kept)
      while (yield* kept) yield* Effect.promise(() => setTimeout(1))
      assert.strictEqual(server.received[0]!.path, "/sampling?service=shop")
    }))

  it.effect("goes on asking as a part of a configuration, in either language", () =>
    Effect.gen(function*() {
      const server = yield* start([json(probabilistic(0.25)), json(probabilistic(0.25))])
      const endpoint = `http://127.0.0.1:${server.port}/sampling`
      const heads: ReadonlyArray<SamplerConfig> = [
        { parentBased: { root: { jaegerRemote: { endpoint } } } },
        { parent_based: { root: { "jaeger_remote/development": { endpoint, initial_sampler: { always_on: null } } } } }
      ]
      for (const head of heads) {
        const sampler = yield* Effect.provideContext(Sampler, yield* Layer.build(Sampling.layer({ head })))
        yield* eventually(() => thresholdOf(sampler) === 0.25, () => sampler.description)
      }
    }))

  it.effect("an endpoint without a path is asked for /sampling, and one that is none is not asked", () =>
    Effect.gen(function*() {
      const { server, until } = yield* asking([], (endpoint) => ({ endpoint }))
      yield* until(() => server.received.length === 1)
      assert.strictEqual(server.received[0]!.path, "/sampling?service=unknown_service")
      for (const endpoint of ["jaeger:14250", "not a URL", "http://user:secret@localhost"]) {
        const { lines, sampler } = yield* asking([], () => ({ endpoint }))
        assert.strictEqual(lines.length, 1)
        assert.notInclude(lines[0], "secret")
        nearly(thresholdOf(sampler), 0.001)
      }
    }))
})
