import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import * as TestTelemetry from "../../src/testing/TestTelemetry.ts"
import * as Trace from "../../src/tracing/Trace.ts"

/** `child > parent` for every span, by name. */
const edges = Effect.map(TestTelemetry.spans, (spans) =>
  spans
    .map((span) => {
      const parent = Option.getOrUndefined(TestTelemetry.parentOf(spans, span))
      return `${span.name} < ${parent?.name ?? (span.parentSpanId === undefined ? "-" : "?")}`
    })
    .sort())

// The same laws for Effect's own operator and for ours.
const operators = {
  "Effect.withSpan": (name: string) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withSpan(self, name) as Effect.Effect<A, E, R>,
  "Trace.span": (name: string) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Trace.span(self, name)
}

for (const [operator, span] of Object.entries(operators)) {
  describe(`context through ${operator}`, () => {
    const test = (
      name: string,
      program: Effect.Effect<unknown, unknown, Scope.Scope | TestTelemetry.TestTelemetry>,
      expected: ReadonlyArray<string>
    ) =>
      it.effect(name, () =>
        Effect.gen(function*() {
          yield* Effect.ignore(program)
          assert.deepStrictEqual(yield* edges, [...expected].sort())
          assert.isTrue(Option.isNone(yield* Trace.current), "no span leaks out of the program")
        }).pipe(Effect.provide(TestTelemetry.layer())))

    test(
      "nests",
      Effect.void.pipe(span("c"), span("b"), span("a")),
      ["a < -", "b < a", "c < b"]
    )

    test(
      "restores the parent after a child, whether it succeeds, fails or dies",
      Effect.all([
        span("1")(Effect.void),
        Effect.exit(span("2")(Effect.fail("no"))),
        Effect.exit(span("3")(Effect.die("no"))),
        span("4")(Effect.void)
      ]).pipe(span("a")),
      ["1 < a", "2 < a", "3 < a", "4 < a", "a < -"]
    )

    test(
      "Effect.all with concurrency",
      Effect.forEach(
        ["1", "2", "3", "4"],
        (name) => span(name)(Effect.andThen(Effect.yieldNow, span(`${name}x`)(Effect.void))),
        {
          concurrency: 2
        }
      ).pipe(span("a")),
      ["a < -", "1 < a", "2 < a", "3 < a", "4 < a", "1x < 1", "2x < 2", "3x < 3", "4x < 4"]
    )

    test(
      "fork: a child fiber keeps the span it was forked in, also after that has ended",
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const fiber = yield* span("a")(Effect.forkDetach(span("late")(Deferred.await(gate))))
        yield* span("b")(Effect.void)
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(fiber)
      }),
      ["a < -", "b < -", "late < a"]
    )

    test(
      "race: the loser is interrupted and keeps its parent",
      Effect.race(
        span("winner")(Effect.yieldNow),
        span("loser")(Effect.never)
      ).pipe(span("a")),
      ["a < -", "winner < a", "loser < a"]
    )

    test(
      "timeout: the span ends with the interruption",
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(
          Effect.timeout(span("slow")(Effect.never), "1 second").pipe(Effect.ignore, span("a"))
        )
        yield* Effect.yieldNow
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(fiber)
      }),
      ["a < -", "slow < a"]
    )

    test(
      "interrupt: what runs afterwards in the outer span keeps the outer parent",
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(span("inner")(Effect.never))
        yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        yield* span("after")(Effect.void)
      }).pipe(span("a")),
      ["a < -", "inner < a", "after < a"]
    )

    test(
      "finalizers run within the span that the scope is in",
      Effect.scoped(
        Effect.acquireRelease(span("acquire")(Effect.void), () => span("release")(Effect.void))
      ).pipe(span("a")),
      ["a < -", "acquire < a", "release < a"]
    )

    test(
      "streams: each element within the consumer's span",
      Stream.make("1", "2").pipe(
        Stream.mapEffect((name) => span(name)(Effect.void), { concurrency: 2 }),
        Stream.runDrain,
        span("a")
      ),
      ["a < -", "1 < a", "2 < a"]
    )

    test(
      "ensuring and onInterrupt see the span",
      Effect.void.pipe(Effect.ensuring(span("cleanup")(Effect.void)), span("a")),
      ["a < -", "cleanup < a"]
    )
  })
}

describe("scoped spans", () => {
  it.effect("Trace.spanScoped is current inside and open until the scope closes", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      yield* Trace.span(Effect.void, "child").pipe(
        Trace.spanScoped("resource"),
        Effect.provideService(Scope.Scope, scope)
      )
      assert.deepStrictEqual(yield* edges, ["child < ?"])
      yield* Scope.close(scope, yield* Effect.exit(Effect.fail("closed badly")))
      assert.deepStrictEqual(yield* edges, ["child < resource", "resource < -"])
      assert.strictEqual((yield* TestTelemetry.span("resource")).status.code, "ERROR")
    }).pipe(Effect.provide(TestTelemetry.layer())))

  it.effect("Layer.span and Effect.fn are captured, with the layer's span as parent of what it builds", () =>
    Effect.gen(function*() {
      class Service extends Context.Service<Service, { readonly run: Effect.Effect<void> }>()("test/Service") {
        static readonly layer = Layer.effect(
          Service,
          Effect.map(Effect.withSpan(Effect.void, "connect"), () => ({ run: Effect.withSpan(Effect.void, "run") }))
        )
      }
      const work = Effect.fn("work")(function*() {
        yield* (yield* Service).run
      })
      yield* Effect.provide(work(), Service.layer.pipe(Layer.provide(Layer.span("build"))))
      const all = yield* edges
      assert.includeMembers([...all], ["work < -", "run < work", "connect < build", "build < -"])
    }).pipe(Effect.provide(TestTelemetry.layer())))
})

describe("parents", () => {
  it.effect("root starts a new trace, under both operators", () =>
    Effect.gen(function*() {
      yield* Effect.all([
        Trace.root(Effect.void, "ours"),
        Effect.withSpan(Effect.void, "effect", { root: true })
      ]).pipe(Effect.withSpan("a"))
      assert.deepStrictEqual(yield* edges, ["a < -", "effect < -", "ours < -"])
      const spans = yield* TestTelemetry.spans
      assert.strictEqual(new Set(spans.map((span) => span.traceId)).size, 3)
    }).pipe(Effect.provide(TestTelemetry.layer())))

  it.effect("continues a remote parent, tracestate, flags and baggage included", () =>
    Effect.gen(function*() {
      const headers = yield* Trace.headers.pipe(
        Trace.span("server"),
        Trace.withHeaders({
          traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03",
          tracestate: "vendor=1,ot=th:0",
          baggage: "tenant=blue"
        })
      )
      const span = yield* TestTelemetry.span("server")
      assert.strictEqual(span.traceId, "0af7651916cd43dd8448eb211c80319c")
      assert.strictEqual(span.parentSpanId, "b7ad6b7169203331")
      assert.isTrue(span.parentIsRemote)
      assert.strictEqual(span.traceFlags, 3)
      assert.deepStrictEqual(headers, {
        traceparent: `00-0af7651916cd43dd8448eb211c80319c-${span.spanId}-03`,
        tracestate: "vendor=1,ot=th:0",
        baggage: "tenant=blue"
      })
    }).pipe(Effect.provide(TestTelemetry.layer())))

  it.effect("a parent of another tracer, and one with ids that are none", () =>
    Effect.gen(function*() {
      const external = Tracer.externalSpan({ traceId: "463ac35c9f6413ad", spanId: "b7ad6b7169203331" })
      yield* Effect.withSpan(Effect.void, "b3", { parent: external })
      yield* Effect.withSpan(Effect.void, "bad", { parent: Tracer.externalSpan({ traceId: "noop", spanId: "noop" }) })
      const b3 = yield* TestTelemetry.span("b3")
      assert.deepStrictEqual([b3.traceId, b3.parentSpanId], ["0000000000000000463ac35c9f6413ad", "b7ad6b7169203331"])
      assert.strictEqual((yield* TestTelemetry.span("bad")).parentSpanId, undefined)
    }).pipe(Effect.provide(TestTelemetry.layer())))
})

describe("baggage", () => {
  it.effect("is scoped, captured by spans, and innermost wins", () =>
    Effect.gen(function*() {
      const value = (key: string) => Effect.map(Trace.baggage, (baggage) => baggage.get(key)?.value)
      const set = (key: string, to: string) =>
        Trace.updateBaggage((baggage) => new Map([...baggage, [key, { value: to, properties: [] }]]))
      const seen = yield* Effect.all({
        before: value("k"),
        inside: value("k"),
        nested: value("k").pipe(set("k", "2")),
        span: value("k").pipe(Trace.span("s")),
        spanThenSet: value("k").pipe(set("k", "3"), Trace.span("t"))
      }).pipe(set("k", "1"))
      assert.deepStrictEqual(seen, { before: "1", inside: "1", nested: "2", span: "1", spanThenSet: "3" })
      assert.isUndefined(yield* value("k"))
    }).pipe(Effect.provide(TestTelemetry.layer())))
})

describe("what Effect derives from a context", () => {
  // `Trace.span` copies it from the surrounding context instead of deriving it anew.
  const derivedAnew = (fiber: Fiber.Fiber<unknown, unknown>) => {
    const { cache, context } = fiber
    fiber.setContext(Context.makeUnsafe(new Map(context.mapUnsafe)))
    const fresh = fiber.cache
    fiber.setContext(context)
    return { cache, fresh }
  }

  const programs = {
    "by default": (self: Effect.Effect<void>) => self,
    "within another span": Trace.span("outer"),
    "within Effect's span": Effect.withSpan("outer"),
    "with other log levels": Effect.provideService(References.MinimumLogLevel, "Error"),
    "with another scheduler": Effect.provideService(Scheduler.MaxOpsBeforeYield, 7),
    "with services beside it": Effect.provideService(Context.Service<string, string>("test/Service"), "service")
  }

  for (const [name, around] of Object.entries(programs)) {
    it.effect(`is the same in a span of ours, ${name}`, () =>
      Effect.gen(function*() {
        const check = Effect.withFiber((fiber) => {
          const { cache, fresh } = derivedAnew(fiber)
          assert.deepStrictEqual(Object.keys(cache), Object.keys(fresh))
          for (const key of Object.keys(fresh) as Array<keyof typeof fresh>) assert.strictEqual(cache[key], fresh[key])
          assert.notStrictEqual(cache, fresh)
          return Effect.void
        })
        const twice = check.pipe(Trace.span("inner"), Trace.span("middle"))
        yield* around(twice)
        yield* around(Effect.provideService(twice, References.TracerEnabled, false))
        yield* around(Effect.provideService(check, References.CurrentLogLevel, "Debug").pipe(Trace.span("inner")))
      }).pipe(Effect.provide(TestTelemetry.layer())))
  }
})
