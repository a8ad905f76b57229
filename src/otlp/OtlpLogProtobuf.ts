/**
 * OTLP logs in binary protobuf (`opentelemetry/proto/logs/v1/logs.proto`), written in one pass, without an object between
 * a record and its bytes.
 */
import { concat } from "../internal/buffers.ts"
import type { ByteWriter } from "../internal/byteWriter.ts"
import { hasTrace, type ReadableLogRecord } from "../model/ReadableLogRecord.ts"
import { OtlpBuffer } from "./OtlpBuffer.ts"
import type { OtlpLogEncoder } from "./OtlpEncoder.ts"
import { endItem, ProtobufFormat, writeValue } from "./protobufFormat.ts"
import { splitProtobuf } from "./splitBody.ts"

// Tags: field number << 3 | wire type. The name says the message, then the field.
const scopeLogsLogRecord = 0x12
const logRecordAttribute = 0x32

class LogProtobufFormat extends ProtobufFormat<ReadableLogRecord> {
  writeItem(writer: ByteWriter, record: ReadableLogRecord): void {
    writer.ensure(96)
    const { bytes, view } = writer
    const from = writer.pos
    let pos = from
    bytes[pos] = scopeLogsLogRecord
    // The length of most records takes two bytes.
    bytes[pos + 3] = 0x09
    writer.putFixed64(pos + 4, record.timeUnixNano)
    bytes[pos + 12] = 0x59
    writer.putFixed64(pos + 13, record.observedTimeUnixNano)
    pos += 21
    if (record.severityNumber !== 0) {
      bytes[pos] = 0x10
      bytes[pos + 1] = record.severityNumber & 0x7f
      pos += 2
    }
    if (record.traceFlags !== 0) {
      bytes[pos] = 0x45
      view.setInt32(pos + 1, record.traceFlags & 0xff, true)
      pos += 5
    }
    if (hasTrace(record)) {
      bytes[pos] = 0x4a
      bytes[pos + 1] = 16
      view.setInt32(pos + 2, record.traceId0)
      view.setInt32(pos + 6, record.traceId1)
      view.setInt32(pos + 10, record.traceId2)
      view.setInt32(pos + 14, record.traceId3)
      pos += 18
    }
    if ((record.spanId0 | record.spanId1) !== 0) {
      bytes[pos] = 0x52
      bytes[pos + 1] = 8
      view.setInt32(pos + 2, record.spanId0)
      view.setInt32(pos + 6, record.spanId1)
      pos += 10
    }
    writer.pos = pos
    const begun = from + 3 - writer.mark

    if (record.severityText !== "") {
      writer.byte(0x1a)
      writer.delimitedUtf8(record.severityText)
    }
    if (record.body !== undefined) {
      writer.byte(0x2a)
      const any = writer.begin()
      writeValue(writer, record.body)
      writer.end(any)
    }
    this.attributes(writer, logRecordAttribute, record.attributeList)
    if (record.droppedAttributesCount !== 0) this.count(writer, 0x38, record.droppedAttributesCount)
    if (record.eventName !== "") {
      writer.byte(0x62)
      writer.delimitedUtf8(record.eventName)
    }
    endItem(writer, begun)
  }
}

/** Makes an encoder that writes binary protobuf, with a cache of its own. */
export const make = (): OtlpLogEncoder => {
  const format = new LogProtobufFormat()
  return {
    contentType: "application/x-protobuf",
    makeLogBatch: () => new OtlpBuffer(format),
    // Messages of one type, one behind the other, are their sum: repeated fields add up.
    merge: (bodies) => concat(bodies),
    split: splitProtobuf
  }
}

/**
 * Writes `ExportLogsServiceRequest` in binary protobuf.
 *
 * **Details**
 *
 * Values are written as `OtlpProtobuf.encoder` writes them. Fields at their default are left out, but for the two times.
 */
export const encoder: OtlpLogEncoder = /* @__PURE__ */ make()
