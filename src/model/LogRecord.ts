/**
 * A log record as an immutable value (`logs/data-model.md`): its type, its JSON, and the values that tests generate, all
 * from one Schema.
 *
 * **Details**
 *
 * In JSON, 64-bit times are decimal strings, and body and attribute values are as `AttributeValueEncoded` has them. This
 * is the library's own form; OTLP has another.
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { hexToWord, wordToHex } from "../internal/hex.ts"
import {
  type AttributeList,
  Attributes,
  type AttributesEncoded,
  AttributeValue,
  type AttributeValueEncoded,
  makeList,
  toRecord
} from "./Attributes.ts"
import { InstrumentationScope, type InstrumentationScopeEncoded } from "./InstrumentationScope.ts"
import type { ReadableLogRecord } from "./ReadableLogRecord.ts"
import { Resource, type ResourceEncoded } from "./Resource.ts"
import { SpanId, TraceFlags, TraceId } from "./SpanContext.ts"
import { UnixNano } from "./SpanData.ts"

/** A log record as an immutable value. */
export interface LogRecord {
  /** When it happened; 0 where that is not known. */
  readonly timeUnixNano: bigint
  /** When it was seen by this library. */
  readonly observedTimeUnixNano: bigint
  /** 1 to 24, 0 for none: four steps each for TRACE, DEBUG, INFO, WARN, ERROR and FATAL. */
  readonly severityNumber: number
  /** The severity in the words of its source; `""` for none. */
  readonly severityText: string
  readonly body?: AttributeValue | undefined
  /** `""` for a record that is no event. */
  readonly eventName: string
  readonly attributes: Attributes
  readonly droppedAttributesCount: number
  readonly traceId: string | undefined
  readonly spanId: string | undefined
  readonly traceFlags: number
  readonly scope: InstrumentationScope
  readonly resource: Resource
}

/** {@link LogRecord} as JSON has it. */
export interface LogRecordEncoded extends
  Omit<
    LogRecord,
    | "timeUnixNano"
    | "observedTimeUnixNano"
    | "body"
    | "attributes"
    | "traceId"
    | "spanId"
    | "scope"
    | "resource"
  >
{
  readonly timeUnixNano: string
  readonly observedTimeUnixNano: string
  readonly body?: AttributeValueEncoded | undefined
  readonly attributes: AttributesEncoded
  readonly traceId: string | null
  readonly spanId: string | null
  readonly scope: InstrumentationScopeEncoded
  readonly resource: ResourceEncoded
}

const orNull = (id: Schema.Codec<string>): Schema.Codec<string | undefined, string | null> =>
  Schema.NullOr(id).pipe(Schema.decodeTo(
    Schema.UndefinedOr(id),
    SchemaTransformation.transform<string | undefined, string | null>({
      decode: (id) => id ?? undefined,
      encode: (id) => id ?? null
    })
  ))

/** Schema of a severity number: 0 to 24. */
export const SeverityNumber: Schema.Codec<number> = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 24 }))

/** Schema of {@link LogRecord}: ids valid and not zero, times within 64 bits, the severity within its range. */
export const LogRecord: Schema.Codec<LogRecord, LogRecordEncoded> = Schema.Struct({
  timeUnixNano: UnixNano,
  observedTimeUnixNano: UnixNano,
  severityNumber: SeverityNumber,
  severityText: Schema.String,
  body: Schema.optional(AttributeValue),
  eventName: Schema.String,
  attributes: Attributes,
  droppedAttributesCount: Schema.Int.check(Schema.isUint32()),
  traceId: orNull(TraceId),
  spanId: orNull(SpanId),
  traceFlags: TraceFlags,
  scope: InstrumentationScope,
  resource: Resource
})

const hexOf = (...words: ReadonlyArray<number>): string | undefined =>
  words.every((word) => word === 0) ? undefined : words.map(wordToHex).join("")

/** A record's data as it is now. Its list is copied; scope, resource and the values within attributes are shared. */
export const fromReadable = (record: ReadableLogRecord): LogRecord => ({
  timeUnixNano: record.timeUnixNano,
  observedTimeUnixNano: record.observedTimeUnixNano,
  severityNumber: record.severityNumber,
  severityText: record.severityText,
  ...record.body === undefined ? {} : { body: record.body },
  eventName: record.eventName,
  attributes: toRecord(record.attributeList),
  droppedAttributesCount: record.droppedAttributesCount,
  traceId: hexOf(record.traceId0, record.traceId1, record.traceId2, record.traceId3),
  spanId: hexOf(record.spanId0, record.spanId1),
  traceFlags: record.traceFlags,
  scope: record.scope,
  resource: record.resource
})

/**
 * A readable record with the given data, as encoders and exporters take it: for replay and for tests.
 *
 * **Gotchas**
 *
 * The data must be valid, above all its ids; `Schema.is(LogRecord)` tells.
 */
export const toReadable = (data: LogRecord): ReadableLogRecord => {
  const attributeList: AttributeList = makeList()
  for (const key of Object.keys(data.attributes)) attributeList.push(key, data.attributes[key]!)
  const word = (id: string | undefined, offset: number): number => id === undefined ? 0 : hexToWord(id, offset)
  return {
    timeUnixNano: data.timeUnixNano,
    observedTimeUnixNano: data.observedTimeUnixNano,
    severityNumber: data.severityNumber,
    severityText: data.severityText,
    body: data.body,
    eventName: data.eventName,
    attributeList,
    droppedAttributesCount: data.droppedAttributesCount,
    traceId0: word(data.traceId, 0),
    traceId1: word(data.traceId, 8),
    traceId2: word(data.traceId, 16),
    traceId3: word(data.traceId, 24),
    spanId0: word(data.spanId, 0),
    spanId1: word(data.spanId, 8),
    traceFlags: data.traceFlags,
    scope: data.scope,
    resource: data.resource
  }
}
