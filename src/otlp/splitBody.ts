/** A request body that was encoded before, taken apart in two without an item being read. */
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

/** The message with as many items as are wanted, and the one with the rest; a half without items is empty. */
type Cutter = (message: Uint8Array, wanted: number) => { readonly halves: Cut<Uint8Array>; readonly count: number }

const itemsOfScope: Cutter = (scope, wanted) => {
  const { members, others } = partsOf(scope, 2)
  const half = (items: ReadonlyArray<Uint8Array>): Uint8Array =>
    items.length === 0 ? new Uint8Array(0) : concat([others, ...items.map((item) => framed(2, item))])
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

const request = /* @__PURE__ */ within(1, /* @__PURE__ */ within(2, itemsOfScope))

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

/**
 * The halves of an `ExportTraceServiceRequest` or `ExportLogsServiceRequest` in protobuf, of which the field numbers are the
 * same; `undefined` where it holds one item, or cannot be read.
 */
export const splitProtobuf = (body: Uint8Array): Halves | undefined => inHalves((wanted) => request(body, wanted))

/** `JSON.stringify` with -0, which JSON has and it has not. */
const stringify = (value: unknown): string => {
  // A text that nobody can have foreseen.
  const mark = `-0 ${randomWord()} ${randomWord()}`
  return JSON.stringify(value, (_key, inner: unknown) => Object.is(inner, -0) ? mark : inner)
    .replaceAll(`"${mark}"`, "-0")
}

type JsonObject = { readonly [key: string]: unknown }
type JsonList = ReadonlyArray<JsonObject>

/** {@link splitProtobuf} for JSON, with the names of the lists of resources, of scopes and of items. */
export const splitJson = (
  body: Uint8Array,
  [resources, scopes, items]: readonly [string, string, string]
): Halves | undefined =>
  inHalves((wanted) => {
    const request = JSON.parse(new TextDecoder().decode(body)) as JsonObject
    let count = 0
    const halves: [Array<JsonObject>, Array<JsonObject>] = [[], []]
    for (const resource of request[resources] as JsonList) {
      const parts: [Array<JsonObject>, Array<JsonObject>] = [[], []]
      for (const scope of resource[scopes] as JsonList) {
        const all = scope[items] as JsonList
        const first = Math.max(0, wanted - count)
        count += all.length
        const cut = [all.slice(0, first), all.slice(first)]
        cut.forEach((part, i) => part.length > 0 && parts[i]!.push({ ...scope, [items]: part }))
      }
      parts.forEach((own, i) => own.length > 0 && halves[i]!.push({ ...resource, [scopes]: own }))
    }
    const write = (half: JsonList): Uint8Array => new TextEncoder().encode(stringify({ [resources]: half }))
    return { halves: [write(halves[0]), write(halves[1])], count }
  })
