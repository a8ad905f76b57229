/** Traffic through the real samplers and the real tracer, on a clock of its own. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as EffectTracer from "effect/Tracer"
import * as Propagator from "../../src/context/Propagator.ts"
import { TracesLedger } from "../../src/diagnostics/CurrentLedger.ts"
import { Diagnostics } from "../../src/diagnostics/Diagnostics.ts"
import { SignalLedger } from "../../src/diagnostics/Ledger.ts"
import type { ReadableSpan } from "../../src/model/ReadableSpan.ts"
import * as SpanProcessor from "../../src/processors/SpanProcessor.ts"
import * as TailSampler from "../../src/processors/TailSampler.ts"
import * as DecisionLog from "../../src/sampling/DecisionLog.ts"
import * as OtTraceState from "../../src/sampling/OtTraceState.ts"
import type { RequestView } from "../../src/sampling/Predicate.ts"
import { Sampler, type SamplerShape, type SamplingInput } from "../../src/sampling/Sampler.ts"
import * as Sampling from "../../src/sampling/Sampling.ts"
import type { SamplingConfig } from "../../src/sampling/SamplingConfig.ts"
import { toProbability } from "../../src/sampling/Threshold.ts"
import * as IdGenerator from "../../src/tracing/IdGenerator.ts"
import { RemoteContext } from "../../src/tracing/parentContext.ts"
import type { Span } from "../../src/tracing/Span.ts"
import * as Tracer from "../../src/tracing/Tracer.ts"
import { VirtualClock } from "./clock.ts"
import type { SimulatedSpan, SimulatedTraffic } from "./traffic.ts"

/** What became of some of the traces, and what their weights say of how many there were. */
export interface Group {
  readonly name: string
  seen: number
  kept: number
  /** Kept, with a weight that is known. */
  weighed: number
  estimate: number
  /** Of the estimate: from the probabilities of all its traces where the head alone decides, else from those kept. */
  variance: number
}

/** What one rule decided. */
export interface RuleCount {
  readonly stage: DecisionLog.Stage
  readonly ruleId: string | undefined
  readonly class: string | undefined
  seen: number
  kept: number
}

export interface Replayed {
  readonly traces: { readonly seen: number; readonly kept: number }
  readonly spans: { readonly seen: number; readonly kept: number }
  readonly groups: ReadonlyArray<Group>
  readonly rules: ReadonlyArray<RuleCount>
  /** In each second: traces that start, traces and spans that are kept, by when that is decided. */
  readonly perSecond: ReadonlyArray<{ offered: number; traces: number; spans: number }>
}

const requestOf = (attributes: Readonly<Record<string, unknown>>): RequestView | undefined => {
  const [method, path] = [attributes["http.request.method"], attributes["url.path"]]
  return typeof method === "string" && typeof path === "string"
    ? {
      method,
      path,
      header: (name) => {
        const value = attributes[`http.request.header.${name}`]
        return Array.isArray(value) ? String(value[0]) : typeof value === "string" ? value : undefined
      }
    }
    : undefined
}

// There is no server here whose request could be looked at; its attributes tell of it.
const withRequests = (sampler: SamplerShape): SamplerShape => ({
  description: sampler.description,
  get configVersion() {
    return sampler.configVersion
  },
  get decideByParent() {
    return sampler.decideByParent
  },
  decide: (input) => {
    const seen: SamplingInput = Object.create(input, { request: { value: requestOf(input.attributes) } })
    return sampler.decide(seen)
  }
})

const commonNames = 5
const nanos = (millis: number): bigint => BigInt(Math.floor(millis * 1_000)) * 1_000n

/** Traces of a group, and those of them that are kept. */
class Tally {
  readonly slow: number
  readonly isHeadAlone: boolean
  readonly groups = new Map<string, Group>()
  readonly names = new Map<string, Group>()
  readonly #of = new Map<string, ReadonlyArray<Group>>()

  constructor(slow: number, isHeadAlone: boolean) {
    this.slow = slow
    this.isHeadAlone = isHeadAlone
  }

  #group(groups: Map<string, Group>, name: string): Group {
    let group = groups.get(name)
    if (group === undefined) {
      groups.set(name, group = { name, seen: 0, kept: 0, weighed: 0, estimate: 0, variance: 0 })
    }
    return group
  }

  see({ id, name, trace, traceId }: SimulatedSpan): void {
    const groups = [this.#group(this.groups, "all traces")]
    if (trace?.isError === true) groups.push(this.#group(this.groups, "with an error"))
    if ((trace?.millis ?? 0) >= this.slow) groups.push(this.#group(this.groups, `${this.slow} ms or more`))
    // Names without bound would need memory without bound.
    groups.push(this.#group(this.names, this.names.size < 100_000 || this.names.has(name) ? name : "(other names)"))
    for (const group of groups) group.seen++
    this.#of.set(traceId + id, groups)
  }

  /** What the head says of a trace, kept or not. */
  weigh({ decision, spanId, traceId }: DecisionLog.HeadDecision): void {
    const p = toProbability((decision.dryRun ?? decision).threshold)
    if (p === 0) return
    for (const group of this.#of.get(traceId + spanId) ?? []) group.variance += 1 / p - 1
  }

  /** Whether the kept span is the first of a part that was seen. */
  keep({ spanId, traceId, traceState }: ReadableSpan): boolean {
    const groups = this.#of.get(traceId + spanId)
    if (groups === undefined) return false
    this.#of.delete(traceId + spanId)
    const { threshold } = OtTraceState.read(traceState)
    // The first span of a trace that says nothing was kept because all are.
    const p = threshold === undefined ? 1 : toProbability(threshold)
    for (const group of groups) {
      group.kept++
      group.weighed++
      group.estimate += 1 / p
      if (!this.isHeadAlone) group.variance += (1 - p) / p ** 2
    }
    return true
  }

  /** The groups to show: the whole, errors, slow ones, the most frequent names, and all other names together. */
  get all(): ReadonlyArray<Group> {
    const byCount = [...this.names.values()].sort((a, b) => b.seen - a.seen || (a.name < b.name ? -1 : 1))
    const others = byCount.slice(commonNames)
    const sum = (read: (group: Group) => number): number => others.reduce((total, group) => total + read(group), 0)
    return [
      ...this.groups.values(),
      ...byCount.slice(0, commonNames),
      ...others.length === 0 ? [] : [{
        name: `${others.length} other names`,
        seen: sum(({ seen }) => seen),
        kept: sum(({ kept }) => kept),
        weighed: sum(({ weighed }) => weighed),
        estimate: sum(({ estimate }) => estimate),
        variance: sum(({ variance }) => variance)
      }]
    ]
  }
}

/** Replays traffic against a configuration. `slow` milliseconds make a trace slow. */
export const replay = (
  config: SamplingConfig,
  traffic: SimulatedTraffic,
  options: { readonly slow: number }
): Effect.Effect<Replayed, unknown> =>
  Effect.scoped(Effect.gen(function*() {
    const clock = new VirtualClock(traffic.start)
    const tally = new Tally(options.slow, config.tail === undefined)
    const rules = new Map<string, RuleCount>()
    const perSecond: Array<{ offered: number; traces: number; spans: number }> = []
    const second = () => {
      const at = Math.max(0, Math.floor((clock.now - traffic.start) / 1_000))
      while (perSecond.length <= at) perSecond.push({ offered: 0, traces: 0, spans: 0 })
      return perSecond[at]!
    }
    const seen = { traces: 0, spans: 0 }
    const kept = { traces: 0, spans: 0 }

    const record = (entry: DecisionLog.DecisionRecord): void => {
      const key = `${entry.stage} ${entry.ruleId ?? ""} ${entry.class ?? ""}`
      let count = rules.get(key)
      if (count === undefined) {
        count = { stage: entry.stage, ruleId: entry.ruleId, class: entry.class, seen: 0, kept: 0 }
        rules.set(key, count)
      }
      count.seen++
      if (entry.decision === "keep") count.kept++
    }
    const log = DecisionLog.DecisionLog.of({
      record,
      recordHead: (head) => {
        record(DecisionLog.fromHead(head))
        if (config.tail === undefined) tally.weigh(head)
      },
      recent: Effect.succeed([]),
      changes: Stream.empty,
      counts: Effect.succeed([])
    })

    const sink = SpanProcessor.make({
      name: "simulation",
      keepsSpans: false,
      onEnd: (span: ReadableSpan) => {
        if ((span.traceFlags & 1) === 0) return
        kept.spans++
        second().spans++
        if (!tally.keep(span)) return
        kept.traces++
        second().traces++
      }
    })

    let [nextTraceId, nextSpanId] = ["", ""]
    const write = (words: Int32Array, text: string): void => {
      for (let i = 0; i < words.length; i++) words[i] = Number.parseInt(text.slice(i * 8, i * 8 + 8), 16) | 0
    }
    const ids: IdGenerator.IdGenerator = {
      isRandom: true,
      writeTraceId: (words) => write(words, nextTraceId),
      writeSpanId: (words) => write(words, nextSpanId)
    }

    yield* Effect.gen(function*() {
      const diagnostics = yield* Diagnostics
      const services = yield* Layer.build(Sampling.layer(config))
      const processors = yield* tailOf(config, services)
      const tracer = yield* Tracer.make({ resource: { attributes: {} }, followAsync: false }).pipe(
        Effect.provideService(Sampler, withRequests(Context.get(services, Sampler))),
        Effect.provideService(SpanProcessor.SpanProcessor, SpanProcessor.compose([...processors, sink], diagnostics)),
        Effect.provideService(Propagator.Propagator, Propagator.traceContext),
        Effect.provideService(IdGenerator.IdGenerator, ids)
      )

      // Spans that are open, by trace and id; and the order in which they end.
      const open = new Map<string, Span>()
      const ends = new Ends()
      const begin = (span: SimulatedSpan): void => {
        const { attributes, id, kind, name, parent, remote, start, traceId } = span
        nextSpanId = id
        seen.spans++
        if (parent === undefined) {
          seen.traces++
          second().offered++
          tally.see(span)
          nextTraceId = traceId
        }
        const live = tracer.core.start({
          name,
          kind,
          parent: parent !== undefined
            ? open.get(traceId + parent)
            : remote === undefined
            ? undefined
            : EffectTracer.externalSpan({
              traceId,
              spanId: remote.spanId,
              sampled: (remote.traceFlags & 1) === 1,
              annotations: Context.make(RemoteContext, { ...remote, baggage: undefined })
            }),
          startTimeUnixNano: nanos(start),
          attributes
        })
        open.set(traceId + id, live)
        ends.push(span)
      }
      const finish = ({ end, id, isError, traceId }: SimulatedSpan): void => {
        open.get(traceId + id)?.end(nanos(end), isError ? failed : Exit.void)
        open.delete(traceId + id)
      }
      const until = Effect.fnUntraced(function*(to: number) {
        while (ends.next <= to) {
          yield* clock.advance(ends.next)
          finish(ends.pop())
        }
      })
      for (const span of traffic.spans) {
        yield* until(span.start)
        yield* clock.advance(span.start)
        begin(span)
      }
      yield* until(Number.MAX_VALUE)
      // Whoever waits for more of a trace, or for the next budget, waits to the end.
      if (processors.length > 0) yield* clock.advance(clock.now + 60_000)
    }).pipe(
      Effect.scoped,
      Effect.provideService(TracesLedger, new SignalLedger()),
      Effect.provideService(DecisionLog.DecisionLog, log),
      Effect.provideService(Clock.Clock, clock)
    )
    return {
      traces: { seen: seen.traces, kept: kept.traces },
      spans: { seen: seen.spans, kept: kept.spans },
      groups: tally.all,
      rules: [...rules.values()].sort((a, b) => b.seen - a.seen),
      perSecond
    }
  }))

const failed = Exit.fail("error")

const tailOf = Effect.fnUntraced(function*(
  config: SamplingConfig,
  services: Context.Context<Sampler | Sampling.Sampling>
) {
  if (config.tail === undefined) return []
  const { tail } = Context.get(services, Sampling.Sampling)
  const { processor } = yield* TailSampler.make({
    policy: tail,
    maxTraces: 1_000_000,
    maxSpans: 10_000_000,
    maxBytes: 2 ** 30,
    // What stresses this process says nothing about the one that is meant.
    stress: { memory: () => 0 }
  })
  return [processor]
})

/** Open spans by their ends: a binary heap. */
class Ends {
  readonly #heap: Array<SimulatedSpan> = []

  /** When the next one ends; `Infinity` where none is open. */
  get next(): number {
    return this.#heap[0]?.end ?? Infinity
  }

  push(span: SimulatedSpan): void {
    const heap = this.#heap
    let at = heap.push(span) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (heap[above]!.end <= span.end) break
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = span
  }

  pop(): SimulatedSpan {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.end < heap[child]!.end) child++
      if (heap[child]!.end >= last.end) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return first
  }
}
