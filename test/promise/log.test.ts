import { afterEach, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as InMemoryLogExporter from "../../src/exporters/InMemoryLogExporter.ts"
import * as InMemorySpanExporter from "../../src/exporters/InMemorySpanExporter.ts"
import * as FilterLogRecordProcessor from "../../src/logs/FilterLogRecordProcessor.ts"
import { getLogger, getTracer, log, trace, TraceContext } from "../../src/promise/index.ts"
import { quiet } from "./support.ts"

const start = async () => {
  const logs = InMemoryLogExporter.makeUnsafe()
  const spans = InMemorySpanExporter.makeUnsafe()
  await TraceContext.initialize({ ...quiet, exporters: [spans.exporter], logs: { exporters: [logs.exporter] } })
  const read = async () => {
    await TraceContext.flush()
    return { records: await Effect.runPromise(logs.records), spans: await Effect.runPromise(spans.spans) }
  }
  return read
}

describe("log", () => {
  afterEach(() => TraceContext.shutdown())

  it("makes records of all severities, within the current span, after an await, too", async () => {
    const read = await start()
    log.info("outside")
    await trace("checkout", async () => {
      log.trace("t")
      await Promise.resolve()
      log.debug("d")
      log.info("i", { "order.id": 7 })
      log.warn("w")
      log.error("e")
      log.fatal("f")
    })
    const { records, spans: [span] } = await read()
    assert.deepStrictEqual(records.map(({ body, severityText }) => [body, severityText]), [
      ["outside", "INFO"],
      ["t", "TRACE"],
      ["d", "DEBUG"],
      ["i", "INFO"],
      ["w", "WARN"],
      ["e", "ERROR"],
      ["f", "FATAL"]
    ])
    assert.isUndefined(records[0]!.traceId)
    for (const record of records.slice(1)) {
      assert.deepStrictEqual([record.traceId, record.spanId, record.traceFlags & 1], [span!.traceId, span!.spanId, 1])
    }
    assert.deepStrictEqual({ ...records[3]!.attributes }, { "order.id": 7 })
  })

  it("describes an error wherever it stands", async () => {
    const read = await start()
    const boom = new RangeError("boom")
    log.error(boom)
    log.error("failed", boom)
    log.error("failed", { error: boom, attempt: 2 })
    log.error("failed", { exception: boom })
    log.event("job.failed", { exception: boom, severity: "Error" })
    const { records } = await read()
    assert.strictEqual(records.length, 5)
    for (const { attributes } of records) {
      assert.strictEqual(attributes["exception.type"], "RangeError")
      assert.strictEqual(attributes["exception.message"], "boom")
      assert.include(attributes["exception.stacktrace"] as string, "log.test")
      assert.isUndefined(attributes["error"])
    }
    assert.strictEqual(records[2]!.attributes["attempt"], 2)
    assert.deepInclude(records[4]!, { eventName: "job.failed", severityText: "ERROR" })
  })

  it("takes what does not let itself be looked at, and throws nothing", async () => {
    const read = await start()
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    log.info(proxy)
    log.info(["x", proxy])
    log.info("hostile details", proxy)
    log.event("hostile", { body: proxy, attributes: { proxy } })
    log.info("after")
    const { records } = await read()
    assert.deepStrictEqual(records.map(({ body }) => body), [
      "<unserializable>",
      ["x", "<unserializable>"],
      "<unserializable>",
      "after"
    ])
  })

  it("a logger by name has its scope, and is no tracer of that name", async () => {
    const read = await start()
    const logger = getLogger("cart", "1")
    assert.strictEqual(getLogger("cart", "1"), logger)
    assert.notStrictEqual(getTracer("cart", "1") as unknown, logger)
    logger.info("x")
    log.info("y")
    const { records } = await read()
    assert.deepStrictEqual(records.map(({ scope }) => scope), [{ name: "cart", version: "1" }, {
      name: "effect-telemetry"
    }])
  })

  it("is nothing without telemetry, and where records go nowhere", async () => {
    log.info("nobody")
    log.event("nobody")
    assert.isFalse(log.isEnabled("Fatal"))
    await TraceContext.initialize({ ...quiet, tracesExporters: ["none"] })
    log.info("nowhere")
    assert.isFalse(log.isEnabled("Fatal"))
    await TraceContext.shutdown()
  })

  it("is enabled by what its processors want", async () => {
    await TraceContext.initialize({
      ...quiet,
      tracesExporters: ["none"],
      logs: {
        processors: [
          { ...FilterLogRecordProcessor.make({}), enabled: ({ severityNumber }) => severityNumber >= 13 }
        ]
      }
    })
    assert.deepStrictEqual(["Info", "Warn"].map((level) => log.isEnabled(level as "Info")), [false, true])
  })
})
