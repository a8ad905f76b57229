import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import { type AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import * as InMemorySpanExporter from "../../src/exporters/InMemorySpanExporter.ts"
import type { SpanData } from "../../src/model/SpanData.ts"
import {
  type ActiveSpan,
  extract,
  getCurrentSpan,
  inject,
  startSpan,
  trace,
  TraceContext,
  traced
} from "../../src/promise/index.ts"
import { expected } from "../../src/tracing/Outcome.ts"

const quiet = { env: {}, detectors: ["none"] as const, serviceName: "plain" }

describe("before initialize", () => {
  it("everything is inert and safe", async () => {
    assert.strictEqual(trace("t", (span) => span.setAttribute("a", 1) && 42), 42)
    assert.strictEqual(await trace("t", async () => 42), 42)
    const span = startSpan("s")
    span.addEvent("e").recordException(new Error("x")).end()
    assert.isUndefined(getCurrentSpan())
    assert.deepStrictEqual(inject(), {})
    assert.isUndefined(extract({ traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" }))
    assert.isFalse(TraceContext.isInitialized())
    assert.deepStrictEqual(await TraceContext.flush(), { exported: 0, spooled: 0, left: 0, failed: 0 })
    assert.isUndefined(await TraceContext.health())
    assert.isUndefined(await TraceContext.ledger())
    assert.isUndefined(await TraceContext.probe())
    assert.isUndefined(await TraceContext.shutdown())
  })
})

describe("the Promise facade", () => {
  let memory: InMemorySpanExporter.InMemorySpanExporter

  beforeEach(async () => {
    memory = InMemorySpanExporter.makeUnsafe()
    await TraceContext.initialize({ ...quiet, exporters: [memory.exporter] })
  })
  afterEach(() => TraceContext.shutdown())

  const spans = async (): Promise<Record<string, SpanData>> => {
    await TraceContext.flush()
    return Object.fromEntries((await Effect.runPromise(memory.spans)).map((span) => [span.name, span]))
  }

  it("follows await, timers and concurrency", async () => {
    const leaf = (name: string) => trace(name, async () => void await sleep(1))
    await trace("root", async () => {
      await sleep(1)
      await Promise.all(["a", "b"].map((name) =>
        trace(name, async () => {
          await sleep(1)
          await leaf(`${name}.leaf`)
        })
      ))
      await new Promise<void>((resolve) => setTimeout(() => trace("timer", () => resolve()), 1))
    })
    const by = await spans()
    const parent = (name: string) => Object.values(by).find((span) => span.spanId === by[name]!.parentSpanId)?.name
    assert.deepStrictEqual(
      ["a", "b", "a.leaf", "b.leaf", "timer"].map(parent),
      ["root", "root", "a", "b", "root"]
    )
    assert.isUndefined(getCurrentSpan())
  })

  it("records what is thrown, sync and async, and throws it on", async () => {
    const error = new TypeError("broken")
    assert.throws(() =>
      trace("sync", () => {
        throw error
      }), "broken")
    let caught: unknown
    await trace("async", async () => {
      await sleep(1)
      throw error
    }).catch((thrown: unknown) => {
      caught = thrown
    })
    assert.strictEqual(caught, error)
    const by = await spans()
    for (const name of ["sync", "async"]) {
      assert.deepStrictEqual(by[name]!.status, { code: "ERROR", message: "broken" })
      const exception = by[name]!.events[0]!.attributes
      assert.strictEqual(exception["exception.type"], "TypeError")
      assert.include(String(exception["exception.stacktrace"]), "trace.test.ts")
    }
  })

  it("traced keeps this, arguments, name and result, and describes calls", async () => {
    class Shop {
      readonly currency = "EUR"
      price = traced(
        "price",
        { attributes: (sku: string) => ({ sku }), kind: "client" },
        function(this: Shop, sku: string): string {
          return `${sku} in ${this.currency}`
        }
      )
    }
    assert.strictEqual(new Shop().price("A1"), "A1 in EUR")
    const load = traced(async function loadOrder(id: number) {
      await sleep(1)
      return id + 1
    })
    assert.strictEqual(load.name, "loadOrder")
    assert.strictEqual(await load(1), 2)
    const by = await spans()
    assert.strictEqual(by["price"]!.attributes["sku"], "A1")
    assert.strictEqual(by["price"]!.kind, "CLIENT")
    assert.isDefined(by["loadOrder"])
  })

  it("a description that throws does not break the call", () => {
    const fn = traced("fn", {
      attributes: () => {
        throw new Error("bad description")
      }
    }, () => 1)
    assert.strictEqual(fn(), 1)
  })

  it("startSpan: parent, kind, links, status, using", async () => {
    const first = startSpan("first")
    {
      using second = startSpan("second", { parent: first as never, kind: "producer", links: [first as never] })
      second.setStatus("ERROR", "told").updateName("renamed")
      trace("third", { parent: second as never }, (span: ActiveSpan) => assert.strictEqual(getCurrentSpan(), span))
    }
    first.end()
    const by = await spans()
    assert.strictEqual(by["renamed"]!.parentSpanId, first.spanId)
    assert.deepStrictEqual(by["renamed"]!.status, { code: "ERROR", message: "told" })
    assert.strictEqual(by["renamed"]!.links[0]!.spanId, first.spanId)
    assert.strictEqual(by["third"]!.parentSpanId, by["renamed"]!.spanId)
  })

  it("judges outcomes as the caller says", async () => {
    const notFound = new Error("not found")
    await trace(
      "expected",
      { outcome: { failure: (error) => error === notFound ? expected : undefined } },
      async () => {
        throw notFound
      }
    ).catch(() => {})
    trace("status", {
      outcome: { success: (value) => value === 500 ? { status: "ERROR", message: "HTTP 500" } : undefined }
    }, () => 500)
    const by = await spans()
    assert.strictEqual(by["expected"]!.status.code, "UNSET")
    assert.strictEqual(by["status"]!.status.message, "HTTP 500")
  })

  it("joins fibers: a span within an Effect span, and an Effect span within a plain one", async () => {
    await trace("plain", async () => {
      await sleep(1)
      // Effect's tracer is not the facade's here; the context is what both see.
      assert.strictEqual(getCurrentSpan()?.name, "plain")
    })
    const headers = await trace("outgoing", async () => {
      await sleep(1)
      return inject()
    })
    const remote = extract(headers)
    trace("incoming", { parent: remote }, () => {})
    const by = await spans()
    assert.strictEqual(by["incoming"]!.traceId, by["outgoing"]!.traceId)
    assert.strictEqual(by["incoming"]!.parentSpanId, by["outgoing"]!.spanId)
    assert.isTrue(by["incoming"]!.parentIsRemote)
  })

  it("initialize twice keeps the first; after shutdown spans are inert and initialize starts afresh", async () => {
    await TraceContext.initialize({ ...quiet, serviceName: "second" })
    trace("one", () => {})
    assert.strictEqual((await spans())["one"]!.resource.attributes["service.name"], "plain")
    await TraceContext.shutdown()
    await TraceContext.shutdown()
    trace("lost", () => {})
    const again = InMemorySpanExporter.makeUnsafe()
    await TraceContext.initialize({ ...quiet, exporters: [again.exporter] })
    trace("two", () => {})
    await TraceContext.flush()
    assert.deepStrictEqual((await Effect.runPromise(again.spans)).map((span) => span.name), ["two"])
    assert.isUndefined((await spans())["lost"])
  })
})

describe("initialize", () => {
  it("rejects options that cannot be taken, and can be called again", async () => {
    let message = ""
    await TraceContext.initialize({ ...quiet, batch: { maxQueueSize: -1 } }).catch((error: Error) => {
      message = error.message
    })
    assert.include(message, "batch.maxQueueSize")
    assert.isFalse(TraceContext.isInitialized())
    await TraceContext.initialize({ ...quiet, tracesExporters: ["none"] })
    assert.isTrue(TraceContext.isInitialized())
    await TraceContext.shutdown()
  })

  it("delivers by OTLP over HTTP, and shutdown waits for it", async () => {
    const bodies: Array<Buffer> = []
    const server = createServer((request, response) => {
      request.on("data", (chunk: Buffer) => bodies.push(chunk))
      request.on("end", () => response.writeHead(200, { "content-type": "application/json" }).end("{}"))
    }).listen(0, "127.0.0.1")
    await new Promise((resolve) => server.once("listening", resolve))
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await TraceContext.initialize({ ...quiet, otlp: { endpoint, protocol: "http/json" } })
    assert.deepStrictEqual(await TraceContext.probe(), [{ destination: "otlp", trouble: undefined }])
    trace("shipped", () => {})
    const ledger = await TraceContext.shutdown()
    // The probe is no span.
    assert.strictEqual(ledger?.created, 1)
    assert.strictEqual(ledger?.destinations[0]?.exported, 1)
    assert.include(Buffer.concat(bodies).toString(), "\"shipped\"")
    server.close()
  })
})
