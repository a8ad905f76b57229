/** Log records for the tests of the wire format, as `spans.ts` has spans. */
import * as Arbitrary from "effect/Arbitrary"
import * as LogRecord from "../../src/model/LogRecord.ts"
import type { ReadableLogRecord } from "../../src/model/ReadableLogRecord.ts"
import { attributes, count, flags, ids, pick, resource, scope, text, time, value } from "./spans.ts"

const record = Arbitrary.all({
  ids,
  has: pick(["both", "none", "trace"] as const),
  times: Arbitrary.all([time, time]),
  severityNumber: pick([0, 1, 9, 17, 24]),
  severityText: text,
  hasBody: pick([true, true, false]),
  body: value(3),
  eventName: text,
  attributes,
  droppedAttributesCount: count,
  traceFlags: flags
})

/** Up to twelve records over up to three scopes and two resources, which they share by identity. */
export const logs: Arbitrary.Arbitrary<ReadonlyArray<LogRecord.LogRecord>> = Arbitrary.map(
  Arbitrary.all({
    resources: Arbitrary.all([resource, resource]),
    scopes: Arbitrary.all([scope, scope, scope]),
    bodies: Arbitrary.array(Arbitrary.all({ record, resource: pick([0, 1]), scope: pick([0, 1, 2]) }), {
      minLength: 1,
      maxLength: 12
    })
  }),
  ({ bodies, resources, scopes }) =>
    bodies.map(({ record: { body, has, hasBody, ids, times, ...rest }, resource, scope }) => ({
      ...rest,
      ...hasBody ? { body } : {},
      timeUnixNano: times[0],
      observedTimeUnixNano: times[1],
      traceId: has === "none" ? undefined : ids.traceId,
      spanId: has === "both" ? ids.spanId : undefined,
      scope: scopes[scope]!,
      resource: resources[resource]!
    }))
)

/** An ordinary record, as data. */
export const data: LogRecord.LogRecord = {
  timeUnixNano: 1_763_800_000_000_000_000n,
  observedTimeUnixNano: 1_763_800_000_000_000_001n,
  severityNumber: 9,
  severityText: "INFO",
  body: "paid",
  eventName: "",
  attributes: { "order.id": 7 },
  droppedAttributesCount: 0,
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: 1,
  scope: { name: "test" },
  resource: { attributes: { "service.name": "test" } }
}

/** An ordinary record with some fields set. */
export const make = (fields: Partial<LogRecord.LogRecord> = {}): ReadableLogRecord =>
  LogRecord.toReadable({ ...data, ...fields })
