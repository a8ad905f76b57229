/**
 * What tail sampling costs: nanoseconds for each span and decision, bytes for each span and trace that is held.
 *
 * Run by `node --expose-gc --import tsx --conditions=effect-telemetry-source bench/sampling/tailCost.ts`. Times are
 * the least and the median over chunks of 2,000 spans or one trace; memory is that of a heap just collected.
 */
import * as Context from "effect/Context"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import { defaultScope } from "../../src/model/InstrumentationScope.ts"
import { TailCore } from "../../src/processors/tailCore.ts"
import type { SpanSink } from "../../src/processors/SpanProcessor.ts"
import { BottomK } from "../../src/sampling/tail/budget.ts"
import { DroppedTraces, KeptTraces } from "../../src/sampling/tail/decisionCache.ts"
import type { TailPolicy } from "../../src/sampling/TailPolicy.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import { Span, type SpanOwner } from "../../src/tracing/Span.ts"
import { compile, defaults } from "../../src/tracing/SpanLimits.ts"

const collect = (globalThis as { readonly gc?: () => void }).gc

let state = 42
const random = (): number => {
  state = (Math.imul(state, 1664525) + 1013904223) | 0
  const mixed = Math.imul(state ^ (state >>> 16), 0x45d9f3b)
  return mixed ^ (mixed >>> 16)
}

const owner: SpanOwner = {
  limits: compile(defaults),
  resource: { attributes: { "service.name": "bench" } },
  now: () => 0n,
  endOf: (_, end) => end,
  toLink: () => undefined,
  recordException: () => {},
  onEnd: () => {}
}

/** Spans of one trace, the root last, with three attributes each; one in a hundred traces has an error. */
const traceOf = (count: number, index: number, traceState: string): Array<Span> => {
  // Whatever has passed a threshold of a half has such randomness.
  const ids = { traceId0: random(), traceId1: random(), traceId2: random() | 0x800000, traceId3: random() }
  const begin = BigInt(1_795_341_600_000_000_000 + index * 1000)
  let root: Span | undefined
  const spans: Array<Span> = []
  for (let i = 0; i < count; i++) {
    const identity = {
      ...ids,
      spanId0: random(),
      spanId1: random(),
      parentSpanId0: root?.spanId0 ?? (traceState === "" ? 0 : 1),
      parentSpanId1: root?.spanId1 ?? (traceState === "" ? 0 : 1),
      parentIsRemote: root === undefined && traceState !== "",
      traceFlags: 3,
      traceState,
      baggage: undefined
    }
    const span = new Span(
      owner,
      true,
      "GET /cart",
      "server",
      Context.empty(),
      root,
      identity,
      defaultScope,
      begin,
      undefined
    )
    span.setAttribute("http.request.method", "GET").setAttribute("http.route", "/cart").setAttribute(
      "http.response.status_code",
      200
    )
    if (i === count - 1 && index % 100 === 0) span.statusCode = "ERROR"
    span.endTimeUnixNano = begin + 1_000_000n
    root ??= span
    spans.push(span)
  }
  return [...spans.slice(1), spans[0]!]
}

const head = { threshold: Threshold.fromProbability(0.5), reliable: true }

const sink = { emitted: 0, dropped: 0 }
const next: SpanSink = {
  emit: () => void sink.emitted++,
  drop: () => {},
  hold: () => {},
  sampledOut: (count) => void (sink.dropped += count)
}

const catchAll: TailPolicy = { rules: [], budget: { perSecond: 5, unit: "traces" } }
const fiveRules: TailPolicy = {
  rules: [
    { id: "health", when: { root: { field: "name", glob: "*health*" } }, drop: true },
    { id: "error", when: { errorCount: { ge: 1 } }, weight: 20, underStress: true },
    { id: "slow", when: { traceDuration: { ge: "2 seconds" } }, weight: 10 },
    { id: "failed", when: { anySpan: { attribute: "http.response.status_code", ge: 500 } }, weight: 10 },
    { id: "gold", when: { anySpan: { attribute: "tier", eq: "gold" } }, weight: 5 }
  ],
  budget: { perSecond: 5, unit: "traces", shares: { error: 0.5, slow: 0.25 } }
}

const make = (policy: TailPolicy, clock: { now: number }): TailCore =>
  new TailCore({
    policy: () => policy,
    evaluate: undefined,
    flushInterval: 1000,
    deferredWeight: 20,
    settle: 0,
    timeout: 30_000,
    spanLimit: 100_000,
    traceBytesLimit: 2 ** 40,
    maxTraces: 1e7,
    maxSpans: 1e7,
    maxBytes: 2 ** 40,
    droppedCacheSize: 200_000,
    keptCacheSize: 10_000,
    stress: { activateAt: 90, deactivateAt: 75, leastMillis: 10_000 },
    memory: () => 0,
    now: () => clock.now,
    wakeAt: () => {},
    diagnostics: Diagnostics.make({ level: "none" }),
    log: undefined
  })

const nanos = (f: () => void): number => {
  const before = process.hrtime.bigint()
  f()
  return Number(process.hrtime.bigint() - before)
}

/** Spans that are measured together: few enough to stay in the processor's caches, as spans that have just ended do. */
const chunk = 2000

interface Times {
  readonly start: Array<number>
  readonly append: Array<number>
  readonly decide: Array<number>
  readonly late: Array<number>
}

const measure = (size: number, policy: TailPolicy, chunks: number, traceState: string): Times => {
  const times: Times = { start: [], append: [], decide: [], late: [] }
  const clock = { now: 1_000_000 }
  const core = make(policy, clock)
  const count = Math.max(chunk, size)
  for (let round = 0; round < chunks; round++) {
    const traces = Array.from({ length: count / size }, (_, index) => traceOf(size, round * count + index, traceState))
    const start = nanos(() => {
      for (const spans of traces) for (let i = spans.length - 1; i >= 0; i--) core.onStart(spans[i]!, head)
    })
    const append = nanos(() => {
      for (const spans of traces) for (let i = 0; i < spans.length; i++) core.onEnd(spans[i]!, next)
    })
    clock.now += 1000
    const before = sink.emitted + sink.dropped
    const decide = nanos(() => void core.wake())
    if (sink.emitted + sink.dropped - before !== count) throw new Error("not every span was decided")
    const { late: lateBefore } = core.stats
    const late = nanos(() => {
      for (const spans of traces) for (let i = 0; i < spans.length; i++) core.onEnd(spans[i]!, next)
    })
    const { late: lateAfter } = core.stats
    if (round < chunks / 5) continue
    times.start.push(start / count)
    times.append.push(append / count)
    times.decide.push(decide / count)
    // Nearly all are dropped, unless there are so few that all are kept.
    if (lateAfter.dropped - lateBefore.dropped > 0.9 * count) times.late.push(late / count)
  }
  return times
}

const summary = (values: ReadonlyArray<number>): string => {
  const sorted = [...values].sort((a, b) => a - b)
  return `${sorted[0]!.toFixed(0)} (${sorted[sorted.length >> 1]!.toFixed(0)})`
}

const row = (...cells: ReadonlyArray<string>): void => console.log(`| ${cells.join(" | ")} |`)

row("spans in a trace", "policy", "start ns/span", "append ns/span", "decide ns/span", "late drop ns/span")
row("---", "---", "---", "---", "---", "---")
for (const size of [1, 10, 100, 1000, 10_000]) {
  for (const [name, policy] of [["catch-all", catchAll], ["five rules", fiveRules]] as const) {
    const times = measure(size, policy, size === 10_000 ? 40 : 120, "ot=th:8")
    row(
      String(size),
      name,
      summary(times.start),
      summary(times.append),
      summary(times.decide),
      times.late.length === 0 ? "-" : summary(times.late)
    )
  }
}

const heap = (): number => {
  for (let i = 0; i < 3; i++) collect?.()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Bytes held for `count` traces of `size` spans, of which nothing else knows. */
const held = (size: number, count: number): number => {
  const core = make(fiveRules, { now: 1_000_000 })
  const before = heap()
  for (let index = 0; index < count; index++) {
    const spans = traceOf(size, index, "")
    for (let i = spans.length - 1; i >= 0; i--) core.onStart(spans[i]!, head)
    for (const span of spans) core.onEnd(span, next)
  }
  const after = heap()
  if (core.stats.held.spans !== size * count) throw new Error("not everything is held")
  return (after - before) / count
}

if (collect === undefined) console.log("memory is measured with --expose-gc only")
else {
  held(10, 1000)
  const [one, hundred] = [held(1, 50_000), held(101, 500)]
  const span = (hundred - one) / 100
  console.log(`\nheld: ${span.toFixed(0)} B for a span of three attributes, ${(one - span).toFixed(0)} B for a trace`)
}

{
  const dropped = new DroppedTraces(200_000)
  for (let i = 0; i < 400_000; i++) dropped.add(random(), random(), random(), random())
  const kept = new KeptTraces(10_000)
  for (let i = 0; i < 10_000; i++) kept.add(random(), random(), random(), random(), 0, 0, "rule")
  console.log(
    `decision cache: ${(dropped.bytes / 400_000).toFixed(1)} to ${
      (dropped.bytes / 200_000).toFixed(1)
    } B for a dropped ` +
      `trace, ${(kept.bytes / 10_000).toFixed(0)} B for a kept one`
  )
}

{
  const count = 10_000
  const times: Array<number> = []
  const bottom = new BottomK()
  for (let round = 0; round < 50; round++) {
    const q = Float64Array.from({ length: count }, () => (random() >>> 0) / 2 ** 32)
    const c = Float64Array.from({ length: count }, () => 1 + (random() & 15))
    times.push(nanos(() => void bottom.cut(q, c, count, 1000)) / 1000)
  }
  console.log(`the cut of ${count} candidates: ${summary(times)} µs`)
  const clock = { now: 1_000_000 }
  const core = make(fiveRules, clock)
  const whole: Array<number> = []
  for (let round = 0; round < 20; round++) {
    for (let index = 0; index < count; index++) {
      for (const span of traceOf(1, index, "")) {
        core.onStart(span, head)
        core.onEnd(span, next)
      }
    }
    clock.now += 1000
    whole.push(nanos(() => void core.wake()) / 1000)
  }
  console.log(`a flush of ${count} traces, policy, budget, caches and hand-over together: ${summary(whole)} µs`)
}
