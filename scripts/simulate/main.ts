/**
 * `npm run simulate -- --config FILE`: what a sampling configuration would keep of recorded or generated traffic, without
 * waiting for it. Through the library's own samplers, on a clock that goes as fast as they do.
 *
 *   --config FILE     a sampling configuration, JSON
 *   --traffic FILE    replay OTLP JSON lines, as the file exporter writes them
 *   --shape NAME      or generate: steady, burst, onOff, ramp, churn, diurnal, zipf8, zipf11, zipf15, step (default steady)
 *   --seconds N       how much of it (default 120)
 *   --rate N          traces per second where the shape is at its usual (default 200)
 *   --spans N         mean number of spans in a trace (default 3)
 *   --errors P        share of traces with an error (default 0.01)
 *   --latency MS      median duration of a trace (default 100)
 *   --slow MS         traces that take as long are counted apart (default 1000)
 *   --seed N          the same traffic for the same seed (default 1)
 *   --goal N          what to compare the worst second with (default: what the configuration states)
 *   --json            the figures instead of the report
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { readFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { decodeText, type SamplingConfig } from "../../src/sampling/SamplingConfig.ts"
import { capabilities } from "../../src/internal/terminal.ts"
import { replay } from "./replay.ts"
import { goalOf, report, worst } from "./report.ts"
import { generate, recorded } from "./traffic.ts"

const fail = (message: string): never => {
  console.error(`simulate: ${message}`)
  process.exit(1)
}

const { values } = (() => {
  try {
    return parseArgs({
      options: {
        config: { type: "string" },
        traffic: { type: "string" },
        shape: { type: "string", default: "steady" },
        seconds: { type: "string", default: "120" },
        rate: { type: "string", default: "200" },
        spans: { type: "string", default: "3" },
        errors: { type: "string", default: "0.01" },
        latency: { type: "string", default: "100" },
        slow: { type: "string", default: "1000" },
        seed: { type: "string", default: "1" },
        goal: { type: "string" },
        json: { type: "boolean", default: false }
      }
    })
  } catch (error) {
    return fail((error as Error).message)
  }
})()

const number = (
  name: "seconds" | "rate" | "spans" | "errors" | "latency" | "slow" | "seed" | "goal",
  most: number
) => {
  const value = Number(values[name])
  return value >= 0 && value <= most ? value : fail(`--${name} is ${values[name]}, expected a number from 0 to ${most}`)
}

const readConfig = (path: string): SamplingConfig => {
  const text = (() => {
    try {
      return readFileSync(path, "utf8")
    } catch (error) {
      return fail((error as Error).message)
    }
  })()
  const config = decodeText(text, path)
  return Result.isSuccess(config) ? config.success : fail(config.failure.message)
}

const path = values.config ?? fail("--config FILE is missing")
const stated = readConfig(path)
const isDryRun = stated.dryRun === true || stated.tail?.dryRun === true
// What it would do is the question here.
const config: SamplingConfig = {
  ...stated,
  dryRun: false,
  ...stated.tail === undefined ? {} : { tail: { ...stated.tail, dryRun: false } }
}
const seconds = number("seconds", 86_400)
const seed = number("seed", 2 ** 31)

const traffic = (() => {
  try {
    return values.traffic === undefined
      ? generate({
        shape: values.shape,
        seconds,
        seed,
        rate: number("rate", 100_000),
        spans: number("spans", 100),
        errors: number("errors", 1),
        latency: number("latency", 600_000)
      })
      : recorded(values.traffic, seconds)
  } catch (error) {
    return fail((error as Error).message)
  }
})()

const ownGoal = goalOf(config)
const goal = values.goal === undefined
  ? ownGoal
  : { perSecond: number("goal", 1e9), unit: ownGoal?.unit ?? "traces" as const }
const replayed = await Effect.runPromise(replay(config, traffic, {
  slow: number("slow", 3_600_000)
})).catch(
  (error: unknown) => fail((error as Error).message)
)
if (values.json) console.log(JSON.stringify({ ...replayed, worst: worst(replayed, goal?.unit ?? "traces"), goal }))
else {
  const { unicode } = await Effect.runPromise(capabilities(process.stdout.isTTY === true))
  console.log(report(replayed, {
    config: stated,
    path,
    traffic: traffic.description,
    notes: [...traffic.notes, ...isDryRun ? ["it is a dry run; this is what it would do"] : []],
    goal,
    unicode: unicode && process.stdout.isTTY === true
  }))
}
