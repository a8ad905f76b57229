/**
 * `npm run bench`: the cost of a span that is made, encoded and delivered, beside every rival in the same run.
 *
 * - `--quick` (default): under a minute; `--full`: some twenty minutes, for figures that are kept
 * - `--check`: compares with the kept results and fails on a clear regression; keeps nothing
 * - `--figures`: single figures beside what was asked of them, and curves of growth, some five minutes
 * - `--report`: prints the kept results and runs nothing
 * - `--update-docs`: writes the report into the documentation as well
 * - `--only a,b`: these contenders only, and their baselines, or these figures and curves; keeps nothing
 * - `--no-save`: keeps nothing
 * - `--rounds n`, `--spans n`: other numbers than the mode's; keeps nothing
 */
import { parseArgs } from "node:util"
import { build } from "./build.ts"
import { regressions } from "./check.ts"
import { type ContenderInfo, contenders } from "./contenders/contenders.ts"
import * as machine from "./machine.ts"
import { type Mode, modes } from "./modes.ts"
import { spansPerRequest } from "./programs/attributes.ts"
import { updateDocs } from "./docs.ts"
import { report } from "./report.ts"
import { measurePerformance, performanceIds, performanceReport } from "./performance.ts"
import { keep, keepPerformance, readKept, type Results, resultsOf } from "./results.ts"
import { run } from "./run.ts"

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    report: { type: "boolean", default: false },
    figures: { type: "boolean", default: false },
    "update-docs": { type: "boolean", default: false },
    "no-save": { type: "boolean", default: false },
    only: { type: "string" },
    rounds: { type: "string" },
    spans: { type: "string" }
  }
})

const positive = (name: string, text: string | undefined, fallback: number): number => {
  const value = text === undefined ? fallback : Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a positive integer, not ${text}`)
  return value
}

const chosenMode = (): Mode => {
  if (options.full && options.quick) throw new Error("--quick or --full, not both")
  const mode = modes[options.full ? "full" : "quick"]
  const requests = Math.ceil(positive("spans", options.spans, mode.requests * spansPerRequest) / spansPerRequest)
  return { ...mode, requests, rounds: positive("rounds", options.rounds, mode.rounds) }
}

const chosenIds = (all: ReadonlyArray<string>): ReadonlyArray<string> => {
  const ids = options.only?.split(",") ?? all
  for (const id of ids) if (!all.includes(id)) throw new Error(`there is no ${id}; there are ${all.join(", ")}`)
  return ids
}

const chosenContenders = (): ReadonlyArray<ContenderInfo> => {
  const ids = new Set(chosenIds(contenders.map((info) => info.id)))
  const chosen = contenders.filter((info) => ids.has(info.id))
  return contenders.filter((info) => ids.has(info.id) || chosen.some(({ baseline }) => baseline === info.id))
}

const tell = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${text}`)
}

const measure = async (mode: Mode): Promise<Results> => {
  const describe = machine.describe()
  const date = new Date().toISOString()
  build()
  const outcome = await run(chosenContenders(), mode, tell)
  tell("")
  for (const { info, reason } of outcome.skipped) console.log(`skipped: ${info.name}: ${reason}`)
  if (options.check && outcome.skipped.length > 0) process.exitCode = 1
  return resultsOf(outcome, mode, describe(), date)
}

const altered = options.only !== undefined || options.rounds !== undefined || options.spans !== undefined

const measureFigures = async (): Promise<void> => {
  const kept = readKept().performance
  if (options.report && kept === undefined) throw new Error("no figures are kept yet")
  const ids = chosenIds(performanceIds)
  if (!options.report) build()
  const results = options.report
    ? kept!
    : await measurePerformance(ids, machine.describe(), new Date().toISOString(), tell)
  const text = performanceReport(results)
  console.log(text)
  if (options["update-docs"] && !altered) updateDocs("docs/performance.md", text)
  if (!options.report && !options["no-save"] && !altered) keepPerformance(results)
}

const main = async (): Promise<void> => {
  if (options.figures) return measureFigures()
  const mode = chosenMode()
  const kept = readKept()
  if (options.report) {
    const results = kept[mode.name] ?? kept.full ?? kept.quick
    if (results === undefined) throw new Error("no results are kept yet")
    return show(results)
  }
  const results = await measure(mode)
  show(results)
  if (options.check) {
    const reference = kept[mode.name] ?? kept.full ?? kept.quick
    if (reference === undefined) throw new Error("no results are kept to compare with")
    const found = regressions(results, reference)
    console.log(found.length === 0 ? "\nNo regression." : `\nRegressions:\n\n${found.map((f) => `- ${f}`).join("\n")}`)
    if (found.length > 0) process.exitCode = 1
  } else if (!altered && !options["no-save"]) {
    keep(results)
  }
}

const show = (results: Results): void => {
  const text = report(results)
  console.log(text)
  if (options["update-docs"]) updateDocs("README.md", text)
}

await main()
