/** A trace as text for people: its tree with durations and bars. */
import { boundColumns } from "../internal/terminal.ts"
import {
  displayWidth,
  escapeText,
  fit,
  formatNanos,
  paint,
  type Segments,
  type Style,
  truncate
} from "../internal/terminalText.ts"
import type { SpanData } from "../model/SpanData.ts"
import { isOrigin, type Row, rowsOf } from "./TraceRows.ts"
import { errorOf, fromSpans, serviceOf, type TraceTree } from "./TraceTree.ts"

/** How a trace is drawn. */
export interface RenderOptions {
  /** Columns. `undefined` or 0: 80; at most 160. Below 60 no bars are drawn, below 40 no attributes. */
  readonly width?: number | undefined
  /** Escape codes of the 16 colours. Default `false`. Colour only repeats what signs say. */
  readonly color?: boolean | undefined
  /** Line-drawing signs, blocks and foreign letters; `false` for ASCII. Default `true`. */
  readonly unicode?: boolean | undefined
  /** Keys of the attributes that are shown, in this order. Default {@link defaultAttributes}. */
  readonly attributes?: ReadonlyArray<string> | undefined
  /** Most lines below the heading. Default 200. */
  readonly maxRows?: number | undefined
  /** A remark in the heading, as in `incomplete`. */
  readonly note?: string | undefined
  /** Where a trace can be looked at; printed in the heading. */
  readonly traceUrl?: ((traceId: string) => string) | undefined
}

/** The attributes that tell most in fewest columns. */
export const defaultAttributes: ReadonlyArray<string> = [
  "http.response.status_code",
  "http.route",
  "rpc.method",
  "db.system.name",
  "db.system",
  "db.collection.name",
  "messaging.destination.name",
  "error.type"
]

/**
 * Draws `spans`: for each trace a heading and a line for each span.
 *
 * **Details**
 *
 * The heading is the root span with the trace's duration, the number of spans and of errors. A failed span has the sign
 * `✗` (`x` in ASCII); its message stands where the failure happened first. Five or more siblings of the same name are
 * one line with their count, median and longest. Spans whose parent is not there hang under `missing parent`. A bar
 * shows when a span ran within the trace; a span that starts before its parent, as clocks that disagree make it, stays
 * where its clock put it and says so.
 *
 * No line is wider than `width` (16 columns at least), and nothing in a span can control the terminal.
 */
export const renderTrace = (spans: Iterable<SpanData>, options?: RenderOptions): string =>
  fromSpans(spans).map((tree) => renderTree(tree, options ?? {})).join("\n")

const maxValueWidth = 40
const barSteps = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"]

interface Look {
  readonly width: number
  readonly unicode: boolean
  readonly color: boolean
  readonly ellipsis: string
  readonly attributes: ReadonlyArray<string>
}

const renderTree = (tree: TraceTree, options: RenderOptions): string => {
  const unicode = options.unicode ?? true
  const width = Math.max(boundColumns(options.width), 16)
  const look: Look = {
    width,
    unicode,
    color: options.color ?? false,
    ellipsis: unicode ? "…" : "...",
    attributes: width < 40 ? [] : options.attributes ?? defaultAttributes
  }
  const { errors, hidden, hiddenErrors, rows, window } = rowsOf(tree, options.maxRows ?? 200)
  const lines = heading(tree, window.end - window.start, errors, look, options)

  const durations = rows.map((row) => durationText(row, look))
  const durationWidth = Math.max(5, ...durations.map(displayWidth))
  const leastBar = width < 60 ? 0 : Math.floor(width * 0.3)
  const mostLabel = width - durationWidth - 1 - (leastBar === 0 ? 0 : leastBar + 1)
  const maxIndent = Math.max(1, Math.floor(mostLabel / 6))
  const labels = rows.map((row): Segments => [[indent(row, maxIndent, look), "dim"], ...labelOf(row, look)])
  // What the labels leave free makes the bars finer.
  const needed = Math.max(0, ...labels.map((label) => label.reduce((sum, [text]) => sum + displayWidth(text), 0)))
  const labelWidth = leastBar === 0 ? mostLabel : Math.min(needed, mostLabel)
  const barWidth = leastBar === 0 ? 0 : Math.min(leastBar + mostLabel - labelWidth, Math.floor(width * 0.6))
  rows.forEach((row, index) => {
    const label = fit(labels[index]!, labelWidth, look.ellipsis)
    const bar: Segments = barWidth === 0
      ? []
      : [[" ", "plain"], [barOf(row, window, barWidth, look), row.failed ? "red" : "cyan"]]
    const duration = durations[index]!
    lines.push(
      paint(
        [...label, ...bar, [" ".repeat(durationWidth + 1 - displayWidth(duration)) + duration, "plain"]],
        look.color
      )
        .trimEnd()
    )
  })
  if (hidden > 0) {
    const failed = hiddenErrors > 0 ? `, ${count(hiddenErrors, "error")}` : ""
    const text = `${look.ellipsis} ${count(hidden, "more span")}${failed}`
    lines.push(paint([[truncate(text, width, look.ellipsis), "dim"]], look.color))
  }
  return lines.join("\n") + "\n"
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`

const heading = (
  tree: TraceTree,
  nanos: bigint,
  errors: number,
  look: Look,
  options: RenderOptions
): Array<string> => {
  const root = tree.roots.length === 1 ? tree.roots[0]!.span : undefined
  const facts: Array<readonly [string, Style]> = [
    [`  ${formatNanos(nanos, look.unicode)}`, "plain"],
    [`  ${count(tree.spanCount, "span")}`, "dim"]
  ]
  if (errors > 0) facts.push([`  ${count(errors, "error")}`, "red"])
  if (options.note !== undefined) facts.push([`  (${escapeText(options.note, look.unicode)})`, "yellow"])
  const factsWidth = facts.reduce((sum, [text]) => sum + displayWidth(text), 0)

  const failed = root?.status.code === "ERROR"
  const mark = failed ? (look.unicode ? "✗ " : "x ") : ""
  const service = root === undefined ? "" : escapeText(serviceOf(root), look.unicode)
  const name = root === undefined ? `trace ${tree.traceId}` : escapeText(root.name, look.unicode)
  const room = Math.max(look.width - factsWidth - mark.length, 4)
  const shown = truncate(name, room, look.ellipsis)
  const line: Array<readonly [string, Style]> = [[mark, "red"], [shown, "bold"]]
  if (service !== "" && displayWidth(shown) + displayWidth(service) + 2 <= room) line.push([`  ${service}`, "cyan"])
  line.push(...facts)
  const used = line.reduce((sum, [text]) => sum + displayWidth(text), 0)

  const url = options.traceUrl === undefined ? "" : escapeText(options.traceUrl(tree.traceId), look.unicode)
  const lines: Array<string> = []
  const fitsBeside = url !== "" && used + 2 + displayWidth(url) <= look.width
  if (fitsBeside) line.push([" ".repeat(look.width - used - displayWidth(url)) + url, "dim"])
  lines.push(paint(used > look.width ? fit(line, look.width, look.ellipsis) : line, look.color))
  // A link that is cut leads nowhere: it gets a line of its own, however long.
  if (url !== "" && !fitsBeside) lines.push(paint([[url, "dim"]], look.color))
  if (root !== undefined) {
    const details = detailsOf(root, look, isOrigin(tree.roots[0]!))
    if (details.length > 0) {
      const bar: readonly [string, Style] = [tree.spanCount > 1 ? (look.unicode ? "│" : "|") : " ", "dim"]
      lines.push(paint(fit([bar, ...details], look.width, look.ellipsis), look.color).trimEnd())
    }
  }
  return lines
}

const indent = (row: Row, maxIndent: number, look: Look): string => {
  const [pass, none, fork, last] = look.unicode ? ["│  ", "   ", "├─ ", "└─ "] : ["|  ", "   ", "|- ", "`- "]
  const shown = row.open.slice(0, maxIndent)
  const deeper = row.open.length - shown.length
  const connector = row.isLast ? last : fork
  return shown.map((open) => open ? pass : none).join("") + connector + (deeper > 0 ? `+${deeper} ` : "")
}

const labelOf = (row: Row, look: Look): Segments => {
  if (row.kind === "missing") return [[`missing parent ${row.spanId}`, "yellow"]]
  const out: Array<readonly [string, Style]> = []
  if (row.failed) out.push([look.unicode ? "✗ " : "x ", "red"])
  out.push([escapeText(row.span.name, look.unicode), row.failed ? "red" : "plain"])
  if (row.kind === "group") {
    const times = look.unicode ? "×" : "x"
    out.push([` ${times}${row.count}`, "bold"])
    out.push([`  p50 ${formatNanos(row.median, look.unicode)}  max ${formatNanos(row.longest, look.unicode)}`, "dim"])
    return out
  }
  const service = serviceOf(row.span)
  if (row.parent === undefined || service !== serviceOf(row.parent)) {
    if (service !== "") out.push([`  ${escapeText(service, look.unicode)}`, "cyan"])
  }
  if (row.parent !== undefined && row.span.startTimeUnixNano < row.parent.startTimeUnixNano) {
    const early = row.parent.startTimeUnixNano - row.span.startTimeUnixNano
    out.push([`  (starts ${formatNanos(early, look.unicode)} before its parent)`, "yellow"])
  }
  out.push(...detailsOf(row.span, look, row.showsError))
  return out
}

const detailsOf = (span: SpanData, look: Look, showsError: boolean): Segments => {
  const out: Array<readonly [string, Style]> = []
  const error = showsError ? errorOf(span) : undefined
  // The first line of a message says what; the others are for the place that keeps traces.
  if (error !== undefined && error !== "") out.push([`  ${escapeText(error.split("\n", 1)[0]!, look.unicode)}`, "red"])
  if (span.links.length > 0) {
    const more = span.links.length > 1 ? ` +${span.links.length - 1}` : ""
    const { spanId, traceId } = span.links[0]!
    const id = traceId === span.traceId ? spanId : traceId
    out.push([`  ${look.unicode ? "→" : "->"} link ${id.slice(0, 8)}${look.ellipsis}${more}`, "cyan"])
  }
  for (const key of look.attributes) {
    const value = span.attributes[key]
    if (value === undefined) continue
    const text = typeof value === "object" ? "{…}" : String(value)
    out.push([`  ${key}=${truncate(escapeText(text, look.unicode), maxValueWidth, look.ellipsis)}`, "dim"])
  }
  return out
}

const durationText = (row: Row, look: Look): string =>
  row.kind === "missing"
    ? ""
    : row.kind === "group"
    ? (look.unicode ? "Σ" : "sum ") + formatNanos(row.total, look.unicode)
    : formatNanos(row.span.endTimeUnixNano - row.span.startTimeUnixNano, look.unicode)

const barOf = (
  row: Row,
  window: { readonly start: bigint; readonly end: bigint },
  width: number,
  look: Look
): string => {
  if (row.kind === "missing") return " ".repeat(width)
  const range = Number(window.end - window.start)
  const steps = look.unicode ? width * 8 : width
  const place = (at: bigint): number => range === 0 ? 0 : Math.round(Number(at - window.start) / range * steps)
  const from = Math.min(place(row.start), steps - 1)
  const to = Math.max(place(row.end), from + 1)
  if (!look.unicode) return " ".repeat(from) + "#".repeat(to - from) + " ".repeat(width - to)

  let cells = ""
  for (let cell = 0; cell < width; cell++) {
    const left = Math.max(from - cell * 8, 0)
    const right = Math.min(to - cell * 8, 8)
    // Unicode has blocks that fill a cell from the left in eighths; from the right it has a half and an eighth.
    if (right <= left) cells += " "
    else if (left === 0) cells += barSteps[right]!
    else if (right < 8) cells += barSteps[Math.max(right - left, 1)]!
    else cells += left <= 2 ? "█" : left <= 6 ? "▐" : "▕"
  }
  return cells
}
