import { afterEach, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import * as SpanProcessor from "../../src/processors/SpanProcessor.ts"
import {
  BatchSpanProcessor,
  ConsoleExporter,
  getCurrentSpan,
  getTracer,
  InMemoryExporter,
  OTLPExporter,
  SimpleSpanProcessor,
  trace,
  TraceContext,
  traced,
  Tracer
} from "../../src/promise/index.ts"
import { quiet } from "./support.ts"

const { serviceName: _, ...own } = quiet
const names = (exporter: InMemoryExporter): ReadonlyArray<string> => exporter.getSpans().map(({ name }) => name)

describe("getTracer", () => {
  afterEach(() => TraceContext.shutdown())

  it("is the same for the same name and version", () => {
    assert.strictEqual(getTracer("cart", "1"), getTracer("cart", "1"))
    assert.notStrictEqual(getTracer("cart", "1"), getTracer("cart", "2"))
    assert.notStrictEqual(getTracer("cart"), getTracer("cart", "undefined"))
  })

  it("is inert before initialize, follows each one, and names its scope", async () => {
    const { startSpan, trace, traced } = getTracer("cart", "1.2.0")
    const add = traced("add", (item: string) => `${item}!`)
    assert.strictEqual(trace("early", (span) => span.isRecording), false)
    for (const round of [1, 2]) {
      const exporter = new InMemoryExporter()
      await TraceContext.initialize({ ...quiet, exporters: [exporter] })
      assert.strictEqual(add("egg"), "egg!")
      trace("outer", () => startSpan("inner").end())
      getTracer("plain").startSpan("other").end()
      await TraceContext.shutdown()
      assert.deepStrictEqual(exporter.getSpans().map(({ name, scope }) => [name, scope.name, scope.version]), [
        ["add", "cart", "1.2.0"],
        ["inner", "cart", "1.2.0"],
        ["outer", "cart", "1.2.0"],
        ["other", "plain", undefined]
      ], `round ${round}`)
    }
    assert.isFalse(startSpan("late").isRecording)
  })
})

describe("a Tracer", () => {
  it("records from the moment it is made, whatever it exports to", async () => {
    const exporter = new InMemoryExporter()
    const tracer = new Tracer("svc", { ...own, exporter })
    assert.strictEqual(tracer.span("x", (span) => span.setAttribute("a", 1) && 42), 42)
    tracer.startSpan("y").end()
    assert.strictEqual(await tracer.traced("z", async () => getCurrentSpan()?.name)(), "z")
    assert.deepStrictEqual(await tracer.flush(), { exported: 3, spooled: 0, left: 0, failed: 0 })
    assert.deepStrictEqual(names(exporter), ["x", "y", "z"])
    assert.strictEqual(exporter.getSpans()[0]!.resource.attributes["service.name"], "svc")
    exporter.reset()
    assert.deepStrictEqual(names(exporter), [])
    const ledger = await tracer.shutdown()
    assert.strictEqual(ledger!.created, 3)
    assert.isFalse(tracer.startSpan("late").isRecording)
    assert.strictEqual(await tracer.shutdown(), ledger)
    assert.deepStrictEqual(await tracer.flush(), { exported: 0, spooled: 0, left: 0, failed: 0 })
  })

  it("with nothing of the machine known beforehand is there at once, too", () => {
    const tracer = new Tracer("svc", { env: {}, processor: new BatchSpanProcessor(new InMemoryExporter()) })
    assert.isTrue(tracer.startSpan("x").isRecording)
    return tracer.shutdown()
  })

  it("stands beside the telemetry of the process: own spans, one context", async () => {
    const [mine, theirs] = [new InMemoryExporter(), new InMemoryExporter()]
    await TraceContext.initialize({ ...quiet, exporters: [theirs] })
    await using tracer = new Tracer("svc", { ...own, exporter: mine })
    await trace("outer", () => tracer.trace("mine", () => trace("inner", () => sleep(1))))
    await Promise.all([tracer.flush(), TraceContext.flush()])
    await TraceContext.shutdown()
    assert.deepStrictEqual([names(mine), names(theirs)], [["mine"], ["inner", "outer"]])
    const [inner, outer] = theirs.getSpans()
    assert.strictEqual(mine.getSpans()[0]!.parentSpanId, outer!.spanId)
    assert.strictEqual(inner!.parentSpanId, mine.getSpans()[0]!.spanId)
  })

  it("throws for options that cannot be taken, and leaves nothing behind", async () => {
    const listeners = process.listenerCount("exit")
    assert.throws(() => new Tracer("svc", { ...own, batch: { maxQueueSize: -1 } }), /batch\.maxQueueSize/)
    assert.throws(
      () => new Tracer("svc", { ...own, exporter: new OTLPExporter({ endpoint: "nowhere" }) }),
      /otlp\.endpoint/
    )
    let isReleased = false
    const acquired = Effect.acquireRelease(
      Effect.succeed(SpanProcessor.make({ name: "acquired", onEnd: (span, next) => next.emit(span) })),
      () => Effect.sync(() => isReleased = true)
    )
    const processors = [acquired, Effect.die(new Error("no such thing"))]
    assert.throws(() => new Tracer("svc", { ...own, processors }), "no such thing")
    await sleep(5)
    assert.isTrue(isReleased)
    assert.strictEqual(process.listenerCount("exit"), listeners)
  })

  it("that waits for a part is inert until it is ready", async () => {
    const exporter = new InMemoryExporter()
    const slow = Effect.as(
      Effect.sleep(5),
      SpanProcessor.make({ name: "slow", onEnd: (span, next) => next.emit(span) })
    )
    const tracer = new Tracer("svc", { ...own, exporter, processor: slow })
    assert.isFalse(tracer.startSpan("early").isRecording)
    await tracer.ready
    tracer.startSpan("on time").end()
    await tracer.flush()
    assert.deepStrictEqual(names(exporter), ["on time"])
    await tracer.shutdown()
    const stopped = new Tracer("svc", { ...own, exporter, processor: slow })
    assert.isUndefined(await stopped.shutdown())
    assert.isFalse(stopped.startSpan("late").isRecording)
  })

  it("whose part cannot be made says so to who asks, and to nobody else", async () => {
    const broken = Effect.andThen(Effect.sleep(1), Effect.die(new Error("no such thing")))
    const tracer = new Tracer("svc", { ...own, processor: broken, exporters: [] })
    let message = ""
    await tracer.ready.catch((error: Error) => message = error.message)
    assert.strictEqual(message, "no such thing")
    assert.isUndefined(await tracer.shutdown())
  })
})

describe("processors and exporters composed by hand", () => {
  afterEach(() => TraceContext.shutdown())

  it("take the place of the configured exporters, in initialize as in a Tracer", async () => {
    const [simple, batch] = [new InMemoryExporter(), new InMemoryExporter()]
    const rename = SpanProcessor.make({
      name: "rename",
      onEnd: (span, next) => {
        ;(span as { name: string }).name = "renamed"
        next.emit(span)
      }
    })
    const processors = [new SimpleSpanProcessor(simple), rename, new BatchSpanProcessor(batch, { scheduleDelay: 1 })]
    await TraceContext.initialize({ ...quiet, processors })
    const tracer = new Tracer("svc", { ...own, processors })
    trace("a", () => {})
    tracer.trace("b", () => {})
    await Promise.all([TraceContext.flush(), tracer.flush()])
    assert.deepStrictEqual(names(simple), ["a", "b"])
    assert.deepStrictEqual(names(batch), ["renamed", "renamed"])
    assert.strictEqual((await tracer.shutdown())!.destinations.length, 2)
  })

  it("leave the configured exporters where none of them exports", async () => {
    const nothing = SpanProcessor.make({ name: "nothing", onEnd: (span, next) => next.emit(span) })
    await TraceContext.initialize({ ...quiet, processors: [nothing] })
    assert.deepStrictEqual((await TraceContext.health())!.destinations.map((one) => one.destination), ["otlp"])
  })

  it("write to a console", async () => {
    const lines: Array<string> = []
    await TraceContext.initialize({
      ...quiet,
      processors: [new SimpleSpanProcessor(new ConsoleExporter({ format: "span", write: (text) => lines.push(text) }))]
    })
    traced("told", () => {})()
    await TraceContext.shutdown()
    assert.lengthOf(lines, 1)
    assert.include(lines[0], "told")
  })

  it("send by OTLP, with what the variables say", async () => {
    const seen: Array<{ readonly path: string | undefined; readonly key: unknown; readonly body: string }> = []
    const server = createServer((request, response) => {
      const body: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => body.push(chunk))
      request.on("end", () => {
        seen.push({ path: request.url, key: request.headers["x-key"], body: Buffer.concat(body).toString() })
        response.writeHead(200, { "content-type": "application/json" }).end("{}")
      })
    }).listen(0, "127.0.0.1")
    await new Promise((resolve) => server.once("listening", resolve))
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}/base`,
      OTEL_EXPORTER_OTLP_HEADERS: "x-key=secret"
    }
    const tracer = new Tracer("svc", {
      ...own,
      env,
      processor: new SimpleSpanProcessor(new OTLPExporter({ protocol: "http/json" }))
    })
    tracer.span("shipped", () => {})
    const ledger = await tracer.shutdown()
    server.close()
    assert.strictEqual(ledger!.destinations[0]!.exported, 1)
    assert.deepStrictEqual(seen.map(({ key, path }) => [path, key]), [["/base/v1/traces", "secret"]])
    assert.include(seen[0]!.body, "\"shipped\"")
  })
})
