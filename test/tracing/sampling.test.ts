import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import { isSampled, randomFlag } from "../../src/model/ReadableSpan.ts"
import * as OtTraceState from "../../src/sampling/OtTraceState.ts"
import * as RuleSampler from "../../src/sampling/RuleSampler.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import * as TestTelemetry from "../../src/testing/TestTelemetry.ts"
import { seeded } from "../../src/tracing/IdGenerator.ts"
import { starter, traceIdOf } from "../sampling/starter.ts"

const half = Threshold.fromHex("8")!

describe("rules over requests of Effect's HTTP server", () => {
  const routes = HttpRouter.use((router) =>
    Effect.all(
      ["/healthz", "/cart/*", "/orders/*", "/other"].map((path) =>
        router.add(
          "GET",
          path as "/other",
          Effect.succeed(HttpServerResponse.text("ok")).pipe(Effect.withSpan("handler"))
        )
      )
    )
  )
  const rules = Sampler.parentBased({
    root: RuleSampler.make([
      { id: "health", when: { field: "request.path", eq: "/healthz" }, sampler: Sampler.alwaysOff },
      { id: "debug", when: { header: "x-debug", eq: "1" }, sampler: Sampler.alwaysOn },
      {
        id: "cart",
        when: { and: [{ field: "request.method", eq: "GET" }, { field: "request.path", glob: "/cart/*" }] },
        sampler: Sampler.annotate(Sampler.alwaysOn, { rule: "cart" })
      },
      {
        id: "orders",
        when: {
          and: [
            { attribute: "http.request.method", eq: "GET" },
            { attribute: "url.path", glob: "/orders/*" },
            { attribute: "http.request.header.x-tenant", eq: "blue" },
            { attribute: "user_agent.original", exists: true }
          ]
        },
        sampler: Sampler.annotate(Sampler.alwaysOn, { rule: "orders" })
      },
      { id: "shop", when: { resource: "service.name", eq: "nobody" }, sampler: Sampler.alwaysOn }
    ])
  })
  const live = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
    Layer.provideMerge(TestTelemetry.layer()),
    Layer.provide(Sampler.layer(rules)),
    Layer.fresh
  )
  const get = (path: string, headers: Record<string, string> = {}) =>
    Effect.flatMap(
      HttpServer.HttpServer,
      ({ address }) =>
        Effect.promise((signal) =>
          fetch(`${HttpServer.formatAddress(address)}${path}`, { signal, headers }).then((answer) => answer.text())
        )
    )

  it.live("see method, path without query, and headers, although the span has no attributes yet", () =>
    Effect.gen(function*() {
      yield* get("/healthz?deep=1")
      yield* get("/cart/7?x=/healthz")
      yield* get("/other")
      yield* get("/other", { "X-Debug": "1" })
      yield* get("/orders/7", { "X-Tenant": "blue" })
      yield* get("/orders/7", { "X-Tenant": "red" })
      const spans = yield* TestTelemetry.spans
      const servers = spans.filter(({ kind }) => kind === "SERVER")
      assert.deepStrictEqual(servers.map(({ attributes }) => [attributes["url.path"], attributes["rule"]]), [
        ["/cart/7", "cart"],
        ["/other", undefined],
        ["/orders/7", "orders"]
      ])
      assert.strictEqual(spans.filter(({ name }) => name === "handler").length, 3)
    }).pipe(Effect.provide(live)))
})

describe("the view of a span about to start", () => {
  const seen: Array<Sampler.SamplingInput> = []
  const spy: Sampler.SamplerShape = {
    description: "spy",
    decide(input) {
      seen.push(input)
      return Sampler.alwaysOn.decide(input)
    }
  }

  it("has the resource, and no request outside of one", () => {
    const { root } = starter(spy)
    root({ kind: "server" })
    assert.strictEqual(seen[0]!.resource?.attributes["service.name"], "shop")
    assert.isUndefined(seen[0]!.request)
  })
})

describe("randomness", () => {
  it("that the trace id may have been chosen by is not used again", () => {
    const unknown: Sampler.SamplerShape = {
      description: "unknown",
      decide: () => ({ threshold: half, reliable: false })
    }
    const { under } = starter(unknown)
    const kept = new Set<boolean>()
    for (let i = 0; i < 500; i++) {
      const span = under({ traceId: traceIdOf(0xfffffff, 0), traceState: "ot=rv:ffffffffffffff;th:8" })
      kept.add(isSampled(span))
      // What the next one rests on is not changed by that.
      assert.strictEqual(span.traceState, "ot=rv:ffffffffffffff")
    }
    assert.strictEqual(kept.size, 2)
  })

  it("is not asked for where everything or nothing is kept", () => {
    for (const [threshold, keeps] of [[Threshold.always, true], [Threshold.never, false]] as const) {
      const { under } = starter({ description: "certain", decide: () => ({ threshold, reliable: false }) })
      for (let i = 0; i < 100; i++) assert.strictEqual(isSampled(under({})), keeps)
    }
  })

  it("of ids that are not random is made, written as rv, and followed downstream", () => {
    const counting = { ...seeded(1), isRandom: false, writeTraceId: (words: Int32Array) => words.fill(1) }
    const { child, root } = starter(Sampler.probability(0.5), counting)
    const kept = new Set<boolean>()
    for (let i = 0; i < 500; i++) {
      const span = root()
      const { randomness, threshold } = OtTraceState.read(span.traceState)
      assert.isDefined(randomness)
      assert.strictEqual(isSampled(span), Threshold.keeps(half, randomness.hi, randomness.lo))
      assert.deepStrictEqual(threshold, isSampled(span) ? half : undefined)
      assert.strictEqual(span.traceFlags & randomFlag, 0)
      assert.strictEqual(isSampled(child(span)), isSampled(span))
      kept.add(isSampled(span))
    }
    assert.strictEqual(kept.size, 2)
    assert.strictEqual(starter(Sampler.alwaysOn, counting).root().traceState, "")
  })

  it("a threshold that contradicts its sampled flag is erased, whether the parent is remote or not", () => {
    for (const isRemote of [true, false]) {
      const { under } = starter(Sampler.parentBased())
      const sampled = under({ traceId: traceIdOf(0, 0), traceState: "ot=th:8,a=b", isRemote })
      assert.isTrue(isSampled(sampled))
      assert.strictEqual(sampled.traceState, "a=b")
      const unsampled = under({ traceId: traceIdOf(0xfffffff, 0), traceState: "ot=th:8", sampled: false, isRemote })
      assert.isFalse(isSampled(unsampled))
      assert.strictEqual(unsampled.traceState, "")
    }
  })

  it("is not lost where a sampler gives another tracestate", () => {
    const vendor = (traceState: string): Sampler.SamplerShape => ({
      description: "vendor",
      decide: () => ({ threshold: half, reliable: true, traceState })
    })
    for (const given of ["vendor=1", "vendor=1,ot=rv:00000000000000", "ot=th:1;rv:00000000000000 , vendor=1"]) {
      const kept = starter(vendor(given)).under({ traceState: "ot=rv:ffffffffffffff;th:4,a=b" })
      assert.strictEqual(kept.traceState, "ot=th:8;rv:ffffffffffffff,vendor=1")
      assert.strictEqual(starter(vendor(given)).under({ traceId: traceIdOf(0, 0) }).traceState, "vendor=1")
    }
    const counting = { ...seeded(1), isRandom: false }
    assert.match(starter(vendor("vendor=1"), counting).root().traceState, /^ot=(th:8;)?rv:[0-9a-f]{14},vendor=1$/)
  })

  it("a composite sampler writes the threshold of what it keeps for certain, and hands it down", () => {
    const { child, root } = starter(Sampler.parentBased({ root: Sampler.composite(Sampler.alwaysOn) }))
    const span = root()
    assert.strictEqual(span.traceState, "ot=th:0")
    assert.strictEqual(child(span).traceState, "ot=th:0")
    assert.strictEqual(starter(Sampler.parentBased()).root().traceState, "")
  })
})
