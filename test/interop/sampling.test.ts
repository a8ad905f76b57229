/**
 * Traces that pass through our tracer and OpenTelemetry JavaScript's composite samplers, by the headers of W3C Trace
 * Context: both keep the same traces, and each reads the other's thresholds.
 */
import * as api from "@opentelemetry/api"
import { W3CTraceContextPropagator } from "@opentelemetry/core"
import {
  type ComposableSampler,
  createComposableParentThresholdSampler,
  createComposableProbabilitySampler,
  createCompositeSampler
} from "@opentelemetry/sampler-composite"
import {
  BasicTracerProvider,
  InMemorySpanExporter as SdkMemory,
  type ReadableSpan,
  SimpleSpanProcessor
} from "@opentelemetry/sdk-trace-base"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as InMemorySpanExporter from "../../src/exporters/InMemorySpanExporter.ts"
import type { SpanData } from "../../src/model/SpanData.ts"
import * as OtTraceState from "../../src/sampling/OtTraceState.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import { Telemetry, TelemetryLayer } from "../../src/Telemetry.ts"
import * as IdGenerator from "../../src/tracing/IdGenerator.ts"
import * as Trace from "../../src/tracing/Trace.ts"

type Headers = Readonly<Record<string, string>>

/** A service: a span for a request with these headers, and the headers of what it sends. */
interface Service<S> {
  readonly handle: (headers: Headers) => Effect.Effect<Headers>
  readonly exported: Effect.Effect<ReadonlyArray<S>>
}

const word = (value: number): string => (value >>> 0).toString(16).padStart(8, "0")

const ours = Effect.fnUntraced(function*(
  sampler: Sampler.SamplerShape,
  seed = 0
): Effect.fn.Return<Service<SpanData>, never, Scope.Scope> {
  const context = yield* Layer.build(
    TelemetryLayer({ env: {}, detectors: ["none"], serviceName: "ours", batch: { maxQueueSize: 10_000 } }).pipe(
      Layer.provideMerge(InMemorySpanExporter.layer()),
      Layer.provide(Sampler.layer(sampler)),
      Layer.provide(Layer.succeed(IdGenerator.IdGenerator, IdGenerator.seeded(seed)))
    )
  ).pipe(Effect.orDie)
  return {
    handle: (headers) =>
      Trace.headers.pipe(Trace.span("ours", { kind: "server" }), Trace.withHeaders(headers), Effect.provide(context)),
    exported: Effect.gen(function*() {
      yield* (yield* Telemetry).flush()
      return yield* (yield* InMemorySpanExporter.InMemorySpans).spans
    }).pipe(Effect.provide(context))
  }
})

const theirs = (sampler: ComposableSampler, seed = 0): Service<ReadableSpan> => {
  const ids = IdGenerator.seeded(seed)
  const written = (words: Int32Array, write: (words: Int32Array) => void): string => {
    write(words)
    return [...words].map(word).join("")
  }
  const memory = new SdkMemory()
  const provider = new BasicTracerProvider({
    sampler: createCompositeSampler(sampler),
    idGenerator: {
      generateTraceId: () => written(new Int32Array(4), ids.writeTraceId),
      generateSpanId: () => written(new Int32Array(2), ids.writeSpanId)
    },
    spanProcessors: [new SimpleSpanProcessor(memory)]
  })
  const tracer = provider.getTracer("theirs")
  const propagator = new W3CTraceContextPropagator()
  return {
    handle: (headers) =>
      Effect.sync(() => {
        const context = propagator.extract(api.ROOT_CONTEXT, headers, api.defaultTextMapGetter)
        const span = tracer.startSpan("theirs", { kind: api.SpanKind.SERVER }, context)
        const sent: Record<string, string> = {}
        propagator.inject(api.trace.setSpan(context, span), sent, api.defaultTextMapSetter)
        span.end()
        return sent
      }),
    exported: Effect.sync(() => memory.getFinishedSpans())
  }
}

const follow = createComposableParentThresholdSampler(createComposableProbabilitySampler(1))

const requests = 2_000

/** Sends requests through a chain of services. */
const through = (services: ReadonlyArray<Service<unknown>>): Effect.Effect<ReadonlyArray<Headers>> =>
  Effect.forEach(
    Array.from({ length: requests }),
    () =>
      services.reduce<Effect.Effect<Headers>>(
        (headers, service) => Effect.flatMap(headers, service.handle),
        Effect.succeed({})
      )
  )

const traceOf = (span: SpanData | ReadableSpan): string => "traceId" in span ? span.traceId : span.spanContext().traceId

const stateOf = (span: SpanData | ReadableSpan): string =>
  "traceId" in span ? span.traceState : span.spanContext().traceState?.serialize() ?? ""

const idsOf = (spans: ReadonlyArray<SpanData | ReadableSpan>): ReadonlyArray<string> => spans.map(traceOf).sort()

const thresholdsOf = (
  spans: ReadonlyArray<SpanData | ReadableSpan>
): ReadonlyArray<Threshold.Threshold | undefined> => {
  const found = new Map(spans.map((span) => {
    const { threshold } = OtTraceState.read(stateOf(span))
    return [threshold === undefined ? "" : Threshold.toHex(threshold), threshold]
  }))
  return [...found.values()]
}

/** The requests that the kept spans stand for lie within the 99 % confidence interval of those that there were. */
const assertCounts = (spans: ReadonlyArray<SpanData | ReadableSpan>): void => {
  let count = 0
  let variance = 0
  for (const span of spans) {
    const p = Threshold.toProbability(OtTraceState.read(stateOf(span)).threshold!)
    count += 1 / p
    variance += (1 - p) / p ** 2
  }
  assert.approximately(count, requests, 2.58 * Math.sqrt(variance))
}

const keptOf = (headers: ReadonlyArray<Headers>, threshold: string): ReadonlyArray<string> =>
  headers.map((header) => header["traceparent"]!.slice(3, 35)).filter((id) => id.slice(18) >= threshold).sort()

describe("traces through us and OpenTelemetry JavaScript", () => {
  it.effect("they continue our threshold", () =>
    Effect.gen(function*() {
      const first = yield* ours(Sampler.parentBased({ root: Sampler.probability(0.3) }), 1)
      const second = theirs(follow)
      const sent = yield* through([first, second])
      const [kept, continued] = [yield* first.exported, yield* second.exported]
      assert.deepStrictEqual(idsOf(kept), keptOf(sent, "b333"))
      assert.deepStrictEqual(idsOf(continued), idsOf(kept))
      assert.deepStrictEqual(thresholdsOf(continued), [Threshold.fromHex("b333")])
      assertCounts(continued)
    }))

  it.effect("they keep fewer of what we kept, and say so", () =>
    Effect.gen(function*() {
      const first = yield* ours(Sampler.parentBased({ root: Sampler.probability(0.5) }), 2)
      const second = theirs(createComposableProbabilitySampler(0.25))
      const sent = yield* through([first, second])
      const continued = yield* second.exported
      assert.deepStrictEqual(idsOf(continued), keptOf(sent, "c"))
      const before = new Set(idsOf(yield* first.exported))
      assert.isTrue(idsOf(continued).every((id) => before.has(id)))
      assert.deepStrictEqual(thresholdsOf(continued), [Threshold.fromHex("c")])
      assertCounts(continued)
    }))

  it.effect("we continue their threshold, of as many digits as they write", () =>
    Effect.gen(function*() {
      const first = theirs(createComposableProbabilitySampler(0.1), 3)
      const second = yield* ours(Sampler.parentBased())
      yield* through([first, second])
      const [kept, continued] = [yield* first.exported, yield* second.exported]
      assert.isAbove(kept.length, 150)
      assert.deepStrictEqual(idsOf(continued), idsOf(kept))
      assert.deepStrictEqual(thresholdsOf(continued), thresholdsOf(kept))
      assertCounts(continued)
    }))

  it.effect("we keep fewer of what they kept, and say so", () =>
    Effect.gen(function*() {
      const first = theirs(createComposableProbabilitySampler(0.5), 4)
      const second = yield* ours(Sampler.probability(0.25))
      const third = theirs(follow)
      const sent = yield* through([first, second, third])
      for (const continued of [yield* second.exported, yield* third.exported]) {
        assert.deepStrictEqual(idsOf(continued), keptOf(sent, "c"))
        assert.deepStrictEqual(thresholdsOf(continued), [Threshold.fromHex("c")])
        assertCounts(continued)
      }
    }))

  it.effect("what they dropped stays dropped with us, although they send the threshold of their parent on", () =>
    Effect.gen(function*() {
      const first = yield* ours(Sampler.alwaysOn, 5)
      const stale = theirs(createComposableProbabilitySampler(0))
      const last = yield* ours(Sampler.parentBased())
      const explicit = yield* first.handle({ traceparent: "00-0af7651916cd43dd84ffffffffffffff-00f067aa0ba902b7-01" })
      const sent = yield* stale.handle({ ...explicit, tracestate: "ot=th:8" })
      assert.deepInclude(sent, { tracestate: "ot=th:8" })
      assert.match(sent["traceparent"]!, /-0[02]$/)
      const answered = yield* last.handle(sent)
      assert.deepStrictEqual(yield* last.exported, [])
      assert.isFalse((answered["tracestate"] ?? "").includes("th:"))
    }))
})
