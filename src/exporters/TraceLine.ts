/** Traces and spans as single lines, for logs that are read line by line. */
import { escapeText, formatNanos, paint, type Style, truncate } from "../internal/terminalText.ts"
import type { SpanData } from "../model/SpanData.ts"
import { isOrigin } from "./TraceRows.ts"
import { errorOf, fromSpans, serviceOf, type TraceNode, type TraceTree } from "./TraceTree.ts"

/** How a line is written. */
export interface LineOptions {
  readonly color: boolean
  readonly unicode: boolean
  /** A remark at the end, as in `incomplete`. */
  readonly note?: string | undefined
}

const maxValueWidth = 120

/** A time to the millisecond. */
export const time = (unixNano: bigint): string => new Date(Number(unixNano / 1_000_000n)).toISOString()

type Line = Array<readonly [string, Style]>

/** A text in a line for people. */
export const text = (value: string, options: LineOptions): string =>
  truncate(escapeText(value, options.unicode), maxValueWidth, options.unicode ? "…" : "...")

const mark = (options: LineOptions): readonly [string, Style] => [options.unicode ? "✗ " : "x ", "red"]

/**
 * One line for each trace of `spans`: when it began, its root, service, duration, spans and errors, what failed first
 * and where, and the trace id.
 */
export const formatTraceLines = (spans: Iterable<SpanData>, options: LineOptions): ReadonlyArray<string> =>
  fromSpans(spans).map((tree) => traceLine(tree, options))

const traceLine = (tree: TraceTree, options: LineOptions): string => {
  const tops = [...tree.roots, ...tree.missing.flatMap((missing) => missing.children)]
  const { end, errors, failure, start } = summary(tops)
  const root = tree.roots[0]?.span ?? tops[0]!.span
  const line: Line = [[`${time(start)} `, "dim"]]
  if (errors > 0) line.push(mark(options))
  line.push([text(root.name, options), "bold"])
  const service = serviceOf(root)
  if (service !== "") line.push([`  ${text(service, options)}`, "cyan"])
  line.push([
    `  ${formatNanos(end - start, options.unicode)}  ${tree.spanCount} ${tree.spanCount === 1 ? "span" : "spans"}`,
    "plain"
  ])
  if (errors > 0) line.push([`  ${errors} ${errors === 1 ? "error" : "errors"}`, "red"])
  if (failure !== undefined) {
    const message = errorOf(failure)
    const place = failure === root ? "" : ` (${text(failure.name, options)})`
    if (message !== undefined && message !== "") line.push([`  ${text(message, options)}${place}`, "red"])
  }
  line.push([`  trace=${tree.traceId}`, "dim"])
  if (options.note !== undefined) line.push([`  (${options.note})`, "yellow"])
  return paint(line, options.color)
}

const summary = (tops: ReadonlyArray<TraceNode>) => {
  let start = tops[0]!.span.startTimeUnixNano
  let end = tops[0]!.span.endTimeUnixNano
  let errors = 0
  let failure: SpanData | undefined
  const stack = [...tops]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const { span } = node
    if (span.startTimeUnixNano < start) start = span.startTimeUnixNano
    if (span.endTimeUnixNano > end) end = span.endTimeUnixNano
    if (span.status.code === "ERROR") errors++
    if (isOrigin(node) && (failure === undefined || span.endTimeUnixNano < failure.endTimeUnixNano)) failure = span
    for (const child of node.children) stack.push(child)
  }
  return { start, end, errors, failure }
}

/** One line for a span, with all its attributes as `key=value`. */
export const formatSpanLine = (span: SpanData, options: LineOptions): string => {
  const failed = span.status.code === "ERROR"
  const line: Line = [[`${time(span.startTimeUnixNano)} `, "dim"]]
  if (failed) line.push(mark(options))
  line.push([text(span.name, options), "bold"])
  const service = serviceOf(span)
  if (service !== "") line.push([`  ${text(service, options)}`, "cyan"])
  line.push([`  ${span.kind}  ${formatNanos(span.endTimeUnixNano - span.startTimeUnixNano, options.unicode)}`, "plain"])
  const error = errorOf(span)
  if (error !== undefined && error !== "") line.push([`  ${text(error, options)}`, "red"])
  for (const key of Object.keys(span.attributes)) {
    line.push([
      ` ${line.length > 0 ? " " : ""}${text(key, options)}=${valueText(span.attributes[key], options)}`,
      "dim"
    ])
  }
  line.push([`  trace=${span.traceId} span=${span.spanId}`, "dim"])
  if (span.parentSpanId !== undefined) line.push([` parent=${span.parentSpanId}`, "dim"])
  return paint(line, options.color)
}

/** A value of an attribute in a line for people. */
export const valueText = (value: unknown, options: LineOptions): string => {
  if (typeof value === "string") return text(/^[^\s="]+$/.test(value) ? value : JSON.stringify(value), options)
  if (typeof value !== "object" || value === null) return String(value)
  if (value instanceof Uint8Array) return `<${value.length} bytes>`
  return text(JSON.stringify(value, (_, inner: unknown) => typeof inner === "bigint" ? Number(inner) : inner), options)
}
