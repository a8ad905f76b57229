/**
 * `tsx --conditions=effect-telemetry-source bench/sampling/headCost.ts`: what a head decision costs, beside OpenTelemetry
 * JavaScript's composite sampler and its older ones. With `--check` it fails where a target is missed.
 *
 * A decision is everything from the parent to the verdict and the tracestate of the span: ours is what the tracer does,
 * theirs is `shouldSample`. The contenders take turns, and each result is used.
 */
import { ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api"
import { TraceState } from "@opentelemetry/core"
import {
  type ComposableSampler,
  createComposableAlwaysOffSampler,
  createComposableAlwaysOnSampler,
  createComposableParentThresholdSampler,
  createComposableProbabilitySampler,
  createComposableRuleBasedSampler,
  createCompositeSampler
} from "@opentelemetry/sampler-composite"
import {
  ParentBasedSampler,
  type Sampler as OtelSampler,
  TraceIdRatioBasedSampler
} from "@opentelemetry/sdk-trace-base"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "../../src/context/HttpReferences.ts"
import * as Resource from "../../src/model/Resource.ts"
import * as OtTraceState from "../../src/sampling/OtTraceState.ts"
import * as RuleSampler from "../../src/sampling/RuleSampler.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import { StartInput } from "../../src/tracing/samplingInput.ts"
import type { SpanStart } from "../../src/tracing/spanStart.ts"
import { figure } from "../statistics.ts"

const size = 50_000
const rounds = 41
const warmUp = 8

const ids = Array.from({ length: 1024 }, (_, index) => {
  const words = Int32Array.from({ length: 4 }, (_, word) => Math.imul(index * 4 + word + 1, 0x9e3779b1))
  return { words, text: Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("") }
})

interface Case {
  readonly name: string
  /** One decision about the i-th span; a number that depends on it. */
  readonly decide: (i: number) => number
  /** Nanoseconds at most. */
  readonly target?: number
}

const resource = Resource.make({ "service.name": "shop" })
const toLink = (): undefined => {}

/** What the tracer does from the parent to the span's flags and tracestate. */
const ours = (
  sampler: Sampler.SamplerShape,
  parentOf: (i: number) => Sampler.SamplingParent | undefined,
  start: Pick<SpanStart, "name" | "kind" | "attributes">
) => {
  const given: SpanStart = { parent: undefined, startTimeUnixNano: 0n, ...start }
  return (i: number): number => {
    const { words } = ids[i & 1023]!
    const parent = parentOf(i)
    const decision = sampler.decideByParent?.(parent) ??
      sampler.decide(new StartInput(given, parent, words, toLink, resource))
    const traceState = parent === undefined ? "" : parent.traceState
    const randomness = traceState === "" ? undefined : OtTraceState.read(traceState).randomness
    const hi = randomness?.hi ?? Threshold.randomnessHi(words[2]!, words[3]!)
    const lo = randomness?.lo ?? Threshold.randomnessLo(words[3]!)
    const keep = Threshold.keeps(decision.threshold, hi, lo)
    return OtTraceState.afterDecision(traceState, decision, keep).length + (keep ? 1 : 0)
  }
}

const theirs = (
  sampler: OtelSampler,
  contextOf: (i: number) => typeof ROOT_CONTEXT,
  name = "span",
  attributes: Record<string, string> = {}
) =>
(i: number): number => {
  const { text } = ids[i & 1023]!
  const result = sampler.shouldSample(contextOf(i), text, name, SpanKind.SERVER, attributes, [])
  return result.decision + (result.traceState === undefined ? 0 : 1)
}

const composite = (composable: ComposableSampler): OtelSampler => createCompositeSampler(composable) as OtelSampler

const noParent = (): undefined => {}
const atRoot = (): typeof ROOT_CONTEXT => ROOT_CONTEXT
const span = { name: "span", kind: "server" } as const

// Each parent's tracestate in turn: as of one trace, and as of many at once, each with a randomness of its own.
const states = Array.from(
  { length: 64 },
  (_, index) => `ot=th:c;rv:${(0xc0000000000000 + index * 977).toString(16)},vendor=1`
)
const parents = states.map((traceState): Sampler.SamplingParent => ({ traceFlags: 1, traceState, isRemote: true }))
const contexts = states.map((traceState) =>
  trace.setSpanContext(ROOT_CONTEXT, {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    traceFlags: 1,
    isRemote: true,
    traceState: new TraceState(traceState)
  })
)

const attributes = { "http.route": "/checkout", "url.path": "/checkout/7", tier: "gold" }
const rules = RuleSampler.make([
  { when: { attribute: "url.path", eq: "/healthz" }, sampler: Sampler.alwaysOff },
  { when: { attribute: "http.route", glob: "/internal/*" }, sampler: Sampler.alwaysOff },
  { when: { and: [{ field: "kind", eq: "client" }, { attribute: "tier", eq: "free" }] }, sampler: Sampler.alwaysOff },
  { when: { attribute: "tier", in: ["silver", "bronze"] }, sampler: Sampler.alwaysOff },
  { when: { attribute: "tier", eq: "gold" }, sampler: Sampler.probability(1e-9) }
])
const off = createComposableAlwaysOffSampler()
const theirRules = createComposableRuleBasedSampler([
  [(_context, _id, _name, _kind, given) => given["url.path"] === "/healthz", off],
  [(_context, _id, _name, _kind, given) => String(given["http.route"]).startsWith("/internal/"), off],
  [(_context, _id, _name, kind, given) => kind === SpanKind.CLIENT && given["tier"] === "free", off],
  [(_context, _id, _name, _kind, given) => given["tier"] === "silver" || given["tier"] === "bronze", off],
  [(_context, _id, _name, _kind, given) => given["tier"] === "gold", createComposableProbabilitySampler(1e-9)]
])
const requestRules = RuleSampler.make([
  { when: { field: "request.path", eq: "/healthz" }, sampler: Sampler.alwaysOff },
  { when: { field: "request.path", glob: "/internal/*" }, sampler: Sampler.alwaysOff },
  { when: { header: "x-debug", eq: "1" }, sampler: Sampler.alwaysOn },
  { when: { field: "request.method", in: ["OPTIONS", "HEAD"] }, sampler: Sampler.alwaysOff },
  { when: { field: "request.path", regex: "^/checkout/[0-9]+$" }, sampler: Sampler.probability(1e-9) }
])
const request = { method: "GET", url: "/checkout/7?item=1", headers: { "user-agent": "bench" } }
const belowRules = Sampler.parentBased({ root: rules })
const local: Sampler.SamplingParent = { traceFlags: 1, traceState: "ot=th:c;rv:ffffffffffffff", isRemote: false }

const cases: ReadonlyArray<Case> = [
  { name: "probability, dropped: ours", decide: ours(Sampler.probability(1e-9), noParent, span), target: 40 },
  {
    name: "probability, dropped: composite",
    decide: theirs(composite(createComposableProbabilitySampler(1e-9)), atRoot)
  },
  { name: "probability, dropped: TraceIdRatio", decide: theirs(new TraceIdRatioBasedSampler(1e-9), atRoot) },
  { name: "probability, kept: ours", decide: ours(Sampler.probability(1 - 1e-9), noParent, span) },
  {
    name: "probability, kept: composite",
    decide: theirs(composite(createComposableProbabilitySampler(1 - 1e-9)), atRoot)
  },
  {
    name: "parent with th, one trace: ours",
    decide: ours(Sampler.parentBased(), () => parents[0], span),
    target: 150
  },
  {
    name: "parent with th, 64 traces in turn: ours",
    decide: ours(Sampler.parentBased(), (i) => parents[i & 63], span)
  },
  {
    name: "parent with th: composite",
    decide: theirs(
      composite(createComposableParentThresholdSampler(createComposableAlwaysOnSampler())),
      (i) => contexts[i & 63]!
    )
  },
  {
    name: "parent with th: ParentBased",
    decide: theirs(new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(1) }), (i) => contexts[i & 63]!)
  },
  { name: "5 rules, the last holds: ours", decide: ours(rules, noParent, { ...span, attributes }), target: 200 },
  { name: "5 rules, the last holds: composite", decide: theirs(composite(theirRules), atRoot, "span", attributes) },
  { name: "5 rules over the request of Effect's server: ours", decide: ours(requestRules, noParent, span) },
  { name: "5 rules, child of a kept span: ours", decide: ours(belowRules, () => local, { ...span, attributes }) }
]

let sink = 0
const nanosOf = (decide: (i: number) => number): number => {
  const start = process.hrtime.bigint()
  let sum = 0
  for (let i = 0; i < size; i++) sum += decide(i)
  const nanos = Number(process.hrtime.bigint() - start)
  sink += sum
  return nanos / size
}

// So few that hardly any collection falls between two looks at the heap.
const few = 500

/** Bytes that one decision leaves behind. */
const bytesOf = (decide: (i: number) => number): number => {
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < few; i++) sink += decide(i)
  return (process.memoryUsage().heapUsed - before) / few
}

const samples = cases.map((): Array<number> => [])
const leftBehind = cases.map((): Array<number> => [])
const run = Effect.sync(() => {
  for (let round = 0; round < rounds + warmUp; round++) {
    for (const [index, { decide }] of cases.entries()) {
      const nanos = nanosOf(decide)
      if (round >= warmUp) samples[index]!.push(nanos)
    }
  }
  for (let round = 0; round < 101; round++) {
    for (const [index, { decide }] of cases.entries()) leftBehind[index]!.push(bytesOf(decide))
  }
})
Effect.runSync(Effect.provideService(run, HttpServerRequest, request))
// Looking at the heap leaves something behind, too.
const looking = figure(Array.from({ length: 101 }, () => bytesOf(() => 0))).median
const bytes = leftBehind.map((values) => Math.max(0, figure(values).median - looking))
if (!Number.isFinite(sink)) throw new Error("the decisions were not used")

const missed: Array<string> = []
console.log("| decision | min ns | median ns | quartiles | bytes | target |\n| --- | --- | --- | --- | --- | --- |")
for (const [index, { name, target }] of cases.entries()) {
  const { high, low, median } = figure(samples[index]!)
  const least = Math.min(...samples[index]!)
  if (target !== undefined && least > target) missed.push(`${name}: ${least.toFixed(1)} ns, ${target} at most`)
  console.log(
    `| ${name} | ${least.toFixed(1)} | ${median.toFixed(1)} | ${low.toFixed(1)} to ${high.toFixed(1)} | ` +
      `${bytes[index]!.toFixed(1)} | ${target ?? ""} |`
  )
}
if (bytes[0]! > 1) missed.push(`${cases[0]!.name}: leaves ${bytes[0]!.toFixed(1)} bytes behind`)
for (const line of missed) console.log(`missed: ${line}`)
if (process.argv.includes("--check") && missed.length > 0) process.exitCode = 1
