/** What a replay has shown, as text. */
import type { SamplingConfig } from "../../src/sampling/SamplingConfig.ts"
import { versionOf } from "../../src/sampling/SamplingConfig.ts"
import type { Group, Replayed, RuleCount } from "./replay.ts"

/** How much a configuration wants to keep in a second. */
export interface Goal {
  readonly perSecond: number
  readonly unit: "traces" | "spans"
}

const goalKeys = { tracesPerSecond: "traces", spansPerSecond: "spans" } as const

/** The goal that a configuration states: that of its tail, else the only one of its head. */
export const goalOf = (config: unknown): Goal | undefined => {
  const tail = (config as { readonly tail?: { readonly budget?: { perSecond: number; unit?: string } } }).tail?.budget
  if (tail !== undefined && tail.unit !== "bytes") {
    return { perSecond: tail.perSecond, unit: tail.unit === "traces" ? "traces" : "spans" }
  }
  const found: Array<Goal> = []
  const look = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner === "number" && key in goalKeys) {
        found.push({ perSecond: inner, unit: goalKeys[key as keyof typeof goalKeys] })
      } else look(inner)
    }
  }
  look(config)
  return found.length === 1 ? found[0] : undefined
}

const count = (value: number): string => Math.round(value).toLocaleString("en-US")

const percent = (part: number, whole: number): string => whole === 0 ? "-" : `${(100 * part / whole).toFixed(1)} %`

const table = (rows: ReadonlyArray<ReadonlyArray<string>>, left: number): ReadonlyArray<string> => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row.map((cell, column) => column < left ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))
      .join("  ").trimEnd()
  )
}

/** Half of the 95 % confidence interval of an estimate. */
export const margin = ({ variance }: Group): number => 1.96 * Math.sqrt(variance)

const clip = (text: string): string => text.length <= 32 ? text : `${text.slice(0, 29)}...`

const groupRow = (group: Group): ReadonlyArray<string> => {
  const error = group.kept === 0 ? "-" : `${(100 * (group.estimate / group.seen - 1)).toFixed(1)} %`
  const isOutside = group.kept > 0 && Math.abs(group.estimate - group.seen) > margin(group) + 0.5
  return [
    clip(group.name),
    count(group.seen),
    count(group.kept),
    percent(group.kept, group.seen),
    group.kept === 0 ? "-" : count(group.estimate),
    group.kept === 0 ? "-" : `+/- ${count(margin(group))}`,
    error,
    isOutside ? "outside" : ""
  ]
}

const ruleRow = ({ class: name, kept, ruleId, seen, stage }: RuleCount): ReadonlyArray<string> => [
  stage,
  ruleId ?? "-",
  name ?? "-",
  count(seen),
  count(kept),
  percent(kept, seen)
]

const blocks = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
const signs = [".", ":", "-", "=", "+", "*", "#", "@"]

/** One character for each stretch of time: the highest value within, beside the highest of all. */
export const picture = (values: ReadonlyArray<number>, width: number, unicode: boolean): string => {
  const levels = unicode ? blocks : signs
  const columns = Math.min(width, values.length)
  const most = Math.max(...values)
  let text = ""
  for (let column = 0; column < columns; column++) {
    const from = Math.floor(column * values.length / columns)
    const to = Math.floor((column + 1) * values.length / columns)
    const value = Math.max(...values.slice(from, to))
    text += value === 0 ? " " : levels[Math.min(levels.length - 1, Math.floor(value / most * levels.length))]
  }
  return text
}

/** The second in which most was kept, once there was time to learn. */
export const worst = (replayed: Replayed, unit: Goal["unit"]): { readonly at: number; readonly kept: number } => {
  const values = replayed.perSecond.map((second) => second[unit])
  const kept = Math.max(0, ...values)
  return { at: Math.max(0, values.indexOf(kept)), kept }
}

const rateLines = (replayed: Replayed, goal: Goal | undefined, unicode: boolean): ReadonlyArray<string> => {
  const unit = goal?.unit ?? "traces"
  const { at, kept } = worst(replayed, unit)
  const mean = (unit === "traces" ? replayed.traces.kept : replayed.spans.kept) / replayed.perSecond.length
  const beside = goal === undefined
    ? ""
    : `, ${(kept / goal.perSecond).toFixed(2)} times the goal of ${count(goal.perSecond)}`
  const offered = replayed.perSecond.map((second) => second.offered)
  const values = replayed.perSecond.map((second) => second[unit])
  const line = (name: string, values: ReadonlyArray<number>): string =>
    `${name.padEnd(7)}|${picture(values, 60, unicode)}| at most ${count(Math.max(...values))}`
  return [
    `Rate of ${replayed.perSecond.length} s, of ${unit} kept`,
    line("traces", offered),
    line("kept", values),
    `mean ${mean.toFixed(1)} ${unit}/s, worst second ${count(kept)} (the ${at + 1}.)${beside}`
  ]
}

/** The report. Without `unicode`, in ASCII. */
export const report = (
  replayed: Replayed,
  context: {
    readonly config: SamplingConfig
    readonly path: string
    readonly traffic: string
    readonly notes: ReadonlyArray<string>
    readonly goal: Goal | undefined
    readonly unicode: boolean
  }
): string => {
  const { rules, spans, traces } = replayed
  const shown = rules.slice(0, 20)
  return [
    `configuration  ${context.path}, version ${versionOf(context.config)}`,
    `traffic        ${context.traffic}: ${count(traces.seen)} traces, ${count(spans.seen)} spans`,
    `kept           ${count(traces.kept)} traces (${percent(traces.kept, traces.seen)}), ${count(spans.kept)} spans (${
      percent(spans.kept, spans.seen)
    })`,
    ...context.notes.map((note) => `note           ${note}`),
    "",
    "Decisions",
    ...table([["stage", "rule", "class", "traces", "kept", "share"], ...shown.map(ruleRow)], 3),
    ...rules.length > shown.length ? [`and ${rules.length - shown.length} more`] : [],
    "",
    "Counts by weight, with 95 % confidence",
    ...table([
      ["traces", "true", "kept", "share", "estimated", "interval", "error", ""],
      ...replayed.groups.map(groupRow)
    ], 1),
    "",
    ...rateLines(replayed, context.goal, context.unicode)
  ].join("\n")
}
