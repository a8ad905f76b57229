/**
 * Endpoints by the rules of `protocol/exporter.md#endpoint-urls-for-otlphttp`.
 */
import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as percent from "../internal/percent.ts"
import type { Headers } from "./pairs.ts"
import type { Kind } from "./setting.ts"
import { showUrl } from "./show.ts"

const isEndpoint = (text: string): boolean => /^https?:\/\//i.test(text) && URL.canParse(text)

const Endpoint = Schema.String.check(Schema.makeFilter(isEndpoint))

// The serializer of URL writes an absent path as `/` and leaves out a scheme's own port; nothing else changes.
const normalize = (text: string): string => new URL(text).href

/** An http or https URL. */
export const endpoint: Kind<string, string> = {
  allowed: "an http:// or https:// URL with a host",
  allowedText: "an http:// or https:// URL with a host",
  unit: "",
  show: showUrl,
  option: Endpoint,
  value: Endpoint,
  fromOption: normalize,
  parse(raw, { complain }) {
    if (isEndpoint(raw)) return normalize(raw)
    complain()
    return undefined
  }
}

/** The URL of a signal below a base URL: a trailing slash ensured, the path appended, all else kept. */
export const signalUrl = (base: string, path: string): string => {
  const url = new URL(base)
  url.pathname = `${url.pathname.endsWith("/") ? url.pathname : `${url.pathname}/`}${path}`
  return url.href
}

/** The URL without its user information, and that as the header HTTP has for it. */
export const splitCredentials = (text: string): { readonly url: string; readonly headers: Headers } => {
  const url = new URL(text)
  if (url.username === "" && url.password === "") return { url: text, headers: {} }
  const credentials = `${percent.decode(url.username)}:${percent.decode(url.password)}`
  url.username = ""
  url.password = ""
  return {
    url: url.href,
    headers: { authorization: Redacted.make(`Basic ${Base64.encode(credentials)}`) }
  }
}
