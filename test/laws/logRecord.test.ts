import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { SignalLedger } from "../../src/diagnostics/Ledger.ts"
import * as Logger from "../../src/logs/Logger.ts"
import { defaults } from "../../src/logs/LogRecordLimits.ts"
import * as LogRecord from "../../src/model/LogRecord.ts"
import * as OtlpLogJson from "../../src/otlp/OtlpLogJson.ts"
import { collected } from "../delivery/support.ts"
import { logsFromJson } from "../otlp/official.ts"
import { build, Plan } from "./hostile.ts"

const Said = Schema.Struct({
  message: Schema.Array(Plan).check(Schema.isMaxLength(3)),
  annotations: Schema.Record(Schema.String, Plan),
  eventName: Plan,
  failures: Schema.Array(Plan).check(Schema.isMaxLength(2)),
  isDefect: Schema.Boolean,
  count: Schema.Literals([0, 1, 3, 128]),
  valueLength: Schema.Literals([0, 5, 1e9])
})

const isValid = Schema.is(LogRecord.LogRecord)

describe("a log record", () => {
  it.prop(
    "of anything that is said is valid, is counted, and can be written",
    { said: Said },
    ({ said }) => {
      const records: Array<LogRecord.LogRecord> = []
      const ledger = new SignalLedger()
      const { diagnostics, lines } = collected()
      const batch = OtlpLogJson.encoder.makeLogBatch()
      const core = new Logger.LoggerCore({
        resource: { attributes: {} },
        limits: { ...defaults, attributeCountLimit: said.count, attributeValueLengthLimit: said.valueLength },
        ledger,
        diagnostics,
        wall: { now: () => 1_763_800_000_123_456_789n, endOf: (_, end) => end },
        processor: {
          name: "keep",
          onEmit: (record) => {
            records.push(LogRecord.fromReadable(record))
            assert.isTrue(batch.add(record, Infinity))
          },
          flush: Effect.void,
          accounts: []
        }
      })
      const annotations = Object.fromEntries(Object.entries(said.annotations).map(([key, plan]) => [key, build(plan)]))
      const failures = said.failures.map(build)
      const cause = Cause.fromReasons(
        failures.map((failure) => said.isDefect ? Cause.makeDieReason(failure) : Cause.makeFailReason(failure))
      )
      const message = said.message.map(build)
      // What Effect.log does, but for its own look at the parts, which some do not let happen.
      const log = Effect.withFiber((fiber) => {
        Logger.toEffectLogger(core).log({ message, cause, fiber, logLevel: "Error", date: new Date(0) })
        return Effect.void
      })
      const current = { ...annotations, "event.name": build(said.eventName) }
      Effect.runSync(Effect.provideService(log, References.CurrentLogAnnotations, current))
      assert.deepStrictEqual(lines, [])
      assert.strictEqual(records.length, 1)
      assert.strictEqual(ledger.created, 1)
      const [record] = records
      assert.isTrue(isValid(record))
      assert.isAtMost(Object.keys(record!.attributes).length, said.count)
      const body = batch.toBody()
      assert.isObject(logsFromJson(body))
      assert.notInclude(new TextDecoder().decode(body), "canary")
    },
    { arbitrary: { runs: 300, size: 8 } }
  )
})
