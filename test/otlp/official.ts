/**
 * The decoder of the OpenTelemetry project (protobufjs, generated from opentelemetry-proto, as `otlp-transformer` shipped
 * it until 0.213), and what it must see, built from a span by the plainest code there is.
 */
import type * as SpanData from "../../src/model/SpanData.ts"
import type * as LogRecord from "../../src/model/LogRecord.ts"
import type { AttributeValue } from "../../src/model/Attributes.ts"
import { createRequire } from "node:module"

interface MessageType {
  decode(bytes: Uint8Array): object
  verify(message: object): string | null
  fromObject(object: object): object
  toObject(message: object, options: object): object
  encode(message: object): { finish(): Uint8Array }
}

const require = createRequire(import.meta.url)
const generated = require.resolve("otlp-transformer-protobufjs/build/src/generated/root.js")

// protobufjs looks for `long` in a way that a test runner hides; without it 64-bit integers lose their last digits.
const requireTheirs = createRequire(generated)
const protobufjs = requireTheirs("protobufjs/minimal")
const long = createRequire(requireTheirs.resolve("protobufjs/minimal"))("long")
protobufjs.util.Long = long.default ?? long
protobufjs.configure()

const proto = require(generated).opentelemetry.proto.collector

export const Request: MessageType = proto.trace.v1.ExportTraceServiceRequest
export const Response: MessageType = proto.trace.v1.ExportTraceServiceResponse
const LogsRequest: MessageType = proto.logs.v1.ExportLogsServiceRequest
const MetricsRequest: MessageType = proto.metrics.v1.ExportMetricsServiceRequest

// 64-bit integers as exact decimal text, bytes as base64, absent fields at their default, so that nothing hides.
const toObject = (type: MessageType, message: object): object =>
  unsigned(type.toObject(message, { longs: String, bytes: String, defaults: true })) as object

// protobufjs 7 reads all 64 bits of a fixed64 and then takes them for a signed number.
const unsigned = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(unsigned)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, value]) => [
      key,
      key.endsWith("TimeUnixNano") || key === "timeUnixNano"
        ? String(BigInt.asUintN(64, BigInt(value as string)))
        : unsigned(value)
    ])
  )
}

/** A protobuf body as a plain object. */
export const fromProtobuf = (body: Uint8Array): object => toObject(Request, Request.decode(body))

/** {@link fromProtobuf} for logs. */
export const logsFromProtobuf = (body: Uint8Array): object => toObject(LogsRequest, LogsRequest.decode(body))

/** {@link fromProtobuf} for metrics. */
export const metricsFromProtobuf = (body: Uint8Array): object => toObject(MetricsRequest, MetricsRequest.decode(body))

export const base64 = (hex: string): string => Buffer.from(hex, "hex").toString("base64")

/** A JSON body as a plain object: hex ids become bytes, then the official message type takes over. */
export const fromJson = (body: Uint8Array): object => read(Request, body)

/** {@link fromJson} for logs. */
export const logsFromJson = (body: Uint8Array): object => read(LogsRequest, body)

/** {@link fromJson} for metrics. */
export const metricsFromJson = (body: Uint8Array): object => read(MetricsRequest, body)

const read = (type: MessageType, body: Uint8Array): object => {
  const json = JSON.parse(
    new TextDecoder("utf-8", { fatal: true }).decode(body),
    (key, value) =>
      (key === "traceId" || key === "spanId" || key === "parentSpanId") && typeof value === "string"
        ? base64(value)
        : value
  )
  return toObject(type, type.fromObject(json))
}

/** What the official decoder makes of nothing but a kind of value: all other fields of `AnyValue` stay unset. */
const anyValue = (value: AttributeValue): object => {
  switch (typeof value) {
    case "string":
      return { stringValue: value.toWellFormed() }
    case "boolean":
      return { boolValue: value }
    case "bigint":
      return { intValue: String(value) }
    case "number":
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? { intValue: String(value) } : { doubleValue: value }
  }
  if (value === null) return {}
  if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString("base64") }
  return Array.isArray(value)
    ? { arrayValue: { values: value.map(anyValue) } }
    : { kvlistValue: { values: keyValues(value as SpanData.SpanData["attributes"]) } }
}

export const keyValues = (attributes: SpanData.SpanData["attributes"]): Array<object> =>
  Object.entries(attributes).map(([key, value]) => ({ key: key.toWellFormed(), value: anyValue(value) }))

const flags = (traceFlags: number, isRemote: boolean): number => traceFlags + 0x100 + (isRemote ? 0x200 : 0)

const kinds: ReadonlyArray<SpanData.SpanKind> = ["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
const codes = ["UNSET", "OK", "ERROR"]

const spanObject = (span: SpanData.SpanData): object => ({
  traceId: base64(span.traceId),
  spanId: base64(span.spanId),
  traceState: span.traceState,
  parentSpanId: base64(span.parentSpanId ?? ""),
  name: span.name.toWellFormed(),
  kind: kinds.indexOf(span.kind) + 1,
  startTimeUnixNano: String(span.startTimeUnixNano),
  endTimeUnixNano: String(span.endTimeUnixNano),
  attributes: keyValues(span.attributes),
  droppedAttributesCount: span.droppedAttributesCount,
  events: span.events.map((event) => ({
    timeUnixNano: String(event.timeUnixNano),
    name: event.name.toWellFormed(),
    attributes: keyValues(event.attributes),
    droppedAttributesCount: event.droppedAttributesCount
  })),
  droppedEventsCount: span.droppedEventsCount,
  links: span.links.map((link) => ({
    traceId: base64(link.traceId),
    spanId: base64(link.spanId),
    traceState: link.traceState,
    attributes: keyValues(link.attributes),
    droppedAttributesCount: link.droppedAttributesCount,
    flags: flags(link.traceFlags, link.isRemote)
  })),
  droppedLinksCount: span.droppedLinksCount,
  status: span.status.code === "UNSET" && span.status.message === ""
    ? null
    : { message: span.status.message.toWellFormed(), code: codes.indexOf(span.status.code) },
  flags: flags(span.traceFlags, span.parentIsRemote)
})

export const distinct = <A>(values: ReadonlyArray<A>): ReadonlyArray<A> => [...new Set(values)]

const logObject = (record: LogRecord.LogRecord): object => ({
  timeUnixNano: String(record.timeUnixNano),
  observedTimeUnixNano: String(record.observedTimeUnixNano),
  severityNumber: record.severityNumber,
  severityText: record.severityText.toWellFormed(),
  body: record.body === undefined ? null : anyValue(record.body),
  attributes: keyValues(record.attributes),
  droppedAttributesCount: record.droppedAttributesCount,
  flags: record.traceFlags,
  traceId: base64(record.traceId ?? ""),
  spanId: base64(record.spanId ?? ""),
  eventName: record.eventName.toWellFormed()
})

interface Grouped {
  readonly resource: SpanData.SpanData["resource"]
  readonly scope: SpanData.SpanData["scope"]
}

const grouped = <Item extends Grouped>(
  list: ReadonlyArray<Item>,
  names: readonly [resources: string, scopes: string, items: string],
  object: (item: Item) => object
): object => ({
  [names[0]]: distinct(list.map((item) => item.resource)).map((resource) => {
    const ofResource = list.filter((item) => item.resource === resource)
    return {
      resource: { attributes: keyValues(resource.attributes), droppedAttributesCount: 0, entityRefs: [] },
      [names[1]]: distinct(ofResource.map((item) => item.scope)).map((scope) => ({
        scope: {
          name: scope.name.toWellFormed(),
          version: (scope.version ?? "").toWellFormed(),
          attributes: keyValues(scope.attributes ?? {}),
          droppedAttributesCount: 0
        },
        [names[2]]: ofResource.filter((item) => item.scope === scope).map(object),
        schemaUrl: (scope.schemaUrl ?? "").toWellFormed()
      })),
      schemaUrl: (resource.schemaUrl ?? "").toWellFormed()
    }
  })
})

/** The request that holds `spans`, grouped by the identity of resource and scope in order of appearance. */
export const expected = (spans: ReadonlyArray<SpanData.SpanData>): object =>
  grouped(spans, ["resourceSpans", "scopeSpans", "spans"], spanObject)

/** {@link expected} for log records. */
export const expectedLogs = (records: ReadonlyArray<LogRecord.LogRecord>): object =>
  grouped(records, ["resourceLogs", "scopeLogs", "logRecords"], logObject)
