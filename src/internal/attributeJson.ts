/**
 * Attribute values in JSON, both ways. A string stands for itself, so everything JSON lacks (bigint, bytes, a number that
 * is not finite) is an object of one tag, and a map is tagged as well, to be told from those.
 */
import * as Result from "effect/Result"
import * as Base64 from "effect/encoding/Base64"
import { maxInt64, minInt64 } from "./normalize.ts"

/** The JSON of an attribute value. */
export const encode = (value: unknown): unknown => {
  switch (typeof value) {
    case "number":
      if (Object.is(value, -0)) return { double: "-0" }
      return Number.isFinite(value) ? value : { double: String(value) }
    case "bigint":
      return { int: String(value) }
    case "object": {
      if (value === null) return null
      if (value instanceof Uint8Array) return { bytes: Base64.encode(value) }
      if (Array.isArray(value)) return value.map(encode)
      return { map: encodeRecord(value) }
    }
    default:
      return value
  }
}

/** The JSON of each value of a record. */
export const encodeRecord = (record: object): object => {
  const out: Record<string, unknown> = Object.create(null)
  for (const key of Object.keys(record)) out[key] = encode((record as Record<string, unknown>)[key])
  return out
}

const doubles: ReadonlyMap<unknown, number> = new Map([
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["-0", -0]
])

const decodeInt = (text: unknown): bigint | undefined => {
  if (typeof text !== "string" || !/^-?\d{1,19}$/.test(text)) return undefined
  const int = BigInt(text)
  return int >= minInt64 && int <= maxInt64 ? int : undefined
}

const decodeBytes = (text: unknown): Uint8Array | undefined =>
  typeof text === "string" ? Result.getOrUndefined(Base64.decode(text)) : undefined

/** The attribute value of each JSON value of a record, or `undefined` when one is none. */
export const decodeRecord = (map: unknown, depth: number): object | undefined => {
  if (typeof map !== "object" || map === null || Array.isArray(map)) return undefined
  const out: Record<string, unknown> = Object.create(null)
  for (const key of Object.keys(map)) {
    const value = decode((map as Record<string, unknown>)[key], depth)
    if (value === undefined) return undefined
    out[key] = value
  }
  return out
}

/** The attribute value of JSON, or `undefined` when it is none, or nested deeper than `depth`. */
export const decode = (json: unknown, depth: number): unknown => {
  switch (typeof json) {
    case "string":
    case "boolean":
      return json
    case "number":
      return Number.isFinite(json) ? json : undefined
    case "object": {
      if (json === null) return null
      if (Array.isArray(json)) {
        if (depth <= 0) return undefined
        const out: Array<unknown> = []
        for (const item of json) {
          const value = decode(item, depth - 1)
          if (value === undefined) return undefined
          out.push(value)
        }
        return out
      }
      const keys = Object.keys(json)
      if (keys.length !== 1) return undefined
      const content: unknown = (json as Record<string, unknown>)[keys[0]!]
      switch (keys[0]) {
        case "int":
          return decodeInt(content)
        case "bytes":
          return decodeBytes(content)
        case "double":
          return doubles.get(content)
        case "map":
          return depth <= 0 ? undefined : decodeRecord(content, depth - 1)
      }
      return undefined
    }
    default:
      return undefined
  }
}
