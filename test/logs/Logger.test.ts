import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import { TestClock } from "effect/testing"
import * as EffectTracer from "effect/Tracer"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { Suppressed } from "../../src/delivery/suppressed.ts"
import * as Logger from "../../src/logs/Logger.ts"
import * as LogRecordProcessor from "../../src/logs/LogRecordProcessor.ts"
import { LogRecord } from "../../src/model/LogRecord.ts"
import { resource, setUp } from "./support.ts"

class OutOfStock extends Data.TaggedError("OutOfStock")<{ readonly sku: string }> {
  override get message() {
    return `no ${this.sku} left`
  }
}

const external = (sampled: boolean) =>
  EffectTracer.externalSpan({
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    sampled
  })

describe("Logger", () => {
  it.effect("a message becomes a record that is valid, with the time of the clock", () =>
    Effect.gen(function*() {
      const { ledger, logged } = yield* setUp()
      yield* TestClock.setTime(1_700_000_000_123)
      const records = yield* logged(Effect.log("paid"))
      const [record] = records
      assert.strictEqual(records.length, 1)
      assert.isTrue(Schema.is(LogRecord)(record))
      assert.strictEqual(record!.timeUnixNano, 1_700_000_000_123_000_000n)
      assert.strictEqual(record!.observedTimeUnixNano, 1_700_000_000_123_000_000n)
      assert.strictEqual(record!.body, "paid")
      assert.strictEqual(record!.severityNumber, 9)
      assert.strictEqual(record!.severityText, "INFO")
      assert.strictEqual(record!.eventName, "")
      assert.strictEqual(record!.scope.name, "effect-telemetry")
      assert.strictEqual(record!.resource, resource)
      assert.deepStrictEqual(Object.keys(record!.attributes), ["effect.fiberId"])
      assert.strictEqual(ledger.created, 1)
      assert.strictEqual(ledger.accounts[0]!.exported, 1)
    }))

  it.effect("each level has its severity, and what is below the minimum level makes no record", () =>
    Effect.gen(function*() {
      const { ledger, logged } = yield* setUp()
      const all = Effect.all([
        Effect.logTrace("t"),
        Effect.logDebug("d"),
        Effect.logInfo("i"),
        Effect.logWarning("w"),
        Effect.logError("e"),
        Effect.logFatal("f")
      ])
      const records = yield* logged(Effect.provideService(all, References.MinimumLogLevel, "Debug"))
      assert.deepStrictEqual(records.map(({ severityNumber, severityText }) => [severityNumber, severityText]), [
        [5, "DEBUG"],
        [9, "INFO"],
        [13, "WARN"],
        [17, "ERROR"],
        [21, "FATAL"]
      ])
      assert.strictEqual(ledger.created, 5)
    }))

  it.effect("annotations and log spans are attributes, event.name is the name of the event", () =>
    Effect.gen(function*() {
      const { logged } = yield* setUp()
      const program = Effect.gen(function*() {
        yield* TestClock.adjust("250 millis")
        yield* Effect.log("done")
      }).pipe(
        Effect.withLogSpan("checkout"),
        Effect.annotateLogs({ "order.id": 7, tags: ["a", "b"], "event.name": "order.paid" })
      )
      const [record] = yield* logged(program)
      assert.strictEqual(record!.eventName, "order.paid")
      const { "effect.fiberId": fiberId, ...attributes } = record!.attributes
      assert.isNumber(fiberId)
      assert.deepStrictEqual({ ...attributes }, {
        "order.id": 7,
        tags: ["a", "b"],
        "effect.log_span.checkout": 250
      })
    }))

  it.effect("several parts of a message are a list, values are normalized", () =>
    Effect.gen(function*() {
      const { logged } = yield* setUp()
      const [list, object, nothing] = yield* logged(
        Effect.all([Effect.log("a", { b: 1, c: new Date(0) }), Effect.log({ when: 5n }), Effect.log()])
      )
      assert.deepStrictEqual(JSON.parse(JSON.stringify(list!.body)), ["a", { b: 1, c: "1970-01-01T00:00:00.000Z" }])
      assert.deepStrictEqual({ ...object!.body as object }, { when: 5n })
      assert.isFalse("body" in nothing!)
    }))

  it.effect("ids and flags are those of the current span, sampled or not", () =>
    Effect.gen(function*() {
      const { logged } = yield* setUp()
      for (const sampled of [true, false]) {
        const [record] = yield* logged(Effect.withParentSpan(Effect.log("x"), external(sampled)))
        assert.strictEqual(record!.traceId, "0af7651916cd43dd8448eb211c80319c")
        assert.strictEqual(record!.spanId, "b7ad6b7169203331")
        assert.strictEqual(record!.traceFlags, sampled ? 1 : 0)
      }
      const [none] = yield* logged(Effect.withTracerEnabled(Effect.withSpan(Effect.log("x"), "noop"), false))
      assert.isUndefined(none!.traceId)
      assert.isUndefined(none!.spanId)
    }))

  it.effect("a cause becomes exception attributes, with the fields of a tagged error", () =>
    Effect.gen(function*() {
      const { logged } = yield* setUp()
      const [record, told, defect] = yield* logged(Effect.all([
        Effect.logError("failed", Cause.fail(new OutOfStock({ sku: "A1" }))),
        Effect.logError(Cause.fail(new OutOfStock({ sku: "A2" }))).pipe(
          Effect.annotateLogs("exception.message", "hidden")
        ),
        Effect.logError("died", Cause.die("oh"))
      ]))
      assert.strictEqual(record!.body, "failed")
      assert.strictEqual(record!.attributes["exception.type"], "OutOfStock")
      assert.strictEqual(record!.attributes["exception.message"], "no A1 left")
      assert.strictEqual(record!.attributes["exception.field.sku"], "A1")
      assert.include(record!.attributes["exception.stacktrace"] as string, "OutOfStock")
      assert.strictEqual(told!.body, "no A2 left")
      assert.strictEqual(told!.attributes["exception.message"], "hidden")
      assert.strictEqual(defect!.attributes["exception.type"], "string")
      assert.strictEqual(defect!.attributes["exception.message"], "oh")
    }))

  it.effect("an error in a message is described; a cause of interruptions is no error", () =>
    Effect.gen(function*() {
      const { logged } = yield* setUp()
      const [error, interrupted] = yield* logged(Effect.all([
        Effect.logError("failed", new RangeError("too far")),
        Effect.logInfo("stopped", Cause.interrupt(1))
      ]))
      assert.strictEqual(error!.attributes["exception.type"], "RangeError")
      assert.strictEqual(error!.attributes["exception.message"], "too far")
      assert.strictEqual(interrupted!.attributes["effect.fiber.interrupted"], true)
      assert.isUndefined(interrupted!.attributes["exception.type"])
    }))

  it.effect("attributes keep to the limits, and what is dropped is counted", () =>
    Effect.gen(function*() {
      const { logged } = yield* setUp({ limits: { attributeCountLimit: 2, attributeValueLengthLimit: 3 } })
      const [record] = yield* logged(Effect.annotateLogs(Effect.log("a long body"), { a: "12345", b: 1, c: 2 }))
      assert.deepStrictEqual({ ...record!.attributes }, { a: "123", b: 1 })
      // The fiber's id, and c.
      assert.strictEqual(record!.droppedAttributesCount, 2)
      assert.strictEqual(record!.body, "a long body")
    }))

  it.effect("hostile annotations and messages harm nobody", () =>
    Effect.gen(function*() {
      const { lines, logged } = yield* setUp()
      const hostile = new Proxy({}, {
        ownKeys: () => {
          throw new Error("no")
        },
        get: () => {
          throw new Error("no")
        }
      })
      const records = yield* logged(Effect.all([
        Effect.annotateLogs(Effect.log(hostile), { hostile }),
        Effect.logError("x", Cause.fail(hostile)),
        Effect.log("after")
      ]))
      assert.strictEqual(records.length, 3)
      assert.strictEqual(records[2]!.body, "after")
      assert.deepStrictEqual(lines, [])
    }))

  it.effect("events have a name, a severity, and the current span", () =>
    Effect.gen(function*() {
      const { logged } = yield* setUp()
      const [record, other] = yield* logged(
        Effect.all([
          Logger.event("order.paid", { attributes: { "order.id": 7 } }),
          Logger.event("order.lost", { severity: "Error", body: { why: "stock" } })
        ]).pipe(Effect.withParentSpan(external(true)))
      )
      assert.strictEqual(record!.eventName, "order.paid")
      assert.strictEqual(record!.severityText, "INFO")
      assert.strictEqual(record!.traceId, "0af7651916cd43dd8448eb211c80319c")
      assert.deepStrictEqual({ ...record!.attributes }, { "order.id": 7 })
      assert.isFalse("body" in record!)
      assert.strictEqual(other!.severityNumber, 17)
      assert.deepStrictEqual({ ...other!.body as object }, { why: "stock" })
    }))

  it.effect("an event without a logger is nothing", () => Logger.event("nobody"))

  it.effect("plain code emits with a severity by number, a time and an exception", () =>
    Effect.gen(function*() {
      const { core, records } = yield* setUp()
      core.emit({ body: "x", severity: 10, timeUnixNano: 5n, exception: new TypeError("bad") })
      core.emit({ severity: 99 })
      const [first, second] = yield* records
      assert.strictEqual(first!.severityText, "INFO2")
      assert.strictEqual(first!.timeUnixNano, 5n)
      assert.strictEqual(first!.attributes["exception.type"], "TypeError")
      assert.strictEqual(second!.severityNumber, 0)
    }))

  it.effect("what the delivery logs itself is not recorded", () =>
    Effect.gen(function*() {
      const { ledger, logged } = yield* setUp()
      yield* logged(Effect.provideService(Effect.log("exporting"), Suppressed, true))
      yield* logged(Effect.provideService(Logger.event("exporting"), Suppressed, true))
      assert.strictEqual(ledger.created, 0)
    }))

  it.effect("a record that nobody wants is not made", () =>
    Effect.gen(function*() {
      const seen: Array<LogRecordProcessor.LogRecordProbe> = []
      const ledgerOf = yield* setUp()
      const core = new Logger.LoggerCore({
        ...ledgerOf.core.options,
        processor: {
          ...LogRecordProcessor.make({ name: "picky", onEmit: () => assert.fail("made") }),
          enabled: (probe) => {
            seen.push(probe)
            return false
          }
        }
      })
      core.emit({ severity: "Warn", eventName: "e" })
      assert.isFalse(core.isEnabled({ severityNumber: 1 }))
      assert.deepStrictEqual(seen, [{ severityNumber: 13, eventName: "e" }, { severityNumber: 1, eventName: "" }])
      assert.strictEqual(core.options.ledger.created, 0)
    }))

  it.effect("after its scope has closed, records are counted as lost to the shutdown", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { core, ledger } = yield* Scope.provide(setUp(), scope)
      yield* Scope.close(scope, Exit.void)
      core.emit({ body: "late" })
      assert.strictEqual(ledger.created, 1)
      assert.deepStrictEqual(ledger.accounts[0]!.dropped, { shutdown: 1 })
      assert.strictEqual(ledger.unaccounted(ledger.accounts[0]!), 0)
    }))
})
