import type { ReadableSpan as SdkSpan } from "@opentelemetry/sdk-trace-base"
import { assert, describe, it } from "@effect/vitest"
import { createRequire } from "node:module"
import type { AttributeValue } from "../../src/model/Attributes.ts"
import * as SpanData from "../../src/model/SpanData.ts"
import type { OtlpEncoder } from "../../src/otlp/OtlpEncoder.ts"
import * as OtlpJson from "../../src/otlp/OtlpJson.ts"
import * as OtlpProtobuf from "../../src/otlp/OtlpProtobuf.ts"
import { fromJson, fromProtobuf } from "../otlp/official.ts"
import { spans } from "../otlp/spans.ts"

// Their ES modules import without file extensions, which only a bundler resolves.
const { JsonTraceSerializer, ProtobufTraceSerializer } = createRequire(import.meta.url)(
  "@opentelemetry/otlp-transformer"
) as typeof import("@opentelemetry/otlp-transformer")

const encode = (encoder: OtlpEncoder, spans: ReadonlyArray<SpanData.SpanData>): Uint8Array => {
  const batch = encoder.makeSpanBatch()
  for (const span of spans) assert.isTrue(batch.add(SpanData.toReadable(span), Infinity))
  return batch.toBody()
}

// What the SDK cannot express: a bigint (it writes nothing), -0 (it writes 0), and integers beyond 2^53, which it takes
// for exact. In JSON it writes NaN and infinities as null.
const shared = (value: AttributeValue, finite: boolean): AttributeValue => {
  if (typeof value === "bigint" || Object.is(value, -0)) return 0
  if (typeof value === "number") {
    return (Number.isInteger(value) && !Number.isSafeInteger(value)) || (finite && !Number.isFinite(value))
      ? 1.5
      : value
  }
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value
  return Array.isArray(value)
    ? value.map((item) => shared(item, finite))
    : sharedAttributes(value as SpanData.SpanData["attributes"], finite)
}

const sharedAttributes = (attributes: SpanData.SpanData["attributes"], finite: boolean) =>
  // A plain prototype, which their `hasOwnProperty` needs nowhere but users have everywhere.
  Object.fromEntries(
    Object.entries(attributes).filter(([key]) => key !== "__proto__").map((
      [key, value]
    ) => [key, shared(value, finite)])
  )

const sharedSpans = (spans: ReadonlyArray<SpanData.SpanData>, finite: boolean): ReadonlyArray<SpanData.SpanData> => {
  const resources = new Map(spans.map(({ resource }) => [resource, {
    ...resource,
    attributes: sharedAttributes(resource.attributes, finite)
  }]))
  // In JSON the SDK takes scopes of equal name, version and URL for one.
  const scopes = new Map(spans.map(({ scope }, i) => [scope, {
    ...scope,
    name: `${scope.name}${i}`,
    attributes: sharedAttributes(scope.attributes ?? {}, finite)
  }]))
  return spans.map((span) => ({
    ...span,
    attributes: sharedAttributes(span.attributes, finite),
    events: span.events.map((event) => ({ ...event, attributes: sharedAttributes(event.attributes, finite) })),
    links: span.links.map((link) => ({ ...link, attributes: sharedAttributes(link.attributes, finite) })),
    resource: resources.get(span.resource)!,
    scope: scopes.get(span.scope)!
  }))
}

const hrTime = (nanos: bigint): [number, number] => [Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n)]

const kinds = ["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
const codes = ["UNSET", "OK", "ERROR"]

const context = (
  of: { traceId: string; spanId: string; traceFlags: number; traceState: string },
  isRemote: boolean
) => ({
  traceId: of.traceId,
  spanId: of.spanId,
  traceFlags: of.traceFlags,
  isRemote,
  traceState: { serialize: () => of.traceState }
})

const toSdk = (span: SpanData.SpanData): SdkSpan => ({
  name: span.name,
  kind: kinds.indexOf(span.kind),
  spanContext: () => context(span, false),
  parentSpanContext: span.parentSpanId === undefined
    ? undefined
    : { traceId: span.traceId, spanId: span.parentSpanId, traceFlags: 1, isRemote: span.parentIsRemote },
  startTime: hrTime(span.startTimeUnixNano),
  endTime: hrTime(span.endTimeUnixNano),
  status: { code: codes.indexOf(span.status.code), message: span.status.message },
  attributes: span.attributes,
  links: span.links.map((link) => ({ ...link, context: context(link, link.isRemote) })),
  events: span.events.map((event) => ({ ...event, time: hrTime(event.timeUnixNano) })),
  duration: [0, 0],
  ended: true,
  resource: span.resource,
  instrumentationScope: span.scope,
  droppedAttributesCount: span.droppedAttributesCount,
  droppedEventsCount: span.droppedEventsCount,
  droppedLinksCount: span.droppedLinksCount
} as unknown as SdkSpan)

/**
 * An absent status and one at its defaults mean the same; the SDK writes the latter. In JSON it escapes lone surrogates
 * instead of replacing them.
 */
const withStatus = (value: unknown): unknown => {
  if (typeof value === "string") return value.toWellFormed()
  if (Array.isArray(value)) return value.map(withStatus)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, value]) => [
      key,
      key === "status" && value === null ? { message: "", code: 0 } : withStatus(value)
    ])
  )
}

const options = { arbitrary: { runs: 100, size: 20 } }

// A root span has no remote parent for the SDK.
const rooted = (span: SpanData.SpanData): SpanData.SpanData =>
  span.parentSpanId === undefined ? { ...span, parentIsRemote: false } : span

describe("beside the OpenTelemetry SDK's serializers", () => {
  it.prop("our protobuf has the same content in no more bytes", { spans }, ({ spans }) => {
    const given = sharedSpans(spans, false).map(rooted)
    const ours = encode(OtlpProtobuf.encoder, given)
    const theirs = ProtobufTraceSerializer.serializeRequest(given.map(toSdk))!
    assert.deepStrictEqual(withStatus(fromProtobuf(ours)), withStatus(fromProtobuf(theirs)))
    assert.isAtMost(ours.length, theirs.length)
  }, options)

  it.prop("our JSON has the same content", { spans }, ({ spans }) => {
    const given = sharedSpans(spans, true).map(rooted)
    const ours = fromJson(encode(OtlpJson.encoder, given))
    const theirs = fromJson(JsonTraceSerializer.serializeRequest(given.map(toSdk))!)
    assert.deepStrictEqual(withStatus(ours), withStatus(theirs))
  }, options)
})
