/** Context between fibers and plain asynchronous code, in both directions. */
import { assert, describe, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { EventEmitter } from "node:events"
import { setImmediate, setTimeout as sleep } from "node:timers/promises"
import { getCurrentSpan, trace, TraceContext } from "../../src/promise/index.ts"
import * as InMemorySpanExporter from "../../src/exporters/InMemorySpanExporter.ts"
import { TelemetryLayer } from "../../src/Telemetry.ts"
import * as Trace from "../../src/tracing/Trace.ts"

const quiet = { env: {}, detectors: ["none"] as const, serviceName: "context" }

/** Runs a program under telemetry that the facade speaks to as well; answers with `child < parent` of all spans. */
const edgesOf = async (
  program: Effect.Effect<unknown, unknown>,
  options?: { readonly followAsync: boolean }
): Promise<ReadonlyArray<string>> => {
  const memory = InMemorySpanExporter.makeUnsafe()
  await TraceContext.initialize({ ...quiet, ...options, exporters: [memory.exporter] })
  // Both are one pipeline: the tracer of the layer exports to the same memory.
  await program.pipe(
    Effect.provide(TelemetryLayer({ ...quiet, ...options, exporters: [memory.exporter] })),
    Effect.exit,
    Effect.runPromise
  )
  await TraceContext.shutdown()
  const spans = await Effect.runPromise(memory.spans)
  return spans
    .map(({ name, parentSpanId }) => {
      const parent = spans.find(({ spanId }) => spanId === parentSpanId)
      return `${name} < ${parent?.name ?? (parentSpanId === undefined ? "-" : "?")}`
    })
    .sort()
}

const span = (name: string) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withSpan(self, name) as Effect.Effect<A, E, R>

const inner = Effect.void.pipe(span("innermost"), span("inner"))

const cases: ReadonlyArray<readonly [string, Effect.Effect<unknown, unknown>, ReadonlyArray<string>]> = [
  [
    "an effect, plain code that it waits for, and an effect in there are one trace",
    Effect.gen(function*() {
      const context = yield* Effect.context()
      yield* Effect.promise(async () => {
        await sleep(1)
        await trace("plain", async () => {
          await setImmediate()
          await Effect.runPromiseWith(context)(inner)
        })
        await Effect.runPromiseWith(context)(Trace.span(Effect.void, "last"))
      })
    }).pipe(span("outer")),
    ["inner < plain", "innermost < inner", "last < outer", "outer < -", "plain < outer"]
  ],
  [
    "without anything between them, too",
    Effect.promise(async () => {
      await sleep(1)
      trace("plain", () => {})
    }).pipe(span("outer")),
    ["outer < -", "plain < outer"]
  ],
  [
    "timers and listeners that plain code sets",
    Effect.callback<void>((resume) => {
      const emitter = new EventEmitter()
      emitter.on("go", () => {
        trace("listener", () => {})
        resume(Effect.void)
      })
      setTimeout(() => {
        trace("timer", () => {})
        queueMicrotask(() => emitter.emit("go"))
      }, 1)
    }).pipe(span("outer")),
    ["listener < outer", "outer < -", "timer < outer"]
  ],
  [
    "what is innermost wins, whoever asks: plain code within an effect within plain code",
    Effect.contextWith((context: Context.Context<never>) =>
      Effect.sync(() =>
        trace("a", () => {
          trace("b", () => {
            assert.strictEqual(getCurrentSpan()?.name, "b")
            Effect.runSyncWith(context)(Effect.sync(() => trace("d", () => {})).pipe(Trace.span("c")))
            assert.strictEqual(getCurrentSpan()?.name, "b")
          })
          assert.strictEqual(getCurrentSpan()?.name, "a")
          trace("e", () => {})
        })
      )
    ).pipe(span("outer")),
    ["a < outer", "b < a", "c < b", "d < c", "e < a", "outer < -"]
  ],
  [
    "concurrent fibers keep apart",
    Effect.forEach(["1", "2", "3"], (name) =>
      Effect.promise(async () => {
        for (let i = 0; i < 3; i++) await setImmediate()
        await trace(`plain ${name}`, () => sleep(1))
      }).pipe(span(name)), { concurrency: "unbounded" }),
    ["1 < -", "2 < -", "3 < -", "plain 1 < 1", "plain 2 < 2", "plain 3 < 3"]
  ],
  [
    "a fiber that is resumed by plain code stays in its own span",
    Effect.gen(function*() {
      const deferred = yield* Deferred.make<void>()
      const waiting = yield* Effect.forkChild(
        Deferred.await(deferred).pipe(Effect.andThen(Effect.sync(() => trace("x", () => {}))), span("waiting"))
      )
      yield* Effect.yieldNow
      yield* Effect.promise(() => trace("resumer", () => Effect.runPromise(Deferred.done(deferred, Exit.void))))
      yield* Fiber.join(waiting)
    }),
    ["resumer < -", "waiting < -", "x < waiting"]
  ],
  [
    "streams over asynchronous iterables",
    Stream.fromAsyncIterable(
      (async function*() {
        for (let i = 0; i < 2; i++) {
          await setImmediate()
          trace(`made ${i}`, () => {})
          yield i
        }
      })(),
      (error) => error
    ).pipe(Stream.runForEach((i) => Effect.sync(() => trace(`seen ${i}`, () => {}))), span("outer")),
    ["made 0 < outer", "made 1 < outer", "outer < -", "seen 0 < outer", "seen 1 < outer"]
  ]
]

describe("context follows", () => {
  for (const [name, program, expected] of cases) {
    it(name, async () => assert.deepStrictEqual(await edgesOf(program), [...expected].sort()))
  }

  it("nowhere else where that was switched off", async () => {
    const edges = await edgesOf(
      Effect.promise(async () => {
        await sleep(1)
        trace("plain", () => {})
      }).pipe(span("outer")),
      { followAsync: false }
    )
    assert.deepStrictEqual(edges, ["outer < -", "plain < -"])
  })

  it("and leaves nothing behind", async () => {
    await edgesOf(Effect.promise(() => sleep(1)).pipe(span("outer")))
    assert.isUndefined(getCurrentSpan())
    assert.isTrue(Option.isNone(await Effect.runPromise(Trace.current)))
  })
})
