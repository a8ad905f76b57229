/** Parts of the real SDK in our pipeline, and parts of ours in the real SDK. */
import * as api from "@opentelemetry/api"
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks"
import { W3CTraceContextPropagator } from "@opentelemetry/core"
import { envDetector, resourceFromAttributes } from "@opentelemetry/resources"
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  InMemorySpanExporter as SdkMemory,
  ParentBasedSampler,
  RandomIdGenerator,
  type ReadableSpan,
  SamplingDecision,
  SimpleSpanProcessor
} from "@opentelemetry/sdk-trace-base"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { setImmediate } from "node:timers/promises"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import * as InMemorySpanExporter from "../../src/exporters/InMemorySpanExporter.ts"
import * as ForeignTracer from "../../src/interop/ForeignTracer.ts"
import * as FromOpenTelemetry from "../../src/interop/FromOpenTelemetry.ts"
import * as ToOpenTelemetry from "../../src/interop/ToOpenTelemetry.ts"
import * as Propagator from "../../src/context/Propagator.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import { Telemetry, TelemetryLayer, type TelemetryLayerOptions } from "../../src/Telemetry.ts"
import * as IdGenerator from "../../src/tracing/IdGenerator.ts"
import * as Trace from "../../src/tracing/Trace.ts"

const quiet: TelemetryLayerOptions = { env: {}, detectors: ["none"], serviceName: "mixed", tracesExporters: [] }

const traced = Effect.void.pipe(
  Trace.span("child", { kind: "client", attributes: { n: 1, big: 2n ** 60n, list: ["a", "b"], map: { x: 1 } } }),
  Effect.andThen(Trace.event("moment", { at: "once" })),
  Effect.andThen(Effect.fail(new TypeError("no"))),
  Effect.ignore,
  Trace.span("parent")
)

describe("parts of the SDK in our pipeline", () => {
  it.effect("processors and exporters see the same spans", () =>
    Effect.gen(function*() {
      const byProcessor = new SdkMemory()
      const byExporter = new SdkMemory()
      const started: Array<string> = []
      yield* Effect.scoped(Effect.gen(function*() {
        const batch = yield* FromOpenTelemetry.spanProcessor(new BatchSpanProcessor(byProcessor))
        const marking = yield* FromOpenTelemetry.spanProcessor({
          onStart: (span: api.Span, context: api.Context) => {
            started.push(`${api.trace.getSpan(context) === undefined ? "root" : "child"}`)
            span.setAttribute("marked", true)
          },
          onEnd: (span: ReadableSpan) => started.push(span.name),
          forceFlush: () => Promise.reject(new Error("never")),
          shutdown: () => Promise.resolve()
        })
        const exporter = yield* FromOpenTelemetry.spanExporter(byExporter, { name: "theirs" })
        const ledger = yield* Effect.gen(function*() {
          yield* traced
          const telemetry = yield* Telemetry
          yield* telemetry.flush()
          return yield* telemetry.ledger
        }).pipe(
          Effect.provide(TelemetryLayer({ ...quiet, processors: [marking, batch], exporters: [exporter] }))
        )
        assert.deepInclude(ledger.destinations[0], { destination: "theirs", exported: 2, unaccounted: 0 })
        const [processed, exported] = [byProcessor, byExporter].map((memory) => memory.getFinishedSpans())
        assert.deepStrictEqual(processed!.map(({ name }) => name), ["child", "parent"])
        assert.deepStrictEqual(started, ["root", "child", "child", "parent"])
        for (const [child, parent] of [processed!, exported!]) {
          assert.strictEqual(child!.parentSpanContext?.spanId, parent!.spanContext().spanId)
          assert.strictEqual(child!.kind, api.SpanKind.CLIENT)
          assert.deepStrictEqual({ ...child!.attributes }, {
            n: 1,
            big: "1152921504606846976",
            list: ["a", "b"],
            map: "{\"x\":1}",
            marked: true
          })
          assert.strictEqual(child!.resource.attributes["service.name"], "mixed")
          assert.strictEqual(child!.instrumentationScope.name, "effect-telemetry")
          assert.deepStrictEqual(parent!.events.map(({ name }) => name), ["moment"])
          assert.isTrue(parent!.ended)
        }
        // What it holds does not change when the span is gone.
        assert.deepStrictEqual(processed!.map(({ attributes }) => Object.keys(attributes).length), [5, 1])
      }))
    }).pipe(Effect.provideService(Diagnostics.Diagnostics, Diagnostics.make({ level: "none" }))))

  it.effect("an exporter that fails is booked, whatever way it fails", () =>
    Effect.gen(function*() {
      const failing = (how: (done: (result: { code: number }) => void) => void) =>
        FromOpenTelemetry.spanExporter({ export: (_, done) => how(done), shutdown: () => Promise.reject("no") })
      const ledger = yield* Effect.scoped(Effect.gen(function*() {
        const exporters = [
          yield* failing((done) => done({ code: 1 })),
          yield* failing(() => {
            throw new Error("thrown")
          })
        ]
        return yield* Effect.gen(function*() {
          yield* traced
          const telemetry = yield* Telemetry
          yield* telemetry.flush()
          return yield* telemetry.ledger
        }).pipe(Effect.provide(TelemetryLayer({ ...quiet, exporters })))
      }))
      assert.deepStrictEqual(ledger.destinations.map(({ dropped }) => dropped), [{ export_error: 2 }, {
        export_error: 2
      }])
    }).pipe(Effect.provideService(Diagnostics.Diagnostics, Diagnostics.make({ level: "none" }))))

  it.effect("samplers, ids, propagators and detectors do what they do there", () =>
    Effect.gen(function*() {
      const memory = InMemorySpanExporter.makeUnsafe()
      const seen: Array<string> = []
      const theirs = new ParentBasedSampler({
        root: {
          shouldSample: (_context, traceId, name, kind, attributes, links) => {
            seen.push(`${name} ${kind} ${links.length} ${traceId.length}`)
            return {
              decision: name === "no"
                ? SamplingDecision.NOT_RECORD
                : name === "record"
                ? SamplingDecision.RECORD
                : SamplingDecision.RECORD_AND_SAMPLED,
              attributes: { ...attributes, judged: true }
            }
          },
          toString: () => "Judge"
        }
      })
      const headers = yield* Effect.gen(function*() {
        yield* Effect.void.pipe(Trace.span("child"), Trace.span("no"))
        yield* Effect.void.pipe(Trace.span("record"))
        return yield* Trace.headers.pipe(
          Trace.span("child"),
          Trace.span("yes", { kind: "server", attributes: { a: 1 } })
        )
      }).pipe(
        Effect.provide(TelemetryLayer({
          ...quiet,
          exporters: [memory.exporter],
          resourceDetectors: [
            FromOpenTelemetry.resourceDetector({
              detect: () => ({ attributes: { late: Promise.resolve("yes"), now: 1 } })
            }),
            FromOpenTelemetry.resourceDetector(envDetector)
          ]
        })),
        Effect.provide(Sampler.layer(FromOpenTelemetry.sampler(theirs))),
        Effect.provide(Propagator.layer(FromOpenTelemetry.propagator(new W3CTraceContextPropagator()))),
        Effect.provideService(
          IdGenerator.IdGenerator,
          FromOpenTelemetry.idGenerator(new RandomIdGenerator(), IdGenerator.random)
        )
      )
      const spans = yield* memory.spans
      assert.deepStrictEqual(spans.map(({ name }) => name), ["child", "yes"])
      assert.deepStrictEqual(seen, ["no 0 0 32", "record 0 0 32", "yes 1 0 32"])
      assert.deepStrictEqual({ ...spans[1]!.attributes }, { a: 1, judged: true })
      // Nobody says that they are random, so nobody claims it.
      assert.strictEqual(spans[1]!.traceFlags, 1)
      assert.deepInclude({ ...spans[1]!.resource.attributes }, { late: "yes", now: 1 })
      assert.strictEqual(headers["traceparent"], `00-${spans[0]!.traceId}-${spans[0]!.spanId}-01`)
    }))
})

describe("parts of ours in the SDK", () => {
  it("an exporter gets what the SDK made", async () => {
    const memory = InMemorySpanExporter.makeUnsafe()
    const provider = new BasicTracerProvider({
      resource: resourceFromAttributes({ "service.name": "sdk" }),
      spanProcessors: [new SimpleSpanProcessor(ToOpenTelemetry.spanExporter(memory.exporter))]
    })
    const tracer = provider.getTracer("lib", "1")
    const parent = tracer.startSpan("parent", { attributes: { a: [1, 2] } })
    const child = tracer.startSpan("child", { kind: 2 }, api.trace.setSpan(api.ROOT_CONTEXT, parent))
    child.addEvent("e", { x: 1 }).setStatus({ code: 2, message: "m" }).addLink({ context: parent.spanContext() })
    child.end()
    parent.end()
    await provider.forceFlush()
    const [first, second] = await Effect.runPromise(memory.spans)
    assert.strictEqual(first!.parentSpanId, second!.spanId)
    assert.deepInclude(first, { name: "child", kind: "CLIENT", status: { code: "ERROR", message: "m" } })
    assert.deepStrictEqual(first!.events.map(({ name }) => name), ["e"])
    assert.strictEqual(first!.links[0]!.spanId, second!.spanId)
    assert.deepStrictEqual({ ...second!.attributes }, { a: [1, 2] })
    assert.strictEqual(second!.resource.attributes["service.name"], "sdk")
    assert.deepStrictEqual(second!.scope, { name: "lib", version: "1" })
    await provider.shutdown()
  })

  it("a sampler decides as it does here, and leaves its threshold", () => {
    const memory = new SdkMemory()
    const provider = new BasicTracerProvider({
      sampler: ToOpenTelemetry.sampler(Sampler.probability(0.25)),
      spanProcessors: [new SimpleSpanProcessor(memory)]
    })
    const tracer = provider.getTracer("lib")
    for (let i = 0; i < 400; i++) tracer.startSpan("s").end()
    const spans = memory.getFinishedSpans()
    assert.isAbove(spans.length, 40)
    assert.isBelow(spans.length, 200)
    assert.strictEqual(spans[0]!.spanContext().traceState?.get("ot"), "th:c")
    for (const span of spans) assert.isTrue(span.spanContext().traceId.slice(18) >= "c".padEnd(14, "0"))
    assert.strictEqual(String(ToOpenTelemetry.sampler(Sampler.probability(0.25))), "Probability{0.25}")
  })
})

describe("Effect on an SDK that the program has", () => {
  it("makes one tree, in both directions, and exports nothing itself", async () => {
    const memory = new SdkMemory()
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] })
    api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    api.trace.setGlobalTracerProvider(provider)
    try {
      const tracer = api.trace.getTracer("theirs")
      const effect = Effect.gen(function*() {
        yield* Effect.sync(() => tracer.startSpan("in sync").end())
        yield* Effect.promise(async () => {
          await setImmediate()
          tracer.startActiveSpan("in promise", (span) => span.end())
        })
        yield* Effect.annotateCurrentSpan({ a: 1, deep: { b: 1 } })
        yield* Effect.fail(new TypeError("no")).pipe(Effect.withSpan("failing", { kind: "client" }), Effect.ignore)
      }).pipe(Effect.withSpan("outer"), Effect.provide(ForeignTracer.layer(api)))
      await tracer.startActiveSpan("request", async (span) => {
        await Effect.runPromise(effect)
        span.end()
      })
      await Effect.runPromise(
        Effect.void.pipe(Effect.withSpan("alone", { root: true }), Effect.provide(ForeignTracer.layer(api)))
      )
      const spans = memory.getFinishedSpans()
      const parents = Object.fromEntries(spans.map((span) => [
        span.name,
        spans.find((other) => other.spanContext().spanId === span.parentSpanContext?.spanId)?.name
      ]))
      assert.deepStrictEqual(parents, {
        "in sync": "outer",
        "in promise": "outer",
        "failing": "outer",
        "outer": "request",
        "request": undefined,
        "alone": undefined
      })
      const failing = spans.find(({ name }) => name === "failing")!
      assert.deepStrictEqual(failing.status, { code: 2, message: "no" })
      assert.strictEqual(failing.events[0]!.attributes?.["exception.type"], "TypeError")
      assert.deepStrictEqual({ ...spans.find(({ name }) => name === "outer")!.attributes }, { a: 1, deep: "{\"b\":1}" })
    } finally {
      api.trace.disable()
      api.context.disable()
      await provider.shutdown()
    }
  })

  it("writes the headers of fetch once, by the registered propagator, and none where a listener will", async () => {
    const memory = new SdkMemory()
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] })
    api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    api.propagation.setGlobalPropagator(new W3CTraceContextPropagator())
    const sent: Array<Record<string, string>> = []
    const fetch = (_: unknown, init?: RequestInit) => {
      sent.push(init?.headers as Record<string, string>)
      return Promise.resolve(new Response("ok"))
    }
    const request = Effect.flatMap(HttpClient.HttpClient, (client) => client.get("http://shop.test/")).pipe(
      Effect.provide(FetchHttpClient.layer),
      Effect.provide(ForeignTracer.layer(api, { provider })),
      Effect.provideService(FetchHttpClient.Fetch, fetch as typeof globalThis.fetch)
    )
    const listener = () => {}
    try {
      await Effect.runPromise(request)
      subscribe("undici:request:create", listener)
      await Effect.runPromise(request)
    } finally {
      unsubscribe("undici:request:create", listener)
      api.context.disable()
      api.propagation.disable()
    }
    const { spanId, traceId } = memory.getFinishedSpans()[0]!.spanContext()
    assert.strictEqual(sent[0]!["traceparent"], `00-${traceId}-${spanId}-01`)
    assert.notProperty(sent[0], "b3")
    assert.notProperty(sent[1], "traceparent")
  })
})
