/**
 * `npm run bench:sampling`: what samplers keep of the same traffic, ours beside models of what others do, and what decisions
 * cost. Some minutes.
 *
 * - `--update-docs`: writes the figures into `docs/sampling.md`
 * - `--only a,b`: these traffics only, and no costs
 * - `--seeds n`: runs of each traffic. Default 5
 * - `--check`: fails where a target is missed
 */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { updateDocs } from "../docs.ts"
import * as machine from "../machine.ts"
import { sum } from "../statistics.ts"
import { table } from "../table.ts"
import { measure, type Measures } from "./measure.ts"
import { adaptive, averaging, capped, rateLimit, tailBudget } from "./ours.ts"
import {
  type Contender,
  emaThroughput,
  fixedRatio,
  javaRateLimiting,
  tokenBucket,
  windowedThroughput
} from "./rivals.ts"
import { arrivals, type Traffic, traffics } from "./traffic.ts"

const { values: options } = parseArgs({
  options: {
    "update-docs": { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    only: { type: "string" },
    seeds: { type: "string", default: "5" }
  }
})

const goal = 100
const seeds = Number(options.seeds)

const contenders: ReadonlyArray<(goal: number) => Contender> = [
  adaptive,
  capped,
  rateLimit,
  tailBudget,
  averaging,
  emaThroughput,
  windowedThroughput,
  javaRateLimiting,
  tokenBucket,
  // What keeps 100 of 2,000 traces.
  () => fixedRatio(0.05)
]

const nameOf = (make: (goal: number) => Contender): string => make(goal).name

interface Row {
  readonly traffic: string
  /** Of each contender, the runs. */
  readonly runs: ReadonlyArray<ReadonlyArray<Measures>>
}

const tell = (text: string): void => {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[2K${text}` : `${text}\n`)
}

const play = (id: string, traffic: Traffic): Row => {
  const runs = contenders.map((): Array<Measures> => [])
  for (let seed = 1; seed <= seeds; seed++) {
    tell(`${id}, seed ${seed} of ${seeds}`)
    const drawn = arrivals(traffic, seed)
    contenders.forEach((make, i) => runs[i]!.push(measure(make(goal), drawn, goal, seed)))
  }
  return { traffic: id, runs }
}

const mean = (values: ReadonlyArray<number>): number => sum(values) / values.length

const largest = (runs: ReadonlyArray<Measures>): number => Math.max(...runs.map(({ max }) => max))

/** Without the sign of a negative zero. */
const fixed = (value: number): string => value.toFixed(1).replace(/^-(0\.0)$/, "$1")

const percent = (value: number): string => `${(100 * value).toFixed(value < 0.0995 ? 1 : 0)} %`

const perTraffic = (
  rows: ReadonlyArray<Row>,
  cell: (runs: ReadonlyArray<Measures>, contender: number) => string
): string =>
  table([
    ["", ...rows.map(({ traffic }) => traffic)],
    ...contenders.map((make, i) => [nameOf(make), ...rows.map(({ runs }) => cell(runs[i]!, i))])
  ])

/** Seconds from the step until the mean of all runs stays within 20 % of what is kept at the end. */
const settling = (runs: ReadonlyArray<Measures>, step: number): string => {
  const perSecond = runs[0]!.perSecond.map((_, second) => mean(runs.map((run) => run.perSecond[second]!)))
  if (Math.abs(mean(perSecond.slice(-10)) - 1) > 0.2) return "never"
  let last = step
  for (let second = step; second < perSecond.length; second++) {
    if (Math.abs(perSecond[second]! - 1) > 0.2) last = second + 1
  }
  return `${last - step} s`
}

const missedIn = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const missed: Array<string> = []
  const target = (holds: boolean, text: string): void => {
    if (!holds) missed.push(text)
  }
  for (const { runs, traffic } of rows) {
    for (const [i, cap] of [[0, 2], [1, 1.2]] as const) {
      const { name } = contenders[i]!(goal)
      const max = largest(runs[i]!)
      const error = Math.abs(mean(runs[i]!.map((run) => run.mean)) - 1)
      const z = mean(runs[i]!.map((run) => run.z)) * Math.sqrt(seeds)
      target(
        max <= cap + 1e-9,
        `${traffic}: the worst second of ${name} is ${max.toFixed(2)} times the goal, ${cap} at most`
      )
      target(Math.abs(z) < 4, `${traffic}: ${name} is biased, z = ${z.toFixed(1)}`)
      if (i === 0 && traffic !== "onOff") {
        target(error <= 0.02, `${traffic}: ${name} misses the goal by ${percent(error)}, 2 % at most`)
      }
    }
  }
  return missed
}

const report = (rows: ReadonlyArray<Row>): string => {
  const ofRuns = `${seeds} runs`
  const step = rows.find(({ traffic }) => traffic === "step")
  const others = rows.filter(({ traffic }) => traffic !== "step")
  const sections = [
    `Kept per second over the goal, in the mean and in the worst second of ${ofRuns}:`,
    perTraffic(others, (runs) => `${mean(runs.map((run) => run.mean)).toFixed(3)} / ${largest(runs).toFixed(2)}`),
    `Error of the estimated number of traces, and how many standard deviations of the mean of ${ofRuns} that is (beyond 4 it is a bias):`,
    perTraffic(others, (runs) => {
      const bias = 100 * mean(runs.map((run) => run.bias))
      const z = mean(runs.map((run) => run.z)) * Math.sqrt(seeds)
      return `${fixed(bias)} % / ${Math.abs(z) < 100 ? fixed(z) : z < 0 ? "< -100" : "> 100"}`
    }),
    "Share of the traces kept whose key comes once a minute:",
    perTraffic(others, (runs) => percent(mean(runs.map((run) => run.rare)))),
    "Error of the count of one of the ten most frequent keys in a minute, root mean square:",
    perTraffic(others, (runs) => percent(mean(runs.map((run) => run.headError))))
  ]
  if (step !== undefined) {
    sections.push(
      "From one second to the next there is ten times as much. Until it is within 20 % of the goal again, and stays there:",
      table([
        ["", "settled after", "worst second"],
        ...contenders.map((make, i) => [
          nameOf(make),
          settling(step.runs[i]!, 60),
          largest(step.runs[i]!).toFixed(2)
        ])
      ])
    )
  }
  return sections.join("\n\n")
}

/** Runs a program of this folder; what it prints, or `undefined` where it is not there. */
const costs = (name: string): string | undefined => {
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  if (!existsSync(file)) return undefined
  tell(name)
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    ["--expose-gc", "--import", "tsx", "--conditions=effect-telemetry-source", file],
    { encoding: "utf8" }
  )
  if (status !== 0) throw new Error(`${name} failed: ${stderr}`)
  return stdout.trim()
}

const costTitles = {
  adaptiveCost:
    "A decision of the samplers that learn, 20,000 traces per second with 200 keys, the system's clock included:",
  headCost: "A decision of the other samplers, beside OpenTelemetry JavaScript's:",
  tailCost: "The tail stage:"
}

const main = (): void => {
  const describe = machine.describe()
  const only = options.only?.split(",")
  for (const id of only ?? []) {
    if (traffics[id] === undefined) {
      throw new Error(`there is no traffic ${id}; there are ${Object.keys(traffics).join(", ")}`)
    }
  }
  const rows = Object.entries(traffics)
    .filter(([id]) => only?.includes(id) ?? true)
    .map(([id, traffic]) => play(id, traffic))
  const sections = [report(rows)]
  if (only === undefined) {
    const measured = Object.entries(costTitles).flatMap(([name, title]) => {
      const text = costs(name)
      return text === undefined ? [] : [`${title}\n\n${text}`]
    })
    sections.push(`## What decisions cost\n\n${machine.machineText(describe())}.`, ...measured)
  }
  tell("")
  const text = sections.join("\n\n")
  console.log(text)
  if (options["update-docs"]) updateDocs("docs/sampling.md", text)
  const missed = missedIn(rows)
  for (const line of missed) console.log(`missed: ${line}`)
  if (options.check && missed.length > 0) process.exitCode = 1
}

main()
