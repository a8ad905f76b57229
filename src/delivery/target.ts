/** Where requests go, and which headers may go there. */
import { decode } from "../internal/percent.ts"
import * as RequestHeaders from "./RequestHeaders.ts"

/** A URL that was looked at. */
export interface Target {
  /** Without user and password. */
  readonly url: string
  readonly host: string
  readonly address: { readonly serverAddress?: string; readonly serverPort?: number }
  /** What every request carries. */
  readonly headers: Readonly<Record<string, string>>
  /** Names of the headers that are left out, because everybody on the way could read them. */
  readonly withheld: ReadonlyArray<string>
  /** What of the URL may be secret: user, password, and the values of the query. A server may quote them. */
  readonly secrets: ReadonlyArray<string>
  /** Why nothing can be sent there. */
  readonly trouble: string | undefined
}

/** Addresses at which clouds tell a machine its secrets; no receiver of telemetry is ever there. */
const metadataHosts = new Set([
  "169.254.169.254",
  "169.254.170.2",
  "169.254.170.23",
  "[fd00:ec2::254]",
  "[fd00:ec2::23]",
  "[fd20:ce::254]",
  "100.100.100.200",
  "192.0.0.192",
  "metadata.google.internal",
  "metadata.goog"
])

// IPv4 in IPv6: mapped, compatible, translated by the host or by a NAT64.
const embedded = /^\[(?:::|::ffff:|::ffff:0:|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/

/** Whether the host of a parsed URL, in whatever spelling, is one of {@link metadataHosts}. */
const isMetadata = (hostname: string): boolean => {
  const [, high, low] = embedded.exec(hostname) ?? []
  if (high === undefined || low === undefined) return metadataHosts.has(hostname.replace(/\.$/, ""))
  const bytes = [high, low].flatMap((hex) => [Number.parseInt(hex, 16) >> 8, Number.parseInt(hex, 16) & 0xff])
  return metadataHosts.has(bytes.join("."))
}

/** User and password become an `Authorization` header, unless one is configured. */
export const makeTarget = (
  url: string,
  { secretNames, values }: RequestHeaders.RequestHeaders,
  allowsClearText: boolean
): Target => {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const nowhere = { url: "", address: {}, headers: {}, withheld: [], secrets: [] }
  if (parsed?.protocol !== "http:" && parsed?.protocol !== "https:") {
    return { ...nowhere, host: "an invalid URL", trouble: "the URL is not an absolute http: or https: URL" }
  }
  if (isMetadata(parsed.hostname)) {
    return { ...nowhere, host: parsed.host, trouble: "the URL is that of a cloud's metadata service" }
  }
  const headers: Record<string, string> = Object.create(null)
  const hasUser = parsed.username !== "" || parsed.password !== ""
  const secrets = secretsOf(parsed)
  if (hasUser) {
    const credentials = basic(parsed.username, parsed.password)
    headers["authorization"] = `Basic ${credentials}`
    secrets.push(credentials)
  }
  parsed.username = ""
  parsed.password = ""
  Object.assign(headers, values)
  const isClear = parsed.protocol === "http:" && !RequestHeaders.isLoopback(parsed.hostname) && !allowsClearText
  const withheld = isClear ? [...new Set([...hasUser ? ["authorization"] : [], ...secretNames])] : []
  for (const name of withheld) delete headers[name]
  const serverPort = parsed.port === "" ? (parsed.protocol === "http:" ? 80 : 443) : Number(parsed.port)
  return {
    url: parsed.href,
    host: parsed.host,
    address: { serverAddress: parsed.hostname.replace(/^\[|\]$/g, ""), serverPort },
    headers,
    withheld,
    secrets,
    trouble: undefined
  }
}

const secretsOf = (url: URL): Array<string> => {
  const values = url.search.slice(1).split("&").map((pair) => pair.slice(pair.indexOf("=") + 1))
  return [url.username, url.password, ...values].flatMap((text) => [text, decode(text)])
}

const basic = (user: string, password: string): string => {
  const bytes = new TextEncoder().encode(`${decode(user)}:${decode(password)}`)
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
}
