/** What became of a contender in a row. */
import type { Life } from "./processes.ts"
import type { Books, Cost, StageLog } from "./protocol.ts"
import type { Row } from "./rows/Row.ts"

/** What became of one span. */
export interface SpanOutcome {
  /** Seconds from its end to its arrival, `undefined` where it came after a restart. */
  readonly after: number | undefined
  /** It came after the shutdown had begun. */
  readonly atShutdown: boolean
  readonly times: number
}

export interface Outcome {
  /** `a` and `b`, where they arrived. */
  readonly spans: Readonly<Record<string, SpanOutcome>>
  readonly made: number
  /** Different ones, those after a restart included. */
  readonly arrived: number
  readonly afterRestart: number
  /** Arrivals beyond the first of each span. */
  readonly duplicates: number
  /** Up to the end of the process. */
  readonly requests: number
  readonly connections: number
  readonly redirected: number
  readonly leaked: boolean
  /** How long `across` took by its own account, in seconds. */
  readonly across: number | undefined
  readonly cost: Cost | undefined
  readonly books: Books | undefined
  /** What it said by itself, the first of it, and all that our diagnostics say. */
  readonly lines: ReadonlyArray<string>
  /** The process ended before it had done its part. */
  readonly died: boolean
  /** How long it lived after it had made its spans, in seconds, where it left by itself. */
  readonly lingered: number | undefined
}

const countsOf = (log: StageLog): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const { spans, taken } of log.arrivals) {
    if (taken) { for (const [name] of spans) counts.set(name, (counts.get(name) ?? 0) + 1) }
  }
  return counts
}

/** `after` is what the server had seen when the process after it had ended. */
export const outcomeOf = (row: Row, life: Life, before: StageLog, after: StageLog | undefined): Outcome => {
  const first = countsOf(before)
  const total = countsOf(after ?? before)
  const cost = life.said.findLast((word) => word.tag === "cost")?.cost
  const books = life.said.findLast((word) => word.tag === "books")?.books
  const ended = new Map(life.said.flatMap((word) => word.tag === "ended" ? [[word.name, word.at] as const] : []))
  const closing = life.said.find((word) => word.tag === "closing")?.at ?? Infinity
  const made = life.said.find((word) => word.tag === "made")?.count ?? ended.size
  const spans: Record<string, SpanOutcome> = {}
  for (const [name, times] of total) {
    const at = before.arrivals.find((arrival) => arrival.taken && arrival.spans.some(([other]) => other === name))?.at
    const end = ended.get(name)
    if (end !== undefined) {
      spans[name] = { after: at === undefined ? undefined : at - end, atShutdown: (at ?? 0) >= closing, times }
    }
  }
  // Spans of a flood share a name, so that each arrival is another one.
  const isFlood = row.scenario.kind === "flood"
  const distinct = (counts: Map<string, number>): number =>
    isFlood ? Math.min(made, counts.get("flood") ?? 0) : counts.size
  const all = [...total.values()].reduce((sum, count) => sum + count, 0)
  const across = before.arrivals.flatMap((arrival) => arrival.spans).find(([name]) => name === "across")
  const isLeaving = row.scenario.kind === "leave"
  return {
    spans,
    made,
    arrived: distinct(total),
    afterRestart: distinct(total) - distinct(first),
    duplicates: all - distinct(total),
    requests: before.requests,
    connections: before.connections,
    redirected: before.redirected,
    leaked: before.leaked,
    across: across?.[1],
    cost,
    books,
    lines: life.lines,
    died: isLeaving ? life.said.every(({ tag }) => tag !== "made") : cost === undefined,
    lingered: isLeaving ? life.lingered : undefined
  }
}
