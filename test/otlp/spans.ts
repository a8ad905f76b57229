/** Spans for the tests of the wire format: everything the model allows, with the values encoders get wrong. */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import type { AttributeValue } from "../../src/model/Attributes.ts"
import type { InstrumentationScope } from "../../src/model/InstrumentationScope.ts"
import type { ReadableSpan } from "../../src/model/ReadableSpan.ts"
import type { Resource } from "../../src/model/Resource.ts"
import * as SpanData from "../../src/model/SpanData.ts"

const texts: ReadonlyArray<string> = [
  "",
  "a",
  "\u0000\u0001\u001f\u007f",
  "quote \" backslash \\ slash / tab \t line \n\r",
  "\ud800",
  "\udc00 x",
  "x\ud83d",
  "\udc00\ud800",
  "\ud83d\ude00",
  "é",
  "\u2028\u2029\ufeff\uffff",
  "\ufeffbegins with a mark",
  "twenty characters!!!",
  "twenty-one characters",
  "twenty-one charactérs",
  "twenty-one \"character",
  "a lone \ud800 in a text that is longer than short",
  "k".repeat(60),
  "k".repeat(107),
  "k".repeat(108),
  "ascii".repeat(25),
  "ascii".repeat(26),
  "é".repeat(43),
  "é".repeat(64),
  "漢".repeat(30),
  "x".repeat(127),
  "x".repeat(128),
  "x".repeat(4097),
  "漢字😀".repeat(1400),
  "x".repeat(16_384)
]

export const pick = <A>(values: ReadonlyArray<A>): Arbitrary.Arbitrary<A> =>
  Arbitrary.map(
    Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: values.length - 1 }))),
    (i) => values[i]!
  )

/** Draws from one of the given arbitraries; the first is the simplest. */
const oneOf = <A>(...arbitraries: ReadonlyArray<Arbitrary.Arbitrary<A>>): Arbitrary.Arbitrary<A> =>
  Arbitrary.flatMap(pick(arbitraries), (arbitrary) => arbitrary)

export const text: Arbitrary.Arbitrary<string> = oneOf(Arbitrary.schema(Schema.String), pick(texts))

const key: Arbitrary.Arbitrary<string> = Arbitrary.map(
  oneOf(pick(["http.method", "k", "__proto__", "toString"]), text),
  (key) => key === "" ? "empty" : key
)

const scalar: Arbitrary.Arbitrary<AttributeValue> = oneOf<AttributeValue>(
  pick<AttributeValue>([
    true,
    false,
    null,
    0,
    -0,
    1,
    -1,
    127,
    128,
    16_383,
    16_384,
    2_097_152,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    -(2 ** 31) - 1,
    2 ** 32,
    2 ** 53 - 1,
    -(2 ** 53) + 1,
    2 ** 53,
    2 ** 63,
    0.1,
    -1.5,
    1e21,
    5e-324,
    Number.MAX_VALUE,
    NaN,
    Infinity,
    -Infinity,
    0n,
    1n,
    -1n,
    2n ** 53n,
    2n ** 63n - 1n,
    -(2n ** 63n),
    new Uint8Array(0),
    Uint8Array.of(0),
    Uint8Array.of(0, 255),
    Uint8Array.of(1, 2, 3),
    new Uint8Array(200).fill(251)
  ]),
  text,
  Arbitrary.schema(Schema.Number),
  Arbitrary.schema(Schema.Uint8Array)
)

const record = <A>(
  value: Arbitrary.Arbitrary<A>,
  maxLength: number
): Arbitrary.Arbitrary<{ readonly [key: string]: A }> =>
  Arbitrary.map(Arbitrary.array(Arbitrary.all([key, value]), { maxLength }), (entries) => {
    const out: Record<string, A> = Object.create(null)
    for (const [key, value] of entries) out[key] = value
    return out
  })

export const value = (depth: number): Arbitrary.Arbitrary<AttributeValue> =>
  depth === 0 ? scalar : oneOf<AttributeValue>(
    scalar,
    scalar,
    Arbitrary.array(value(depth - 1), { maxLength: 4 }),
    record(value(depth - 1), 4)
  )

export const attributes = record(value(3), 12)

const fewAttributes = record(value(1), 3)

const urls: ReadonlyArray<string | undefined> = [undefined, "https://opentelemetry.io/schemas/1.40.0", "é\ud800"]

export const resource: Arbitrary.Arbitrary<Resource> = Arbitrary.map(
  Arbitrary.all({ attributes: fewAttributes, schemaUrl: pick(urls) }),
  ({ attributes, schemaUrl }) => schemaUrl === undefined ? { attributes } : { attributes, schemaUrl }
)

export const scope: Arbitrary.Arbitrary<InstrumentationScope> = Arbitrary.map(
  Arbitrary.all({ name: text, version: text, attributes: fewAttributes, schemaUrl: pick(urls) }),
  ({ attributes, name, schemaUrl, version }) => ({
    name,
    ...(version === "" ? {} : { version }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
    ...(schemaUrl === undefined ? {} : { schemaUrl })
  })
)

export const time = oneOf(
  pick([0n, 1n, 1_763_800_000_123_456_789n, 2n ** 63n, 2n ** 64n - 1n]),
  Arbitrary.schema(SpanData.UnixNano)
)
export const count = pick([0, 0, 1, 127, 128, 2 ** 31, 2 ** 32 - 1])
export const flags = pick([0, 1, 2, 3, 255])
const traceState = pick(["", "ot=th:8", "vendor=a;b,other=1", `a=${"x".repeat(255)}`])

const event = Arbitrary.all({
  name: text,
  timeUnixNano: time,
  attributes: fewAttributes,
  droppedAttributesCount: count
})

export const ids = Arbitrary.map(
  Arbitrary.schema(SpanData.SpanLinkData),
  ({ isRemote, spanId, traceId }) => ({ isRemote, spanId, traceId })
)

const link = Arbitrary.map(
  Arbitrary.all({
    ids,
    rest: Arbitrary.all({ traceFlags: flags, traceState, attributes: fewAttributes, droppedAttributesCount: count })
  }),
  ({ ids, rest }): SpanData.SpanLinkData => ({ ...ids, ...rest })
)

/** A span without its scope and resource. */
const body = Arbitrary.all({
  ids,
  parentSpanId: Arbitrary.map(Arbitrary.all([ids, pick([true, false])]), ([ids, has]) => has ? ids.spanId : undefined),
  traceFlags: flags,
  traceState,
  name: text,
  kind: pick<SpanData.SpanKind>(["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]),
  times: Arbitrary.all([time, time]),
  status: Arbitrary.all({ code: pick(["UNSET", "OK", "ERROR"] as const), message: text }),
  attributes,
  droppedAttributesCount: count,
  events: Arbitrary.array(event, { maxLength: 3 }),
  droppedEventsCount: count,
  links: Arbitrary.array(link, { maxLength: 3 }),
  droppedLinksCount: count
})

/** Up to twelve spans over up to three scopes and two resources, which they share by identity. */
export const spans: Arbitrary.Arbitrary<ReadonlyArray<SpanData.SpanData>> = Arbitrary.map(
  Arbitrary.all({
    resources: Arbitrary.all([resource, resource]),
    scopes: Arbitrary.all([scope, scope, scope]),
    bodies: Arbitrary.array(Arbitrary.all({ body, resource: pick([0, 1]), scope: pick([0, 1, 2]) }), {
      minLength: 1,
      maxLength: 12
    })
  }),
  ({ bodies, resources, scopes }) =>
    bodies.map(({ body: { ids, times: [one, other], ...body }, resource, scope }) => ({
      ...body,
      traceId: ids.traceId,
      spanId: ids.spanId,
      parentIsRemote: ids.isRemote,
      startTimeUnixNano: one < other ? one : other,
      endTimeUnixNano: one < other ? other : one,
      scope: scopes[scope]!,
      resource: resources[resource]!
    }))
)

const plain = SpanData.toReadable({
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  parentSpanId: undefined,
  parentIsRemote: false,
  traceFlags: 1,
  traceState: "",
  name: "work",
  kind: "INTERNAL",
  startTimeUnixNano: 1_763_800_000_000_000_000n,
  endTimeUnixNano: 1_763_800_000_000_000_001n,
  status: { code: "UNSET", message: "" },
  attributes: {},
  droppedAttributesCount: 0,
  events: [],
  droppedEventsCount: 0,
  links: [],
  droppedLinksCount: 0,
  scope: { name: "test" },
  resource: { attributes: { "service.name": "test" } }
})

/** An ordinary span with some fields set. */
export const make = (fields: Partial<ReadableSpan> = {}): ReadableSpan => ({ ...plain, ...fields })
