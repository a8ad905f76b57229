import { assert, describe, it } from "@effect/vitest"
import * as Effect4 from "effect"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Option, Tracer } from "effect-3"
import { InMemorySpanExporter, Sampler, TelemetryLayer, type TelemetryLayerOptions } from "effect-telemetry"
import { Effect3Telemetry, Effect3Tracer } from "effect-telemetry/effect-3"
import type { SpanData } from "effect-telemetry/model/SpanData"
import { type ActiveSpan as Span, extract, startSpan, trace, TraceContext, traced } from "effect-telemetry/promise"
import { Ambient, run as runIn } from "../../src/context/AsyncContext.ts"

const traceId = "0af7651916cd43dd8448eb211c80319c"
const spanId = "b7ad6b7169203331"

interface Running {
  readonly telemetry: Effect3Telemetry.Effect3Telemetry
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => Promise<A>
}

/** What `body` records, by name. */
const recorded = async (
  body: (running: Running) => Promise<unknown>,
  options?: TelemetryLayerOptions
): Promise<Readonly<Record<string, SpanData>>> => {
  const memory = InMemorySpanExporter.makeUnsafe()
  const telemetry = await Effect3Telemetry.start({ exporters: [memory.exporter], env: {}, ...options })
  const layer = Layer.setTracer(Tracer.make(telemetry.tracer))
  try {
    await body({ telemetry, run: (effect) => Effect.runPromise(Effect.provide(effect, layer)) })
  } finally {
    await telemetry.shutdown()
  }
  const spans = await Effect4.Effect.runPromise(memory.spans)
  return Object.fromEntries(spans.map((span) => [span.name, span]))
}

const HttpServerRequest = Context.GenericTag<unknown, { readonly headers: Readonly<Record<string, string>> }>(
  "@effect/platform/HttpServerRequest"
)

/** As `@effect/platform` serves a request. */
const served = <A, E, R>(effect: Effect.Effect<A, E, R>, headers: Readonly<Record<string, string>>, read = true) =>
  effect.pipe(
    Effect.withSpan("request", {
      kind: "server",
      ...read ? { parent: Tracer.externalSpan({ traceId, spanId, sampled: true }) } : {}
    }),
    Effect.provideService(HttpServerRequest, { headers })
  )

const headers = {
  traceparent: `00-${traceId}-${spanId}-01`,
  tracestate: "vendor=1",
  baggage: "user=7"
}

describe("a span of Effect 3", () => {
  it("is what Effect 3 takes for one", () =>
    recorded(({ run }) =>
      run(Effect.gen(function*() {
        const span = yield* Effect.makeSpan("a", { kind: "client", attributes: { n: 1 } })
        assert.match(span.traceId, /^[0-9a-f]{32}$/)
        assert.match(span.spanId, /^[0-9a-f]{16}$/)
        assert.strictEqual(span.name, "a")
        assert.strictEqual(span.kind, "client")
        assert.isTrue(span.sampled)
        assert.isTrue(Option.isNone(span.parent))
        assert.strictEqual(span.attributes.get("n"), 1)
        assert.strictEqual(span.status._tag, "Started")
        const exit = Exit.fail("no")
        span.end(span.status.startTime + 5n, exit)
        span.end(span.status.startTime + 9n, Exit.void)
        if (span.status._tag !== "Ended") return assert.fail("it has ended")
        assert.strictEqual(span.status.exit, exit)
        assert.strictEqual(span.status.endTime - span.status.startTime, 5n)
      }))
    ).then(({ a }) => assert.strictEqual(a?.status.code, "ERROR")))

  it("has the stack of what went wrong", async () => {
    const { a } = await recorded(({ run }) =>
      run(Effect.fail(new TypeError("no")).pipe(Effect.withSpan("a"), Effect.exit))
    )
    assert.include(String(a!.events[0]!.attributes["exception.stacktrace"]), "Effect3Tracer.test.ts")
  })

  it("has links, to spans of any tracer; what links to nothing is counted", async () => {
    const { a } = await recorded(({ run }) =>
      run(Effect.gen(function*() {
        const other = yield* Effect.makeSpan("other")
        const link = (span: Tracer.AnySpan): Tracer.SpanLink => ({ _tag: "SpanLink", span, attributes: { why: "b" } })
        yield* Effect.void.pipe(
          Effect.withSpan("a", {
            links: [
              link(other),
              link(Tracer.externalSpan({ traceId, spanId })),
              link(Tracer.externalSpan({ traceId: "x", spanId: "y" }))
            ]
          })
        )
      }))
    )
    assert.strictEqual(a!.links.length, 2)
    assert.strictEqual(a!.links[1]!.traceId, traceId)
    assert.deepStrictEqual(a!.links[1]!.attributes, { why: "b" })
    assert.strictEqual(a!.droppedLinksCount, 1)
  })

  it("counts each attribute that there is no room for once", async () => {
    const attributes = Object.fromEntries(Array.from({ length: 130 }, (_, index) => [`key.${index}`, index]))
    const { a } = await recorded(({ run }) => run(Effect.withSpan(Effect.void, "a", { attributes })))
    assert.strictEqual(a!.droppedAttributesCount, 2)
  })

  it("says in headers whether it is exported", async () => {
    const spans = await recorded(({ run }) =>
      run(Effect.gen(function*() {
        const span = yield* Effect.makeSpan("a")
        assert.isFalse(span.sampled)
        span.attribute("b", 1)
        span.end(1n, Exit.void)
        assert.strictEqual(span.status._tag, "Ended")
      })), { sampler: "always_off" })
    assert.deepStrictEqual(spans, {})
  })

  it("shows its attributes to the sampler", async () => {
    const seen: Array<unknown> = []
    const sampler: Sampler.SamplerShape = {
      description: "looks",
      decide: (input) => {
        seen.push(input.attributes["n"])
        return Sampler.alwaysOff.decide(input)
      }
    }
    await Effect4.Effect.flatMap(Effect3Tracer.make(), (made) =>
      Effect4.Effect.promise(() =>
        Effect.void.pipe(
          Effect.withSpan("a", { attributes: { n: 1 } }),
          Effect.withTracer(Tracer.make(made!.tracer)),
          Effect.runPromise
        )
      )).pipe(
        Effect4.Effect.provide(TelemetryLayer({ tracesExporters: ["none"], env: {} })),
        Effect4.Effect.provide(Sampler.layer(sampler)),
        Effect4.Effect.runPromise
      )
    assert.deepStrictEqual(seen, [1])
  })

  it("is no span where tracing is off, and those below it have the parent above", async () => {
    const { above, below } = await recorded(({ run }) =>
      run(
        Effect.void.pipe(
          Effect.withSpan("below"),
          Effect.withTracerEnabled(true),
          Effect.withSpan("off"),
          Effect.withTracerEnabled(false),
          Effect.withSpan("above")
        )
      )
    )
    assert.strictEqual(below?.parentSpanId, above!.spanId)
  })

  it("never throws, whatever an exit is", async () => {
    const spans = await recorded(({ telemetry }) => {
      const hostile = new Proxy({ _tag: "Failure" }, {
        get: (_, key) => {
          if (key === "_tag") return "Failure"
          throw new Error("hands off")
        }
      })
      const span = telemetry.tracer.span("a", Option.none(), Context.empty(), [], 1n, "internal")
      span.end(2n, hostile as never)
      let cause: unknown = { _tag: "Fail", error: "deep" }
      for (let index = 0; index < 100_000; index++) {
        cause = { _tag: "Sequential", left: cause, right: { _tag: "Empty" } }
      }
      const deep = telemetry.tracer.span("b", Option.none(), Context.empty(), [], 1n, "internal")
      deep.end(2n, { _tag: "Failure", cause } as never)
      return Promise.resolve()
    })
    assert.strictEqual(spans["a"]!.status.code, "ERROR")
    assert.strictEqual(spans["b"]!.status.message, "deep")
  })
})

describe("plain code in a program on Effect 3", () => {
  it("has its spans below the effect that calls it, and its effects below it", async () => {
    const pay = traced("pay", async () => {
      await Promise.resolve()
      await trace("bank", () => Promise.resolve())
    })
    const { bank, child, outer, pay: paid, order } = await recorded(({ run }) =>
      trace("outer", () =>
        run(
          Effect.gen(function*() {
            yield* Effect.promise(pay)
            yield* Effect.void.pipe(Effect.withSpan("child"))
          }).pipe(Effect.withSpan("order"))
        ))
    )
    assert.strictEqual(order!.parentSpanId, outer!.spanId)
    assert.strictEqual(paid!.parentSpanId, order!.spanId)
    assert.strictEqual(bank!.parentSpanId, paid!.spanId)
    assert.strictEqual(child!.parentSpanId, order!.spanId)
  })

  it("keeps fibers apart", async () => {
    const look = async () => {
      const before = TraceContext.current()?.name
      await new Promise((resolve) => setTimeout(resolve, 1))
      return [before, TraceContext.current()?.name]
    }
    await recorded(({ run }) =>
      run(Effect.gen(function*() {
        const names = ["a", "b", "c"]
        const found = yield* Effect.all(names.map((name) => Effect.withSpan(Effect.promise(look), name)), {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual(found, names.map((name) => [name, name]))
        assert.deepStrictEqual(yield* Effect.promise(look), [undefined, undefined])
      }))
    )
  })

  it("does not lend a fiber without a span the one of whoever woke it", async () => {
    const { daemon, woken } = await recorded(({ run }) =>
      run(Effect.gen(function*() {
        const door = yield* Deferred.make<void>()
        const fiber = yield* Effect.fork(
          Effect.zipRight(
            Deferred.await(door),
            Effect.zipRight(
              Effect.withSpan(Effect.void, "woken"),
              Effect.forkDaemon(Effect.withSpan(Effect.void, "daemon"))
            )
          )
        )
        yield* Effect.yieldNow()
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1))).pipe(
          Effect.zipRight(Deferred.succeed(door, undefined)),
          Effect.zipLeft(Effect.yieldNow()),
          Effect.withSpan("waker")
        )
        yield* Effect.flatMap(Fiber.join(fiber), Fiber.join)
      }))
    )
    assert.isUndefined(woken!.parentSpanId)
    assert.isUndefined(daemon!.parentSpanId)
  })

  it("is not followed where that is switched off", async () => {
    const { a, b } = await recorded(
      ({ run }) => run(Effect.withSpan(Effect.promise(() => trace("b", () => Promise.resolve())), "a")),
      { followAsync: false }
    )
    assert.isUndefined(b!.parentSpanId)
    assert.notStrictEqual(a!.traceId, b!.traceId)
  })
})

describe("an incoming request of @effect/platform", () => {
  it("is continued from its headers, tracestate and baggage included", async () => {
    let sent: Record<string, string> = {}
    const { child, request } = await recorded(({ run, telemetry }) =>
      run(served(
        Effect.sync(() => {
          sent = telemetry.headers()
        }).pipe(Effect.withSpan("child")),
        headers
      ))
    )
    assert.strictEqual(request!.parentSpanId, spanId)
    assert.isTrue(request!.parentIsRemote)
    assert.strictEqual(request!.traceState, "vendor=1")
    assert.strictEqual(child!.parentSpanId, request!.spanId)
    assert.deepStrictEqual(sent, {
      traceparent: `00-${traceId}-${child!.spanId}-01`,
      tracestate: "vendor=1",
      baggage: "user=7"
    })
  })

  it("is a root without a usable header, also where the server was started within a span", async () => {
    const { request } = await recorded(({ run }) => run(Effect.withSpan(served(Effect.void, {}, false), "main")))
    assert.isUndefined(request!.parentSpanId)
  })

  it("is continued once: further server spans are below it", async () => {
    const { inner, request } = await recorded(({ run }) =>
      run(served(Effect.withSpan(Effect.void, "inner", { kind: "server" }), headers))
    )
    assert.strictEqual(inner!.parentSpanId, request!.spanId)
  })

  it("is below the span that an instrumentation has opened for it", async () => {
    class Instrumented extends Ambient {
      readonly span: Span
      readonly baggage = undefined
      readonly isSuppressed = false
      constructor(span: Span) {
        super()
        this.span = span
      }
      within(span: Span): Ambient {
        return new Instrumented(span)
      }
      withBaggage(): Ambient {
        return this
      }
    }
    const { instrumented, request } = await recorded(({ run }) => {
      const parent = extract(headers)!
      const span = startSpan("instrumented", { kind: "server", parent })
      return runIn(new Instrumented(span), () => run(served(Effect.void, headers))).then(() => span.end())
    })
    assert.strictEqual(instrumented!.parentSpanId, spanId)
    assert.strictEqual(request!.parentSpanId, instrumented!.spanId)
  })

  it("starts a trace of its own at the edge, with a link", async () => {
    const { request } = await recorded(({ run }) => run(served(Effect.void, headers)), { trustIncoming: "edge" })
    assert.notStrictEqual(request!.traceId, traceId)
    assert.isUndefined(request!.parentSpanId)
    assert.strictEqual(request!.links[0]!.spanId, spanId)
  })

  it("is not continued where nobody is trusted, whatever the message", async () => {
    const { message, request } = await recorded(
      ({ run }) =>
        run(
          served(Effect.void, headers).pipe(Effect.zipRight(Effect.withSpan(Effect.void, "message", {
            kind: "server",
            parent: Tracer.externalSpan({ traceId, spanId })
          })))
        ),
      { trustIncoming: false }
    )
    for (const span of [request!, message!]) {
      assert.notStrictEqual(span.traceId, traceId)
      assert.isUndefined(span.parentSpanId)
    }
  })
})

describe("the process that started this one", () => {
  it("has what has no parent here, and no request or root", async () => {
    const { plain, request, root } = await recorded(
      ({ run }) =>
        run(
          Effect.withSpan(Effect.void, "plain").pipe(
            Effect.zipRight(Effect.withSpan(Effect.void, "root", { root: true })),
            Effect.zipRight(served(Effect.void, {}, false))
          )
        ),
      { env: { TRACEPARENT: headers.traceparent }, continueFromEnvironment: true }
    )
    assert.strictEqual(plain!.parentSpanId, spanId)
    assert.isUndefined(root!.parentSpanId)
    assert.isUndefined(request!.parentSpanId)
  })
})

describe("an outgoing request", () => {
  const sentBy = async (options: TelemetryLayerOptions, given: Record<string, string>, url: string) => {
    let sent: unknown
    const before = globalThis.fetch
    globalThis.fetch = (_, init) => {
      sent = init?.headers
      return Promise.resolve(new Response())
    }
    try {
      const spans = await recorded(({ run, telemetry }) =>
        run(served(
          Effect.gen(function*() {
            const { spanId, traceId } = yield* Effect.currentSpan
            const own = { traceparent: `00-${traceId}-${spanId}-01`, b3: `${traceId}-${spanId}-1` }
            yield* Effect.promise(() => telemetry.fetch(url, { headers: { ...own, ...given } }))
          }).pipe(Effect.withSpan("GET", { kind: "client" })),
          headers
        )), options)
      return { sent, spanId: spans["GET"]!.spanId }
    } finally {
      globalThis.fetch = before
    }
  }

  it("carries tracestate and baggage, and no b3", async () => {
    const { sent, spanId } = await sentBy({}, { accept: "*/*" }, "http://localhost/")
    assert.deepStrictEqual(sent, {
      accept: "*/*",
      traceparent: `00-${traceId}-${spanId}-01`,
      tracestate: "vendor=1",
      baggage: "user=7"
    })
  })

  it("carries to a host what it may be sent", async () => {
    assert.deepStrictEqual((await sentBy({ propagateTo: ["internal"] }, {}, "https://elsewhere.example/")).sent, {})
  })
})

describe("Effect 3 within Effect 4", () => {
  it("has its spans in the same tree", async () => {
    const memory = InMemorySpanExporter.makeUnsafe()
    await Effect4.Effect.gen(function*() {
      const made = yield* Effect3Tracer.make()
      yield* Effect4.Effect.promise(() =>
        Effect.void.pipe(
          Effect.withSpan("three"),
          Effect.withTracer(Tracer.make(made!.tracer)),
          Effect.runPromise
        )
      )
    }).pipe(
      Effect4.Effect.withSpan("four"),
      Effect4.Effect.provide(TelemetryLayer({ exporters: [memory.exporter], env: {} })),
      Effect4.Effect.runPromise
    )
    const spans = await Effect4.Effect.runPromise(memory.spans)
    assert.deepStrictEqual(spans.map(({ name }) => name), ["three", "four"])
    assert.strictEqual(spans[0]!.parentSpanId, spans[1]!.spanId)
  })

  it("is not served under a tracer that is not ours", async () => {
    assert.isUndefined(await Effect4.Effect.runPromise(Effect3Tracer.make()))
  })
})

describe("the end", () => {
  it("is told in the ledger, and what ends later is counted", async () => {
    const telemetry = await Effect3Telemetry.start({ tracesExporters: ["none"], env: {} })
    assert.strictEqual((await telemetry.health())?.status, "ok")
    await Effect.void.pipe(
      Effect.withSpan("a"),
      Effect.withTracer(Tracer.make(telemetry.tracer)),
      Effect.runPromise
    )
    await telemetry.flush({ within: "1 second" })
    const ledger = await telemetry.shutdown()
    assert.strictEqual(ledger?.created, 1)
    assert.strictEqual(ledger?.open, 0)
    assert.isUndefined(await telemetry.health())
    await Effect.void.pipe(
      Effect.withSpan("late"),
      Effect.withTracer(Tracer.make(telemetry.tracer)),
      Effect.runPromise
    )
  })
})
