import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { setTimeout as sleep } from "node:timers/promises"
import type { SpanData } from "../../src/model/SpanData.ts"
import {
  extract,
  getBaggage,
  inject,
  linkSpan,
  startSpan,
  trace,
  TraceContext,
  withBaggage,
  withHeaders
} from "../../src/promise/index.ts"
import { record } from "./support.ts"

const here = (): Record<string, string> => Object.fromEntries(getBaggage())

describe("baggage", () => {
  let spans: () => Promise<ReadonlyArray<SpanData>>
  beforeEach(async () => {
    spans = await record()
  })
  afterEach(() => TraceContext.shutdown())

  it("is there for what the callback calls, awaits and schedules, and for nobody else", async () => {
    const seen = await withBaggage({ tenant: "blue" }, async () => {
      await sleep(1)
      const later = new Promise((resolve) => setTimeout(() => resolve(here()), 1))
      return [here(), await trace("span", async () => (await sleep(1), here())), await later]
    })
    assert.deepStrictEqual(seen, [{ tenant: "blue" }, { tenant: "blue" }, { tenant: "blue" }])
    assert.deepStrictEqual(here(), {})
  })

  it("adds, replaces and takes out", () => {
    withBaggage({ a: "1", b: "2" }, () => {
      withBaggage({ b: "3", a: undefined, c: "4", "": "no key" }, () => {
        assert.deepStrictEqual(here(), { b: "3", c: "4" })
      })
      assert.deepStrictEqual(here(), { a: "1", b: "2" })
    })
  })

  it("keeps the current span, and is sent on with and without one", async () => {
    trace("span", (span) => {
      withBaggage({ tenant: "blue sky" }, () => {
        assert.deepStrictEqual(Object.keys(inject()), ["traceparent", "baggage"])
        assert.include(inject()["traceparent"], span.spanId)
        assert.strictEqual(inject()["baggage"], "tenant=blue%20sky")
        startSpan("child").end()
        startSpan("apart", { root: true }).end()
        trace("deep", () => assert.deepStrictEqual(here(), { tenant: "blue sky" }))
      })
      assert.notProperty(inject(), "baggage")
    })
    withBaggage({ tenant: "blue" }, () => assert.deepStrictEqual(inject(), { baggage: "tenant=blue" }))
    const all = await spans()
    const [child, apart, deep, span] = all
    assert.deepStrictEqual([child, deep].map((one) => one!.parentSpanId), [span!.spanId, span!.spanId])
    assert.isUndefined(apart!.parentSpanId)
  })

  it("a new trace keeps it; a named parent brings its own", () => {
    const remote = extract({
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      baggage: "tenant=red"
    })
    const bare = startSpan("bare")
    withBaggage({ tenant: "blue" }, () => {
      trace("under", { parent: bare }, () => assert.deepStrictEqual(here(), {}))
      assert.strictEqual(startSpan("root", { root: true }).baggage?.get("tenant")?.value, "blue")
      assert.strictEqual(startSpan("remote", { parent: remote }).baggage?.get("tenant")?.value, "red")
      trace("remote", { parent: remote }, () => assert.deepStrictEqual(here(), { tenant: "red" }))
      const own = startSpan("own")
      withBaggage(
        { tenant: "green" },
        () => trace("under", { parent: own }, () => assert.deepStrictEqual(here(), { tenant: "blue" }))
      )
    })
  })

  it("comes with headers, with a parent or without one", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    withHeaders({ traceparent, baggage: "tenant=red" }, () => {
      assert.deepStrictEqual(here(), { tenant: "red" })
      trace("child", () => assert.deepStrictEqual(here(), { tenant: "red" }))
    })
    await withHeaders({ baggage: "tenant=green" }, () =>
      trace("root", async () => {
        await Promise.resolve()
        assert.deepStrictEqual(here(), { tenant: "green" })
        assert.strictEqual(inject()["baggage"], "tenant=green")
      }))
    withBaggage({ tenant: "blue" }, () => {
      withHeaders({ accept: "text/html" }, () => assert.deepStrictEqual(here(), { tenant: "blue" }))
      withHeaders({ traceparent }, () => assert.deepStrictEqual(here(), { tenant: "blue" }))
      withHeaders({ traceparent, baggage: "tenant=red" }, () => assert.deepStrictEqual(here(), { tenant: "red" }))
    })
    const [child, root] = await spans()
    assert.deepStrictEqual([child!.traceId, child!.parentSpanId], [traceparent.slice(3, 35), "b7ad6b7169203331"])
    assert.isUndefined(root!.parentSpanId)
  })

  it("reaches an effect that plain code runs, and its plain code", async () => {
    const seen = await withBaggage({ tenant: "blue" }, () => Effect.runPromise(Effect.promise(async () => here())))
    assert.deepStrictEqual(seen, { tenant: "blue" })
  })

  it("needs no telemetry", async () => {
    await TraceContext.shutdown()
    withBaggage({ tenant: "blue" }, () => {
      assert.deepStrictEqual(here(), { tenant: "blue" })
      assert.deepStrictEqual(inject(), {})
      trace("inert", () => assert.deepStrictEqual(here(), { tenant: "blue" }))
    })
  })
})

describe("linkSpan", () => {
  afterEach(() => TraceContext.shutdown())

  it("links the current span, to one of this process or of another", async () => {
    const spans = await record()
    const remote = extract({ traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" })!
    const other = startSpan("other")
    linkSpan(other)
    trace("span", () => {
      linkSpan(other, { why: "batch" })
      linkSpan(remote)
    })
    const [span] = await spans()
    assert.deepStrictEqual(span!.links.map(({ attributes, spanId }) => [spanId, attributes["why"]]), [
      [other.spanId, "batch"],
      ["b7ad6b7169203331", undefined]
    ])
  })
})
