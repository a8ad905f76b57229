/** Metrics in binary protobuf (`opentelemetry/proto/metrics/v1/metrics.proto`). */
import { allocate } from "../internal/buffers.ts"
import { ByteWriter } from "../internal/byteWriter.ts"
import { hexToWord } from "../internal/hex.ts"
import type {
  Exemplar,
  ExponentialBuckets,
  ExponentialHistogramPoint,
  HistogramPoint,
  MetricData,
  MetricPoints,
  MetricValue,
  NumberPoint,
  SummaryPoint,
  Temporality
} from "../model/MetricData.ts"
import { group, type OtlpMetricEncoder } from "./OtlpMetricEncoder.ts"
import { memoize } from "./OtlpBuffer.ts"
import { resourceEnvelope, scopeEnvelope, writeAttributes } from "./protobufFormat.ts"

// Tags: field number << 3 | wire type.

const writeText = (writer: ByteWriter, tag: number, text: string): void => {
  if (text === "") return
  writer.byte(tag)
  writer.delimitedUtf8(text)
}

const writeMessage = (writer: ByteWriter, tag: number, write: () => void): void => {
  writer.byte(tag)
  const begun = writer.begin()
  write()
  writer.end(begun)
}

const writeDouble = (writer: ByteWriter, value: number): void => {
  writer.ensure(8)
  writer.view.setFloat64(writer.pos, value, true)
  writer.pos += 8
}

const writeFixed64 = (writer: ByteWriter, value: bigint): void => {
  writer.ensure(8)
  writer.putFixed64(writer.pos, value)
  writer.pos += 8
}

const double = (writer: ByteWriter, tag: number, value: number | undefined): void => {
  if (value === undefined) return
  writer.byte(tag)
  writeDouble(writer, value)
}

const fixed64 = (writer: ByteWriter, tag: number, value: bigint): void => {
  if (value === 0n) return
  writer.byte(tag)
  writeFixed64(writer, value)
}

const count = (writer: ByteWriter, tag: number, value: number): void => fixed64(writer, tag, BigInt(value))

const sint32 = (writer: ByteWriter, tag: number, value: number): void => {
  if (value === 0) return
  writer.byte(tag)
  writer.varint(((value << 1) ^ (value >> 31)) >>> 0)
}

const number = (writer: ByteWriter, doubleTag: number, intTag: number, value: MetricValue): void => {
  if (typeof value === "number") return double(writer, doubleTag, value)
  writer.byte(intTag)
  writeFixed64(writer, value)
}

const times = (
  writer: ByteWriter,
  point: { readonly startTimeUnixNano: bigint; readonly timeUnixNano: bigint }
): void => {
  fixed64(writer, 0x11, point.startTimeUnixNano)
  fixed64(writer, 0x19, point.timeUnixNano)
}

const id = (writer: ByteWriter, tag: number, hex: string | undefined): void => {
  if (hex === undefined) return
  writer.byte(tag)
  writer.byte(hex.length / 2)
  for (let at = 0; at < hex.length; at += 8) {
    writer.ensure(4)
    writer.view.setInt32(writer.pos, hexToWord(hex, at))
    writer.pos += 4
  }
}

const exemplars = (writer: ByteWriter, tag: number, list: ReadonlyArray<Exemplar>): void => {
  for (const exemplar of list) {
    writeMessage(writer, tag, () => {
      fixed64(writer, 0x11, exemplar.timeUnixNano)
      number(writer, 0x19, 0x31, exemplar.value)
      id(writer, 0x22, exemplar.spanId)
      id(writer, 0x2a, exemplar.traceId)
      writeAttributes(writer, 0x3a, exemplar.filteredAttributes)
    })
  }
}

const numberPoint = (writer: ByteWriter, point: NumberPoint): void => {
  times(writer, point)
  number(writer, 0x21, 0x31, point.value)
  exemplars(writer, 0x2a, point.exemplars)
  writeAttributes(writer, 0x3a, point.attributes)
}

const histogramPoint = (writer: ByteWriter, point: HistogramPoint): void => {
  times(writer, point)
  count(writer, 0x21, point.count)
  double(writer, 0x29, point.sum)
  if (point.bucketCounts.length > 0) {
    writeMessage(writer, 0x32, () => point.bucketCounts.forEach((count) => writeFixed64(writer, BigInt(count))))
  }
  if (point.bounds.length > 0) {
    writeMessage(writer, 0x3a, () => point.bounds.forEach((bound) => writeDouble(writer, bound)))
  }
  exemplars(writer, 0x42, point.exemplars)
  writeAttributes(writer, 0x4a, point.attributes)
  double(writer, 0x59, point.min)
  double(writer, 0x61, point.max)
}

const buckets = (writer: ByteWriter, tag: number, { bucketCounts, offset }: ExponentialBuckets): void =>
  writeMessage(writer, tag, () => {
    sint32(writer, 0x08, offset)
    if (bucketCounts.length > 0) {
      writeMessage(writer, 0x12, () => bucketCounts.forEach((count) => writer.varint(count)))
    }
  })

const exponentialPoint = (writer: ByteWriter, point: ExponentialHistogramPoint): void => {
  writeAttributes(writer, 0x0a, point.attributes)
  times(writer, point)
  count(writer, 0x21, point.count)
  double(writer, 0x29, point.sum)
  sint32(writer, 0x30, point.scale)
  count(writer, 0x39, point.zeroCount)
  buckets(writer, 0x42, point.positive)
  buckets(writer, 0x4a, point.negative)
  exemplars(writer, 0x5a, point.exemplars)
  double(writer, 0x61, point.min)
  double(writer, 0x69, point.max)
  if (point.zeroThreshold !== 0 || Object.is(point.zeroThreshold, -0)) double(writer, 0x71, point.zeroThreshold)
}

const summaryPoint = (writer: ByteWriter, point: SummaryPoint): void => {
  times(writer, point)
  count(writer, 0x21, point.count)
  double(writer, 0x29, point.sum)
  for (const { quantile, value } of point.quantiles) {
    writeMessage(writer, 0x32, () => {
      double(writer, 0x09, quantile)
      double(writer, 0x11, value)
    })
  }
  writeAttributes(writer, 0x3a, point.attributes)
}

const temporality = (writer: ByteWriter, value: Temporality): void => {
  writer.byte(0x10)
  writer.byte(value === "delta" ? 1 : 2)
}

const each = <P>(writer: ByteWriter, points: ReadonlyArray<P>, write: (writer: ByteWriter, point: P) => void): void => {
  for (const point of points) {
    writer.byte(0x0a)
    const begun = writer.begin()
    write(writer, point)
    writer.end(begun)
  }
}

const data = (writer: ByteWriter, data: MetricPoints): void => {
  switch (data.type) {
    case "gauge":
      return writeMessage(writer, 0x2a, () => each(writer, data.points, numberPoint))
    case "sum":
      return writeMessage(writer, 0x3a, () => {
        each(writer, data.points, numberPoint)
        temporality(writer, data.temporality)
        if (data.isMonotonic) {
          writer.byte(0x18)
          writer.byte(1)
        }
      })
    case "histogram":
      return writeMessage(writer, 0x4a, () => {
        each(writer, data.points, histogramPoint)
        temporality(writer, data.temporality)
      })
    case "exponentialHistogram":
      return writeMessage(writer, 0x52, () => {
        each(writer, data.points, exponentialPoint)
        temporality(writer, data.temporality)
      })
    case "summary":
      return writeMessage(writer, 0x5a, () => each(writer, data.points, summaryPoint))
  }
}

const metric = (writer: ByteWriter, value: MetricData): void => {
  writeText(writer, 0x0a, value.name)
  writeText(writer, 0x12, value.description)
  writeText(writer, 0x1a, value.unit)
  data(writer, value.data)
}

const resourceOf = /* @__PURE__ */ memoize(resourceEnvelope)
const scopeOf = /* @__PURE__ */ memoize(scopeEnvelope)

/** Writes `ExportMetricsServiceRequest` in binary protobuf. Fields at their default are left out. */
export const encoder: OtlpMetricEncoder = {
  contentType: "application/x-protobuf",
  encode: (metrics) => {
    let points = 0
    for (const { data } of metrics) points += data.points.length
    const writer = new ByteWriter(allocate(1024 + points * 160))
    for (const { resource, scopes } of group(metrics)) {
      const { head, tail } = resourceOf(resource)
      writeMessage(writer, 0x0a, () => {
        writer.raw(head)
        for (const { metrics, scope } of scopes) {
          const { head, tail } = scopeOf(scope)
          writeMessage(writer, 0x12, () => {
            writer.raw(head)
            for (const value of metrics) writeMessage(writer, 0x12, () => metric(writer, value))
            writer.raw(tail)
          })
        }
        writer.raw(tail)
      })
    }
    return writer.bytes.subarray(0, writer.pos)
  }
}
