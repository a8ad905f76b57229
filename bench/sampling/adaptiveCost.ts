/**
 * `tsx --conditions=effect-telemetry-source bench/sampling/adaptiveCost.ts`: what a decision of the samplers that learn
 * costs. With `--check` it fails where a target is missed.
 *
 * 20,000 traces per second of simulated time, 200 keys; each decision asks the system's clock as in a program, and the
 * contenders take turns. Targets are for what a decision costs beyond the clock, which is as fast as the system makes it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as AdaptiveSampler from "../../src/sampling/AdaptiveSampler.ts"
import * as RateLimitSampler from "../../src/sampling/RateLimitSampler.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import { figure } from "../statistics.ts"
import { table } from "../table.ts"
import { arrivals } from "./traffic.ts"

const size = 50_000
const rounds = 41
const warmUp = 10

const traffic = arrivals({ name: "cost", rate: () => 20_000, seconds: 4 }, 1)
const inputs = traffic.keys.map((name): Sampler.SamplingInput => ({
  name,
  kind: "server",
  parent: undefined,
  traceId: "0af7651916cd43dd8448eb211c80319c",
  attributes: { "http.request.method": "GET", "http.route": name },
  links: []
}))

/** Passes a 20th of a millisecond with each look, and takes as long as the system's clock to look at. */
const makeClock = (): Clock.Clock => {
  let millis = 0
  let sum = 0
  return {
    currentTimeMillisUnsafe() {
      sum += Date.now()
      if (sum < 0) throw new Error("the time was not used")
      return Math.floor(millis += 0.05)
    }
  } as unknown as Clock.Clock
}

const made = <E>(sampler: Effect.Effect<Sampler.SamplerShape, E>): Sampler.SamplerShape["decide"] =>
  Effect.runSync(Effect.provideService(sampler, Clock.Clock, makeClock())).decide

interface Case {
  readonly name: string
  readonly decide: Sampler.SamplerShape["decide"]
  readonly target?: number
}

let fresh = 0
const clock = makeClock()
const cases: ReadonlyArray<Case> = [
  {
    name: "the clock alone",
    decide: (input) => {
      clock.currentTimeMillisUnsafe()
      return Sampler.alwaysOn.decide(input)
    }
  },
  { name: "adaptive, by name", decide: made(AdaptiveSampler.make({ tracesPerSecond: 100 })), target: 100 },
  {
    name: "adaptive, by an attribute",
    decide: made(AdaptiveSampler.make({ tracesPerSecond: 100, key: [{ attribute: "http.route" }] })),
    target: 100
  },
  {
    name: "adaptive, by two attributes",
    decide: made(AdaptiveSampler.make({
      tracesPerSecond: 100,
      key: [{ attribute: "http.request.method" }, { attribute: "http.route" }]
    }))
  },
  {
    name: "adaptive, a new key each time",
    decide: made(AdaptiveSampler.make({ tracesPerSecond: 100, key: () => `GET /orders/${fresh++}` }))
  },
  { name: "rate limit", decide: made(RateLimitSampler.make({ tracesPerSecond: 100 })) },
  { name: "reservoir", decide: made(RateLimitSampler.makeReservoir({ tracesPerSecond: 100, probability: 0.01 })) }
]

let sink = 0
const nanosOf = (decide: Case["decide"], offset: number): number => {
  const start = process.hrtime.bigint()
  let sum = 0
  for (let i = 0; i < size; i++) {
    sum += decide(inputs[traffic.keyOf[(offset + i) % traffic.keyOf.length]!]!).threshold.hi
  }
  const nanos = Number(process.hrtime.bigint() - start)
  sink += sum
  return nanos / size
}

const samples = cases.map((): Array<number> => [])
for (let round = 0; round < rounds + warmUp; round++) {
  for (const [index, { decide }] of cases.entries()) {
    const nanos = nanosOf(decide, round * size)
    if (round >= warmUp) samples[index]!.push(nanos)
  }
}
if (!Number.isFinite(sink)) throw new Error("the decisions were not used")

const missed: Array<string> = []
const leastOf = (index: number): number => Math.min(...samples[index]!)
const rows = cases.map(({ name, target }, index) => {
  const { high, low, median } = figure(samples[index]!)
  const beyond = leastOf(index) - leastOf(0)
  if (target !== undefined && beyond > target) missed.push(`${name}: ${beyond.toFixed(1)} ns, ${target} at most`)
  return [
    name,
    leastOf(index).toFixed(0),
    index === 0 ? "" : beyond.toFixed(0),
    median.toFixed(0),
    `${low.toFixed(0)} to ${high.toFixed(0)}`,
    target === undefined ? "" : `${target}`
  ]
})
console.log(table([["decision", "min ns", "beyond the clock", "median ns", "quartiles", "target"], ...rows]))
for (const line of missed) console.log(`missed: ${line}`)
if (process.argv.includes("--check") && missed.length > 0) process.exitCode = 1
