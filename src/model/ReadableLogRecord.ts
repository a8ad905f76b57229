/**
 * A log record as processors and encoders see it: the emitted record's own fields, nothing copied.
 *
 * **Gotchas**
 *
 * The object belongs to the logger and is valid while `onEmit` runs. To keep a record, take its data
 * (`LogRecord.fromReadable`).
 */
import type { AttributeList, AttributeValue } from "./Attributes.ts"
import type { InstrumentationScope } from "./InstrumentationScope.ts"
import type { Resource } from "./Resource.ts"

/** A log record. A processor may change what is not read-only, and the contents of the attributes. */
export interface ReadableLogRecord {
  /** When it happened: nanoseconds since the Unix epoch, 0 where that is not known. */
  readonly timeUnixNano: bigint
  /** When it was seen here: nanoseconds since the Unix epoch. */
  readonly observedTimeUnixNano: bigint
  /** `logs/data-model.md#field-severitynumber`: 1 to 24, 0 for none. */
  severityNumber: number
  /** The severity in the words of its source; `""` for none. */
  severityText: string
  /** `undefined` for none. */
  body: AttributeValue | undefined
  /** What kind of event this is; `""` for a record that is no event. */
  eventName: string

  readonly attributeList: AttributeList
  droppedAttributesCount: number

  // The ids of the span it belongs to, as signed 32-bit words, big end first; all zero for none.
  readonly traceId0: number
  readonly traceId1: number
  readonly traceId2: number
  readonly traceId3: number
  readonly spanId0: number
  readonly spanId1: number
  /** W3C trace flags of that span. */
  readonly traceFlags: number

  readonly scope: InstrumentationScope
  readonly resource: Resource
}

/** Whether the record belongs to a trace. */
export const hasTrace = (record: ReadableLogRecord): boolean =>
  (record.traceId0 | record.traceId1 | record.traceId2 | record.traceId3) !== 0
