/** Spans as trees, and trees as text for test messages. */
import * as TraceTree from "../exporters/TraceTree.ts"
import { formatNanos } from "../internal/terminalText.ts"
import type { Attributes, AttributeValue } from "../model/Attributes.ts"
import type { SpanData } from "../model/SpanData.ts"

/** A span and its children, by start. */
export type SpanTree = TraceTree.TraceNode

/**
 * The trees of `spans`: each root, and each span whose parent is not among them, with all that is below it.
 *
 * **Details**
 *
 * In order of traces as they come, roots by start before spans without their parent. Siblings are ordered by start; those
 * that start together, in the order given.
 */
export const fromSpans = (spans: Iterable<SpanData>): ReadonlyArray<SpanTree> =>
  TraceTree.fromSpans(spans).flatMap((tree) => [
    ...tree.roots,
    ...tree.missing.flatMap((missing) => missing.children)
  ])

/**
 * The trees as text: one line for each span with its kind, status, duration, attributes, events and links, as far as they
 * say anything.
 */
export const print = (forest: ReadonlyArray<SpanTree>): string => {
  if (forest.length === 0) return "no spans"
  const tops = new Set(forest)
  const lines: Array<string> = []
  const stack = [...forest].reverse().map((node) => ({ node, lead: "", below: "" }))
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const { below, lead, node } = entry
    const { parentSpanId } = node.span
    const orphan = tops.has(node) && parentSpanId !== undefined ? `  (parent ${parentSpanId} is not here)` : ""
    lines.push(lead + printSpan(node.span) + orphan)
    for (let i = node.children.length - 1; i >= 0; i--) {
      const isLast = i === node.children.length - 1
      stack.push({
        node: node.children[i]!,
        lead: below + (isLast ? "└─ " : "├─ "),
        below: below + (isLast ? "   " : "│  ")
      })
    }
  }
  return lines.join("\n")
}

/** One span as text, without its children. */
export const printSpan = (span: SpanData): string => {
  const { code, message } = span.status
  const duration = span.endTimeUnixNano - span.startTimeUnixNano
  return [
    span.name,
    span.kind === "INTERNAL" ? "" : span.kind,
    code === "UNSET" ? "" : message === "" ? code : `${code}(${JSON.stringify(message)})`,
    duration === 0n ? "" : formatNanos(duration, true),
    Object.keys(span.attributes).length === 0 ? "" : printAttributes(span.attributes),
    span.events.length === 0 ? "" : `events=[${span.events.map((event) => event.name).join(", ")}]`,
    span.links.length === 0 ? "" : `links=${span.links.length}`
  ].filter((part) => part !== "").join(" ")
}

const printAttributes = (attributes: Attributes): string =>
  `{${Object.keys(attributes).map((key) => `${key}=${printValue(attributes[key])}`).join(", ")}}`

const longest = 80

/** An attribute value as text; `"none"` for no value. */
export const printValue = (value: AttributeValue | undefined): string => {
  if (value === undefined) return "none"
  if (typeof value === "bigint") return `${value}n`
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value)
  if (value instanceof Uint8Array) return `bytes(${value.join(" ")})`
  const text = typeof value !== "object" || value === null
    ? JSON.stringify(value)
    : Array.isArray(value)
    ? `[${(value as ReadonlyArray<AttributeValue>).map(printValue).join(", ")}]`
    : printAttributes(value as Attributes)
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}
