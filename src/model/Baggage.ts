/**
 * Baggage: values that travel with a request through all processes (`baggage/api.md`, W3C Baggage).
 *
 * **Gotchas**
 *
 * Baggage goes to the services of the private network that are called, and to whoever `propagateBaggageTo` names, as plain
 * text. It is no place for secrets.
 */
import { dual } from "effect/Function"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as percent from "../internal/percent.ts"

/** A property of an entry: a key, or a key and a value. It has a meaning only to those who agreed on one. */
export interface BaggageProperty {
  readonly key: string
  readonly value?: string | undefined
}

/** What is stored under a key. */
export interface BaggageEntry {
  readonly value: string
  readonly properties: ReadonlyArray<BaggageProperty>
}

/** Entries by key, in order. An immutable value: the functions of this module return a new one. */
export type Baggage = ReadonlyMap<string, BaggageEntry>

/** Bounds of the header, over all its lines together (W3C Baggage, section 3.3.2). */
export interface BaggageLimits {
  /** Most entries. Default 64. */
  readonly members: number
  /** Most bytes. Default 8192. */
  readonly bytes: number
}

/** The bounds up to which the specification requires that baggage is passed on. */
export const defaultLimits: BaggageLimits = { members: 64, bytes: 8192 }

/** Baggage without entries. */
export const empty: Baggage = new Map()

/** Makes baggage of plain values, or of entries with properties. Empty keys are left out. */
export const make = (
  entries: Readonly<
    Record<string, string | { readonly value: string; readonly properties?: ReadonlyArray<BaggageProperty> }>
  >
): Baggage => {
  const baggage = new Map<string, BaggageEntry>()
  for (const key of Object.keys(entries)) {
    const entry = entries[key]!
    if (key === "") continue
    baggage.set(
      key,
      typeof entry === "string"
        ? { value: entry, properties: [] }
        : { value: entry.value, properties: entry.properties ?? [] }
    )
  }
  return baggage
}

/** The value of `key`, or `undefined`. */
export const get: {
  (key: string): (self: Baggage) => string | undefined
  (self: Baggage, key: string): string | undefined
} = dual(2, (self: Baggage, key: string): string | undefined => self.get(key)?.value)

/** Sets `key`, replacing value and properties it had. An empty key changes nothing. */
export const set: {
  (key: string, value: string, properties?: ReadonlyArray<BaggageProperty>): (self: Baggage) => Baggage
  (self: Baggage, key: string, value: string, properties?: ReadonlyArray<BaggageProperty>): Baggage
} = dual(
  (args) => typeof args[0] !== "string",
  (self: Baggage, key: string, value: string, properties: ReadonlyArray<BaggageProperty> = []): Baggage =>
    key === "" ? self : new Map(self).set(key, { value, properties })
)

/** Removes `key`. */
export const remove: {
  (key: string): (self: Baggage) => Baggage
  (self: Baggage, key: string): Baggage
} = dual(2, (self: Baggage, key: string): Baggage => {
  if (!self.has(key)) return self
  const baggage = new Map(self)
  baggage.delete(key)
  return baggage
})

/** The entries of both; where both have a key, that of `that` wins. */
export const merge: {
  (that: Baggage): (self: Baggage) => Baggage
  (self: Baggage, that: Baggage): Baggage
} = dual(2, (self: Baggage, that: Baggage): Baggage => new Map([...self, ...that]))

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

const trim = (text: string, from: number, to: number): string => {
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

// `undefined` for what is no `key [= value]`.
const readPair = (text: string): BaggageProperty | undefined => {
  const equals = text.indexOf("=")
  if (equals < 0) return percent.isToken(text) ? { key: text } : undefined
  const key = trim(text, 0, equals)
  const value = trim(text, equals + 1, text.length)
  return percent.isToken(key) && percent.isBaggageValue(value) ? { key, value: percent.decode(value) } : undefined
}

const readMember = (text: string): readonly [string, BaggageEntry] | undefined => {
  const semicolon = text.indexOf(";")
  const pair = readPair(trim(text, 0, semicolon < 0 ? text.length : semicolon))
  if (pair?.value === undefined) return undefined
  const properties: Array<BaggageProperty> = []
  if (semicolon >= 0) {
    for (const part of text.slice(semicolon + 1).split(";")) {
      const property = readPair(trim(part, 0, part.length))
      if (property !== undefined) properties.push(property)
    }
  }
  return [pair.key, { value: pair.value, properties }]
}

/**
 * Reads one or several lines of the `baggage` header.
 *
 * **Details**
 *
 * Values are percent-decoded; bytes that are not UTF-8 become U+FFFD; keys are taken as they are. A member or property
 * that is not well-formed is left out, the others stay. Of a repeated key the last member wins. Reading stops where a
 * limit is met, counted over all lines together; a member is taken whole or not at all. Blanks around members do not
 * count, so that lines which a server joined are read like lines; of them and all else twice the limit is looked at.
 */
export const parse = (lines: string | ReadonlyArray<string>, limits: BaggageLimits = defaultLimits): Baggage => {
  const baggage = new Map<string, BaggageEntry>()
  let { bytes, members } = limits
  let unseen = 2 * limits.bytes + 1
  for (const line of typeof lines === "string" ? [lines] : lines) {
    // What lies beyond is not even searched for its comma.
    const isCut = line.length > unseen
    const text = isCut ? line.slice(0, unseen) : line
    for (let at = 0; at < text.length;) {
      const comma = text.indexOf(",", at)
      if (comma < 0 && isCut) return baggage
      const end = comma < 0 ? text.length : comma
      const member = trim(text, at, end)
      if (member.length > bytes || members <= 0) return baggage
      const entry = member === "" ? undefined : readMember(member)
      if (entry !== undefined) {
        members--
        baggage.set(entry[0], entry[1])
      }
      bytes -= member.length + 1
      at = end + 1
    }
    if (isCut) return baggage
    unseen -= line.length
  }
  return baggage
}

const writePair = ({ key, value }: BaggageProperty, encode: (text: string) => string): string | undefined =>
  !percent.isToken(key) ? undefined : value === undefined ? key : `${key}=${encode(value)}`

// The header, and whether an entry was too large for it.
const write = (
  self: Baggage,
  limits: BaggageLimits,
  encode: (text: string) => string
): readonly [header: string, isWhole: boolean] => {
  let header = ""
  let members = 0
  let isWhole = true
  for (const [key, entry] of self) {
    if (members >= limits.members) break
    // Encoding never shortens, so what is too long already need not be encoded.
    let size = header.length + entry.value.length
    let member = size > limits.bytes ? "" : writePair({ key, value: entry.value }, encode)
    if (member === undefined) continue
    if (member !== "") {
      for (const property of entry.properties) {
        const text = writePair(property, encode)
        if (text !== undefined) member += `;${text}`
      }
      size = header.length + (header === "" ? 0 : 1) + member.length
    }
    if (size > limits.bytes) {
      isWhole = false
      continue
    }
    header = header === "" ? member : `${header},${member}`
    members++
  }
  return [header, isWhole]
}

/**
 * Writes the `baggage` header; `""` when there is nothing to write.
 *
 * **Details**
 *
 * Values are percent-encoded UTF-8: all but letters, digits and `-./_~` are escaped, or, where the header would not fit
 * so, no more than must be; what was received within the limits always fits. An entry whose key is no HTTP token cannot
 * be written and is left out, as is such a property. Entries are written in order until a limit is met, each whole or
 * not at all; one that is too large does not keep a later, smaller one from being written.
 */
export const toHeader = (self: Baggage, limits: BaggageLimits = defaultLimits): string => {
  const [header, isWhole] = write(self, limits, percent.encode)
  return isWhole ? header : write(self, limits, percent.encodeTight)[0]
}

/** {@link Baggage} as JSON has it. */
export type BaggageEncoded = { readonly [key: string]: BaggageEntry }

const Entry = Schema.Struct({
  value: Schema.String,
  properties: Schema.Array(Schema.Struct({ key: Schema.NonEmptyString, value: Schema.optional(Schema.String) }))
})

/** Schema of {@link Baggage}; encoded, it is an object of entries by key. */
export const Baggage: Schema.Codec<Baggage, BaggageEncoded> = Schema.Record(Schema.String, Entry).pipe(
  Schema.decodeTo(
    Schema.ReadonlyMap(Schema.NonEmptyString, Schema.toType(Entry)),
    SchemaTransformation.transform<Baggage, BaggageEncoded>({
      decode: (record) => new Map(Object.entries(record)),
      encode: (baggage) => Object.fromEntries(baggage)
    })
  )
)
