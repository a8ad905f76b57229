/**
 * Lists of pairs in one variable, `k=v,k=v`: the format of W3C Baggage without properties.
 */
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { isFieldValue, reservedHeaders } from "../internal/httpHeaders.ts"
import * as percent from "../internal/percent.ts"
import { Attributes } from "../model/Attributes.ts"
import * as Resource from "../model/Resource.ts"
import type { Kind } from "./setting.ts"
import { hidden, showValue } from "./show.ts"

/** Header values by lowercase name. */
export type Headers = Readonly<Record<string, Redacted.Redacted<string>>>

const isName = (name: string): boolean => percent.isToken(name) && !reservedHeaders.has(name.toLowerCase())

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
const HeaderText = Schema.String.check(Schema.makeFilter((value) => isFieldValue(value)))
const HeaderValue = Schema.Union([HeaderText, Schema.Redacted(HeaderText)])

/** Request headers. A pair that cannot be one is ignored, the others are kept. */
export const headers: Kind<Readonly<Record<string, string | Redacted.Redacted<string>>>, Headers> = {
  allowed: "valid header names and values, but none that frames the request or describes its body",
  allowedText:
    "name=value,name=value with percent-encoded values, and no header that frames the request or describes " +
    "its body",
  unit: "",
  show: () => hidden,
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
    for (const [index, entry] of raw.split(",").entries()) {
      if (entry.trim() === "") continue
      const equals = entry.indexOf("=")
      const name = percent.decode(entry.slice(0, Math.max(equals, 0)).trim())
      const value = percent.decode(entry.slice(equals + 1).trim())
      if (percent.isDecodable(entry) && isName(name) && isFieldValue(value)) taken.push([name, value])
      else complain({ value: `${hidden} (entry ${index + 1})` })
    }
    return taken.length === 0 ? undefined : united(taken)
  },
  merge: mergeHeaders
}

/** Unites two sets of attributes; of a key in both, `over` wins. */
export const mergeAttributes = (over: Attributes, under: Attributes): Attributes =>
  Object.assign(Object.create(null) as Attributes, under, over)

/** Attributes. One broken pair, and all of the variable is ignored (`resource/sdk.md`). */
export const attributes: Kind<Readonly<Record<string, unknown>>, Attributes> = {
  allowed: "an object with attributes by key",
  allowedText: "key=value,key=value with commas and equals signs percent-encoded",
  unit: "",
  show: showValue,
  option: Schema.Record(Schema.String, Schema.Unknown),
  value: Schema.toType(Attributes),
  fromOption: (option) => Resource.make(option).attributes,
  parse(raw, { complain }) {
    const { error, resource } = Resource.fromEnvString(raw)
    if (error === undefined) return resource.attributes
    complain()
    return undefined
  },
  merge: mergeAttributes
}
