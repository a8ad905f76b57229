/**
 * Encoding 512 spans with 10 attributes each: this library beside the OpenTelemetry SDK's serializers, interleaved.
 *
 * The attributes are those of a web service: some values repeat (method, route, host), some never do (URL, user, query).
 * Ours is measured as the exporter uses it: a batch is made, each span is added, and the body is taken.
 */
import { SpanKind, SpanStatusCode } from "@opentelemetry/api"
import { JsonTraceSerializer, ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer"
import { resourceFromAttributes } from "@opentelemetry/resources"
import type { ReadableSpan as SdkSpan } from "@opentelemetry/sdk-trace-base"
import * as OtlpJson from "effect-telemetry/otlp/OtlpJson"
import type { OtlpEncoder } from "effect-telemetry/otlp/OtlpEncoder"
import * as OtlpProtobuf from "effect-telemetry/otlp/OtlpProtobuf"
import type { AttributeList } from "effect-telemetry/model/Attributes"
import type { ReadableSpan } from "effect-telemetry/model/ReadableSpan"

const spanCount = 512
const rounds = Number(process.argv[2] ?? 240)
const repeats = 1

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0")
const random = (): number => (Math.random() * 0x100000000) | 0

const resourceAttributes = {
  "service.name": "shop",
  "service.version": "1.4.2",
  "service.instance.id": "0b1e0e0a-6f0b-4c55-9a3e-5a0a3b7c9d11",
  "telemetry.sdk.language": "nodejs"
}
const resource = { attributes: resourceAttributes }
const sdkResource = resourceFromAttributes(resourceAttributes)
const scope = { name: "shop/http", version: "1.0.0" }

const methods = ["GET", "POST", "PUT"]
const routes = ["/orders/:id", "/carts/:id/items", "/products/search", "/health", "/users/:id/addresses"]

// A program's span names are few and constant.
const names = Array.from({ length: 15 }, (_, i) => `${methods[i % 3]} ${routes[i % 5]}`)

const attributesOf = (i: number): Record<string, string | number | boolean> => ({
  "http.request.method": methods[i % 3]!,
  "http.route": routes[i % 5]!,
  "url.full": `https://shop.example.com/orders/${1_000_000 + i * 7919}/items?page=${i % 17}`,
  "http.response.status_code": i % 11 === 0 ? 404 : 200,
  "server.address": "shop.example.com",
  "server.port": 8443,
  "user.id": `user-${(i * 2_654_435_761 >>> 0).toString(36)}`,
  "cache.hit": i % 3 === 0,
  "order.total": 12.5 + i / 7,
  "db.query.text": `SELECT * FROM orders WHERE id = ${1_000_000 + i * 7919} AND status = 'open' LIMIT 10`
})

/** The fields of a span of this library, and the same span as the SDK holds it. */
const make = (i: number): { readonly ours: ReadableSpan; readonly theirs: SdkSpan } => {
  const ids = Array.from({ length: 8 }, random)
  const traceId = hex(ids[0]!) + hex(ids[1]!) + hex(ids[2]!) + hex(ids[3]!)
  const spanId = hex(ids[4]!) + hex(ids[5]!)
  const parentSpanId = hex(ids[6]!) + hex(ids[7]!)
  const seconds = 1_763_800_000 + i
  const nanos = 123_456_789 + i
  const attributes = attributesOf(i)
  const name = names[i % 15]!
  const failed = i % 11 === 0
  const ours: ReadableSpan = {
    traceId,
    spanId,
    parentSpanId,
    traceId0: ids[0]!,
    traceId1: ids[1]!,
    traceId2: ids[2]!,
    traceId3: ids[3]!,
    spanId0: ids[4]!,
    spanId1: ids[5]!,
    parentSpanId0: ids[6]!,
    parentSpanId1: ids[7]!,
    parentIsRemote: true,
    traceFlags: 1,
    traceState: "",
    name,
    kind: "server",
    startTimeUnixNano: BigInt(seconds) * 1_000_000_000n + BigInt(nanos),
    endTimeUnixNano: BigInt(seconds) * 1_000_000_000n + BigInt(nanos + 4_200_000),
    statusCode: failed ? "ERROR" : "UNSET",
    statusMessage: failed ? "not found" : "",
    attributeList: Object.entries(attributes).flat() as AttributeList,
    droppedAttributesCount: 0,
    eventList: [],
    droppedEventsCount: 0,
    linkList: [],
    droppedLinksCount: 0,
    scope,
    resource
  }
  const context = { traceId, spanId, traceFlags: 1 }
  const theirs = {
    name,
    kind: SpanKind.SERVER,
    spanContext: () => context,
    parentSpanContext: { traceId, spanId: parentSpanId, traceFlags: 1, isRemote: true },
    startTime: [seconds, nanos],
    endTime: [seconds, nanos + 4_200_000],
    status: failed ? { code: SpanStatusCode.ERROR, message: "not found" } : { code: SpanStatusCode.UNSET },
    attributes,
    links: [],
    events: [],
    duration: [0, 4_200_000],
    ended: true,
    resource: sdkResource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0
  } as unknown as SdkSpan
  return { ours, theirs }
}

const encode = (encoder: OtlpEncoder, spans: ReadonlyArray<ReadableSpan>): { body: Uint8Array; held: number } => {
  const batch = encoder.makeSpanBatch()
  for (const span of spans) {
    if (!batch.add(span, Infinity)) throw new Error("the span did not fit")
  }
  return { body: batch.toBody(), held: batch.bytes }
}

interface Contender {
  readonly name: string
  readonly run: (spans: ReadonlyArray<ReturnType<typeof make>>) => Uint8Array
  readonly times: Array<number>
  bytes: number
}

const contender = (name: string, run: Contender["run"]): Contender => ({ name, run, times: [], bytes: 0 })

let held = 0
const contenders = [
  contender(
    "OpenTelemetry SDK protobuf",
    (spans) => ProtobufTraceSerializer.serializeRequest(spans.map((s) => s.theirs))!
  ),
  contender("effect-telemetry protobuf", (spans) => {
    const result = encode(OtlpProtobuf.encoder, spans.map((s) => s.ours))
    held = result.held
    return result.body
  }),
  contender("OpenTelemetry SDK JSON", (spans) => JsonTraceSerializer.serializeRequest(spans.map((s) => s.theirs))!),
  contender("effect-telemetry JSON", (spans) => encode(OtlpJson.encoder, spans.map((s) => s.ours)).body)
]

let sum = 0
for (let round = 0; round < rounds; round++) {
  // New spans in each round, so that no contender meets a string for the second time.
  const batches = Array.from(
    { length: repeats },
    (_, r) => Array.from({ length: spanCount }, (_, i) => make((round * repeats + r) * spanCount + i))
  )
  for (let c = 0; c < contenders.length; c++) {
    const contender = contenders[(c + round) % contenders.length]!
    const start = process.hrtime.bigint()
    for (const spans of batches) {
      const body = contender.run(spans)
      sum += body[body.length >>> 1]!
      contender.bytes = body.length
    }
    const took = Number(process.hrtime.bigint() - start)
    if (round >= rounds / 4) contender.times.push(took / (spanCount * repeats))
  }
}

const row = (c: Contender) => {
  const times = c.times.toSorted((a, b) => a - b)
  return { min: times[0]!, median: times[times.length >>> 1]!, bytes: c.bytes / spanCount }
}
console.log(`${spanCount} spans x 10 attributes, Node ${process.versions.node}, ${rounds} rounds`)
for (let i = 0; i < contenders.length; i += 2) {
  const [theirs, ours] = [row(contenders[i]!), row(contenders[i + 1]!)]
  for (const [name, r] of [[contenders[i]!.name, theirs], [contenders[i + 1]!.name, ours]] as const) {
    console.log(
      `${name.padEnd(28)} min ${r.min.toFixed(0).padStart(6)} ns/span   median ${
        r.median.toFixed(0).padStart(6)
      } ns/span   `
        + `${r.bytes.toFixed(1)} bytes/span`
    )
  }
  console.log(
    `  ratio ${(theirs.min / ours.min).toFixed(1)}x at the minimum, ${
      (theirs.median / ours.median).toFixed(1)
    }x at the median`
  )
}
console.log(`memory held in a protobuf batch: ${(held / spanCount).toFixed(1)} bytes/span (checksum ${sum % 997})`)
