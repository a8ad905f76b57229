import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import { randomFlag, sampledFlag } from "../../src/model/ReadableSpan.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import { Telemetry, TelemetryLayer } from "../../src/Telemetry.ts"
import * as TestTelemetry from "../../src/testing/TestTelemetry.ts"
import * as IdGenerator from "../../src/tracing/IdGenerator.ts"
import type { Span } from "../../src/tracing/Span.ts"
import * as Trace from "../../src/tracing/Trace.ts"

const own = Effect.map(Effect.orDie(Effect.currentSpan), (span) => span as unknown as Span)

describe("Span", () => {
  it.effect("carries everything that Effect's operators say", () =>
    Effect.gen(function*() {
      const other = Tracer.externalSpan({ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" })
      yield* Effect.gen(function*() {
        yield* Effect.annotateCurrentSpan("late", true)
        yield* TestClock.adjust("2 seconds")
        yield* Effect.logInfo("a log line")
        yield* Trace.event("moment", { n: 1 })
      }).pipe(
        Effect.withSpan("span", {
          kind: "producer",
          attributes: { given: "x" },
          links: [{ span: other, attributes: { l: 1 } }]
        }),
        Effect.annotateSpans("everywhere", 7)
      )
      const span = yield* TestTelemetry.span("span")
      assert.strictEqual(span.kind, "PRODUCER")
      assert.deepStrictEqual({ ...span.attributes }, { everywhere: 7, given: "x", late: true })
      assert.strictEqual(span.endTimeUnixNano - span.startTimeUnixNano, 2_000_000_000n)
      assert.deepStrictEqual(span.events.map((event) => event.name), ["a log line", "moment"])
      assert.deepStrictEqual(span.links.map((link) => [link.traceId, link.isRemote, { ...link.attributes }]), [
        ["0af7651916cd43dd8448eb211c80319c", true, { l: 1 }]
      ])
      assert.deepStrictEqual(span.status, { code: "UNSET", message: "" })
      assert.deepStrictEqual(span.scope, { name: "effect-telemetry" })
      assert.strictEqual(span.traceFlags, sampledFlag | randomFlag)
    }).pipe(Effect.provide(TestTelemetry.layer())))

  it.effect("names the scope of what runs within Trace.withScope", () =>
    Effect.gen(function*() {
      const scope = { name: "shop/orders", version: "1.2.3" }
      yield* Effect.void.pipe(Effect.withSpan("a"), Trace.span("b"), Trace.withScope(scope))
      for (const name of ["a", "b"]) assert.deepStrictEqual((yield* TestTelemetry.span(name)).scope, scope)
    }).pipe(Effect.provide(TestTelemetry.layer())))

  it.effect("counts what its limits drop, and keeps the exception", () =>
    Effect.gen(function*() {
      yield* Effect.gen(function*() {
        for (let i = 0; i < 5; i++) {
          yield* Trace.attribute(`k${i}`, "long value")
          yield* Trace.event(`e${i}`, { a: 1, b: 2 })
          yield* Trace.link(Tracer.externalSpan({ traceId: "1".repeat(32), spanId: "2".repeat(16) }), { a: 1, b: 2 })
        }
        yield* Trace.attribute("k0", "overwritten")
        return yield* Effect.fail(new Error("boom"))
      }).pipe(Trace.span("span"), Effect.ignore)
      const span = yield* TestTelemetry.span("span")
      // error.type came when the list was full
      assert.deepStrictEqual({ ...span.attributes }, { k0: "over", k1: "long" })
      assert.strictEqual(span.droppedAttributesCount, 4)
      assert.deepStrictEqual(span.events.map((event) => event.name), ["e0", "e1", "exception"])
      assert.strictEqual(span.droppedEventsCount, 3)
      assert.strictEqual(span.events[0]!.droppedAttributesCount, 1)
      assert.strictEqual(span.links.length, 2)
      assert.strictEqual(span.droppedLinksCount, 3)
      assert.strictEqual(span.links[0]!.droppedAttributesCount, 1)
    }).pipe(Effect.provide(TestTelemetry.layer({
      spanLimits: {
        attributeCountLimit: 2,
        attributeValueLengthLimit: 4,
        eventCountLimit: 3,
        linkCountLimit: 2,
        attributePerEventCountLimit: 1,
        attributePerLinkCountLimit: 1
      }
    }))))

  it.effect("is deaf after its end, and ends once", () =>
    Effect.gen(function*() {
      const span = yield* Effect.scoped(Effect.makeSpanScoped("span")) as Effect.Effect<never>
      const mine = span as unknown as Span
      mine.setAttribute("late", 1).setStatus("ERROR", "late").addEvent("late").updateName("late")
      mine.addLinks([{ span: mine as never, attributes: {} }])
      mine.end(9n, Exit.void)
      const ended = yield* TestTelemetry.span("span")
      assert.deepStrictEqual([{ ...ended.attributes }, ended.events, ended.links, ended.status.code], [
        {},
        [],
        [],
        "UNSET"
      ])
      assert.strictEqual((yield* (yield* Telemetry).ledger).open, 0)
    }).pipe(Effect.provide(TestTelemetry.layer())))

  it.effect("keeps a status that the program set: OK is final, ERROR stands", () =>
    Effect.gen(function*() {
      yield* Trace.status("OK").pipe(Effect.andThen(Effect.fail("no")), Trace.span("ok"), Effect.ignore)
      yield* Trace.status("ERROR", "half done").pipe(Trace.span("error"))
      assert.strictEqual((yield* TestTelemetry.span("ok")).status.code, "OK")
      assert.deepStrictEqual((yield* TestTelemetry.span("error")).status, { code: "ERROR", message: "half done" })
    }).pipe(Effect.provide(TestTelemetry.layer())))

  it.effect("never throws, whatever it is given", () =>
    Effect.gen(function*() {
      const hostile = new Proxy({}, {
        get: () => {
          throw new Error("get")
        },
        ownKeys: () => {
          throw new Error("ownKeys")
        }
      })
      yield* Effect.gen(function*() {
        const span = yield* own
        span.setAttribute("hostile", hostile).setAttributes(hostile).addEvent("e", hostile).recordException(hostile)
        span.addLinks([{ span: { _tag: "ExternalSpan", traceId: "x", spanId: "y" } as never, attributes: hostile }])
        span.setAttributes({
          get broken(): never {
            throw new Error("getter")
          },
          fine: 1
        })
      }).pipe(Trace.span("span", { attributes: { ok: true } }))
      const span = yield* TestTelemetry.span("span")
      assert.strictEqual(span.attributes["fine"], 1)
      assert.strictEqual(span.attributes["ok"], true)
      assert.deepStrictEqual([span.links.length, span.droppedLinksCount], [0, 1])
    }).pipe(Effect.provide(TestTelemetry.layer())))
})

describe("sampling", () => {
  const flags = (headers: Readonly<Record<string, string>>) => headers["traceparent"]?.slice(-2)

  it.effect("an unsampled span still carries context, and its children follow", () =>
    Effect.gen(function*() {
      const [outer, inner] = yield* Effect.all([Trace.headers, Trace.span(Trace.headers, "child")]).pipe(
        Trace.span("root")
      )
      assert.strictEqual(flags(outer), "02")
      assert.strictEqual(flags(inner), "02")
      assert.strictEqual(inner["traceparent"], outer["traceparent"], "the parent stands in for the child")
      const [above, below] = yield* Effect.all([Trace.headers, Effect.withSpan(Trace.headers, "child")]).pipe(
        Trace.span("root")
      )
      assert.strictEqual(above["traceparent"]!.slice(3, 35), below["traceparent"]!.slice(3, 35))
      assert.notStrictEqual(above["traceparent"], below["traceparent"])
      assert.deepStrictEqual(yield* TestTelemetry.spans, [])
      assert.deepInclude(yield* (yield* Telemetry).ledger, { created: 4, sampledOut: 4, open: 0 })
    }).pipe(Effect.provide(TestTelemetry.layer({ sampler: { parentBased: { root: "always_off" } } }))))

  it.effect("a sampler that looks at more than the parent is asked about each child of an unsampled span", () => {
    const byName: Sampler.SamplerShape = {
      description: "by name",
      decide: ({ name }) => (name === "kept" ? Sampler.alwaysOn : Sampler.alwaysOff).decide({} as Sampler.SamplingInput)
    }
    return Effect.gen(function*() {
      yield* Effect.void.pipe(Trace.span("kept"), Trace.span("dropped"), Trace.span("dropped too"))
      assert.deepStrictEqual((yield* TestTelemetry.spans).map(({ name }) => name), ["kept"])
    }).pipe(Effect.provide(TestTelemetry.layer()), Effect.provideService(Sampler.Sampler, byName))
  })

  it.effect("what asks for a span of its own below an unsampled one gets it", () =>
    Effect.gen(function*() {
      yield* Effect.void.pipe(Trace.span("kept", { sampled: true }), Trace.span("outer"))
      yield* Effect.void.pipe(Trace.span("root", { root: true, sampled: true }), Trace.span("outer"))
      assert.deepStrictEqual((yield* TestTelemetry.spans).map(({ name }) => name), ["kept", "root"])
    }).pipe(Effect.provide(TestTelemetry.layer({ sampler: { parentBased: { root: "always_off" } } }))))

  it.effect("a probability sampler keeps by the trace id and writes its threshold", () =>
    Effect.gen(function*() {
      const total = 400
      for (let i = 0; i < total; i++) yield* Trace.span(Effect.void, "span")
      const kept = yield* TestTelemetry.spans
      assert.isTrue(kept.length > total * 0.15 && kept.length < total * 0.35, `${kept.length} of ${total}`)
      const threshold = Threshold.fromProbability(0.25)
      for (const span of kept) {
        assert.strictEqual(span.traceState, "ot=th:c")
        assert.isTrue(
          BigInt(`0x${span.traceId.slice(18)}`) >= BigInt(`0x${Threshold.toHex(threshold).padEnd(14, "0")}`)
        )
      }
    }).pipe(Effect.provide(TestTelemetry.layer({ sampler: { traceIdRatio: 0.25 } }))))

  it.effect("explicit randomness decides instead of the trace id", () =>
    Effect.gen(function*() {
      const run = (rv: string) =>
        Trace.headers.pipe(
          Trace.span("s"),
          Trace.withHeaders({
            traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
            tracestate: `ot=rv:${rv}`
          })
        )
      assert.deepStrictEqual((yield* run("c0000000000000"))["tracestate"], "ot=th:c;rv:c0000000000000")
      assert.deepStrictEqual((yield* run("bfffffffffffff"))["tracestate"], "ot=rv:bfffffffffffff")
    }).pipe(Effect.provide(TestTelemetry.layer({ sampler: { traceIdRatio: 0.25 } }))))

  it.effect("a threshold that contradicts the sampled flag is erased, the decision stays", () =>
    Effect.gen(function*() {
      // randomness 0xd8448eb211c80319c... of this id is 0xeb211c80319c with a leading 48: below th=f
      const headers = yield* Trace.headers.pipe(
        Trace.span("s"),
        Trace.withHeaders({
          traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
          tracestate: "ot=th:f,other=1"
        })
      )
      assert.strictEqual(headers["tracestate"], "other=1")
      assert.strictEqual(flags(headers), "01")
    }).pipe(Effect.provide(TestTelemetry.layer())))

  it.effect("a dropped child does not pass its parent's threshold on", () =>
    Effect.gen(function*() {
      const headers = yield* Trace.headers.pipe(
        Trace.span("s"),
        Trace.withHeaders({
          traceparent: "00-0af7651916cd43ddff48eb211c80319c-b7ad6b7169203331-01",
          tracestate: "ot=th:8"
        })
      )
      assert.notProperty(headers, "tracestate")
      assert.strictEqual(flags(headers), "00")
    }).pipe(Effect.provide(TestTelemetry.layer({ sampler: "always_off" }))))

  it.effect("recorded and exported are two decisions", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      yield* Effect.gen(function*() {
        const headers = yield* Trace.headers.pipe(Trace.span("recorded"))
        assert.strictEqual(flags(headers), "02")
        assert.deepStrictEqual(yield* TestTelemetry.spans, [])
        assert.deepInclude(yield* (yield* Telemetry).ledger, { created: 1, sampledOut: 0 })
        assert.strictEqual((yield* (yield* Telemetry).ledger).destinations[0]!.sampledOut, 1)
      }).pipe(
        Effect.provide(TestTelemetry.layer({
          processors: [{
            name: "spy",
            accounts: [],
            flush: Effect.void,
            onEnd(span, next) {
              seen.push(span.name)
              next.emit(span)
            }
          }]
        })),
        Effect.provideService(Sampler.Sampler, Sampler.alwaysRecord(Sampler.alwaysOff))
      )
      assert.deepStrictEqual(seen, ["recorded"])
    }))

  it.effect("a sampler's attributes reach the span; one that throws keeps the span and is told", () =>
    Effect.gen(function*() {
      yield* Trace.span(Effect.void, "good", { attributes: { route: "/a" } })
      yield* Trace.span(Effect.void, "bad")
      assert.deepStrictEqual({ ...(yield* TestTelemetry.span("good")).attributes }, { rule: "/a", route: "/a" })
      yield* TestTelemetry.span("bad")
      const { diagnostics } = yield* TestTelemetry.TestTelemetry
      assert.include((yield* diagnostics).join(), "broken sampler")
    }).pipe(
      Effect.provide(TestTelemetry.layer()),
      Effect.provideService(Sampler.Sampler, {
        description: "test",
        decide: (input) => {
          if (input.name === "bad") throw new Error("broken sampler")
          return { threshold: Threshold.always, reliable: true, attributes: { rule: input.attributes["route"] } }
        }
      })
    ))

  it.effect("a sampler that answers nonsense, ids that cannot be made: the program goes on", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Trace.span(Effect.succeed(1), "nonsense"), 1)
      yield* TestTelemetry.span("nonsense")
      const dead = Layer.succeed(IdGenerator.IdGenerator, {
        isRandom: true,
        writeTraceId: () => {
          throw new Error("no entropy")
        },
        writeSpanId: () => {
          throw Object.create(null)
        }
      })
      const lines: Array<string> = []
      const told = Layer.succeed(Diagnostics.Diagnostics, Diagnostics.make({ write: (line) => lines.push(line) }))
      const value = yield* Effect.withSpan(Effect.succeed(2), "span").pipe(
        Effect.provide(TelemetryLayer({ env: {}, tracesExporters: ["none"] })),
        Effect.provide(Layer.merge(dead, told))
      )
      assert.strictEqual(value, 2)
      assert.include(lines.join(), "a span could not start")
    }).pipe(
      Effect.provide(TestTelemetry.layer()),
      Effect.provideService(Sampler.Sampler, { description: "test", decide: () => undefined as never })
    ))

  it.effect("sampled: false drops one span, sampled: true keeps one under an unsampled parent", () =>
    Effect.gen(function*() {
      yield* Effect.void.pipe(
        Effect.withSpan("kept", { sampled: true }),
        Effect.withSpan("dropped", { sampled: false })
      )
      assert.deepStrictEqual((yield* TestTelemetry.spans).map((span) => span.name), ["kept"])
    }).pipe(Effect.provide(TestTelemetry.layer())))
})

describe("disabled", () => {
  it.effect("records nothing and lets context through", () =>
    Effect.gen(function*() {
      const incoming = {
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        tracestate: "a=1",
        baggage: "k=v"
      }
      const headers = yield* Trace.headers.pipe(
        Trace.span("inner"),
        Effect.withSpan("outer"),
        Trace.withHeaders(incoming)
      )
      assert.deepStrictEqual(headers, incoming)
      assert.deepStrictEqual(yield* Trace.headers.pipe(Trace.span("alone")), {})
      assert.deepStrictEqual(yield* TestTelemetry.spans, [])
      assert.strictEqual((yield* (yield* Telemetry).health).status, "disabled")
    }).pipe(Effect.provide(TestTelemetry.layer({ disabled: true }))))
})
