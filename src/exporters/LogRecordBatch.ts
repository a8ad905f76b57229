/** A batch that keeps its records as values, for exporters that need them whole. */
import type { ReadableLogRecord } from "../model/ReadableLogRecord.ts"
import * as LogRecord from "../model/LogRecord.ts"
import type { LogBatch } from "./LogExporter.ts"
import { sizeOfAll, sizeOfValue } from "./SpanDataBatch.ts"

/** Records gathered as values. */
export interface LogRecordBatch extends LogBatch {
  readonly records: ReadonlyArray<LogRecord.LogRecord>
}

/** Makes an empty batch. `bytes` is an estimate: two bytes for each character, and a fixed share for each field. */
export const make = (): LogRecordBatch => {
  const records: Array<LogRecord.LogRecord> = []
  let bytes = 0
  return {
    records,
    get count() {
      return records.length
    },
    get bytes() {
      return bytes
    },
    add(record: ReadableLogRecord, maxBytes: number): boolean {
      const data = LogRecord.fromReadable(record)
      const size = 300 + 2 * (data.severityText.length + data.eventName.length) + sizeOfAll(data.attributes) +
        (data.body === undefined ? 0 : sizeOfValue(data.body))
      if (bytes + size > maxBytes) return false
      records.push(data)
      bytes += size
      return true
    }
  }
}
