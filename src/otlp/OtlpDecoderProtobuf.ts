import { wordToHex } from "../internal/hex.ts"
import { type ItemBudget, maxValueDepth } from "../internal/itemBudget.ts"
import { ProtobufReader } from "../internal/protobufReader.ts"
import type { Attributes, AttributeValue } from "../model/Attributes.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { StatusCode } from "../model/ReadableSpan.ts"
import type { Resource } from "../model/Resource.ts"
import type { SpanData, SpanEventData, SpanKind, SpanLinkData, SpanStatus } from "../model/SpanData.ts"

/** `SpanKind` by number; 0 is unspecified. */
export const kindNames: ReadonlyArray<SpanKind> = ["INTERNAL", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]

/** `Status.StatusCode` by number. */
export const statusNames: ReadonlyArray<StatusCode> = ["UNSET", "OK", "ERROR"]

/** An integer as an attribute value: a number where that is exact. */
export const fromInt64 = (value: bigint): number | bigint => {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** The spans of an `ExportTraceServiceRequest`. Throws what the reader throws. */
export const decodeProtobuf = (body: Uint8Array, budget: ItemBudget): ReadonlyArray<SpanData> => {
  const spans: Array<SpanData> = []
  const reader = ProtobufReader.of(body)
  while (reader.next()) {
    if (reader.field === 1) resourceSpans(reader.message(), budget, spans)
    else reader.skip()
  }
  return spans
}

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

// Fields may come in any order, so what all spans share is made first and filled when it appears.
const resourceSpans = (reader: ProtobufReader, budget: ItemBudget, spans: Array<SpanData>): void => {
  const resource: Mutable<Resource> = { attributes: emptyAttributes() }
  while (reader.next()) {
    if (reader.field === 1) {
      const message = reader.message()
      while (message.next()) {
        if (message.field === 1) keyValue(message.message(), budget, resource.attributes, 0)
        else message.skip()
      }
    } else if (reader.field === 2) scopeSpans(reader.message(), budget, resource, spans)
    else if (reader.field === 3) resource.schemaUrl = reader.text()
    else reader.skip()
  }
}

const scopeSpans = (
  reader: ProtobufReader,
  budget: ItemBudget,
  resource: Resource,
  spans: Array<SpanData>
): void => {
  const scope: Mutable<InstrumentationScope> = { name: "" }
  while (reader.next()) {
    if (reader.field === 1) readScope(reader.message(), budget, scope)
    else if (reader.field === 2) spans.push(span(reader.message(), budget, scope, resource))
    else if (reader.field === 3) scope.schemaUrl = reader.text()
    else reader.skip()
  }
}

const readScope = (reader: ProtobufReader, budget: ItemBudget, scope: Mutable<InstrumentationScope>): void => {
  while (reader.next()) {
    if (reader.field === 1) scope.name = reader.text()
    else if (reader.field === 2) scope.version = reader.text()
    else if (reader.field === 3) keyValue(reader.message(), budget, scope.attributes ??= emptyAttributes(), 0)
    else reader.skip()
  }
}

const span = (
  reader: ProtobufReader,
  budget: ItemBudget,
  scope: InstrumentationScope,
  resource: Resource
): SpanData => {
  budget.take(reader)
  const events: Array<SpanEventData> = []
  const links: Array<SpanLinkData> = []
  const attributes = emptyAttributes()
  const out: Mutable<SpanData> = {
    traceId: "",
    spanId: "",
    parentSpanId: undefined,
    parentIsRemote: false,
    traceFlags: 0,
    traceState: "",
    name: "",
    kind: "INTERNAL",
    startTimeUnixNano: 0n,
    endTimeUnixNano: 0n,
    status: unset,
    attributes,
    droppedAttributesCount: 0,
    events,
    droppedEventsCount: 0,
    links,
    droppedLinksCount: 0,
    scope,
    resource
  }
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        out.traceId = id(reader, 16)
        break
      case 2:
        out.spanId = id(reader, 8)
        break
      case 3:
        out.traceState = reader.text()
        break
      case 4:
        out.parentSpanId = optionalId(reader)
        break
      case 5:
        out.name = reader.text()
        break
      case 6:
        out.kind = kindNames[reader.varint32()] ?? "INTERNAL"
        break
      case 7:
        out.startTimeUnixNano = reader.fixed64()
        break
      case 8:
        out.endTimeUnixNano = reader.fixed64()
        break
      case 9:
        keyValue(reader.message(), budget, attributes, 0)
        break
      case 10:
        out.droppedAttributesCount = reader.varint32()
        break
      case 11:
        events.push(event(reader.message(), budget))
        break
      case 12:
        out.droppedEventsCount = reader.varint32()
        break
      case 13:
        links.push(link(reader.message(), budget))
        break
      case 14:
        out.droppedLinksCount = reader.varint32()
        break
      case 15:
        out.status = status(reader.message())
        break
      case 16: {
        const flags = reader.fixed32()
        out.traceFlags = flags & 0xff
        out.parentIsRemote = (flags & 0x200) !== 0
        break
      }
      default:
        reader.skip()
    }
  }
  if (out.traceId === "") reader.fail("span without trace_id")
  if (out.spanId === "") reader.fail("span without span_id")
  if (out.endTimeUnixNano < out.startTimeUnixNano) out.endTimeUnixNano = out.startTimeUnixNano
  return out
}

const unset: SpanStatus = { code: "UNSET", message: "" }

const status = (reader: ProtobufReader): SpanStatus => {
  let code: StatusCode = "UNSET"
  let message = ""
  while (reader.next()) {
    if (reader.field === 2) message = reader.text()
    else if (reader.field === 3) code = statusNames[reader.varint32()] ?? "UNSET"
    else reader.skip()
  }
  return { code, message }
}

const event = (reader: ProtobufReader, budget: ItemBudget): SpanEventData => {
  budget.take(reader)
  const attributes = emptyAttributes()
  const out: Mutable<SpanEventData> = { name: "", timeUnixNano: 0n, attributes, droppedAttributesCount: 0 }
  while (reader.next()) {
    if (reader.field === 1) out.timeUnixNano = reader.fixed64()
    else if (reader.field === 2) out.name = reader.text()
    else if (reader.field === 3) keyValue(reader.message(), budget, attributes, 0)
    else if (reader.field === 4) out.droppedAttributesCount = reader.varint32()
    else reader.skip()
  }
  return out
}

const link = (reader: ProtobufReader, budget: ItemBudget): SpanLinkData => {
  budget.take(reader)
  const attributes = emptyAttributes()
  const out: Mutable<SpanLinkData> = {
    traceId: "",
    spanId: "",
    traceFlags: 0,
    isRemote: false,
    traceState: "",
    attributes,
    droppedAttributesCount: 0
  }
  while (reader.next()) {
    if (reader.field === 1) out.traceId = id(reader, 16)
    else if (reader.field === 2) out.spanId = id(reader, 8)
    else if (reader.field === 3) out.traceState = reader.text()
    else if (reader.field === 4) keyValue(reader.message(), budget, attributes, 0)
    else if (reader.field === 5) out.droppedAttributesCount = reader.varint32()
    else if (reader.field === 6) {
      const flags = reader.fixed32()
      out.traceFlags = flags & 0xff
      out.isRemote = (flags & 0x200) !== 0
    } else reader.skip()
  }
  if (out.traceId === "" || out.spanId === "") reader.fail("link without ids")
  return out
}

const isZero = (hex: string): boolean => /^0*$/.test(hex)

const hexOf = (bytes: Uint8Array): string => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let hex = ""
  for (let i = 0; i < bytes.length; i += 4) hex += wordToHex(view.getInt32(i))
  return hex
}

const id = (reader: ProtobufReader, size: number): string => {
  const bytes = reader.slice()
  if (bytes.length !== size) reader.fail(`id of ${bytes.length} bytes, not ${size}`)
  const hex = hexOf(bytes)
  return isZero(hex) ? reader.fail("id of zeros") : hex
}

const optionalId = (reader: ProtobufReader): string | undefined => {
  const bytes = reader.slice()
  if (bytes.length === 0) return undefined
  if (bytes.length !== 8) reader.fail(`id of ${bytes.length} bytes, not 8`)
  const hex = hexOf(bytes)
  return isZero(hex) ? undefined : hex
}

const emptyAttributes = (): Record<string, AttributeValue> => Object.create(null)

const keyValue = (reader: ProtobufReader, budget: ItemBudget, attributes: Attributes, depth: number): void => {
  let key = ""
  let value: AttributeValue = null
  while (reader.next()) {
    if (reader.field === 1) key = reader.text()
    else if (reader.field === 2) value = anyValue(reader.message(), budget, depth)
    else reader.skip()
  }
  ;(attributes as Record<string, AttributeValue>)[key] = value
  budget.take(reader)
}

const anyValue = (reader: ProtobufReader, budget: ItemBudget, depth: number): AttributeValue => {
  if (depth > maxValueDepth) reader.fail("values nested too deeply")
  let value: AttributeValue = null
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        value = reader.text()
        break
      case 2:
        value = reader.varint32() !== 0
        break
      case 3:
        value = fromInt64(reader.int64())
        break
      case 4:
        value = reader.double()
        break
      case 5:
        value = array(reader.message(), budget, depth)
        break
      case 6:
        value = map(reader.message(), budget, depth)
        break
      case 7:
        value = new Uint8Array(reader.slice())
        break
      default:
        reader.skip()
    }
  }
  return value
}

const array = (reader: ProtobufReader, budget: ItemBudget, depth: number): ReadonlyArray<AttributeValue> => {
  const items: Array<AttributeValue> = []
  while (reader.next()) {
    if (reader.field === 1) {
      budget.take(reader)
      items.push(anyValue(reader.message(), budget, depth + 1))
    } else reader.skip()
  }
  return items
}

const map = (reader: ProtobufReader, budget: ItemBudget, depth: number): Attributes => {
  const entries = emptyAttributes()
  while (reader.next()) {
    if (reader.field === 1) keyValue(reader.message(), budget, entries, depth + 1)
    else reader.skip()
  }
  return entries
}
