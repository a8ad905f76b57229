/** What goes into the header of a request: checked once, and never shown. */
import * as Redacted from "effect/Redacted"
import type { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { isFieldValue, reservedHeaders } from "../internal/httpHeaders.ts"
import { isToken } from "../internal/percent.ts"
import { version } from "../internal/version.ts"

/** Headers as a program or the environment gives them. */
export type HeaderInput = Readonly<Record<string, string | Redacted.Redacted<string>>>

/** The `User-Agent` of every request, unless the configured headers name another (`protocol/exporter.md#user-agent`). */
export const userAgent = `effect-telemetry/${version} OTel-OTLP-Exporter-JavaScript/${version}`

const secretName = /auth|cookie|credential|key|password|secret|token/

/** Headers that passed the check. */
export interface RequestHeaders {
  /** Names in lower case. The values may be secret. */
  readonly values: Readonly<Record<string, string>>
  /** Names of the headers that look like credentials. */
  readonly secretNames: ReadonlyArray<string>
  /** Foreign text without the configured values, which a server may quote in an error. */
  readonly scrub: (text: string) => string
}

/**
 * Checks `input`: names in lower case, the last of two equal names wins, values trimmed. A header that HTTP does not
 * allow, or that belongs to the transport, is reported by its name and left out.
 */
export const make = (input: HeaderInput, destination: string, diagnostics: Diagnostics): RequestHeaders => {
  const values: Record<string, string> = Object.create(null)
  values["user-agent"] = userAgent
  for (const given of Object.keys(input)) {
    const raw = input[given]!
    const name = given.trim().toLowerCase()
    const value = String(Redacted.isRedacted(raw) ? Redacted.value(raw) : raw).trim()
    const trouble = !isToken(name)
      ? "its name is not a valid HTTP header name"
      : !isFieldValue(value)
      ? "its value holds characters that HTTP does not allow"
      : reservedHeaders.has(name)
      ? "it is set by the exporter itself"
      : undefined
    if (trouble === undefined) values[name] = value
    else {
      diagnostics.report(
        "warn",
        `delivery.${destination}.header.${name}`,
        `${destination}: the configured header ${JSON.stringify(name)} is left out: ${trouble}`
      )
    }
  }
  const secretNames = Object.keys(values).filter((name) => secretName.test(name))
  const shown = new Set(["accept", "accept-encoding", "host", "user-agent"])
  const hidden = Object.keys(values).filter((name) => !shown.has(name)).flatMap((name) => secretParts(values[name]!))
  return { values, secretNames, scrub: scrubber(hidden) }
}

// A server may quote the token of `Bearer <token>` alone, and of `Basic <credentials>` what stands behind it.
const secretParts = (value: string): Array<string> => [value, ...value.split(/[\s=,;]+/), ...basicParts(value)]

const basicParts = (value: string): ReadonlyArray<string> => {
  const encoded = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(value)?.[1]
  if (encoded === undefined) return []
  try {
    const plain = new TextDecoder().decode(Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0)))
    return [plain, ...plain.split(":")]
  } catch {
    return []
  }
}

/** Replaces each of `secrets` in a text, but for those that are too short to be any. */
export const scrubber = (secrets: ReadonlyArray<string>): (text: string) => string => {
  const longestFirst = [...new Set(secrets)].filter(({ length }) => length >= 6).sort((a, b) => b.length - a.length)
  return (text) => longestFirst.reduce((left, secret) => left.replaceAll(secret, "<redacted>"), text)
}

const loopback = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\]|\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\])\.?$/

/** Whether the host of a parsed URL is this machine. */
export const isLoopback = (hostname: string): boolean => loopback.test(hostname.toLowerCase())
