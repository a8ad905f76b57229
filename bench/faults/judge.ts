/** Whether effect-telemetry did what a row asks, and where a rival did better. */
import { contenderOf } from "./contenders.ts"
import type { Outcome } from "./outcome.ts"
import type { Fate, Row, Wanted } from "./rows/Row.ts"
import { isOurs, type Outcomes } from "./run.ts"

const mega = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
const time = (seconds: number | undefined): string => seconds === undefined ? "never" : `${seconds.toFixed(1)} s`

const shutdownBound = 3.3
const stallBound = 0.25
/** Less than that is the luck of timers. */
const sooner = 1.5

const countedLost = ({ books }: Outcome): number =>
  books === undefined ? 0 : Object.values(books.lost).reduce((sum, count) => sum + count, 0)

function* missesOf(row: Row, wanted: Wanted, outcome: Outcome, healthyRss: number): Generator<string> {
  const { books, cost, lines, spans } = outcome
  if (outcome.died) yield "the program did not live to its end"
  if (books !== undefined && books.unaccounted > 0) yield `${books.unaccounted} spans unaccounted for`
  if (cost !== undefined && cost.shutdown > shutdownBound) yield `the shutdown took ${time(cost.shutdown)}`
  // Of rows that run beside others, the machine is to blame.
  if (cost !== undefined && row.alone === true && row.id !== "burst" && cost.stall > stallBound) {
    yield `a stall of ${time(cost.stall)}`
  }
  const judge = (name: string, fate: Fate | undefined, made: number, arrived: number): string | undefined => {
    const counted = countedLost(outcome)
    if (fate === "arrives" && arrived < made) return `${name}: ${arrived} of ${made} arrived`
    if (fate === "counted" && counted === 0) return `${name}: not counted as lost`
    // Spans of the other name may be lost as well, which is no less counted.
    if (fate === "accounted" && arrived + counted < made) return `${name}: ${arrived} arrived, ${counted} counted`
    return undefined
  }
  for (const name of ["a", "b"] as const) {
    const miss = judge(name, wanted[name], 1, spans[name] === undefined ? 0 : 1)
    if (miss !== undefined) yield miss
    const bounds = wanted[`${name}After`]
    const after = spans[name]?.after
    if (bounds !== undefined && (after === undefined || after < bounds[0] || after > bounds[1])) {
      yield `${name} after ${time(after)}, not ${bounds[0]} to ${bounds[1]} s`
    }
  }
  const miss = judge("spans", wanted.all, outcome.made, outcome.arrived)
  if (miss !== undefined) yield miss
  if (outcome.duplicates > (wanted.duplicates ?? 0)) yield `${outcome.duplicates} spans more than once`
  if (wanted.requests !== undefined) {
    const [least, most] = wanted.requests
    if (outcome.requests < least || outcome.requests > most) yield `${outcome.requests} requests`
  }
  if (wanted.told === true && !lines.some(isOurs)) yield "not told"
  if (wanted.rssAbove !== undefined && cost !== undefined && cost.rss - healthyRss > wanted.rssAbove) {
    yield `${mega(cost.rss)} of memory, ${mega(cost.rss - healthyRss)} above the healthy row`
  }
  if (wanted.across !== undefined) {
    const [least, most] = wanted.across
    if (outcome.across === undefined || outcome.across < least || outcome.across > most) {
      yield `the span across the jump took ${time(outcome.across)}`
    }
  }
  if (outcome.leaked) yield "a configured header went to another origin"
}

/** Rows in which effect-telemetry misses what is asked, each with what is amiss. */
export const misses = (rows: ReadonlyArray<Row>, outcomes: Outcomes): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const row of rows) {
    for (const [id, outcome] of Object.entries(outcomes[row.id] ?? {})) {
      const info = contenderOf(id)
      if (info.role !== "ours") continue
      const healthy = outcomes["healthy"]?.[id]?.cost?.rss ?? Infinity
      const wanted = row.wantedOf?.[id] ?? (info.spool ? row.wantedWithSpool : undefined) ?? row.wanted
      const amiss = [...missesOf(row, wanted, outcome, healthy)]
      if (amiss.length > 0) found.push(`${row.title} (${info.name}): ${amiss.join("; ")}`)
    }
  }
  return found
}

function* aheadIn(row: Row, ours: Outcome, rival: Outcome): Generator<string> {
  if (rival.died) return
  for (const name of ["a", "b"]) {
    const own = ours.spans[name]
    const other = rival.spans[name]
    if (other === undefined) continue
    if (own === undefined) yield `${name} arrives, with ours it does not`
    else if ((own.after ?? Infinity) - (other.after ?? Infinity) > sooner) {
      yield `${name} after ${time(other.after)}, with ours after ${time(own.after)}`
    }
  }
  if (row.scenario.kind !== "pair" && rival.arrived > ours.arrived) {
    yield `${rival.arrived} spans arrive, of ours ${ours.arrived}`
  }
  if (rival.duplicates < ours.duplicates) {
    yield `${rival.duplicates} spans more than once, of ours ${ours.duplicates}`
  }
  const bounds = row.wanted.across
  const isWithin = (seconds: number | undefined): boolean =>
    bounds !== undefined && seconds !== undefined && seconds >= bounds[0] && seconds <= bounds[1]
  if (isWithin(rival.across) && !isWithin(ours.across)) {
    yield `the open span took ${time(rival.across)}, of ours ${time(ours.across)}`
  }
  if (ours.cost === undefined || rival.cost === undefined) return
  const { cost } = ours
  if (cost.shutdown - rival.cost.shutdown > 0.2) {
    yield `closes in ${time(rival.cost.shutdown)}, ours in ${time(cost.shutdown)}`
  }
  if (row.alone !== true) return
  if (cost.cpuSeconds > 1.1 * rival.cost.cpuSeconds) {
    yield `CPU ${rival.cost.cpuSeconds.toFixed(2)} s, ours ${cost.cpuSeconds.toFixed(2)} s`
  }
  if (cost.rss > 1.05 * rival.cost.rss) yield `${mega(rival.cost.rss)} of memory, ours ${mega(cost.rss)}`
  if (cost.stall - rival.cost.stall > 0.02) {
    const millis = (seconds: number) => `${Math.round(seconds * 1_000)} ms`
    yield `a stall of ${millis(rival.cost.stall)}, of ours ${millis(cost.stall)}`
  }
}

/** The one of ours that is set up as a rival is, where that is not the first. */
const peerOf: Readonly<Record<string, string>> = { effect: "oursEffect", otelHook: "oursSignals" }

/** Where a rival does better than effect-telemetry without a spool. */
export const rivalsAhead = (rows: ReadonlyArray<Row>, outcomes: Outcomes): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const row of rows) {
    const ours = outcomes[row.id]?.["ours"]
    for (const [id, outcome] of Object.entries(outcomes[row.id] ?? {})) {
      const info = contenderOf(id)
      if (info.role !== "rival" || ours === undefined) continue
      const peer = outcomes[row.id]![peerOf[id] ?? "ours"] ?? ours
      const ahead = [...aheadIn(row, peer, outcome)]
      if (ahead.length > 0) found.push(`${row.title}: ${info.name}: ${ahead.join("; ")}`)
    }
  }
  return found
}
