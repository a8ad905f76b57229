/** Log records as text: for people, as JSON and as logfmt. */
import { encode } from "../internal/attributeJson.ts"
import { escapeText, paint, type Style } from "../internal/terminalText.ts"
import type { AttributeValue } from "../model/Attributes.ts"
import type { LogRecord } from "../model/LogRecord.ts"
import { type LineOptions, text, time, valueText } from "./TraceLine.ts"

const stackKey = "exception.stacktrace"

const styleOf = (severityNumber: number): Style =>
  severityNumber >= 17 ? "red" : severityNumber >= 13 ? "yellow" : severityNumber >= 9 ? "cyan" : "dim"

const asText = (value: AttributeValue | undefined): string =>
  value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(plain(value))

/** One line for a record, and the stack of its error below. */
export const formatPretty = (record: LogRecord, options: LineOptions): string => {
  const { attributes, severityNumber } = record
  const line: Array<readonly [string, Style]> = [
    [`${time(record.timeUnixNano === 0n ? record.observedTimeUnixNano : record.timeUnixNano)} `, "dim"],
    [`${text(record.severityText, options).padEnd(5)} `, styleOf(severityNumber)]
  ]
  if (record.eventName !== "") line.push([`${text(record.eventName, options)} `, "bold"])
  line.push([escapeText(asText(record.body), options.unicode), severityNumber >= 17 ? "bold" : "plain"])
  for (const key of Object.keys(attributes)) {
    if (key !== stackKey) line.push([`  ${text(key, options)}=${valueText(attributes[key], options)}`, "dim"])
  }
  if (record.traceId !== undefined) line.push([`  trace=${record.traceId} span=${record.spanId ?? ""}`, "dim"])
  const stack = attributes[stackKey]
  const lines = typeof stack === "string" ? stack.split("\n").slice(0, maxStackLines) : []
  return [
    paint(line, options.color),
    ...lines.map((frame) => paint([[`    ${escapeText(frame.trim(), options.unicode)}`, "dim"]], options.color))
  ].join("\n")
}

const maxStackLines = 50

/** A value as ordinary JSON has it: bytes are base64, what is no number in JSON is text. */
const plain = (value: AttributeValue): unknown => {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value)
  if (typeof value !== "object" || value === null) return value
  if (value instanceof Uint8Array) return (encode(value) as { readonly bytes: string }).bytes
  if (Array.isArray(value)) return (value as ReadonlyArray<AttributeValue>).map(plain)
  const out: Record<string, unknown> = Object.create(null)
  for (const [key, inner] of Object.entries(value)) out[key] = plain(inner)
  return out
}

/** The fields of a record that are no attributes, in order; ids by the names of `compatibility/logging_trace_context.md`. */
const fields = (record: LogRecord): Array<readonly [string, unknown]> => {
  const out: Array<readonly [string, unknown]> = [
    ["time", isoNanos(record.timeUnixNano === 0n ? record.observedTimeUnixNano : record.timeUnixNano)],
    ["severity", record.severityText],
    ["severity_number", record.severityNumber]
  ]
  if (record.eventName !== "") out.push(["event", record.eventName])
  if (record.body !== undefined) out.push(["body", plain(record.body)])
  if (record.traceId !== undefined) {
    out.push(["trace_id", record.traceId])
    if (record.spanId !== undefined) out.push(["span_id", record.spanId])
    out.push(["trace_flags", record.traceFlags.toString(16).padStart(2, "0")])
  }
  const service = record.resource.attributes["service.name"]
  if (typeof service === "string") out.push(["service", service])
  out.push(["scope", record.scope.name])
  return out
}

/** ISO 8601 with all nine digits. */
const isoNanos = (unixNano: bigint): string =>
  `${time(unixNano).slice(0, 19)}.${String(unixNano % 1_000_000_000n).padStart(9, "0")}Z`

/** One JSON object in one line; attributes are a member of their own, so that none can pass for a field. */
export const formatJson = (record: LogRecord): string => {
  const out: Record<string, unknown> = Object.create(null)
  for (const [key, value] of fields(record)) out[key] = value
  out["attributes"] = plain(record.attributes)
  if (record.droppedAttributesCount > 0) out["dropped_attributes"] = record.droppedAttributesCount
  return JSON.stringify(out)
}

const bareValue = /^[^\s="\\\p{C}]+$/u

const logfmtKey = (key: string): string => key.replace(/[\s="\\\p{C}]+/gu, "_")

/** One line of `key=value`; a key of an attribute that is also that of a field has a `_` behind it. */
export const formatLogfmt = (record: LogRecord): string => {
  const known = fields(record)
  const taken = new Set(known.map(([key]) => key))
  const pairs = [
    ...known,
    ...Object.entries(record.attributes).map(([key, value]): readonly [string, unknown] => {
      const name = logfmtKey(key)
      return [taken.has(name) ? `${name}_` : name, plain(value)]
    })
  ]
  return pairs.map(([key, value]) => {
    const written = typeof value === "string" ? value : JSON.stringify(value)
    return `${key}=${bareValue.test(written) ? written : JSON.stringify(written)}`
  }).join(" ")
}
