/**
 * Turns any value into an attribute value by the rules of `Attributes.fromUnknown`. Kept apart from the model because it
 * must survive every hostile object: throwing getters, proxies, cycles.
 */
import * as Redacted from "effect/Redacted"

const minInt64 = -(2n ** 63n)
const maxInt64 = 2n ** 63n - 1n

/** Most entries of one array or map; what is beyond is left out. */
const maxEntries = 10_000

const cut = (text: string, length: number): string => {
  if (text.length <= length) return text
  // A surrogate pair is not split.
  const last = text.charCodeAt(length - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length)
}

const walk = (value: unknown, length: number, depth: number, seen: Array<object>): unknown => {
  switch (typeof value) {
    case "string":
      return cut(value, length)
    case "boolean":
    case "number":
      return value
    case "bigint":
      return value >= minInt64 && value <= maxInt64 ? value : cut(String(value), length)
    case "symbol":
      return cut(value.description ?? "Symbol()", length)
    case "object":
      return value === null ? null : walkObject(value, length, depth, seen)
    default:
      return undefined
  }
}

const walkObject = (value: object, length: number, depth: number, seen: Array<object>): unknown => {
  if (value instanceof Uint8Array) return value.slice(0, Math.min(value.length, length))
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString()
  if (value instanceof Error) return cut(`${value.name}: ${value.message}`, length)
  if (value instanceof URL || value instanceof RegExp) return cut(String(value), length)
  if (Redacted.isRedacted(value)) return "<redacted>"
  if (depth <= 0 || seen.includes(value)) return null
  seen.push(value)
  try {
    if (Array.isArray(value)) return walkAll(value, length, depth - 1, seen)
    if (value instanceof Set) return walkAll(value, length, depth - 1, seen)
    if (ArrayBuffer.isView(value)) {
      return Symbol.iterator in value ? walkAll(value as unknown as Iterable<unknown>, length, depth - 1, seen) : null
    }
    if (value instanceof Map) return walkEntries(value, length, depth - 1, seen)
    const { toJSON } = value as { readonly toJSON?: unknown }
    if (typeof toJSON === "function") {
      const json = toJSON.call(value)
      return json === value ? null : walk(json, length, depth - 1, seen)
    }
    return walkEntries(ownEntries(value), length, depth - 1, seen)
  } finally {
    seen.pop()
  }
}

function* ownEntries(value: object): Iterable<readonly [string, unknown]> {
  for (const key of Object.keys(value)) yield [key, (value as Record<string, unknown>)[key]]
}

const walkAll = (values: Iterable<unknown>, length: number, depth: number, seen: Array<object>): Array<unknown> => {
  const out: Array<unknown> = []
  for (const value of values) {
    if (out.length >= maxEntries) break
    out.push(walk(value, length, depth, seen) ?? null)
  }
  return out
}

const walkEntries = (
  entries: Iterable<readonly [unknown, unknown]>,
  length: number,
  depth: number,
  seen: Array<object>
): Record<string, unknown> => {
  const out: Record<string, unknown> = Object.create(null)
  let count = 0
  for (const [key, value] of entries) {
    if (count++ >= maxEntries) break
    const normal = walk(value, length, depth, seen)
    if (normal !== undefined) out[String(key)] = normal
  }
  return out
}

/** The attribute value of `value`, or `undefined` when it is not set. Never throws. */
export const normalize = (value: unknown, length: number, depth: number): unknown => {
  try {
    return walk(value, length, depth, [])
  } catch {
    return "<unserializable>"
  }
}
