/** OTLP logs in JSON, written as bytes record by record. It mirrors `OtlpLogProtobuf.ts` field by field. */
import type { ByteWriter } from "../internal/byteWriter.ts"
import { literal, writeHexWord, writeLiteral, writeUnsigned, writeUnsigned64 } from "../internal/jsonBytes.ts"
import { hasTrace, type ReadableLogRecord } from "../model/ReadableLogRecord.ts"
import { closeBrace, count, droppedAttributesField, type FieldNames, JsonFormat, quote, text } from "./jsonFormat.ts"
import { OtlpBuffer } from "./OtlpBuffer.ts"
import type { OtlpLogEncoder } from "./OtlpEncoder.ts"
import { splitJson } from "./splitBody.ts"

// As everywhere in JSON here, members are written with a comma in front.
const recordHead = /* @__PURE__ */ literal(`,{"timeUnixNano":"`)
const observedField = /* @__PURE__ */ literal(`","observedTimeUnixNano":"`)
const severityNumberField = /* @__PURE__ */ literal(`,"severityNumber":`)
const severityTextField = /* @__PURE__ */ literal(`,"severityText":`)
const bodyField = /* @__PURE__ */ literal(`,"body":{`)
const flagsField = /* @__PURE__ */ literal(`,"flags":`)
const traceIdField = /* @__PURE__ */ literal(`,"traceId":"`)
const spanIdField = /* @__PURE__ */ literal(`,"spanId":"`)
const eventNameField = /* @__PURE__ */ literal(`,"eventName":`)

const names: FieldNames = {
  body: `{"resourceLogs":[`,
  scopes: `,"scopeLogs":[`,
  items: `,"logRecords":`
}

class LogJsonFormat extends JsonFormat<ReadableLogRecord> {
  writeItem(writer: ByteWriter, record: ReadableLogRecord): void {
    // Room for times and ids, which are written unchecked, and what stands between them.
    writer.ensure(320)
    writeLiteral(writer, recordHead)
    writeUnsigned64(writer, record.timeUnixNano)
    writeLiteral(writer, observedField)
    writeUnsigned64(writer, record.observedTimeUnixNano)
    writer.byte(quote)
    if (record.severityNumber !== 0) count(writer, severityNumberField, record.severityNumber)
    if (record.traceFlags !== 0) {
      writeLiteral(writer, flagsField)
      writeUnsigned(writer, record.traceFlags & 0xff)
    }
    if (hasTrace(record)) {
      writeLiteral(writer, traceIdField)
      writeHexWord(writer, record.traceId0)
      writeHexWord(writer, record.traceId1)
      writeHexWord(writer, record.traceId2)
      writeHexWord(writer, record.traceId3)
      writer.byte(quote)
    }
    if ((record.spanId0 | record.spanId1) !== 0) {
      writeLiteral(writer, spanIdField)
      writeHexWord(writer, record.spanId0)
      writeHexWord(writer, record.spanId1)
      writer.byte(quote)
    }
    if (record.severityText !== "") text(writer, severityTextField, record.severityText)
    if (record.body !== undefined) {
      writeLiteral(writer, bodyField)
      this.value(writer, record.body)
      writer.byte(closeBrace)
    }
    this.attributes(writer, record.attributeList)
    if (record.droppedAttributesCount !== 0) count(writer, droppedAttributesField, record.droppedAttributesCount)
    if (record.eventName !== "") text(writer, eventNameField, record.eventName)
    writer.byte(closeBrace)
  }
}

/** Makes an encoder that writes JSON, with a cache of its own. */
export const make = (): OtlpLogEncoder => {
  const format = new LogJsonFormat(names)
  return {
    contentType: "application/json",
    makeLogBatch: () => new OtlpBuffer(format),
    merge: (bodies) => format.merge(names, bodies),
    split: (body) => splitJson(body, ["resourceLogs", "scopeLogs", "logRecords"])
  }
}

/** Writes `ExportLogsServiceRequest` in JSON, with the same content as `OtlpLogProtobuf.encoder`. */
export const encoder: OtlpLogEncoder = /* @__PURE__ */ make()
