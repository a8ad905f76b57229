/** Attributes as OpenTelemetry JavaScript has them: primitives, and lists of one kind of them. */
import type { Attributes, AttributeValue } from "../model/Attributes.ts"
import type * as Api from "./api.ts"

export const toOtelAttributes = (attributes: Attributes): Api.Attributes => {
  const converted: Api.Attributes = {}
  for (const key of Object.keys(attributes)) converted[key] = toOtelValue(attributes[key]!)
  return converted
}

// What the SDK has no type for is text to it.
const toOtelValue = (value: AttributeValue): Api.AttributeValue => {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
      return value
    case "bigint":
      return String(value)
    default:
      return isListOfOneKind(value) ? value as Api.AttributeValue : JSON.stringify(value, plain)
  }
}

const isListOfOneKind = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every((item) => /^(?:string|number|boolean)$/.test(typeof item) && typeof item === typeof value[0])

const plain = (_key: string, value: unknown): unknown =>
  typeof value === "bigint"
    ? String(value)
    : value instanceof Uint8Array
    ? [...value].map((byte) => byte.toString(16).padStart(2, "0")).join("")
    : value
