/** How what a program says becomes a log record. */
import * as Cause from "effect/Cause"
import type * as Tracer from "effect/Tracer"
import { hexToWord } from "../internal/hex.ts"
import * as Attributes from "../model/Attributes.ts"
import type { AttributeLimits, AttributeList, AttributeValue } from "../model/Attributes.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { ReadableLogRecord } from "../model/ReadableLogRecord.ts"
import type { Resource } from "../model/Resource.ts"
import { describeException, exceptionAttributes } from "../tracing/Outcome.ts"
import { foreignContext } from "../tracing/parentContext.ts"
import { isOwn } from "../tracing/Span.ts"

/** A record in the making. */
export class LogRecordDraft implements ReadableLogRecord {
  readonly timeUnixNano: bigint
  readonly observedTimeUnixNano: bigint
  severityNumber: number
  severityText: string
  body: AttributeValue | undefined = undefined
  eventName = ""
  readonly attributeList: AttributeList = Attributes.makeList()
  droppedAttributesCount = 0
  traceId0 = 0
  traceId1 = 0
  traceId2 = 0
  traceId3 = 0
  spanId0 = 0
  spanId1 = 0
  traceFlags = 0
  readonly scope: InstrumentationScope
  readonly resource: Resource

  constructor(
    timeUnixNano: bigint,
    observedTimeUnixNano: bigint,
    severityNumber: number,
    severityText: string,
    scope: InstrumentationScope,
    resource: Resource
  ) {
    this.timeUnixNano = timeUnixNano
    this.observedTimeUnixNano = observedTimeUnixNano
    this.severityNumber = severityNumber
    this.severityText = severityText
    this.scope = scope
    this.resource = resource
  }

  /** Puts the record into the trace of `span`, where its ids are W3C ids. */
  within(span: Tracer.AnySpan | undefined): void {
    if (span === undefined) return
    if (isOwn(span)) {
      this.traceId0 = span.traceId0
      this.traceId1 = span.traceId1
      this.traceId2 = span.traceId2
      this.traceId3 = span.traceId3
      this.spanId0 = span.spanId0
      this.spanId1 = span.spanId1
      this.traceFlags = span.traceFlags
      return
    }
    try {
      const context = foreignContext(span)
      if (context === undefined) return
      const { spanId, traceFlags, traceId } = context
      this.traceId0 = hexToWord(traceId, 0)
      this.traceId1 = hexToWord(traceId, 8)
      this.traceId2 = hexToWord(traceId, 16)
      this.traceId3 = hexToWord(traceId, 24)
      this.spanId0 = hexToWord(spanId, 0)
      this.spanId1 = hexToWord(spanId, 8)
      this.traceFlags = traceFlags
    } catch {
      // A parent that is no span takes no record from anybody.
    }
  }

  attribute(key: string, value: unknown, limits: AttributeLimits): void {
    if (!Attributes.set(this.attributeList, key, value, limits)) this.droppedAttributesCount++
  }

  /** Sets the attributes of `record`; `event.name` is the name of the event and no attribute. */
  attributes(record: Readonly<Record<string, unknown>>, limits: AttributeLimits): void {
    this.droppedAttributesCount += Attributes.setAll(this.attributeList, record, limits)
    const position = Attributes.indexOf(this.attributeList, eventNameKey)
    if (position < 0) return
    const name = this.attributeList[position + 1]
    if (typeof name !== "string") return
    this.eventName = name
    Attributes.remove(this.attributeList, eventNameKey)
  }

  /** Sets what describes an error, under what the program said itself. */
  exception(described: Readonly<Record<string, unknown>>, limits: AttributeLimits): void {
    for (const key in described) {
      if (Attributes.indexOf(this.attributeList, key) < 0) this.attribute(key, described[key], limits)
    }
  }
}

const eventNameKey = "event.name"

/** What a body may be: its size is bounded by the batch, its depth as that of an attribute. */
export const bodyOf = (message: unknown, depth: number): AttributeValue | undefined =>
  typeof message === "string"
    ? message
    : Attributes.fromUnknown(message, { count: Infinity, valueLength: Infinity, depth })

/**
 * What describes the cause of a record: type and message of its first failure, the stacks of all; `undefined` for a cause
 * of interruptions only. Never throws.
 */
export const describeCause = (cause: Cause.Cause<unknown>): Record<string, unknown> | undefined => {
  const first = cause.reasons.find((reason) => reason._tag !== "Interrupt")
  if (first === undefined) return undefined
  const failure = first._tag === "Fail" ? first.error : first._tag === "Die" ? first.defect : undefined
  try {
    const stacks = Cause.prettyErrors(cause, { includeCauseInStack: true })
    return exceptionAttributes(failure, stacks.map(({ stack }) => stack).join("\n"))
  } catch {
    return describeException(failure)
  }
}

/** The first error among the parts of a message. Never throws. */
export const errorIn = (message: unknown): unknown => {
  try {
    if (message instanceof Error) return message
    return Array.isArray(message) ? message.find(isError) : undefined
  } catch {
    // A proxy that does not let itself be looked at; what stands behind it among the parts is not worth more.
    return undefined
  }
}

const isError = (part: unknown): boolean => part instanceof Error
