/**
 * Lists of pairs in one variable, `k=v,k=v`: the format of W3C Baggage without properties.
 */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { type Attributes, defaultLimits, fromUnknown } from "../model/Attributes.ts"
import type { Kind } from "./setting.ts"
import { hidden } from "./show.ts"

/** The text with its percent escapes resolved; none where one of them is broken. */
export const decode: (text: string) => Option.Option<string> = Option.liftThrowable(decodeURIComponent)

const entriesOf = (raw: string): ReadonlyArray<string> => raw.split(",").map((entry) => entry.trim())

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// What a field value may be made of (RFC 9110 §5.5), as far as one byte for each character carries it.
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/

// These frame the request or describe its body: the exporter's own.
const reserved = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

/** Header values by lowercase name. */
export type Headers = Readonly<Record<string, Redacted.Redacted<string>>>

const isName = (name: string): boolean => token.test(name) && !reserved.has(name.toLowerCase())

const united = (
  entries: Iterable<readonly [string, string]>
): Headers => {
  const headers: Record<string, Redacted.Redacted<string>> = Object.create(null)
  for (const [name, value] of entries) headers[name.toLowerCase()] = Redacted.make(value.trim())
  return headers
}

/** Unites two sets of headers; of a name in both, `over` wins. */
export const mergeHeaders = (over: Headers, under: Headers): Headers =>
  Object.assign(Object.create(null) as Headers, under, over)

const HeaderName = Schema.String.check(Schema.makeFilter(isName))
const HeaderText = Schema.String.check(Schema.makeFilter((value) => fieldValue.test(value.trim())))
const HeaderValue = Schema.Union([HeaderText, Schema.Redacted(HeaderText)])

/** Request headers. A pair that cannot be one is ignored, the others are kept. */
export const headers: Kind<Readonly<Record<string, string | Redacted.Redacted<string>>>, Headers> = {
  allowed: "header names and values, in a variable as name=value,name=value with percent-encoded values; not the " +
    "headers that frame the request or describe its body",
  unit: "",
  secret: true,
  option: Schema.Record(HeaderName, HeaderValue),
  value: Schema.Record(
    HeaderName.check(Schema.makeFilter((name) => name === name.toLowerCase())),
    Schema.Redacted(HeaderText)
  ),
  fromOption: (option) =>
    united(
      Object.entries(option).map(([name, value]) => [name, Redacted.isRedacted(value) ? Redacted.value(value) : value])
    ),
  parse(raw, { complain }) {
    const taken: Array<readonly [string, string]> = []
    for (const [index, entry] of entriesOf(raw).entries()) {
      if (entry === "") continue
      const equals = entry.indexOf("=")
      const name = equals < 0 ? Option.none() : decode(entry.slice(0, equals).trim())
      const value = decode(entry.slice(equals + 1).trim())
      if (Option.isSome(name) && Option.isSome(value) && isName(name.value) && fieldValue.test(value.value.trim())) {
        taken.push([name.value, value.value])
      } else complain({ value: `${hidden} (entry ${index + 1})` })
    }
    return taken.length === 0 ? undefined : united(taken)
  },
  merge: mergeHeaders
}

// Resource attributes are exempt from limits (`common/README.md#attribute-limits`), but for the depth.
const unlimited = { ...defaultLimits, count: Infinity, valueLength: Infinity }

const attributesOf = (entries: Iterable<readonly [string, unknown]>): Attributes => {
  const attributes: Record<string, Attributes[string]> = Object.create(null)
  for (const [key, value] of entries) {
    const normal = key === "" ? undefined : fromUnknown(value, unlimited)
    if (normal !== undefined) attributes[key] = normal
  }
  return attributes
}

/** Unites two sets of attributes; of a key in both, `over` wins. */
export const mergeAttributes = (over: Attributes, under: Attributes): Attributes =>
  Object.assign(Object.create(null) as Attributes, under, over)

const parseAttributes = (raw: string): Attributes | undefined => {
  const taken: Array<readonly [string, string]> = []
  for (const entry of entriesOf(raw)) {
    if (entry === "") continue
    const [left, right, ...rest] = entry.split("=")
    if (right === undefined || rest.length > 0) return undefined
    const key = decode(left!.trim())
    const value = decode(right.trim())
    if (Option.isNone(key) || Option.isNone(value) || key.value === "") return undefined
    taken.push([key.value, value.value])
  }
  return attributesOf(taken)
}

/** Attributes. One broken pair, and all of the variable is ignored (`resource/sdk.md`). */
export const attributes: Kind<Readonly<Record<string, unknown>>, Attributes> = {
  allowed: "attributes by key, in a variable as key=value,key=value with commas and equals signs percent-encoded",
  unit: "",
  secret: false,
  option: Schema.Record(Schema.String, Schema.Unknown),
  value: Schema.Record(Schema.String, Schema.Any) as Schema.Codec<Attributes>,
  fromOption: (option) => attributesOf(Object.entries(option)),
  parse(raw, { complain }) {
    const parsed = parseAttributes(raw)
    if (parsed === undefined) complain()
    return parsed
  },
  merge: mergeAttributes
}
