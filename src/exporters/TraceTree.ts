/** Who called whom: the spans of one trace as a tree. */
import type { SpanData } from "../model/SpanData.ts"

/** A span and the spans it is the parent of, by start. */
export interface TraceNode {
  readonly span: SpanData
  readonly children: ReadonlyArray<TraceNode>
}

/** Spans whose parent is not among those given. */
export interface MissingParent {
  readonly spanId: string
  readonly children: ReadonlyArray<TraceNode>
}

/** One trace. Every span given is in it once. */
export interface TraceTree {
  readonly traceId: string
  /** Spans without a parent, by start. Where there are none: those whose parent belongs to another process. */
  readonly roots: ReadonlyArray<TraceNode>
  readonly missing: ReadonlyArray<MissingParent>
  readonly spanCount: number
}

type MutableNode = { readonly span: SpanData; readonly children: Array<TraceNode> }

const byStart = (left: TraceNode, right: TraceNode): number =>
  left.span.startTimeUnixNano < right.span.startTimeUnixNano
    ? -1
    : left.span.startTimeUnixNano > right.span.startTimeUnixNano
    ? 1
    : 0

/**
 * The trees of `spans`, one for each trace, in order of their first span.
 *
 * **Details**
 *
 * Siblings are ordered by start, and in the order given where they start together. Of two spans with the same id, the
 * first has the children. Spans that are each other's ancestors hang under a missing parent. Spans are never moved or
 * repaired, and depth is no problem.
 */
export const fromSpans = (spans: Iterable<SpanData>): ReadonlyArray<TraceTree> => {
  const traces = new Map<string, Array<SpanData>>()
  for (const span of spans) {
    const known = traces.get(span.traceId)
    if (known === undefined) traces.set(span.traceId, [span])
    else known.push(span)
  }
  return Array.from(traces, ([traceId, members]) => makeTree(traceId, members))
}

const makeTree = (traceId: string, spans: ReadonlyArray<SpanData>): TraceTree => {
  const nodes: Array<MutableNode> = spans.map((span) => ({ span, children: [] }))
  const byId = new Map<string, MutableNode>()
  for (const node of nodes) {
    if (!byId.has(node.span.spanId)) byId.set(node.span.spanId, node)
  }

  const roots: Array<TraceNode> = []
  const orphans: Array<TraceNode> = []
  for (const node of nodes) {
    const { parentSpanId } = node.span
    if (parentSpanId === undefined) roots.push(node)
    else {
      const parent = byId.get(parentSpanId)
      if (parent === undefined) orphans.push(node)
      else parent.children.push(node)
    }
  }
  for (const node of cutCycles(nodes, [...roots, ...orphans])) orphans.push(node)
  for (const node of nodes) node.children.sort(byStart)

  const entries = new Set(roots.length > 0 ? [] : orphans.filter((node) => node.span.parentIsRemote))
  const missing = new Map<string, Array<TraceNode>>()
  for (const node of orphans) {
    if (entries.has(node)) continue
    const id = node.span.parentSpanId!
    const known = missing.get(id)
    if (known === undefined) missing.set(id, [node])
    else known.push(node)
  }
  return {
    traceId,
    roots: [...roots, ...entries].sort(byStart),
    missing: Array.from(missing, ([spanId, children]) => ({ spanId, children: children.sort(byStart) })),
    spanCount: nodes.length
  }
}

/** Nodes cut loose from their parents, so that every node is reached from `tops` and from them. */
const cutCycles = (nodes: ReadonlyArray<MutableNode>, tops: ReadonlyArray<TraceNode>): Array<TraceNode> => {
  const reached = new Set<TraceNode>()
  const visit = (top: TraceNode): void => {
    const stack = [top]
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (reached.has(node)) continue
      reached.add(node)
      for (const child of node.children) stack.push(child)
    }
  }
  for (const top of tops) visit(top)
  if (reached.size === nodes.length) return []

  const cut: Array<TraceNode> = []
  const parents = new Map<TraceNode, MutableNode>()
  for (const node of nodes) {
    for (const child of node.children) parents.set(child, node)
  }
  for (const node of nodes) {
    if (reached.has(node)) continue
    // Upwards from here the path runs into a circle; what hangs on it is reached once the circle is cut.
    const path = new Set<TraceNode>()
    let top: TraceNode = node
    while (!path.has(top)) {
      path.add(top)
      top = parents.get(top)!
    }
    const siblings = parents.get(top)!.children
    siblings.splice(siblings.indexOf(top), 1)
    cut.push(top)
    visit(top)
  }
  return cut
}

/** The name of the service that made a span, or `""`. */
export const serviceOf = (span: SpanData): string => {
  const service = span.resource.attributes["service.name"]
  return typeof service === "string" ? service : ""
}

/** What went wrong in a span: its exception's type and message, or its status message; `undefined` if nothing did. */
export const errorOf = (span: SpanData): string | undefined => {
  if (span.status.code !== "ERROR") return undefined
  let type = ""
  let message = span.status.message
  for (const event of span.events) {
    if (event.name !== "exception") continue
    if (typeof event.attributes["exception.type"] === "string") type = event.attributes["exception.type"]
    const text = event.attributes["exception.message"]
    if (message === "" && typeof text === "string") message = text
    break
  }
  if (type === "" || message.startsWith(type)) return message
  return message === "" ? type : `${type}: ${message}`
}
