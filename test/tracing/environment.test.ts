import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Baggage from "../../src/model/Baggage.ts"
import * as TestTelemetry from "../../src/testing/TestTelemetry.ts"
import { environment, withEnvironment } from "../../src/tracing/EnvironmentPropagation.ts"
import * as Trace from "../../src/tracing/Trace.ts"

const traceId = "0af7651916cd43dd8448eb211c80319c"
const spanId = "b7ad6b7169203331"
const started = { TRACEPARENT: `00-${traceId}-${spanId}-01`, TRACESTATE: "a=1", BAGGAGE: "tenant=blue" }

const tenant = Effect.map(Trace.baggage, Baggage.get("tenant"))

describe("environment", () => {
  it.effect("is a copy with this context and no other", () =>
    Effect.gen(function*() {
      const before = Object.freeze({ ...started, PATH: "/bin", NOTHING: undefined })
      const env = yield* environment(before).pipe(Trace.span("parent"))
      const { spanId, traceId } = yield* TestTelemetry.span("parent")
      assert.deepStrictEqual(env, { PATH: "/bin", TRACEPARENT: `00-${traceId}-${spanId}-03` })
      assert.deepStrictEqual(yield* environment(before), { PATH: "/bin" })
      const withBaggage = yield* environment({}).pipe(Trace.updateBaggage(Baggage.set("tenant", "red")))
      assert.deepStrictEqual(withBaggage, { BAGGAGE: "tenant=red" })
      const mine = yield* environment()
      assert.strictEqual(mine["PATH"], process.env["PATH"])
      assert.notStrictEqual(mine, process.env)
    }).pipe(Effect.provide(TestTelemetry.layer())))

  it.effect("leaves nothing of another format's context either, whatever its names", () =>
    Effect.gen(function*() {
      const before = { B3: "0", UBER_TRACE_ID: "x", UBERCTX_TENANT: "old", UBERCTX: "kept", TRACEPARENT: "not ours" }
      const env = yield* environment(before).pipe(
        Trace.span("parent"),
        Trace.updateBaggage(Baggage.set("user", "7"))
      )
      const { spanId, traceId } = yield* TestTelemetry.span("parent")
      assert.deepStrictEqual(env, {
        UBERCTX: "kept",
        TRACEPARENT: "not ours",
        B3: `${traceId}-${spanId}-1`,
        UBER_TRACE_ID: `${traceId}:${spanId}:0:01`,
        UBERCTX_USER: "7"
      })
    }).pipe(Effect.provide(TestTelemetry.layer({ propagators: ["b3", "jaeger"] }))))

  it.effect("under another tracer is the environment as it is", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* environment({ PATH: "/bin", NOTHING: undefined }), { PATH: "/bin" })
      assert.strictEqual(yield* withEnvironment(Effect.succeed(1), started), 1)
    }))
})

describe("withEnvironment", () => {
  it.effect("runs under what the variables carry", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* tenant.pipe(Trace.span("child"), withEnvironment(started)), "blue")
      const child = yield* TestTelemetry.span("child")
      assert.deepStrictEqual([child.traceId, child.parentSpanId, child.traceState], [traceId, spanId, "a=1"])
      assert.isTrue(child.parentIsRemote)
      yield* withEnvironment(Trace.span(Effect.void, "alone"), { TRACEPARENT: "no" })
      assert.isUndefined((yield* TestTelemetry.span("alone")).parentSpanId)
    }).pipe(Effect.provide(TestTelemetry.layer())))
})

describe("continueFromEnvironment", () => {
  const continuing = (env: Record<string, string>, continueFromEnvironment = true) =>
    Effect.provide(TestTelemetry.layer({ env, continueFromEnvironment }))

  it.effect("gives what has no parent here the parent that started the process", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Effect.withSpan(tenant, "first"), "blue")
      assert.strictEqual(yield* tenant, "blue")
      yield* Trace.span(Trace.span(Effect.void, "inner"), "second")
      yield* Trace.root(Effect.void, "root")
      const [first, second, inner, root] = yield* Effect.all(
        ["first", "second", "inner", "root"].map((name) => TestTelemetry.span(name))
      )
      for (const span of [first, second]) assert.deepStrictEqual([span!.traceId, span!.parentSpanId], [traceId, spanId])
      assert.strictEqual(inner!.parentSpanId, second!.spanId)
      assert.isUndefined(root!.parentSpanId)
      // Passed on as it came where no span is open.
      assert.deepStrictEqual(yield* environment({}), started)
    }).pipe(continuing(started)))

  it.effect("changes nothing where there is no such parent, or nobody asked", () =>
    Effect.gen(function*() {
      yield* Effect.withSpan(Effect.void, "root")
      assert.isUndefined((yield* TestTelemetry.span("root")).parentSpanId)
    }).pipe((program) =>
      Effect.all([
        program.pipe(continuing({})),
        program.pipe(continuing(started, false)),
        program.pipe(continuing({ TRACEPARENT: "x" }))
      ])
    ))

  it.effect("is trusted also at an edge: whoever starts a process has it in hand", () =>
    Effect.gen(function*() {
      yield* Effect.withSpan(Effect.void, "first")
      assert.strictEqual((yield* TestTelemetry.span("first")).parentSpanId, spanId)
    }).pipe(
      Effect.provide(TestTelemetry.layer({ env: started, continueFromEnvironment: true, trustIncoming: "edge" }))
    ))
})
