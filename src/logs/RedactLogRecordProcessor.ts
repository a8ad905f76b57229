/** Secrets stay in: what looks like one is replaced before a log record reaches a queue, a file or a wire. */
import * as Effect from "effect/Effect"
import * as Diagnostics from "../diagnostics/Diagnostics.ts"
import type { Redactor } from "../internal/redactor.ts"
import type { AttributeValue } from "../model/Attributes.ts"
import type { ReadableLogRecord } from "../model/ReadableLogRecord.ts"
import { type Options, redactorOf } from "../processors/RedactSpanProcessor.ts"
import * as LogRecordProcessor from "./LogRecordProcessor.ts"

export type { Options }

/**
 * A processor that replaces secrets in a log record: in its body, at any depth, its event name and its attributes.
 *
 * **Details**
 *
 * What is secret, and what it becomes, is as `RedactSpanProcessor` says. The record is changed in place and always goes
 * on; one that cannot be searched goes on without its content.
 */
export const make = (options?: Options): Effect.Effect<LogRecordProcessor.LogRecordProcessorShape> =>
  Effect.map(Effect.service(Diagnostics.Diagnostics), (diagnostics) => {
    const redactor = redactorOf(diagnostics, options)
    return LogRecordProcessor.make({
      name: "redact",
      enabled: LogRecordProcessor.passesOn,
      onEmit(record, next) {
        try {
          redactRecord(record, redactor)
        } catch {
          diagnostics.report(
            "error",
            "processor.redact",
            "a log record could not be searched for secrets; its content was removed"
          )
          record.body = options?.mask ?? "REDACTED"
          record.eventName = ""
          record.droppedAttributesCount += record.attributeList.length >> 1
          record.attributeList.length = 0
        }
        next.emit(record)
      }
    })
  })

const redactRecord = (record: ReadableLogRecord, redactor: Redactor): void => {
  const { body } = record
  if (typeof body === "string") {
    const clean = redactor.text(body, "")
    if (clean !== body) record.body = clean
  } else if (typeof body === "object") record.body = redactor.value(body) as AttributeValue
  if (record.eventName !== "") record.eventName = redactor.name(record.eventName)
  redactor.list(record.attributeList)
}
