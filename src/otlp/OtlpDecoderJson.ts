import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import { type ItemBudget, maxValueDepth } from "../internal/itemBudget.ts"
import { JsonReader } from "../internal/jsonReader.ts"
import type { Attributes, AttributeValue } from "../model/Attributes.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { Resource } from "../model/Resource.ts"
import type { SpanData, SpanEventData, SpanLinkData } from "../model/SpanData.ts"
import { fromInt64, kindNames, statusNames } from "./OtlpDecoderProtobuf.ts"

const maxUint64 = 2n ** 64n - 1n
const minInt64 = -(2n ** 63n)
const maxInt64 = 2n ** 63n - 1n

const textDecoder = /* @__PURE__ */ new TextDecoder()

/** A parsed JSON body. Throws `SyntaxError` for what is not JSON. */
export const parse = (body: Uint8Array): JsonReader => new JsonReader(JSON.parse(textDecoder.decode(body)))

/** The spans of an `ExportTraceServiceRequest` in JSON. Throws what the reader throws. */
export const decodeJson = (body: Uint8Array, budget: ItemBudget): ReadonlyArray<SpanData> => {
  const spans: Array<SpanData> = []
  for (const resourceSpans of parse(body).member("resourceSpans").elements()) {
    const resource: Resource = {
      attributes: attributes(resourceSpans.member("resource").member("attributes"), budget, 0),
      ...schemaUrl(resourceSpans)
    }
    for (const scopeSpans of resourceSpans.member("scopeSpans").elements()) {
      const scope = readScope(scopeSpans, budget)
      for (const span of scopeSpans.member("spans").elements()) spans.push(readSpan(span, budget, scope, resource))
    }
  }
  return spans
}

const schemaUrl = (reader: JsonReader): { readonly schemaUrl?: string } => {
  const url = reader.member("schemaUrl").text()
  return url === "" ? {} : { schemaUrl: url }
}

const readScope = (reader: JsonReader, budget: ItemBudget): InstrumentationScope => {
  const scope = reader.member("scope")
  const version = scope.member("version").text()
  const list = scope.member("attributes")
  return {
    name: scope.member("name").text(),
    ...(version === "" ? {} : { version }),
    ...(list.elements().length === 0 ? {} : { attributes: attributes(list, budget, 0) }),
    ...schemaUrl(reader)
  }
}

const readSpan = (
  reader: JsonReader,
  budget: ItemBudget,
  scope: InstrumentationScope,
  resource: Resource
): SpanData => {
  budget.take(reader)
  const flags = reader.member("flags").uint32()
  const start = reader.member("startTimeUnixNano").bigint(0n, maxUint64)
  const end = reader.member("endTimeUnixNano").bigint(0n, maxUint64)
  const parent = reader.member("parentSpanId")
  const status = reader.member("status")
  return {
    traceId: id(reader.member("traceId"), 32),
    spanId: id(reader.member("spanId"), 16),
    parentSpanId: /^0*$/.test(parent.hex()) ? undefined : id(parent, 16),
    parentIsRemote: (flags & 0x200) !== 0,
    traceFlags: flags & 0xff,
    traceState: reader.member("traceState").text(),
    name: reader.member("name").text(),
    kind: named(reader.member("kind"), "SPAN_KIND_", kindNames, "INTERNAL"),
    startTimeUnixNano: start,
    endTimeUnixNano: end < start ? start : end,
    status: {
      code: named(status.member("code"), "STATUS_CODE_", statusNames, "UNSET"),
      message: status.member("message").text()
    },
    attributes: attributes(reader.member("attributes"), budget, 0),
    droppedAttributesCount: reader.member("droppedAttributesCount").uint32(),
    events: reader.member("events").elements().map((event) => readEvent(event, budget)),
    droppedEventsCount: reader.member("droppedEventsCount").uint32(),
    links: reader.member("links").elements().map((link) => readLink(link, budget)),
    droppedLinksCount: reader.member("droppedLinksCount").uint32(),
    scope,
    resource
  }
}

const readEvent = (reader: JsonReader, budget: ItemBudget): SpanEventData => {
  budget.take(reader)
  return {
    name: reader.member("name").text(),
    timeUnixNano: reader.member("timeUnixNano").bigint(0n, maxUint64),
    attributes: attributes(reader.member("attributes"), budget, 0),
    droppedAttributesCount: reader.member("droppedAttributesCount").uint32()
  }
}

const readLink = (reader: JsonReader, budget: ItemBudget): SpanLinkData => {
  budget.take(reader)
  const flags = reader.member("flags").uint32()
  return {
    traceId: id(reader.member("traceId"), 32),
    spanId: id(reader.member("spanId"), 16),
    traceFlags: flags & 0xff,
    isRemote: (flags & 0x200) !== 0,
    traceState: reader.member("traceState").text(),
    attributes: attributes(reader.member("attributes"), budget, 0),
    droppedAttributesCount: reader.member("droppedAttributesCount").uint32()
  }
}

const id = (reader: JsonReader, length: number): string => {
  const hex = reader.hex()
  if (hex.length !== length) reader.fail(`id of ${hex.length} digits, not ${length}`)
  return /^0*$/.test(hex) ? reader.fail("id of zeros") : hex
}

// OTLP writes enumerations as integers; other writers of protobuf's JSON use their names.
const named = <Name extends string>(
  reader: JsonReader,
  prefix: string,
  names: ReadonlyArray<Name>,
  fallback: Name
): Name => {
  if (typeof reader.value !== "string") return names[reader.uint32()] ?? fallback
  const name = reader.value.startsWith(prefix) ? reader.value.slice(prefix.length) : reader.value
  return names.find((known) => known === name) ?? fallback
}

const attributes = (reader: JsonReader, budget: ItemBudget, depth: number): Attributes => {
  const out: Record<string, AttributeValue> = Object.create(null)
  for (const entry of reader.elements()) {
    budget.take(entry)
    out[entry.member("key").text()] = anyValue(entry.member("value"), budget, depth)
  }
  return out
}

const anyValue = (reader: JsonReader, budget: ItemBudget, depth: number): AttributeValue => {
  if (depth > maxValueDepth) reader.fail("values nested too deeply")
  if (reader.isAbsent) return null
  let member = reader.member("stringValue")
  if (!member.isAbsent) return member.text()
  member = reader.member("intValue")
  if (!member.isAbsent) return fromInt64(member.bigint(minInt64, maxInt64))
  member = reader.member("boolValue")
  if (!member.isAbsent) return member.boolean()
  member = reader.member("doubleValue")
  if (!member.isAbsent) return member.double()
  member = reader.member("arrayValue")
  if (!member.isAbsent) {
    return member.member("values").elements().map((item) => {
      budget.take(item)
      return anyValue(item, budget, depth + 1)
    })
  }
  member = reader.member("kvlistValue")
  if (!member.isAbsent) return attributes(member.member("values"), budget, depth + 1)
  member = reader.member("bytesValue")
  return member.isAbsent ? null : bytes(member)
}

// Readers of protobuf's JSON take either alphabet, with or without padding.
const bytes = (reader: JsonReader): Uint8Array => {
  const digits = reader.text().replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "")
  const decoded = Base64.decode(digits.padEnd(Math.ceil(digits.length / 4) * 4, "="))
  return Result.isSuccess(decoded) ? decoded.success : reader.fail("not base64")
}
