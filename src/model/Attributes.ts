/**
 * Attribute values as the OpenTelemetry specification has them (`common/README.md#anyvalue`), and the one way in which
 * any JavaScript value becomes one.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as json from "../internal/attributeJson.ts"
import {
  hasProperKeys,
  isNormal,
  isNormalRecord,
  isPlain,
  isWithinDepth,
  maxDepth,
  maxInt64,
  minInt64,
  normalize
} from "../internal/normalize.ts"

/**
 * An attribute value: string, boolean, 64-bit integer or double, bytes, null, or an array or string-keyed map of those.
 *
 * **Details**
 *
 * A `number` that is a safe integer is an OTLP `int_value`; any other number is a `double_value`. A `bigint` is an
 * `int_value` and lies within the signed 64-bit range.
 */
export type AttributeValue =
  | string
  | boolean
  | number
  | bigint
  | null
  | Uint8Array
  | ReadonlyArray<AttributeValue>
  | { readonly [key: string]: AttributeValue }

/** Attributes by key. */
export type Attributes = { readonly [key: string]: AttributeValue }

/**
 * Attributes as a span holds them: keys at even, values at odd positions, each key once. A list is a third of the cost
 * of a `Map` to build and needs no iterator to encode.
 */
export type AttributeList = Array<AttributeValue>

/**
 * An attribute value as JSON has it.
 *
 * **Details**
 *
 * Strings, booleans, null, arrays and finite numbers are themselves. What JSON lacks is an object of one key: `int` (a
 * bigint, in decimal), `bytes` (base64), `double` (`NaN`, `Infinity`, `-Infinity`, `-0`), `map` (a map).
 */
export type AttributeValueEncoded =
  | string
  | boolean
  | number
  | null
  | { readonly int: string }
  | { readonly bytes: string }
  | { readonly double: "NaN" | "Infinity" | "-Infinity" | "-0" }
  | { readonly map: { readonly [key: string]: AttributeValueEncoded } }
  | ReadonlyArray<AttributeValueEncoded>

/** {@link Attributes} as JSON has them. */
export type AttributesEncoded = { readonly [key: string]: AttributeValueEncoded }

// A declaration, since a filter on a record sees only what the record made of its input, which is always plain.
const plainRecord = (
  record: Schema.Codec<Attributes>,
  allows: (value: object) => boolean,
  expected: string
): Schema.Codec<Attributes> =>
  Schema.declareConstructor<Attributes>()(
    [record],
    ([record]) => (input, ast, options) =>
      typeof input === "object" && input !== null && allows(input)
        ? SchemaParser.decodeUnknownEffect(record)(input, options)
        : Effect.fail(new SchemaIssue.InvalidType(ast, input, options)),
    {
      expected,
      toCodecArbitrary: ({ typeParameters: [record] }) =>
        Schema.link<Attributes>()(record, SchemaTransformation.passthrough())
    }
  )

const Value: Schema.Codec<AttributeValue> = Schema.Union([
  Schema.String,
  Schema.Boolean,
  Schema.Number,
  Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: minInt64, maximum: maxInt64 })),
  Schema.Null,
  Schema.Uint8Array,
  Schema.Array(Schema.suspend((): Schema.Codec<AttributeValue> => Value)),
  plainRecord(
    Schema.Record(Schema.String, Schema.suspend((): Schema.Codec<AttributeValue> => Value)),
    isPlain,
    "a plain object"
  )
])

const ShallowValue = Value.check(Schema.makeFilter<AttributeValue>((value) => isWithinDepth(value, maxDepth), {
  expected: "a value nested 256 deep at most"
}))

const ValueEncoded: Schema.Codec<AttributeValueEncoded> = Schema.declare<AttributeValueEncoded>(
  (value): value is AttributeValueEncoded => json.decode(value, maxDepth) !== undefined,
  { expected: "an attribute value in JSON" }
)

/**
 * Schema of {@link AttributeValue}; encoded, it is an {@link AttributeValueEncoded}.
 *
 * **Gotchas**
 *
 * Arrays and maps nest 256 deep at most. Checking a cyclic value overflows the stack; {@link isAttributeValue} does not.
 */
export const AttributeValue: Schema.Codec<AttributeValue, AttributeValueEncoded> = ValueEncoded.pipe(Schema.decodeTo(
  ShallowValue,
  SchemaTransformation.transform<AttributeValue, AttributeValueEncoded>({
    decode: (value) => json.decode(value, maxDepth) as AttributeValue,
    encode: (value) => json.encode(value) as AttributeValueEncoded
  })
))

/** Schema of {@link Attributes}: a plain object of values whose keys are not empty. */
export const Attributes: Schema.Codec<Attributes, AttributesEncoded> = Schema.Record(Schema.String, ValueEncoded).pipe(
  Schema.decodeTo(
    plainRecord(
      Schema.Record(Schema.NonEmptyString, ShallowValue),
      hasProperKeys,
      "a plain object without empty keys"
    ),
    SchemaTransformation.transform<Attributes, AttributesEncoded>({
      decode: (attributes) => json.decodeRecord(attributes, maxDepth) as Attributes,
      encode: (attributes) => json.encodeRecord(attributes) as AttributesEncoded
    })
  )
)

/** Whether `value` is an {@link AttributeValue} as it stands: what the Schema accepts, without its cost. Never throws. */
export const isAttributeValue = (value: unknown): value is AttributeValue => isNormal(value)

/** Whether `value` is {@link Attributes} as it stands: what the Schema accepts, without its cost. Never throws. */
export const isAttributes = (value: unknown): value is Attributes => isNormalRecord(value)

/** Bounds of a collection of attributes. `Infinity` means no bound. */
export interface AttributeLimits {
  /** Most keys that are kept; further new keys are dropped and counted. Default 128. */
  readonly count: number
  /** Most UTF-16 code units of a string, most bytes of a byte value. Default `Infinity`. */
  readonly valueLength: number
  /** Deepest nesting of arrays and maps; deeper values become `null`. Default 64. */
  readonly depth: number
}

/** The specification's default limits (`common/README.md#attribute-limits`). */
export const defaultLimits: AttributeLimits = { count: 128, valueLength: Infinity, depth: 64 }

/** For what is not bounded: resources, and what has been bounded elsewhere. */
export const noLimits: AttributeLimits = { count: Infinity, valueLength: Infinity, depth: 64 }

/**
 * What any value becomes as an attribute, or `undefined` for "not set".
 *
 * **Details**
 *
 * Never throws, and yields a value that {@link isAttributeValue} accepts. Strings are cut at `limits.valueLength` UTF-16
 * code units (no surrogate pair is split), byte values at as many bytes. A bigint outside 64 bits becomes its decimal
 * text; a symbol, its description; a `Date` or `DateTime`, ISO 8601; a `Duration`, its text, as in `1s 500ms`; an
 * `Option`, what it holds; an `Error`, `name: message`; a URL or regular expression, its text. Buffers and views of bytes
 * are copied. A `Set` or a typed array is an array; a `Map`, or an object without `toJSON`, a map of its own enumerable
 * keys; an object with `toJSON`, what that returns.
 *
 * `undefined` and functions are not set; within an array they are `null`. A cycle, or an array or map deeper than
 * `limits.depth` (256 at most), is `null`. What throws when looked at is the text `<unserializable>`. Arrays and maps
 * hold 10,000 entries at most, nested ones included; the others are left out.
 *
 * A `Redacted` is the text `<redacted>`, wherever it is nested; another `Redactable` is what it shows of itself.
 */
export const fromUnknown: (value: unknown, limits?: AttributeLimits) => AttributeValue | undefined = (
  value,
  limits = defaultLimits
) => normalize(value, limits.valueLength, limits.depth) as AttributeValue | undefined

// Of the kind of array that holds anything, so that it does not change its kind as it is filled.
const template: AttributeList = /* @__PURE__ */ ["", ""].slice(2)

/**
 * A list without attributes.
 *
 * **Details**
 *
 * A copy, since the engine learns where an array literal stands in the code how long its arrays live. Where many were
 * alive at once it makes all further ones among the old objects (`allocation-site-pretenuring`), and what they hold is
 * collected with the whole heap only.
 */
export const makeList = (): AttributeList => template.slice()

/** The position of `key` in `list`, or -1. */
export const indexOf = (list: AttributeList, key: string): number => {
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === key) return i
  }
  return -1
}

// From this many entries on, a list that is being filled is searched by an index of its keys; shorter ones are searched
// faster as they are. One index, of the list that was filled last: a span gets its attributes in one go.
const indexedLength = 32
const index = { list: undefined as AttributeList | undefined, length: 0, positions: new Map<string, number>() }

const positionOf = (list: AttributeList, key: string): number => {
  if (list.length < indexedLength) return indexOf(list, key)
  if (index.list !== list || index.length !== list.length) {
    index.list = list
    index.length = list.length
    index.positions.clear()
    for (let i = 0; i < list.length; i += 2) index.positions.set(list[i] as string, i)
  }
  return index.positions.get(key) ?? -1
}

const append = (list: AttributeList, key: string, value: AttributeValue): void => {
  const length = list.push(key, value)
  if (index.list !== list) return
  if (index.length === length - 2) {
    index.positions.set(key, length - 2)
    index.length = length
  } else {
    index.list = undefined
  }
}

/** The value of `key` in `list`, or `undefined`. */
export const get = (list: AttributeList, key: string): AttributeValue | undefined => {
  const position = indexOf(list, key)
  return position < 0 ? undefined : list[position + 1]
}

/**
 * Sets `key` in `list` within `limits`. Returns `false` when the value was dropped because the list is full.
 *
 * **Details**
 *
 * A key that is present is overwritten, whatever the limit. An empty key is ignored, as are values that
 * {@link fromUnknown} does not set.
 */
export const set = (list: AttributeList, key: string, value: unknown, limits: AttributeLimits): boolean =>
  put(list, key, value, limits, true)

// `isSearched` is false where `key` is known to be new to the list.
const put = (
  list: AttributeList,
  key: string,
  value: unknown,
  limits: AttributeLimits,
  isSearched: boolean
): boolean => {
  if (key === "") return true
  const isPlain = typeof value === "string"
    ? value.length <= limits.valueLength
    : typeof value === "number" || typeof value === "boolean"
  const normal = isPlain ? value as AttributeValue : fromUnknown(value, limits)
  if (normal === undefined) return true
  const position = isSearched ? positionOf(list, key) : -1
  if (position >= 0) {
    list[position + 1] = normal
    return true
  }
  if (list.length >= limits.count * 2) return false
  append(list, key, normal)
  return true
}

const bare = {}

/** Whether `for in` yields more than an object's own keys, since somebody has put enumerable ones on `Object.prototype`. */
const isPrototypeExtended = (): boolean => {
  for (const _ in bare) return true
  return false
}

/** {@link set}s the own enumerable keys of `record`, less what throws when it is read. Returns how many were dropped. */
export const setAll = (
  list: AttributeList,
  record: Readonly<Record<string, unknown>>,
  limits: AttributeLimits
): number => {
  let dropped = 0
  // The keys of a record differ: as long as the list holds nothing else, none has to be looked for.
  let own = 0
  try {
    if (Object.getPrototypeOf(record) === Object.prototype && !isPrototypeExtended()) {
      // All keys are its own. The engine reads what it enumerates here by position, several times faster than by name.
      for (const key in record) {
        const isSearched = list.length !== own
        if (!put(list, key, read(record, key), limits, isSearched)) dropped++
        if (!isSearched) own = list.length
      }
    } else {
      for (const key of Object.keys(record)) {
        if (!put(list, key, read(record, key), limits, true)) dropped++
      }
    }
  } catch {
    // A record that does not let itself be enumerated has no attributes.
  }
  return dropped
}

/** Removes `key` from `list`; returns whether it was there. */
export const remove = (list: AttributeList, key: string): boolean => {
  const position = indexOf(list, key)
  if (position < 0) return false
  list.splice(position, 2)
  index.list = undefined
  return true
}

/** `record[key]`, or `undefined` when reading it throws. */
const read = (record: Readonly<Record<string, unknown>>, key: string): unknown => {
  try {
    return record[key]
  } catch {
    return undefined
  }
}

/** A list of the given attributes within `limits`, and how many were dropped. */
export const fromRecord = (
  record: Readonly<Record<string, unknown>>,
  limits: AttributeLimits = defaultLimits
): { readonly list: AttributeList; readonly dropped: number } => {
  const list = makeList()
  return { dropped: setAll(list, record, limits), list }
}

/** The attributes of `list` by key. */
export const toRecord = (list: AttributeList): Attributes => {
  const record: Record<string, AttributeValue> = Object.create(null)
  for (let i = 0; i < list.length; i += 2) record[list[i] as string] = list[i + 1]!
  return record
}
