/** The figures in words and tables, for a terminal and for the README: the same Markdown. */
import { contenders } from "./contenders/contenders.ts"
import { deliverySettings } from "./contenders/settings.ts"
import type { Result, Results } from "./results.ts"
import type { Figure } from "./statistics.ts"

const micros = (value: number): string => value.toFixed(2)
const mebi = (bytes: number): string => (bytes / 2 ** 20).toFixed(0)
const count = (value: number): string => value.toLocaleString("en-US")
const spread = (figure: Figure, text: (value: number) => string): string =>
  `${text(figure.median)} (${text(figure.low)} to ${text(figure.high)})`

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (row: ReadonlyArray<string>) =>
    `| ${
      row.map((cell, column) => column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)).join(
        " | "
      )
    } |`
  const rule = `| ${
    widths.map((width, column) => column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`).join(" | ")
  } |`
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)].join("\n")
}

/** The results in the order of the contenders. */
const ordered = (results: Results): ReadonlyArray<readonly [string, Result]> =>
  contenders.flatMap(({ id }) => results.contenders[id] === undefined ? [] : [[id, results.contenders[id]] as const])

const exportsOf = (id: string): boolean => contenders.find((info) => info.id === id)!.exports

const bold = (result: Result, text: string): string => result.role === "ours" ? `**${text}**` : text

const costs = (results: Results): string =>
  table([
    [
      "",
      "CPU per span, µs",
      "above no-op, µs",
      "bytes per span",
      "event-loop delay p99.9, ms",
      "peak memory, MiB",
      "spans lost"
    ],
    ...ordered(results).map(([id, result]) => [
      bold(result, result.name),
      micros(result.cpu.median),
      result.above === undefined ? "–" : spread(result.above, micros),
      result.bytesPerSpan === undefined ? "–" : result.bytesPerSpan.toFixed(0),
      micros(result.paced.p999.median),
      mebi(result.peakRss),
      exportsOf(id) ? `${count(result.lost + result.paced.lost)} of ${count(result.made + result.paced.made)}` : "–"
    ])
  ])

const prebuilt = (results: Results): string | undefined => {
  const rows = ordered(results).filter(([, result]) => result.abovePrebuilt !== undefined)
  return rows.length === 0 ? undefined : table([
    ["effects built once", "above no-op, µs"],
    ...rows.map(([, result]) => [bold(result, result.name), spread(result.abovePrebuilt!, micros)])
  ])
}

const bursts = (results: Results): string =>
  table([
    [`${count(results.burstSpans)} spans in one tick, default settings`, "spans lost", "longest stall, ms"],
    ...ordered(results).filter(([id]) => exportsOf(id) || results.contenders[id]!.role === "baseline").map((
      [id, result]
    ) => [
      bold(result, result.name),
      exportsOf(id) ? `${count(result.burst.lost)} of ${count(result.burst.made)}` : "–",
      result.burst.stall.toFixed(1)
    ])
  ])

interface Aspect {
  readonly name: string
  readonly of: (result: Result) => number | undefined
  /** Smaller differences are noise. */
  readonly margin: number
  readonly text: (value: number) => string
}

const aspects: ReadonlyArray<Aspect> = [
  { name: "CPU per span above no-op", of: (r) => r.above?.median, margin: 1.05, text: (v) => `${micros(v)} µs` },
  { name: "bytes per span", of: (r) => r.bytesPerSpan, margin: 1.01, text: (v) => v.toFixed(0) },
  { name: "event-loop delay p99.9", of: (r) => r.paced.p999.median, margin: 1.1, text: (v) => `${micros(v)} ms` },
  { name: "peak memory", of: (r) => r.peakRss, margin: 1.05, text: (v) => `${mebi(v)} MiB` },
  { name: "longest stall in the burst", of: (r) => r.burst.stall, margin: 1.1, text: (v) => `${v.toFixed(1)} ms` },
  {
    name: "spans lost in the burst",
    of: (r) => r.burst.lost / r.burst.made,
    margin: 1,
    text: (v) => `${(v * 100).toFixed(0)} %`
  }
]

/** Every figure in which a rival that exports does better than one of ours that runs the same program. */
export const rivalsAhead = (results: Results): ReadonlyArray<string> => {
  const all = ordered(results)
  const rivals = all.filter(([id, result]) => result.role === "rival" && exportsOf(id))
  return all.filter(([, result]) => result.role === "ours").flatMap(([, ours]) =>
    aspects.flatMap(({ margin, name, of, text }) => {
      const own = of(ours)
      if (own === undefined) return []
      return rivals.flatMap(([, rival]) => {
        const theirs = of(rival)
        return rival.program === ours.program && theirs !== undefined && theirs * margin < own
          ? [`${name}: ${rival.name} has ${text(theirs)}, ${ours.name} ${text(own)}`]
          : []
      })
    })
  )
}

/** How many times more each rival costs than ours in its program. */
const factors = (results: Results): ReadonlyArray<string> => {
  const all = ordered(results)
  return all.filter(([, result]) => result.role === "rival").flatMap(([, rival]) => {
    const ours = results.contenders[rival.program === "effect" ? "oursProtobuf" : "oursPromise"]
    return ours?.above === undefined || rival.above === undefined || ours.above.median <= 0
      ? []
      : [`${rival.name}: ${(rival.above.median / ours.above.median).toFixed(1)} times ${ours.name}`]
  })
}

const bullets = (lines: ReadonlyArray<string>): string => lines.map((line) => `- ${line}`).join("\n")

const machine = (results: Results): string => {
  const { cores, cpu, loadAfter, loadBefore, memoryGiB, node, os, packages } = results.machine
  const busy = loadBefore > cores / 2
    ? `\n\n**The machine was busy: load ${
      loadBefore.toFixed(1)
    } on ${cores} cores when the run began. Do not quote these figures.**`
    : ""
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${os}, Node ${node}; ${
    Object.entries(packages).map(([name, version]) => `${name} ${version}`).join(", ")
  }; load ${loadBefore.toFixed(1)} before, ${loadAfter.toFixed(1)} after${busy}`
}

/** The whole report. */
export const report = (results: Results): string => {
  const { mode } = results
  const ahead = rivalsAhead(results)
  const rounds = mode.rounds * mode.generations
  return [
    `\`npm run bench${mode.name === "full" ? " -- --full" : ""}\` on ${results.date.slice(0, 10)}, ${
      machine(results)
    }.`,
    `Spans with four attributes, three children to a parent; medians of ${rounds} interleaved rounds of ${
      count(mode.requests * results.spansPerRequest)
    } spans with their quartiles, everything delivered to a local receiver within the measurement. Event-loop delay at ${
      count(results.pacedSpansPerSecond)
    } spans per second.`,
    costs(results),
    prebuilt(results),
    bursts(results),
    `CPU above the no-op tracer:\n\n${bullets(factors(results))}`,
    ahead.length === 0
      ? "No rival is ahead in any of these figures."
      : `Where a rival is ahead:\n\n${bullets(ahead)}`,
    `Settings, where the defaults do not deliver:\n\n${bullets(deliverySettings)}`
  ].filter((part) => part !== undefined).join("\n\n")
}
