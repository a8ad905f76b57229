/** The same 512 ended spans with ten attributes for both encoders; made new for each sample, outside of what is timed. */
import { SpanKind, SpanStatusCode } from "@opentelemetry/api"
import { resourceFromAttributes } from "@opentelemetry/resources"
import type { ReadableSpan as SdkSpan } from "@opentelemetry/sdk-trace-base"
import type { AttributeList } from "effect-telemetry/model/Attributes"
import type { ReadableSpan } from "effect-telemetry/model/ReadableSpan"
import { tenAttributes } from "./tenAttributes.ts"

export const spanCount = 512

const resourceAttributes = {
  "service.name": "shop",
  "service.version": "1.4.2",
  "service.instance.id": "0b1e0e0a-6f0b-4c55-9a3e-5a0a3b7c9d11",
  "telemetry.sdk.language": "nodejs"
}
const resource = { attributes: resourceAttributes }
const sdkResource = resourceFromAttributes(resourceAttributes)
const scope = { name: "shop/http", version: "1.0.0" }

const random = (): number => (Math.random() * 0x100000000) | 0
const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0")

// A program's span names are few and constant.
const names = Array.from({ length: 15 }, (_, i) => `GET /route/${i}`)

const isFailed = (i: number): boolean => i % 11 === 0
const seconds = (i: number): number => 1_763_800_000 + i
const nanos = (i: number): number => 123_456_789 + (i % 1000)
const duration = 4_200_000

const ours = (i: number): ReadableSpan => ({
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
  endTimeUnixNano: BigInt(seconds(i)) * 1_000_000_000n + BigInt(nanos(i) + duration),
  statusCode: isFailed(i) ? "ERROR" : "UNSET",
  statusMessage: isFailed(i) ? "not found" : "",
  attributeList: Object.entries(tenAttributes(i)).flat() as AttributeList,
  droppedAttributesCount: 0,
  eventList: [],
  droppedEventsCount: 0,
  linkList: [],
  droppedLinksCount: 0,
  scope,
  resource
})

const theirs = (i: number): SdkSpan => {
  const traceId = hex(random()) + hex(random()) + hex(random()) + hex(random())
  const context = { traceId, spanId: hex(random()) + hex(random()), traceFlags: 1 }
  return {
    name: names[i % 15]!,
    kind: SpanKind.SERVER,
    spanContext: () => context,
    parentSpanContext: { traceId, spanId: hex(random()) + hex(random()), traceFlags: 1, isRemote: true },
    startTime: [seconds(i), nanos(i)],
    endTime: [seconds(i), nanos(i) + duration],
    status: isFailed(i)
      ? { code: SpanStatusCode.ERROR, message: "not found" }
      : { code: SpanStatusCode.UNSET },
    attributes: tenAttributes(i),
    links: [],
    events: [],
    duration: [0, duration],
    ended: true,
    resource: sdkResource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0
  } as unknown as SdkSpan
}

let made = 0

const makeAll = <A>(make: (i: number) => A): Array<A> => Array.from({ length: spanCount }, () => make(made++))

/** Spans as this library has them. */
export const ourSpans = (): Array<ReadableSpan> => makeAll(ours)

/** The same as the OpenTelemetry SDK has them. */
export const sdkSpans = (): Array<SdkSpan> => makeAll(theirs)
