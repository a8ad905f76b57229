/** The matrix as Markdown. */
import { type Machine, machineText } from "../machine.ts"
import { contenderOf, contenders } from "./contenders.ts"
import { misses, rivalsAhead } from "./judge.ts"
import type { Outcome } from "./outcome.ts"
import { rows as allRows } from "./rows.ts"
import type { Row } from "./rows/Row.ts"
import type { Outcomes } from "./run.ts"

/** The kept results. */
export interface Results {
  readonly date: string
  readonly machine: Machine
  readonly outcomes: Outcomes
}

const seconds = (value: number): string => `${value.toFixed(1)} s`
const count = (value: number): string => value.toLocaleString("en-US")
const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? "" : "s"}`

const spanText = (outcome: Outcome, name: string): string => {
  const span = outcome.spans[name]
  if (span === undefined) return `**${name} lost**`
  const when = span.after === undefined
    ? "after a restart"
    : `${seconds(span.after)}${span.atShutdown ? ", by the shutdown" : ""}`
  return `${name} ${when}${span.times > 1 ? ` (${span.times} times)` : ""}`
}

const manyText = ({ afterRestart, arrived, made }: Outcome): string =>
  `${arrived < made ? `**${count(arrived)}**` : count(arrived)} of ${count(made)}` +
  (afterRestart > 0 ? `, ${count(afterRestart)} of them after a restart` : "")

const reasons = ({ books }: Outcome): ReadonlyArray<string> =>
  books === undefined ? [] : Object.entries(books.lost).map(([reason, lost]) => `${count(lost)} ${reason}`)

const wordOf = (outcome: Outcome): string | undefined => {
  const counted = reasons(outcome)
  if (counted.length > 0) return `counted: ${counted.join(", ")}`
  return outcome.arrived < outcome.made && outcome.lines.length === 0 ? "nothing is said" : undefined
}

const cost = ({ cost }: Outcome, isAlone: boolean): string => {
  if (cost === undefined) return ""
  const parts = [
    `CPU ${cost.cpuSeconds.toFixed(2)} s`,
    `RSS ${Math.round(cost.rss / 2 ** 20)} MiB`,
    ...(isAlone ? [`heap ${Math.round(cost.heap / 2 ** 20)} MiB`, `stall ${Math.round(cost.stall * 1_000)} ms`] : []),
    `closed in ${cost.shutdown < 0.05 ? "0 s" : seconds(cost.shutdown)}`
  ]
  return parts.join(", ")
}

const cell = (row: Row, outcome: Outcome | undefined): string => {
  if (outcome === undefined) return "–"
  if (outcome.died) return "**the program dies**"
  const arrivals = row.scenario.kind === "pair"
    ? `${spanText(outcome, "a")}, ${spanText(outcome, "b")}`
    : manyText(outcome)
  const extra = [
    plural(outcome.requests, "request"),
    outcome.across === undefined ? undefined : `the open span took ${seconds(outcome.across)}`,
    outcome.redirected > 0 ? `followed${outcome.leaked ? ", **with the header**" : ""}` : undefined,
    wordOf(outcome)
  ]
  return [[arrivals, ...extra.filter((text) => text !== undefined)].join("; "), cost(outcome, row.alone === true)].join(
    "<br>"
  )
}

const line = (cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`

const tableOf = (rows: ReadonlyArray<Row>, outcomes: Outcomes): string => {
  const ids = ["ours", "oursSpool", "otel", "effect"]
  return [
    line(["fault", ...ids.map((id) => contenderOf(id).name)]),
    line(["fault", ...ids].map(() => "---")),
    ...rows.map((row) =>
      line([`**${row.title}**<br>asked: ${row.asks}`, ...ids.map((id) => cell(row, outcomes[row.id]?.[id]))])
    )
  ].join("\n")
}

const leavingText = (outcome: Outcome | undefined): string =>
  outcome === undefined ? "–" : outcome.died ? "dies" : outcome.afterRestart > 0
    ? `${count(outcome.arrived)}, after a restart`
    : count(outcome.arrived)

const leavingTable = (rows: ReadonlyArray<Row>, outcomes: Outcomes): string => {
  const present = contenders.filter(({ id }) => rows.some((row) => outcomes[row.id]?.[id] !== undefined))
  return [
    line(["", ...rows.map(({ title }) => title)]),
    line(["---", ...rows.map(() => "---:")]),
    ...present.map(({ id, name }) => line([name, ...rows.map((row) => leavingText(outcomes[row.id]?.[id]))]))
  ].join("\n")
}

const headings = {
  connection: "### The way to the collector",
  answers: "### What the collector answers",
  host: "### The host"
}

const list = (items: ReadonlyArray<string>): string => items.map((item) => `- ${item}`).join("\n")

export const report = ({ date, machine, outcomes }: Results): string => {
  const rows = allRows.filter(({ id }) => outcomes[id] !== undefined)
  const parts = [`\`npm run faults\` on ${date.slice(0, 10)}: ${machineText(machine)}.`]
  for (const group of ["connection", "answers", "host"] as const) {
    const own = rows.filter((row) => row.group === group)
    if (own.length > 0) parts.push(headings[group], tableOf(own, outcomes))
  }
  const leaving = rows.filter((row) => row.group === "leaving")
  if (leaving.length > 0) {
    parts.push(
      "### A process that leaves",
      "Of 100 spans, made right before; a signal comes one second after them.",
      leavingTable(leaving, outcomes)
    )
  }
  const amiss = misses(rows, outcomes)
  parts.push(
    "### Where effect-telemetry misses what is asked",
    amiss.length === 0 ? "Nowhere in this run." : list(amiss)
  )
  const ahead = rivalsAhead(rows, outcomes)
  parts.push(
    "### Where a rival does better",
    ahead.length === 0 ? "Nowhere in this run." : list(ahead)
  )
  return parts.join("\n\n")
}
