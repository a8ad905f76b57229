import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as InMemorySpanExporter from "../src/exporters/InMemorySpanExporter.ts"
import * as TailSampler from "../src/processors/TailSampler.ts"
import * as Sampler from "../src/sampling/Sampler.ts"
import { Telemetry, TelemetryLayer, type TelemetryLayerOptions } from "../src/Telemetry.ts"
import * as TestTelemetry from "../src/testing/TestTelemetry.ts"
import * as Trace from "../src/tracing/Trace.ts"

const policy = {
  rules: [{ id: "error", when: { errorCount: { ge: 1 } } }, { id: "rest", drop: true }]
}

/** A program with the layer, and the names that its exporter was given in the end. */
const exported = Effect.fnUntraced(function*<A, E>(
  program: Effect.Effect<A, E, Telemetry | TailSampler.TailSampler>,
  options?: TailSampler.Options,
  more?: TelemetryLayerOptions & { readonly sampler?: never },
  sampler?: Sampler.SamplerShape
) {
  const memory = yield* InMemorySpanExporter.make()
  const layer = TelemetryLayer({ env: {}, detectors: ["none"], exporters: [memory.exporter], ...more }).pipe(
    sampler === undefined ? (self) => self : Layer.provide(Layer.succeed(Sampler.Sampler, sampler)),
    Layer.provideMerge(TailSampler.layer({ policy, ...options }))
  )
  const exit = yield* Effect.exit(Effect.provide(program, layer))
  return { exit, spans: yield* memory.spans }
})

const bad = Effect.ignore(Trace.span(Effect.andThen(Trace.span(Effect.void, "fine"), Effect.fail("no")), "bad"))
const good = Trace.span(Trace.span(Effect.void, "inner"), "good")

describe("a telemetry layer with a tail sampler", () => {
  it.effect("exports the traces that the policy wants, whole, and says so in health and ledger", () =>
    Effect.gen(function*() {
      const { spans } = yield* exported(Effect.gen(function*() {
        const telemetry = yield* Telemetry
        yield* bad
        yield* good
        yield* Effect.withSpan(Effect.ignore(Effect.withSpan(Effect.fail("no"), "effectBad")), "effectRoot")
        assert.strictEqual((yield* telemetry.ledger).destinations[0]!.queued, 6)
        yield* TestClock.adjust("1 second")
        const { tail } = yield* telemetry.health
        assert.deepStrictEqual([tail?.tracesKept, tail?.tracesDropped], [2, 1])
        const [account] = (yield* telemetry.ledger).destinations
        assert.deepStrictEqual([account!.sampledOut, account!.unaccounted], [2, 0])
      }))
      assert.deepStrictEqual(spans.map(({ name }) => name), ["fine", "bad", "effectBad", "effectRoot"])
      assert.deepStrictEqual(spans[1]!.attributes["sampling.rule"], "error")
    }))

  it.effect("decides at the end about what is held, before the exporters close", () =>
    Effect.gen(function*() {
      const { spans } = yield* exported(Effect.andThen(bad, good))
      assert.deepStrictEqual(spans.map(({ name }) => name), ["fine", "bad"])
    }))

  it.effect("decides about a program that is interrupted: its spans end, as failures do", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(exported(
        Trace.span(Effect.andThen(bad, Effect.never), "waiting")
      ))
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.interrupt(fiber)
      const { spans } = yield* exported(Effect.gen(function*() {
        const inner = yield* Effect.forkChild(Trace.span(Effect.andThen(bad, Effect.never), "waiting"))
        yield* TestClock.adjust("5 seconds")
        yield* Fiber.interrupt(inner)
      }))
      assert.deepStrictEqual(spans.map(({ name }) => name), ["fine", "bad", "waiting"])
    }))

  it.effect("a flush delivers what is complete, and counts what is not as left", () =>
    Effect.gen(function*() {
      yield* exported(Effect.gen(function*() {
        const telemetry = yield* Telemetry
        yield* bad
        const inside = yield* Trace.span(Effect.andThen(bad, telemetry.flush()), "open")
        assert.deepStrictEqual([inside.exported, inside.left], [2, 2])
      }))
    }))

  it.effect("rescues what the head only recorded, and its weight is that of the recording", () =>
    Effect.gen(function*() {
      const recording = Sampler.alwaysRecord(Sampler.parentBased({ root: Sampler.probability(1e-9) }))
      const { spans } = yield* exported(Effect.andThen(bad, good), {}, undefined, recording)
      assert.deepStrictEqual(
        spans.map(({ name, traceFlags, traceState }) => [name, traceFlags & 1, traceState]),
        [["fine", 1, "ot=th:0"], ["bad", 1, "ot=th:0"]]
      )
    }))

  it.effect("stands before whatever feeds a destination: the test kit sees what is kept", () =>
    Effect.gen(function*() {
      yield* Effect.andThen(bad, good)
      yield* TestClock.adjust("1 second")
      const { spans } = yield* TestTelemetry.TestTelemetry
      assert.deepStrictEqual((yield* spans).map(({ name }) => name), ["fine", "bad"])
    }).pipe(Effect.provide(TestTelemetry.layer().pipe(Layer.provide(TailSampler.layer({ policy }))))))

  it.effect("is no burden where telemetry is disabled", () =>
    Effect.gen(function*() {
      const { spans } = yield* exported(
        Effect.gen(function*() {
          yield* bad
          assert.isUndefined((yield* (yield* Telemetry).health).tail)
        }),
        {},
        { disabled: true }
      )
      assert.deepStrictEqual(spans, [])
    }))
})
