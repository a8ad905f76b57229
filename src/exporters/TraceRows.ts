/** What a drawn trace shows, line by line, before it is known how. */
import type { SpanData } from "../model/SpanData.ts"
import { serviceOf, type TraceNode, type TraceTree } from "./TraceTree.ts"

interface Place {
  /** For each ancestor but the root: whether more of its siblings follow below. */
  readonly open: ReadonlyArray<boolean>
  readonly isLast: boolean
  readonly failed: boolean
}

/** One line. */
export type Row =
  | Place & {
    readonly kind: "span"
    readonly span: SpanData
    readonly parent: SpanData | undefined
    readonly start: bigint
    readonly end: bigint
    /** It failed by itself, and not only because a child did. */
    readonly showsError: boolean
  }
  | Place & {
    readonly kind: "group"
    /** The first of those that look alike. */
    readonly span: SpanData
    readonly count: number
    readonly start: bigint
    readonly end: bigint
    /** Nanoseconds. */
    readonly total: bigint
    readonly median: bigint
    readonly longest: bigint
  }
  | Place & { readonly kind: "missing"; readonly spanId: string }

/** The lines of a trace and its sums. */
export interface Rows {
  readonly rows: ReadonlyArray<Row>
  readonly errors: number
  /** Spans beyond the last line. */
  readonly hidden: number
  readonly hiddenErrors: number
  /** From the first start to the last end. */
  readonly window: { readonly start: bigint; readonly end: bigint }
}

/** Siblings of one name that become one line. */
const leastGroup = 5

type Item =
  | { readonly kind: "node"; readonly node: TraceNode; readonly parent: SpanData | undefined }
  | { readonly kind: "group"; readonly nodes: ReadonlyArray<TraceNode>; readonly failed: boolean }
  | { readonly kind: "missing"; readonly spanId: string; readonly children: ReadonlyArray<TraceNode> }

interface Facts {
  /** Spans of the subtree, and how many of them failed. */
  readonly spans: number
  readonly errors: number
}

/** The lines of `tree` below its heading, `maxRows` at most. */
export const rowsOf = (tree: TraceTree, maxRows: number): Rows => {
  const tops = [...tree.roots, ...tree.missing.flatMap((missing) => missing.children)]
  const { facts, window } = survey(tops)
  const heading = tree.roots.length === 1 ? tree.roots[0]! : undefined

  const first: Array<Item> = heading === undefined
    ? itemsOf(tree.roots, undefined, facts)
    : itemsOf(heading.children, heading.span, facts)
  for (const missing of tree.missing) first.push({ kind: "missing", ...missing })

  const rows: Array<Row> = []
  let shown = heading === undefined ? 0 : 1
  let shownErrors = heading?.span.status.code === "ERROR" ? 1 : 0
  const stack: Array<{ readonly item: Item; readonly open: ReadonlyArray<boolean>; readonly isLast: boolean }> = []
  const push = (items: ReadonlyArray<Item>, open: ReadonlyArray<boolean>): void => {
    for (let i = items.length - 1; i >= 0; i--) stack.push({ item: items[i]!, open, isLast: i === items.length - 1 })
  }
  push(first, [])
  while (stack.length > 0 && rows.length < maxRows) {
    const { isLast, item, open } = stack.pop()!
    const below = () => [...open, !isLast]
    if (item.kind === "missing") {
      rows.push({ kind: "missing", open, isLast, failed: false, spanId: item.spanId })
      push(itemsOf(item.children, undefined, facts), below())
    } else if (item.kind === "group") {
      rows.push(groupRow(item.nodes, item.failed, open, isLast))
      for (const node of item.nodes) {
        shown += facts.get(node)!.spans
        shownErrors += facts.get(node)!.errors
      }
    } else {
      const { node, parent } = item
      const { span } = node
      const failed = span.status.code === "ERROR"
      rows.push({
        kind: "span",
        open,
        isLast,
        failed,
        span,
        parent,
        start: span.startTimeUnixNano,
        end: span.endTimeUnixNano,
        showsError: isOrigin(node)
      })
      shown++
      if (failed) shownErrors++
      push(itemsOf(node.children, span, facts), node.children.length === 0 ? [] : below())
    }
  }
  let errors = 0
  for (const top of tops) errors += facts.get(top)!.errors
  return { rows, errors, hidden: tree.spanCount - shown, hiddenErrors: errors - shownErrors, window }
}

/** Facts of every subtree, from the leaves up; without recursion, for a chain may be as long as the trace. */
const survey = (tops: ReadonlyArray<TraceNode>): {
  readonly facts: ReadonlyMap<TraceNode, Facts>
  readonly window: Rows["window"]
} => {
  const order: Array<TraceNode> = []
  const stack = [...tops]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    order.push(node)
    for (const child of node.children) stack.push(child)
  }
  const facts = new Map<TraceNode, Facts>()
  let start: bigint | undefined
  let end: bigint | undefined
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i]!
    const { span } = node
    if (start === undefined || span.startTimeUnixNano < start) start = span.startTimeUnixNano
    if (end === undefined || span.endTimeUnixNano > end) end = span.endTimeUnixNano
    facts.set(node, factsOf(node, facts))
  }
  return { facts, window: { start: start ?? 0n, end: end ?? 0n } }
}

const factsOf = (node: TraceNode, facts: ReadonlyMap<TraceNode, Facts>): Facts => {
  let spans = 1
  let errors = node.span.status.code === "ERROR" ? 1 : 0
  for (const child of node.children) {
    const below = facts.get(child)!
    spans += below.spans
    errors += below.errors
  }
  return { spans, errors }
}

/** Whether a span failed, and not just because a child did: no failed child says the same. */
export const isOrigin = (node: TraceNode): boolean =>
  node.span.status.code === "ERROR" &&
  !node.children.some(({ span }) => span.status.code === "ERROR" && span.status.message === node.span.status.message)

/** The lines of siblings: alike ones together, where the first of them stands. */
const itemsOf = (
  nodes: ReadonlyArray<TraceNode>,
  parent: SpanData | undefined,
  facts: ReadonlyMap<TraceNode, Facts>
): Array<Item> => {
  if (nodes.length < leastGroup) return nodes.map((node) => ({ kind: "node", node, parent }))
  const groups = new Map<string, Array<TraceNode>>()
  const keyOf = (node: TraceNode): string =>
    `${facts.get(node)!.errors > 0 ? "failed" : "fine"}\u0000${serviceOf(node.span)}\u0000${node.span.name}`
  for (const node of nodes) {
    const key = keyOf(node)
    const known = groups.get(key)
    if (known === undefined) groups.set(key, [node])
    else known.push(node)
  }
  const items: Array<Item> = []
  const done = new Set<string>()
  for (const node of nodes) {
    const key = keyOf(node)
    const group = groups.get(key)!
    const failed = facts.get(node)!.errors > 0
    // Of failed ones the first is shown whole: the reason is in it.
    if (group.length < leastGroup + (failed ? 1 : 0)) items.push({ kind: "node", node, parent })
    else if (!done.has(key)) {
      done.add(key)
      if (failed) items.push({ kind: "node", node, parent })
      items.push({ kind: "group", nodes: failed ? group.slice(1) : group, failed })
    }
  }
  return items
}

const groupRow = (
  nodes: ReadonlyArray<TraceNode>,
  failed: boolean,
  open: ReadonlyArray<boolean>,
  isLast: boolean
): Row => {
  const spans = nodes.map((node) => node.span)
  const durations = spans.map((span) => span.endTimeUnixNano - span.startTimeUnixNano)
  durations.sort((left, right) => left < right ? -1 : left > right ? 1 : 0)
  let total = 0n
  for (const duration of durations) total += duration
  let start = spans[0]!.startTimeUnixNano
  let end = spans[0]!.endTimeUnixNano
  for (const span of spans) {
    if (span.startTimeUnixNano < start) start = span.startTimeUnixNano
    if (span.endTimeUnixNano > end) end = span.endTimeUnixNano
  }
  return {
    kind: "group",
    open,
    isLast,
    failed,
    span: spans[0]!,
    count: spans.length,
    start,
    end,
    total,
    median: durations[(durations.length - 1) >> 1]!,
    longest: durations[durations.length - 1]!
  }
}
