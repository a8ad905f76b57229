/**
 * Encoding 512 spans with 10 attributes each: this library beside the OpenTelemetry SDK's serializers, interleaved.
 *
 * Two workloads: "constant" has the same ten values on every span, as the SDK's own benchmark does; "mixed" has those of a
 * web service, of which some repeat (method, route, host) and some never do (URL, user, query). Spans are made new for
 * each run, outside of what is measured.
 */
import { SpanKind, SpanStatusCode } from "@opentelemetry/api"
import { type ISerializer, JsonTraceSerializer, ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer"
import { resourceFromAttributes } from "@opentelemetry/resources"
import type { ReadableSpan as SdkSpan } from "@opentelemetry/sdk-trace-base"
import * as OtlpJson from "effect-telemetry/otlp/OtlpJson"
import type { OtlpEncoder } from "effect-telemetry/otlp/OtlpEncoder"
import * as OtlpProtobuf from "effect-telemetry/otlp/OtlpProtobuf"
import type { AttributeList } from "effect-telemetry/model/Attributes"
import type { ReadableSpan } from "effect-telemetry/model/ReadableSpan"

const spanCount = 512
const rounds = Number(process.argv[2] ?? 400)

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

type Attributes = Record<string, string | number | boolean>

const mixed = (i: number): Attributes => ({
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

const constant = (): Attributes => ({
  "http.request.method": "GET",
  "http.route": "/orders/:id",
  "url.full": "https://shop.example.com/orders/1000000/items?page=7",
  "http.response.status_code": 200,
  "server.address": "shop.example.com",
  "server.port": 8443,
  "user.id": "user-1b3f9k",
  "cache.hit": true,
  "order.total": 12.5,
  "db.system.name": "postgresql"
})

const isFailed = (i: number): boolean => i % 11 === 0
const seconds = (i: number): number => 1_763_800_000 + i
const nanos = (i: number): number => 123_456_789 + (i % 1000)

const makeOurs = (attributes: (i: number) => Attributes) => (i: number): ReadableSpan => ({
  traceId: "",
  spanId: "",
  parentSpanId: "",
  traceId0: random(),
  traceId1: random(),
  traceId2: random(),
  traceId3: random(),
  spanId0: random(),
  spanId1: random(),
  parentSpanId0: random(),
  parentSpanId1: random(),
  parentIsRemote: true,
  traceFlags: 1,
  traceState: "",
  name: names[i % 15]!,
  kind: "server",
  startTimeUnixNano: BigInt(seconds(i)) * 1_000_000_000n + BigInt(nanos(i)),
  endTimeUnixNano: BigInt(seconds(i)) * 1_000_000_000n + BigInt(nanos(i) + 4_200_000),
  statusCode: isFailed(i) ? "ERROR" : "UNSET",
  statusMessage: isFailed(i) ? "not found" : "",
  attributeList: Object.entries(attributes(i)).flat() as AttributeList,
  droppedAttributesCount: 0,
  eventList: [],
  droppedEventsCount: 0,
  linkList: [],
  droppedLinksCount: 0,
  scope,
  resource
})

const makeTheirs = (attributesOf: (i: number) => Attributes) => (i: number): SdkSpan => {
  const traceId = hex(random()) + hex(random()) + hex(random()) + hex(random())
  const context = { traceId, spanId: hex(random()) + hex(random()), traceFlags: 1 }
  return {
    name: names[i % 15]!,
    kind: SpanKind.SERVER,
    spanContext: () => context,
    parentSpanContext: { traceId, spanId: hex(random()) + hex(random()), traceFlags: 1, isRemote: true },
    startTime: [seconds(i), nanos(i)],
    endTime: [seconds(i), nanos(i) + 4_200_000],
    status: isFailed(i)
      ? { code: SpanStatusCode.ERROR, message: "not found" }
      : { code: SpanStatusCode.UNSET },
    attributes: attributesOf(i),
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
}

interface Contender {
  readonly name: string
  /** Makes 512 spans, numbered from `first`, and returns what encodes them. */
  readonly prepare: (first: number) => () => Uint8Array
  readonly times: Array<number>
  bytes: number
}

const makeAll = <A>(first: number, make: (i: number) => A): Array<A> =>
  Array.from({ length: spanCount }, (_, i) => make(first + i))

let held = 0

const ours = (name: string, encoder: OtlpEncoder, attributes: (i: number) => Attributes): Contender => ({
  name,
  prepare: (first) => {
    const spans = makeAll(first, makeOurs(attributes))
    return () => {
      const batch = encoder.makeSpanBatch()
      for (const span of spans) {
        if (!batch.add(span, Infinity)) throw new Error("the span did not fit")
      }
      held = batch.bytes
      return batch.toBody()
    }
  },
  times: [],
  bytes: 0
})

const theirs = (
  name: string,
  serializer: ISerializer<Array<SdkSpan>, unknown>,
  attributes: (i: number) => Attributes
): Contender => ({
  name,
  prepare: (first) => {
    const spans = makeAll(first, makeTheirs(attributes))
    return () => serializer.serializeRequest(spans)!
  },
  times: [],
  bytes: 0
})

const contenders = [constant, mixed].flatMap((attributes) => [
  theirs(`SDK protobuf, ${attributes.name}`, ProtobufTraceSerializer, attributes),
  ours(`ours protobuf, ${attributes.name}`, OtlpProtobuf.encoder, attributes),
  theirs(`SDK JSON, ${attributes.name}`, JsonTraceSerializer, attributes),
  ours(`ours JSON, ${attributes.name}`, OtlpJson.encoder, attributes)
])

let sum = 0
for (let round = 0; round < rounds; round++) {
  for (let c = 0; c < contenders.length; c++) {
    const contender = contenders[(c + round) % contenders.length]!
    const run = contender.prepare(round * spanCount)
    const start = process.hrtime.bigint()
    const body = run()
    const took = Number(process.hrtime.bigint() - start)
    sum += body[body.length >>> 1]!
    contender.bytes = body.length
    if (round >= rounds / 4) contender.times.push(took / spanCount)
  }
}

const quantile = (times: ReadonlyArray<number>, q: number): number =>
  times.toSorted((a, b) => a - b)[Math.floor(times.length * q)]!

console.log(`${spanCount} spans x 10 attributes, Node ${process.versions.node}, ${rounds} rounds, ns per span`)
for (let i = 0; i < contenders.length; i += 2) {
  const [theirs, ours] = [contenders[i]!, contenders[i + 1]!]
  for (const { bytes, name, times } of [theirs, ours]) {
    console.log(
      `${name.padEnd(24)} min ${quantile(times, 0).toFixed(0).padStart(6)}   median ${
        quantile(times, 0.5).toFixed(0).padStart(6)
      }   ${(bytes / spanCount).toFixed(1)} bytes`
    )
  }
  const ratio = (q: number): string => (quantile(theirs.times, q) / quantile(ours.times, q)).toFixed(1)
  console.log(`${" ".repeat(24)} ratio ${ratio(0)}   median ${ratio(0.5)}`)
}

contenders[5]!.prepare(0)()
console.log(`memory held in a protobuf batch: ${(held / spanCount).toFixed(1)} bytes per span (checksum ${sum % 997})`)
