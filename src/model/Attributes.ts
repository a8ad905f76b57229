/**
 * Attribute values as the OpenTelemetry specification has them (`common/README.md#anyvalue`), and the one way in which
 * any JavaScript value becomes one.
 */
import { normalize } from "../internal/normalize.ts"

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

/**
 * What any value becomes as an attribute, or `undefined` for "not set".
 *
 * **Details**
 *
 * Never throws. Strings are cut at `limits.valueLength`. A bigint outside 64 bits becomes its decimal text; a symbol,
 * its description; a `Date`, ISO 8601; an `Error`, `name: message`; a `Redacted`, `<redacted>`; a `Map` or plain object,
 * a map; a `Set` or iterable-free collection, an array; an object with `toJSON`, what that returns. `undefined` and
 * functions are not set. A cycle, or a value deeper than `limits.depth`, is `null`; a value whose access throws is the
 * text `<unserializable>`.
 */
export const fromUnknown: (value: unknown, limits?: AttributeLimits) => AttributeValue | undefined = (
  value,
  limits = defaultLimits
) => normalize(value, limits.valueLength, limits.depth) as AttributeValue | undefined

/** The position of `key` in `list`, or -1. */
export const indexOf = (list: AttributeList, key: string): number => {
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === key) return i
  }
  return -1
}

/** The value of `key` in `list`, or `undefined`. */
export const get = (list: AttributeList, key: string): AttributeValue | undefined => {
  const index = indexOf(list, key)
  return index < 0 ? undefined : list[index + 1]
}

/**
 * Sets `key` in `list` within `limits`. Returns `false` when the value was dropped because the list is full.
 *
 * **Details**
 *
 * A key that is present is overwritten, whatever the limit. An empty key is ignored, as are values that
 * {@link fromUnknown} does not set.
 */
export const set = (list: AttributeList, key: string, value: unknown, limits: AttributeLimits): boolean => {
  if (key === "") return true
  const isPlain = typeof value === "string"
    ? value.length <= limits.valueLength
    : typeof value === "number" || typeof value === "boolean"
  const normal = isPlain ? value as AttributeValue : fromUnknown(value, limits)
  if (normal === undefined) return true
  const index = indexOf(list, key)
  if (index >= 0) {
    list[index + 1] = normal
    return true
  }
  if (list.length >= limits.count * 2) return false
  list.push(key, normal)
  return true
}

/** Removes `key` from `list`; returns whether it was there. */
export const remove = (list: AttributeList, key: string): boolean => {
  const index = indexOf(list, key)
  if (index < 0) return false
  list.splice(index, 2)
  return true
}

/** The own enumerable keys of a record; none when it refuses to be read. */
export const ownKeys = (record: Readonly<Record<string, unknown>>): ReadonlyArray<string> => {
  try {
    return Object.keys(record)
  } catch {
    return []
  }
}

/** `record[key]`, or `undefined` when reading it throws. */
export const read = (record: Readonly<Record<string, unknown>>, key: string): unknown => {
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
  const list: AttributeList = []
  let dropped = 0
  for (const key of ownKeys(record)) {
    if (!set(list, key, read(record, key), limits)) dropped++
  }
  return { list, dropped }
}

/** The attributes of `list` by key. */
export const toRecord = (list: AttributeList): Attributes => {
  const record: Record<string, AttributeValue> = Object.create(null)
  for (let i = 0; i < list.length; i += 2) record[list[i] as string] = list[i + 1]!
  return record
}
