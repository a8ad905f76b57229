import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Diagnostics } from "../../src/diagnostics/Diagnostics.ts"
import * as FilterLogRecordProcessor from "../../src/logs/FilterLogRecordProcessor.ts"
import * as LogRecordProcessor from "../../src/logs/LogRecordProcessor.ts"
import * as RedactLogRecordProcessor from "../../src/logs/RedactLogRecordProcessor.ts"
import * as LogRecord from "../../src/model/LogRecord.ts"
import { collected } from "../delivery/support.ts"
import { data, make } from "../otlp/logs.ts"
import { setUp } from "./support.ts"

type Fields = Partial<LogRecord.LogRecord>

/** Whether a record with these fields goes on. */
const passes = (processor: LogRecordProcessor.LogRecordProcessorShape, fields: Fields): boolean => {
  let result: boolean | undefined
  processor.onEmit(make(fields), {
    emit: () => {
      assert.isUndefined(result)
      result = true
    },
    drop: (reason, count) => {
      assert.isUndefined(result)
      assert.deepStrictEqual([reason, count], ["filtered", 1])
      result = false
    }
  })
  return result!
}

describe("FilterLogRecordProcessor", () => {
  const untraced: Fields = { traceId: undefined, spanId: undefined, traceFlags: 0 }

  it("minimumSeverity drops what is less severe, and lets pass what has no severity", () => {
    const processor = FilterLogRecordProcessor.minimumSeverity("Warn")
    const passed = [0, 1, 12, 13, 24].filter((severityNumber) => passes(processor, { severityNumber }))
    assert.deepStrictEqual(passed, [0, 13, 24])
  })

  it("traceBased drops records of unsampled spans only", () => {
    const processor = FilterLogRecordProcessor.traceBased()
    assert.isTrue(passes(processor, { traceFlags: 1 }))
    assert.isFalse(passes(processor, { traceFlags: 2 }))
    assert.isTrue(passes(processor, untraced))
    assert.isFalse(passes(processor, { traceFlags: 0, severityNumber: 24 }))
    const lenient = FilterLogRecordProcessor.traceBased({ always: "Error" })
    assert.isTrue(passes(lenient, { traceFlags: 0, severityNumber: 17 }))
    assert.isFalse(passes(lenient, { traceFlags: 0, severityNumber: 16 }))
  })

  it.each<[string, FilterLogRecordProcessor.Condition, Fields, Fields]>([
    ["minSeverity", { minSeverity: "Info" }, { severityNumber: 9 }, { severityNumber: 0 }],
    ["belowSeverity", { belowSeverity: 9 }, { severityNumber: 8 }, { severityNumber: 9 }],
    ["eventName", { eventName: { prefix: "pay." } }, { eventName: "pay.done" }, { eventName: "" }],
    ["any eventName", { eventName: { glob: "*" } }, { eventName: "e" }, { eventName: "" }],
    ["scope", { scope: ["a", "b"] }, { scope: { name: "b" } }, { scope: { name: "c" } }],
    ["body", { body: { suffix: "!" } }, { body: "hey!" }, { body: ["hey!"] }],
    ["hasAttribute", { hasAttribute: ["a", "b"] }, { attributes: { b: 1, a: 2 } }, { attributes: { a: 1 } }],
    ["hasTrace", { hasTrace: true }, {}, untraced],
    ["no trace", { hasTrace: false }, untraced, {}],
    ["predicate", { predicate: ({ body }) => body === 7 }, { body: 7 }, { body: 8 }],
    ["all of it", { minSeverity: 9, body: "x" }, { severityNumber: 9, body: "x" }, { severityNumber: 9, body: "y" }]
  ])("by %s", (_, condition, yes, no) => {
    const keep = FilterLogRecordProcessor.make({ keep: condition })
    const drop = FilterLogRecordProcessor.make({ drop: [condition] })
    assert.deepStrictEqual([yes, no].map((fields) => passes(keep, fields)), [true, false])
    assert.deepStrictEqual([yes, no].map((fields) => passes(drop, fields)), [false, true])
  })

  it("drop wins over keep; nothing stated lets all pass", () => {
    const both = FilterLogRecordProcessor.make({ keep: [{ body: "a" }, { body: "b" }], drop: { body: "a" } })
    assert.deepStrictEqual(["a", "b", "c"].map((body) => passes(both, { body })), [false, true, false])
    assert.isTrue(passes(FilterLogRecordProcessor.make({}), {}))
    assert.isFalse(passes(FilterLogRecordProcessor.make({ keep: {}, drop: {} }), {}))
  })

  it.effect("what is dropped is booked as filtered for the exporter behind", () =>
    Effect.gen(function*() {
      const { ledger, logged } = yield* setUp({ processors: [FilterLogRecordProcessor.minimumSeverity("Error")] })
      const records = yield* logged(Effect.all([Effect.logInfo("a"), Effect.logError("b")]))
      assert.deepStrictEqual(records.map(({ body }) => body), ["b"])
      assert.deepStrictEqual(ledger.accounts[0]!.dropped, { filtered: 1 })
      assert.strictEqual(ledger.unaccounted(ledger.accounts[0]!), 0)
    }))
})

describe("RedactLogRecordProcessor", () => {
  const redact = Effect.fnUntraced(function*(fields: Fields, options?: RedactLogRecordProcessor.Options) {
    const { diagnostics, lines } = collected()
    const processor = yield* Effect.provideService(RedactLogRecordProcessor.make(options), Diagnostics, diagnostics)
    const record = make(fields)
    let isEmitted = false
    processor.onEmit(record, { emit: () => isEmitted = true, drop: () => assert.fail("dropped") })
    assert.isTrue(isEmitted)
    return { record: LogRecord.fromReadable(record), lines }
  })

  it.effect("hides secrets in the body, at any depth, and in the attributes", () =>
    Effect.gen(function*() {
      const { record } = yield* redact({
        body: ["login", { user: "eve", password: "hunter2", url: "https://eve:hunter2@host/" }],
        attributes: { authorization: "Bearer abc", "user.name": "eve" },
        eventName: "login"
      })
      assert.notInclude(JSON.stringify([record.body, record.attributes]), "hunter2")
      assert.deepStrictEqual({ ...record.attributes }, { authorization: "REDACTED", "user.name": "eve" })
      assert.include(JSON.stringify(record.body), "eve")
      assert.strictEqual(record.eventName, "login")
      const text = yield* redact({ body: "connect with password=hunter2 now" })
      assert.strictEqual(text.record.body, "connect with password=REDACTED now")
    }))

  it.effect("leaves what holds no secret as it is", () =>
    Effect.gen(function*() {
      const { lines, record } = yield* redact({ body: { a: [1, "two", null] } })
      assert.deepStrictEqual(record, { ...LogRecord.fromReadable(make()), body: { a: [1, "two", null] } })
      assert.deepStrictEqual(lines, [])
    }))

  it.effect("of a record that cannot be searched nothing is left", () =>
    Effect.gen(function*() {
      const body = new Proxy({ a: "x=1" }, {
        ownKeys: () => {
          throw new Error("no")
        }
      })
      const { lines, record } = yield* redact({ body, eventName: "secret" })
      assert.strictEqual(record.body, "REDACTED")
      assert.deepStrictEqual(Object.keys(record.attributes), [])
      assert.strictEqual(record.droppedAttributesCount, Object.keys(data.attributes).length)
      assert.strictEqual(record.eventName, "")
      assert.strictEqual(lines.length, 1)
    }))
})

describe("LogRecordProcessor.compose", () => {
  it.effect("a processor that throws is isolated, and the record goes on", () =>
    Effect.gen(function*() {
      const broken = LogRecordProcessor.make({
        name: "broken",
        enabled: () => {
          throw new Error("enabled")
        },
        onEmit: () => {
          throw new Error("emit")
        }
      })
      const { ledger, lines, logged } = yield* setUp({ processors: [broken] })
      assert.strictEqual((yield* logged(Effect.log("x"))).length, 1)
      assert.strictEqual(ledger.created, 1)
      assert.strictEqual(ledger.unaccounted(ledger.accounts[0]!), 0)
      assert.strictEqual(lines.length, 1)
      assert.include(lines[0], "log record processor broken failed")
    }))

  it("is enabled where one of them is", () => {
    const { diagnostics } = collected()
    const probe = { severityNumber: 9, eventName: "" }
    const never = FilterLogRecordProcessor.minimumSeverity("Info")
    const always = LogRecordProcessor.make({ name: "all", onEmit: () => {} })
    assert.isFalse(LogRecordProcessor.compose([never], diagnostics).enabled!(probe))
    assert.isTrue(LogRecordProcessor.compose([never, always], diagnostics).enabled!(probe))
    assert.isFalse(LogRecordProcessor.compose([], diagnostics).enabled!(probe))
  })
})
