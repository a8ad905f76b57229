/** A request body that was encoded before, taken apart in two without a span being read. */
import { concat } from "../internal/buffers.ts"
import { ProtobufReader } from "../internal/protobufReader.ts"
import { randomWord } from "../internal/random.ts"
import type { EncodedBody } from "./OtlpEncoder.ts"

type Halves = readonly [EncodedBody, EncodedBody]

/** Two lists with the members of one, the first `count` of them in the first. */
type Cut<A> = readonly [A, A]

const varint = (value: number): Uint8Array => {
  const bytes: Array<number> = []
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80)
  return Uint8Array.of(...bytes, value)
}

/** A field of wire type 2. */
const framed = (field: number, content: Uint8Array): Uint8Array =>
  concat([Uint8Array.of((field << 3) | 2), varint(content.length), content])

/** The fields of a message: those numbered `field` by their contents, all others as they are. */
const partsOf = (message: Uint8Array, field: number) => {
  const members: Array<Uint8Array> = []
  const others: Array<Uint8Array> = []
  const reader = ProtobufReader.of(message)
  for (let start = 0; reader.next(); start = reader.pos) {
    if (reader.field === field && reader.wire === 2) members.push(reader.slice())
    else {
      reader.skip()
      others.push(message.subarray(start, reader.pos))
    }
  }
  return { members, others: concat(others) }
}

/** The message with as many spans as are wanted, and the one with the rest; a half without spans is empty. */
type Cutter = (message: Uint8Array, wanted: number) => { readonly halves: Cut<Uint8Array>; readonly count: number }

const spansOfScope: Cutter = (scope, wanted) => {
  const { members, others } = partsOf(scope, 2)
  const half = (spans: ReadonlyArray<Uint8Array>): Uint8Array =>
    spans.length === 0 ? new Uint8Array(0) : concat([others, ...spans.map((span) => framed(2, span))])
  return { halves: [half(members.slice(0, wanted)), half(members.slice(wanted))], count: members.length }
}

const within = (field: number, inner: Cutter): Cutter => (message, wanted) => {
  const { members, others } = partsOf(message, field)
  const halves: [Array<Uint8Array>, Array<Uint8Array>] = [[], []]
  let count = 0
  for (const member of members) {
    const cut = inner(member, Math.max(0, wanted - count))
    count += cut.count
    cut.halves.forEach((half, i) => half.length > 0 && halves[i]!.push(framed(field, half)))
  }
  const whole = (parts: ReadonlyArray<Uint8Array>): Uint8Array =>
    parts.length === 0 ? new Uint8Array(0) : concat([others, ...parts])
  return { halves: [whole(halves[0]), whole(halves[1])], count }
}

const request = /* @__PURE__ */ within(1, /* @__PURE__ */ within(2, spansOfScope))

const inHalves = (
  cut: (wanted: number) => { readonly halves: Cut<Uint8Array>; readonly count: number }
): Halves | undefined => {
  try {
    const { count } = cut(0)
    if (count < 2) return undefined
    const first = Math.ceil(count / 2)
    const { halves } = cut(first)
    return [{ body: halves[0], count: first }, { body: halves[1], count: count - first }]
  } catch {
    // It is not what an encoder of ours has written.
    return undefined
  }
}

/** The halves of an `ExportTraceServiceRequest` in protobuf; `undefined` where it holds one span, or cannot be read. */
export const splitProtobuf = (body: Uint8Array): Halves | undefined => inHalves((wanted) => request(body, wanted))

interface JsonScope {
  readonly spans: ReadonlyArray<unknown>
}
interface JsonResource {
  readonly scopeSpans: ReadonlyArray<JsonScope>
}

/** `JSON.stringify` with -0, which JSON has and it has not. */
const stringify = (value: unknown): string => {
  // A text that nobody can have foreseen.
  const mark = `-0 ${randomWord()} ${randomWord()}`
  return JSON.stringify(value, (_key, inner: unknown) => Object.is(inner, -0) ? mark : inner)
    .replaceAll(`"${mark}"`, "-0")
}

/** {@link splitProtobuf} for JSON. */
export const splitJson = (body: Uint8Array): Halves | undefined =>
  inHalves((wanted) => {
    const { resourceSpans } = JSON.parse(new TextDecoder().decode(body)) as {
      readonly resourceSpans: ReadonlyArray<JsonResource>
    }
    let count = 0
    const halves: [Array<JsonResource>, Array<JsonResource>] = [[], []]
    for (const resource of resourceSpans) {
      const scopes: [Array<JsonScope>, Array<JsonScope>] = [[], []]
      for (const scope of resource.scopeSpans) {
        const first = Math.max(0, wanted - count)
        count += scope.spans.length
        const parts = [scope.spans.slice(0, first), scope.spans.slice(first)]
        parts.forEach((spans, i) => spans.length > 0 && scopes[i]!.push({ ...scope, spans }))
      }
      scopes.forEach((own, i) => own.length > 0 && halves[i]!.push({ ...resource, scopeSpans: own }))
    }
    const write = (half: ReadonlyArray<JsonResource>): Uint8Array =>
      new TextEncoder().encode(stringify({ resourceSpans: half }))
    return { halves: [write(halves[0]), write(halves[1])], count }
  })
