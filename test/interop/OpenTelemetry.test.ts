/** Our tracer behind the real `@opentelemetry/api`. */
import * as api from "@opentelemetry/api"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { EventEmitter } from "node:events"
import { setImmediate } from "node:timers/promises"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import * as InMemorySpanExporter from "../../src/exporters/InMemorySpanExporter.ts"
import * as OpenTelemetry from "../../src/interop/OpenTelemetry.ts"
import type { SpanData } from "../../src/model/SpanData.ts"
import { type Telemetry, TelemetryLayer } from "../../src/Telemetry.ts"
import * as Trace from "../../src/tracing/Trace.ts"

const tracer = api.trace.getTracerProvider().getTracer("library", "1.2.3", { schemaUrl: "https://example.com/1" })

/** Runs a program with everything registered, and answers with the spans by name. */
const spansOf = <A, E>(
  program: Effect.Effect<A, E, Telemetry>,
  lines: Array<string> = []
) =>
  Effect.gen(function*() {
    const memory = InMemorySpanExporter.makeUnsafe()
    yield* program.pipe(
      Effect.provide(
        OpenTelemetry.layer({ api }).pipe(
          Layer.provideMerge(TelemetryLayer({ env: {}, detectors: ["none"], exporters: [memory.exporter] }))
        )
      ),
      Effect.provideService(
        Diagnostics.Diagnostics,
        Diagnostics.make({ level: "debug", write: (line) => lines.push(line) })
      )
    ) as Effect.Effect<A, E>
    assert.isUndefined(api.trace.getActiveSpan())
    return Object.fromEntries((yield* memory.spans).map((span) => [span.name, span]))
  })

const parents = (spans: Record<string, SpanData>): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.values(spans).map(({ name, parentSpanId }) => [
      name,
      Object.values(spans).find(({ spanId }) => spanId === parentSpanId)?.name
    ])
  )

describe("the API of OpenTelemetry", () => {
  it.effect("gives spans that say everything, of the library's scope", () =>
    Effect.gen(function*() {
      const spans = yield* spansOf(Effect.sync(() => {
        const start = Date.now() - 1_000
        const other = tracer.startSpan("other")
        const span = tracer.startSpan("work", {
          kind: api.SpanKind.CLIENT,
          attributes: { a: 1 },
          links: [{ context: other.spanContext(), attributes: { why: "because" } }],
          startTime: start
        })
        assert.isTrue(span.isRecording())
        span
          .setAttribute("b", [1, 2])
          .setAttributes({ c: true })
          .addEvent("plain")
          .addEvent("at", start + 10)
          .addEvent("with", { x: "y" }, [Math.floor(start / 1000), 5])
          .setStatus({ code: api.SpanStatusCode.ERROR, message: "broken" })
          .updateName("renamed")
        span.recordException(new TypeError("no"))
        span.end(start + 20)
        assert.isFalse(span.isRecording())
        other.end()
      }))
      const span = spans["renamed"]!
      assert.deepInclude(span, { kind: "CLIENT", status: { code: "ERROR", message: "broken" } })
      assert.deepStrictEqual({ ...span.attributes }, { a: 1, b: [1, 2], c: true })
      assert.deepStrictEqual(span.scope, { name: "library", version: "1.2.3", schemaUrl: "https://example.com/1" })
      assert.strictEqual(span.endTimeUnixNano - span.startTimeUnixNano, 20_000_000n)
      assert.deepStrictEqual(span.events.map(({ name }) => name), ["plain", "at", "with", "exception"])
      assert.strictEqual(span.events[1]!.timeUnixNano - span.startTimeUnixNano, 10_000_000n)
      assert.strictEqual(span.events[3]!.attributes["exception.type"], "TypeError")
      assert.strictEqual(span.links[0]!.spanId, spans["other"]!.spanId)
      assert.deepStrictEqual({ ...span.links[0]!.attributes }, { why: "because" })
    }))

  it.effect("nests in Effect, and Effect in it", () =>
    Effect.gen(function*() {
      const spans = yield* spansOf(
        Effect.gen(function*() {
          const within = yield* Effect.context<Telemetry>()
          yield* Effect.promise(() =>
            tracer.startActiveSpan("library", async (span) => {
              await setImmediate()
              tracer.startActiveSpan("sync", (inner) => {
                assert.strictEqual(api.trace.getActiveSpan(), inner)
                inner.end()
              })
              await Effect.runPromiseWith(within)(
                Effect.sync(() => tracer.startSpan("innermost").end()).pipe(Effect.withSpan("inner"))
              )
              await Effect.runPromiseWith(within)(Trace.span(Effect.void, "lean"))
              span.end()
            })
          )
          yield* Effect.sync(() =>
            tracer.startActiveSpan("in sync", (span) => {
              tracer.startSpan("in there").end()
              span.end()
            })
          )
          tracer.startSpan("root", { root: true }).end()
        }).pipe(Effect.withSpan("outer"))
      )
      assert.deepStrictEqual(parents(spans), {
        "outer": undefined,
        "root": undefined,
        "library": "outer",
        "sync": "library",
        "inner": "library",
        "innermost": "inner",
        "lean": "library",
        "in sync": "outer",
        "in there": "in sync"
      })
      assert.strictEqual(new Set(Object.values(spans).map(({ traceId }) => traceId)).size, 2)
    }))

  it.effect("keeps values and baggage of a context around Effect's spans", () =>
    Effect.gen(function*() {
      const key = api.createContextKey("mine")
      yield* spansOf(
        Effect.gen(function*() {
          const within = yield* Effect.context<Telemetry>()
          const baggage = api.propagation.createBaggage({
            user: { value: "ada", metadata: api.baggageEntryMetadataFromString("p;q=1") }
          })
          const outer = api.propagation.setBaggage(api.context.active().setValue(key, 42), baggage)
          yield* Effect.promise(() =>
            api.context.with(outer, () =>
              Effect.runPromiseWith(within)(
                Effect.promise(async () => {
                  await setImmediate()
                  assert.strictEqual(api.context.active().getValue(key), 42)
                  assert.strictEqual(api.propagation.getActiveBaggage()?.getEntry("user")?.value, "ada")
                  const headers: Record<string, string> = {}
                  api.propagation.inject(api.context.active(), headers)
                  assert.strictEqual(headers["baggage"], "user=ada;p;q=1")
                  assert.match(headers["traceparent"]!, /^00-[0-9a-f]{32}-[0-9a-f]{16}-03$/)
                }).pipe(
                  Effect.andThen(
                    Effect.map(Trace.baggage, (current) => assert.strictEqual(current.get("user")?.value, "ada"))
                  ),
                  Effect.withSpan("inner")
                )
              ))
          )
        })
      )
    }))

  it.effect("continues what came from elsewhere", () =>
    Effect.gen(function*() {
      const spans = yield* spansOf(Effect.sync(() => {
        const context = api.propagation.extract(api.ROOT_CONTEXT, {
          traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
          tracestate: "a=1,b=2"
        })
        const remote = api.trace.getSpanContext(context)!
        assert.isTrue(remote.isRemote)
        assert.strictEqual(remote.traceState?.get("b"), "2")
        api.context.with(context, () =>
          tracer.startActiveSpan("server", (span) => {
            assert.strictEqual(span.spanContext().traceState?.serialize(), "a=1,b=2")
            span.end()
          }))
        const foreign = api.trace.setSpanContext(api.ROOT_CONTEXT, {
          traceId: "0af7651916cd43dd8448eb211c80319d",
          spanId: "b7ad6b7169203332",
          traceFlags: 1
        })
        tracer.startSpan("local", {}, foreign).end()
      }))
      assert.deepInclude(spans["server"], {
        traceId: "0af7651916cd43dd8448eb211c80319c",
        parentSpanId: "b7ad6b7169203331",
        parentIsRemote: true,
        traceState: "a=1,b=2"
      })
      assert.deepInclude(spans["local"], { parentSpanId: "b7ad6b7169203332", parentIsRemote: false })
    }))

  it.effect("records nothing where tracing is suppressed", () =>
    Effect.gen(function*() {
      const suppressed = api.ROOT_CONTEXT.setValue(
        Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING"),
        true
      )
      const spans = yield* spansOf(Effect.gen(function*() {
        const within = yield* Effect.context<Telemetry>()
        tracer.startSpan("a", {}, suppressed).end()
        yield* Effect.promise(() =>
          api.context.with(suppressed, async () => {
            await setImmediate()
            tracer.startSpan("b").end()
            // What is given counts, not what is around.
            tracer.startSpan("e", {}, api.ROOT_CONTEXT).end()
            await Effect.runPromiseWith(within)(Effect.withSpan(Effect.void, "c"))
          })
        )
        tracer.startSpan("d").end()
      }))
      assert.deepStrictEqual(Object.keys(spans), ["e", "d"])
    }))

  it.effect("binds functions and listeners to a context", () =>
    Effect.gen(function*() {
      const key = api.createContextKey("bound")
      yield* spansOf(Effect.sync(() => {
        const context = api.ROOT_CONTEXT.setValue(key, "yes")
        const read = function(this: unknown, suffix: string) {
          return `${api.context.active().getValue(key)}${suffix}${String(this)}`
        }
        const bound = api.context.bind(context, read)
        assert.strictEqual(Reflect.apply(bound, "!", ["?"]), "yes?!")
        assert.strictEqual(bound.length, 1)
        const emitter = api.context.bind(context, new EventEmitter())
        const seen: Array<unknown> = []
        const listener = () => seen.push(api.context.active().getValue(key))
        emitter.on("e", listener)
        emitter.once("e", () => seen.push(api.context.active().getValue(key)))
        emitter.emit("e")
        emitter.removeListener("e", listener)
        emitter.emit("e")
        assert.deepStrictEqual(seen, ["yes", "yes"])
        assert.strictEqual(emitter.listenerCount("e"), 0)
      }))
    }))

  it.effect("says aloud when another is registered, and leaves that alone", () =>
    Effect.gen(function*() {
      const theirs = { getTracer: () => tracer }
      api.trace.setGlobalTracerProvider(theirs)
      const lines: Array<string> = []
      yield* spansOf(Effect.void, lines)
      assert.strictEqual(lines.length, 1)
      assert.match(lines[0]!, /the tracer provider of this process is not ours: an SDK is registered already/)
      assert.strictEqual((api.trace.getTracerProvider() as api.ProxyTracerProvider).getDelegate(), theirs)
      api.trace.disable()
    }))

  it.effect("needs this library's tracer, and the API", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        Effect.scoped(OpenTelemetry.register({ api: {} as never })).pipe(
          Effect.provide(TelemetryLayer({ env: {}, detectors: ["none"], tracesExporters: ["none"] }))
        )
      )
      assert.include(error.message, "needs @opentelemetry/api, which is not installed: npm install @opentelemetry/api")
    }))
})
