/**
 * Turns any value into an attribute value by the rules of `Attributes.fromUnknown`. Kept apart from the model because it
 * must survive every hostile object: throwing getters, proxies, cycles, collections without end.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Redactable from "effect/Redactable"
import * as Redacted from "effect/Redacted"

export const minInt64 = -(2n ** 63n)
export const maxInt64 = 2n ** 63n - 1n

/** Most entries of one value, those of nested arrays and maps included; what is beyond is left out. */
export const maxEntries = 10_000

/** The deepest nesting of arrays and maps that any option allows. */
export const maxDepth = 256

const unserializable = "<unserializable>"

interface Walk {
  readonly length: number
  /** Objects on the way down, to find cycles. */
  readonly path: Array<object>
  /** Entries that may still be taken: shared references can unfold a small object into an endless tree. */
  entries: number
}

const cut = (text: string, length: number): string => {
  if (text.length <= length) return text
  // A surrogate pair is not split.
  const last = text.charCodeAt(length - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length)
}

const bytes = (buffer: Uint8Array, length: number): Uint8Array => {
  // Not `slice`, which a subclass may override and which would keep its class.
  const copy = new Uint8Array(buffer)
  return copy.length <= length ? copy : copy.slice(0, length)
}

const visit = (value: unknown, depth: number, walk: Walk): unknown => {
  switch (typeof value) {
    case "string":
      return cut(value, walk.length)
    case "boolean":
    case "number":
      return value
    case "bigint":
      return value >= minInt64 && value <= maxInt64 ? value : cut(String(value), walk.length)
    case "symbol":
      return cut(value.description ?? "Symbol()", walk.length)
    case "object":
      return value === null ? null : visitObject(value, depth, walk)
    default:
      return undefined
  }
}

const visitObject = (value: object, depth: number, walk: Walk): unknown => {
  if (walk.path.includes(value)) return null
  walk.path.push(value)
  try {
    return visitKnown(value, depth, walk)
  } catch {
    return cut(unserializable, walk.length)
  } finally {
    walk.path.pop()
  }
}

const visitKnown = (value: object, depth: number, walk: Walk): unknown => {
  const { length } = walk
  // First of all: what redacts itself is never looked into.
  if (Redacted.isRedacted(value)) return cut("<redacted>", length)
  if (Redactable.isRedactable(value)) {
    const shown = Redactable.getRedacted(value)
    return shown === value ? cut("<redacted>", length) : visit(shown, depth, walk)
  }
  // A proxy of a byte array is no view, and may lie about its length.
  if (ArrayBuffer.isView(value)) {
    if (value instanceof Uint8Array) return bytes(value, length)
    if (value instanceof DataView) {
      return bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), length)
    }
    return depth <= 0 ? null : visitAll(value as unknown as Iterable<unknown>, depth - 1, walk)
  }
  if (value instanceof ArrayBuffer) return bytes(new Uint8Array(value), length)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? cut("Invalid Date", length) : cutIso(value, length)
  if (value instanceof Error) return cut(describeError(value), length)
  if (value instanceof URL || value instanceof URLSearchParams || value instanceof RegExp) {
    return cut(String(value), length)
  }
  if (value instanceof String || value instanceof Number || value instanceof Boolean) {
    return visitPrimitive(value.valueOf(), length)
  }
  if (Option.isOption(value)) return Option.isSome(value) ? visit(value.value, depth, walk) : undefined
  if (Duration.isDuration(value)) return cut(Duration.format(value), length)
  if (depth <= 0) return null
  if (Array.isArray(value) || value instanceof Set) return visitAll(value, depth - 1, walk)
  if (value instanceof Map) return visitEntries(value, depth - 1, walk)
  const { toJSON } = value as { readonly toJSON?: unknown }
  if (typeof toJSON !== "function") return visitEntries(ownEntries(value), depth - 1, walk)
  const json = toJSON.call(value)
  return json === value ? null : visit(json, depth - 1, walk)
}

const visitPrimitive = (value: unknown, length: number): unknown =>
  typeof value === "string"
    ? cut(value, length)
    : typeof value === "number" || typeof value === "boolean"
    ? value
    : cut(unserializable, length)

const cutIso = (date: Date, length: number): string => cut(Date.prototype.toISOString.call(date), length)

const describeError = (error: Error): string => {
  const name = String(error.name)
  const message = String(error.message)
  return message === "" ? name : `${name}: ${message}`
}

function* ownEntries(value: object): Iterable<readonly [string, unknown]> {
  for (const key of Object.keys(value)) {
    let own: unknown
    try {
      own = (value as Record<string, unknown>)[key]
    } catch {
      own = unserializable
    }
    yield [key, own]
  }
}

const visitAll = (values: Iterable<unknown>, depth: number, walk: Walk): Array<unknown> => {
  const out: Array<unknown> = []
  for (const value of values) {
    if (walk.entries <= 0) break
    walk.entries--
    // A position in an array has a meaning, so what is not set is null there.
    out.push(visit(value, depth, walk) ?? null)
  }
  return out
}

const visitEntries = (
  entries: Iterable<readonly [unknown, unknown]>,
  depth: number,
  walk: Walk
): Record<string, unknown> => {
  // Without a prototype, `__proto__` is a key like any other.
  const out: Record<string, unknown> = Object.create(null)
  for (const [key, value] of entries) {
    if (walk.entries <= 0) break
    walk.entries--
    const name = keyOf(key)
    const normal = name === undefined ? undefined : visit(value, depth, walk)
    if (normal !== undefined) out[name!] = normal
  }
  return out
}

const keyOf = (key: unknown): string | undefined => {
  if (typeof key === "string") return key
  try {
    return String(key)
  } catch {
    return undefined
  }
}

/** The attribute value of `value`, or `undefined` when it is not set. Never throws. */
export const normalize = (value: unknown, length: number, depth: number): unknown =>
  visit(value, Math.min(depth, maxDepth), { length, path: [], entries: maxEntries })

/** Whether `value` is made by `{}` or has no prototype. */
export const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

const check = (value: unknown, depth: number): boolean => {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "number":
      return true
    case "bigint":
      return value >= minInt64 && value <= maxInt64
    case "object": {
      if (value === null || value instanceof Uint8Array) return true
      if (depth <= 0) return false
      if (Array.isArray(value)) {
        for (let i = 0; i < value.length; i++) {
          if (!check(value[i], depth - 1)) return false
        }
        return true
      }
      if (!isPlain(value)) return false
      for (const key of Object.keys(value)) {
        if (!check((value as Record<string, unknown>)[key], depth - 1)) return false
      }
      return true
    }
    default:
      return false
  }
}

/** Whether the arrays and objects of `value` nest no deeper than `depth`. */
export const isWithinDepth = (value: unknown, depth: number): boolean => {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return true
  if (depth <= 0) return false
  for (const item of Object.values(value)) {
    if (!isWithinDepth(item, depth - 1)) return false
  }
  return true
}

/** Whether `value` is an attribute value as it stands. Never throws. */
export const isNormal = (value: unknown): boolean => {
  try {
    return check(value, maxDepth)
  } catch {
    return false
  }
}

/** Whether `value` is a plain object without an empty key. */
export const hasProperKeys = (value: object): boolean => isPlain(value) && !Object.keys(value).includes("")

/** Whether `value` is a plain object of attribute values whose keys are not empty. Never throws. */
export const isNormalRecord = (value: unknown): boolean => {
  try {
    if (typeof value !== "object" || value === null || !hasProperKeys(value)) return false
    for (const key of Object.keys(value)) {
      if (!check((value as Record<string, unknown>)[key], maxDepth)) return false
    }
    return true
  } catch {
    return false
  }
}
