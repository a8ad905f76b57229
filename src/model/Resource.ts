/** Who emits: service, process, host (`resource/sdk.md`). */
import { dual } from "effect/Function"
import * as Schema from "effect/Schema"
import * as percent from "../internal/percent.ts"
import { Attributes, type AttributesEncoded, fromRecord, noLimits, toRecord } from "./Attributes.ts"

/** Who emits: service, process, host (`resource/sdk.md`). */
export interface Resource {
  readonly attributes: Attributes
  readonly schemaUrl?: string | undefined
}

/** {@link Resource} as JSON has it. */
export interface ResourceEncoded {
  readonly attributes: AttributesEncoded
  readonly schemaUrl?: string | undefined
}

/** Schema of {@link Resource}. */
export const Resource: Schema.Codec<Resource, ResourceEncoded> = Schema.Struct({
  attributes: Attributes,
  schemaUrl: Schema.optional(Schema.String)
})

/** The resource that says nothing. */
export const empty: Resource = { attributes: Object.freeze({}) }

/**
 * Makes a resource of the given values.
 *
 * **Details**
 *
 * Values become attribute values by the rules of `Attributes.fromUnknown`; `undefined` and empty keys are left out. No
 * limit of count or length applies, as the specification says of resources.
 */
export const make = (attributes: Readonly<Record<string, unknown>>, schemaUrl?: string): Resource => {
  const { list } = fromRecord(attributes, noLimits)
  const record = toRecord(list)
  return schemaUrl === undefined || schemaUrl === "" ? { attributes: record } : { attributes: record, schemaUrl }
}

const hasUrl = (resource: Resource): boolean => resource.schemaUrl !== undefined && resource.schemaUrl !== ""

/** Whether both resources name a schema, and not the same one. */
export const isConflict = (self: Resource, updating: Resource): boolean =>
  hasUrl(self) && hasUrl(updating) && self.schemaUrl !== updating.schemaUrl

/**
 * The attributes of both; where both have a key, that of `updating` wins, even when it is empty
 * (`resource/sdk.md#merge`).
 *
 * **Details**
 *
 * The schema URL is the one that is there. Two different ones are a merging error, for which the specification leaves the
 * result open: all attributes stay, and the result names no schema. {@link isConflict} tells.
 */
export const merge: {
  (updating: Resource): (self: Resource) => Resource
  (self: Resource, updating: Resource): Resource
} = dual(2, (self: Resource, updating: Resource): Resource => {
  const attributes: Attributes = Object.assign(Object.create(null), self.attributes, updating.attributes)
  const schemaUrl = isConflict(self, updating) ? undefined : hasUrl(self) ? self.schemaUrl : updating.schemaUrl
  return schemaUrl === undefined || schemaUrl === "" ? { attributes } : { attributes, schemaUrl }
})

/** What {@link fromEnvString} made of a value. */
export interface FromEnvString {
  /** The resource; empty when there was an error. */
  readonly resource: Resource
  /** What is wrong with the value and what is allowed, or `undefined`. It does not repeat the value. */
  readonly error: string | undefined
}

const invalid = (position: number, problem: string): FromEnvString => ({
  resource: empty,
  error: `pair ${position} ${problem}; expected key1=value1,key2=value2 with "," "=" and "%" percent-encoded`
})

// Anything below a space, or DEL: nobody means those.
const hasControl = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}

/**
 * Reads the format of `OTEL_RESOURCE_ATTRIBUTES` (`resource/sdk.md#specifying-resource-information-via-an-environment-variable`):
 * `key1=value1,key2=value2`, keys and values percent-encoded.
 *
 * **Details**
 *
 * Blanks around keys and values and empty pairs are ignored. Any error discards the whole value, as the specification
 * asks: a pair without `=` or with two, an empty key, a broken percent-encoding, a control character. All values are
 * strings.
 */
export const fromEnvString = (text: string): FromEnvString => {
  const attributes: Record<string, string> = Object.create(null)
  const pairs = text.split(",")
  for (let i = 0; i < pairs.length; i++) {
    const pair = pairs[i]!.trim()
    if (pair === "") continue
    if (hasControl(pair)) return invalid(i + 1, "has a control character")
    const equals = pair.indexOf("=")
    if (equals < 0) return invalid(i + 1, "has no \"=\"")
    if (pair.indexOf("=", equals + 1) >= 0) return invalid(i + 1, "has more than one \"=\"")
    if (!percent.isDecodable(pair)) return invalid(i + 1, "is not percent-encoded UTF-8")
    const key = percent.decode(pair.slice(0, equals).trim())
    if (key === "") return invalid(i + 1, "has no key")
    attributes[key] = percent.decode(pair.slice(equals + 1).trim())
  }
  return { resource: { attributes }, error: undefined }
}
