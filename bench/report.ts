/** The figures in words and tables, for a terminal and for the README: the same Markdown. */
import { contenders } from "./contenders/contenders.ts"
import { machineText } from "./machine.ts"
import { table } from "./table.ts"
import { deliverySettings } from "./contenders/settings.ts"
import { rivalsAhead } from "./rivalsAhead.ts"
import type { Losses, Result, Results } from "./results.ts"
import type { Figure } from "./statistics.ts"

const fixed = (digits: number) => (value: number): string => value.toFixed(digits)
const micros = fixed(2)
const millis = fixed(1)
const mebi = (bytes: number): string => (bytes / 2 ** 20).toFixed(0)
const count = (value: number): string => value.toLocaleString("en-US")
const none = "–"

const spread = (figure: Figure | undefined, text: (value: number) => string): string =>
  figure === undefined
    ? none
    : figure.low === figure.high
    ? text(figure.median)
    : `${text(figure.median)} (${text(figure.low)} to ${text(figure.high)})`

interface Line {
  readonly title: string
  readonly exports: boolean
  readonly result: Result
}

/** The results in the order of the contenders. */
const linesOf = (results: Results): ReadonlyArray<Line> =>
  contenders.flatMap(({ exports, id, name, role }) => {
    const result = results.contenders[id]
    return result === undefined ? [] : [{ title: role === "ours" ? `**${name}**` : name, exports, result }]
  })

const losses = ({ exports }: Line, { counted, lost, made }: Losses): string => {
  if (!exports) return none
  const told = lost === 0 || counted === undefined
    ? ""
    : counted === lost
    ? ", all counted"
    : `, ${count(counted)} counted`
  return `${count(lost)} of ${count(made)}${told}`
}

const costs = (results: Results): string =>
  table([
    ["", "CPU per span, µs", "above no-op, µs", "bytes per span", "peak memory, MiB", "spans lost"],
    ...linesOf(results).map((line) => {
      const { above, bytesPerSpan, cpu, losses: lost, peakRss } = line.result
      return [
        line.title,
        micros(cpu.median),
        spread(above, micros),
        bytesPerSpan === undefined ? none : bytesPerSpan.toFixed(0),
        mebi(peakRss),
        losses(line, lost)
      ]
    })
  ])

const prebuilt = (results: Results): string | undefined => {
  const lines = linesOf(results).filter(({ result }) => result.abovePrebuilt !== undefined)
  return lines.length === 0 ? undefined : table([
    ["the same with effects that were built once", "above no-op, µs"],
    ...lines.map(({ result, title }) => [title, spread(result.abovePrebuilt, micros)])
  ])
}

const defaults = (results: Results): string =>
  table([
    [
      "default settings",
      `event-loop delay p99.9 at ${count(results.pacedSpansPerSecond)} spans/s, ms`,
      "spans lost",
      `longest stall of ${count(results.burstSpans)} spans in one tick, ms`,
      "spans lost"
    ],
    ...linesOf(results).map((line) => {
      const { burst, paced } = line.result
      return [
        line.title,
        spread(paced.p999, micros),
        losses(line, paced.losses),
        millis(burst.stall),
        losses(line, burst.losses)
      ]
    })
  ])

/** How many times what ours costs in its program each exporting rival costs. */
const factors = (results: Results): ReadonlyArray<string> =>
  linesOf(results).flatMap(({ exports, result, title }) => {
    const ours = results.contenders[result.program === "effect" ? "oursProtobuf" : "oursPromise"]
    if (result.role !== "rival" || !exports || ours?.above === undefined || result.above === undefined) return []
    if (ours.above.median <= 0) return []
    return [`${title}: ${millis(result.above.median / ours.above.median)} times ${ours.name}`]
  })

const bullets = (lines: ReadonlyArray<string>): string => lines.map((line) => `- ${line}`).join("\n")

const section = (title: string, lines: ReadonlyArray<string>): string | undefined =>
  lines.length === 0 ? undefined : `${title}\n\n${bullets(lines)}`

/** More waiting processes than this for each core, and the figures are those of the neighbours. */
const busyPerCore = 0.5

const busy = ({ machine: { cores, loadBefore } }: Results): string | undefined =>
  loadBefore > cores * busyPerCore
    ? `**The machine was busy (load ${
      millis(loadBefore)
    } on ${cores} cores as the run began): do not quote these figures.**`
    : undefined

/** The whole report. */
export const report = (results: Results): string => {
  const { date, mode, spansPerRequest } = results
  const command = `npm run bench${mode.name === "full" ? " -- --full" : ""}`
  return [
    `\`${command}\` on ${date.slice(0, 10)}: ${machineText(results.machine)}.`,
    busy(results),
    `Spans with four attributes, three children to a parent. CPU is user and system time of the whole process up to the `
    + `end of the shutdown; medians and quartiles of ${mode.rounds * mode.generations} interleaved rounds of ${
      count(mode.requests * spansPerRequest)
    } spans, each beside one of the no-op tracer, all to a local receiver that counts what arrives.`,
    costs(results),
    prebuilt(results),
    defaults(results),
    section("CPU above the no-op tracer:", factors(results)),
    section("Where a rival is ahead of ours:", rivalsAhead(results)) ?? "No rival is ahead of ours in these figures.",
    section("Settings for the first table, where the defaults do not deliver at full speed:", deliverySettings)
  ].filter((part) => part !== undefined).join("\n\n")
}
