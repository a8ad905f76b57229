/**
 * Explains sampling: one record for each decision about a local root and its trace, the newest kept in memory.
 *
 * **Details**
 *
 * The tracer writes what the head sampler decided about each span without a parent in this process; a `TailSampler` writes
 * what it decided about the trace. Both look for a {@link DecisionLog} where they are built, and where none is provided
 * nothing is computed.
 *
 * **Example**
 *
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { DecisionLog, Sampler, TelemetryLayer } from "effect-telemetry"
 *
 * const telemetry = TelemetryLayer({ serviceName: "shop" }).pipe(
 *   Layer.provide(Sampler.layerProbability(1)),
 *   Layer.provideMerge(DecisionLog.layer())
 * )
 * const program = Effect.gen(function*() {
 *   yield* Effect.void.pipe(Effect.withSpan("checkout"))
 *   const log = yield* DecisionLog.DecisionLog
 *   return (yield* log.recent)[0]?.decision
 * })
 *
 * await Effect.runPromise(Effect.provide(program, telemetry)) // => "keep"
 * ```
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as PubSub from "effect/PubSub"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { SpanId, TraceId } from "../model/SpanContext.ts"
import * as OtTraceState from "./OtTraceState.ts"
import type { SamplerShape, SamplingDecision } from "./Sampler.ts"
import * as Threshold from "./Threshold.ts"

/** What became of a trace. `recordOnly`: processors saw it, exporters did not. */
export const Decision = Schema.Literals(["keep", "drop", "recordOnly"])

/** What became of a trace. */
export type Decision = typeof Decision.Type

/**
 * Who decided: the sampler at the start (`head`); a policy (`tail`), the budget among what policies chose (`budget`), the
 * rule under overload (`stress`), an earlier decision that a late span followed (`late`), or the need for room (`evict`).
 */
export const Stage = Schema.Literals(["head", "tail", "budget", "stress", "late", "evict"])

/** Who decided. */
export type Stage = typeof Stage.Type

/** Why a trace was decided at that moment. */
export const Trigger = Schema.Literals(["root", "timeout", "spanLimit", "bytes", "evict", "shutdown"])

/** Why a trace was decided at that moment. */
export type Trigger = typeof Trigger.Type

const Hex = Schema.String.check(Schema.isPattern(/^[0-9a-f]{1,14}$/))

/** One decision, with everything that it rests on. */
export const DecisionRecord = Schema.Struct({
  traceId: TraceId,
  /** The local root: the span of this process whose parent is elsewhere, or nowhere. */
  rootSpanId: SpanId,
  decision: Decision,
  stage: Stage,
  trigger: Schema.optional(Trigger),
  /** The rule that decided. */
  ruleId: Schema.optional(Schema.String),
  /** The class in which the trace competed for the budget. */
  class: Schema.optional(Schema.String),
  /** The key for which an adaptive sampler keeps a rate of its own. */
  key: Schema.optional(Schema.String),
  /** R, which T was compared with: 14 hexadecimal digits. */
  randomness: Schema.String.check(Schema.isPattern(/^[0-9a-f]{14}$/)),
  /** The `th` that came with the parent. */
  thresholdUpstream: Schema.optional(Hex),
  /** T of the head sampler. Absent where it keeps nothing. */
  thresholdHead: Schema.optional(Hex),
  /** T that was compared at last. Absent where nothing would have passed. */
  threshold: Schema.optional(Hex),
  /** How many such traces the kept one stands for. Absent where that is unknown, and where it is not kept. */
  adjustedCount: Schema.optional(Schema.Finite),
  /** Whether T is the probability with which such traces are kept. */
  isReliable: Schema.Boolean,
  /** What it takes of the budget: spans or bytes at the tail, as it is configured; 1 at the head. */
  cost: Schema.Finite,
  /** Whether every span of the trace in this process had ended. Never so at the head. */
  isComplete: Schema.Boolean,
  /** The version of the configuration that decided, where it has one. */
  configVersion: Schema.optional(Schema.String),
  /** In a dry run the decision is what would have been; the trace was kept. */
  isDryRun: Schema.Boolean
}).annotate({ identifier: "DecisionRecord" })

/** One decision, with everything that it rests on. */
export interface DecisionRecord extends Schema.Schema.Type<typeof DecisionRecord> {}

/** How often a rule decided so. */
export interface DecisionCount {
  readonly stage: Stage
  readonly decision: Decision
  /** `undefined` where no rule is named; {@link otherRules} for the rules beyond the first 1,000. */
  readonly ruleId: string | undefined
  /** Of dry runs, what would have been. */
  readonly isDryRun: boolean
  readonly count: number
}

/** Under this name the counts of rules beyond the first 1,000 are added up. */
export const otherRules = "__other__"

/** What the tracer knows when it has decided about a local root. */
export interface HeadDecision {
  readonly traceId: string
  readonly spanId: string
  /** R that was compared. */
  readonly randomness: { readonly hi: number; readonly lo: number }
  /** The tracestate of the parent; `""` without one. */
  readonly parentTraceState: string
  readonly decision: SamplingDecision
  readonly keep: boolean
  readonly sampler: SamplerShape
}

/** Keeps the newest decisions. */
export class DecisionLog extends Context.Service<DecisionLog, {
  /** Takes a decision. Synchronous; never throws. */
  readonly record: (record: DecisionRecord) => void
  /** Takes what the tracer decided about a local root. Synchronous; never throws. */
  readonly recordHead: (head: HeadDecision) => void
  /** The newest decisions, oldest first. A copy. */
  readonly recent: Effect.Effect<ReadonlyArray<DecisionRecord>>
  /** Decisions from now on. A reader that falls behind by more than the capacity misses some. */
  readonly changes: Stream.Stream<DecisionRecord>
  /** All decisions since the start, by stage, decision and rule. */
  readonly counts: Effect.Effect<ReadonlyArray<DecisionCount>>
}>()("effect-telemetry/sampling/DecisionLog") {}

/** The implementation type of the {@link DecisionLog} service. */
export type DecisionLogShape = DecisionLog["Service"]

/** How much is kept. */
export interface Options {
  /** Most decisions kept. Default 1,024; the oldest give way. */
  readonly capacity?: number | undefined
  /**
   * Counts into Effect's metric registry too: `effect_telemetry.sampling.decisions`, by `sampling.stage`,
   * `sampling.decision`, `sampling.rule` and, in a dry run, `sampling.dry_run`. Default `true`.
   */
  readonly metrics?: boolean | undefined
}

const maxRules = 1_000

const hexOf = (threshold: Threshold.Threshold | undefined): string | undefined =>
  threshold === undefined || threshold.hi >= Threshold.never.hi ? undefined : Threshold.toHex(threshold)

const half = (value: number): string => value.toString(16).padStart(7, "0")

/** R as 14 hexadecimal digits. */
export const randomnessHex = (hi: number, lo: number): string => half(hi) + half(lo)

const withoutUndefined = <A extends object>(record: A): A => {
  for (const key in record) if (record[key] === undefined) delete record[key]
  return record
}

/** What a head decision is as a record. */
export const fromHead = (head: HeadDecision): DecisionRecord => {
  const { hi, lo } = head.randomness
  const { dryRun } = head.decision
  const decision = dryRun ?? head.decision
  const keep = dryRun === undefined ? head.keep : dryRun.isKept
  return withoutUndefined<DecisionRecord>({
    traceId: head.traceId,
    rootSpanId: head.spanId,
    decision: keep ? "keep" : decision.record === true ? "recordOnly" : "drop",
    stage: "head",
    ruleId: decision.ruleId,
    key: decision.key,
    randomness: randomnessHex(hi, lo),
    thresholdUpstream: hexOf(OtTraceState.read(head.parentTraceState).threshold),
    thresholdHead: hexOf(decision.threshold),
    threshold: hexOf(decision.threshold),
    adjustedCount: keep && decision.reliable ? Threshold.adjustedCount(decision.threshold) : undefined,
    isReliable: decision.reliable,
    cost: 1,
    isComplete: false,
    configVersion: head.sampler.configVersion,
    isDryRun: dryRun !== undefined
  })
}

interface Counting {
  readonly of: Omit<DecisionCount, "count">
  count: number
  metric: Metric.Counter<number> | undefined
}

const metricOf = ({ decision, isDryRun, ruleId, stage }: Counting["of"]): Metric.Counter<number> =>
  Metric.counter("effect_telemetry.sampling.decisions", {
    incremental: true,
    attributes: {
      "sampling.stage": stage,
      "sampling.decision": decision,
      ...ruleId === undefined ? {} : { "sampling.rule": ruleId },
      ...isDryRun ? { "sampling.dry_run": "true" } : {}
    }
  })

/** Makes a log of its own. */
export const make = (options?: Options): Effect.Effect<DecisionLogShape> =>
  Effect.gen(function*() {
    const capacity = Math.max(1, Math.floor(options?.capacity ?? 1_024))
    const published = yield* PubSub.dropping<DecisionRecord>(capacity)
    const context = yield* Effect.context<never>()
    const counts = new Map<string, Counting>()
    const isMetered = options?.metrics !== false
    // A ring: once full, `oldest` is the place of the next one.
    const ring: Array<DecisionRecord> = []
    let oldest = 0

    const count = ({ decision, isDryRun, ruleId: given, stage }: DecisionRecord): void => {
      let ruleId = given
      const prefix = `${stage} ${decision} ${isDryRun} `
      let known = counts.get(prefix + (ruleId ?? ""))
      if (known === undefined) {
        if (counts.size >= maxRules) ruleId = otherRules
        const key = prefix + (ruleId ?? "")
        known = counts.get(key)
        if (known === undefined) {
          known = { count: 0, of: { stage, decision, ruleId, isDryRun }, metric: undefined }
          if (isMetered) known.metric = metricOf(known.of)
          counts.set(key, known)
        }
      }
      known.count++
      known.metric?.updateUnsafe(1, context)
    }
    const record = (record: DecisionRecord): void => {
      count(record)
      if (ring.length < capacity) ring.push(record)
      else {
        ring[oldest] = record
        oldest = (oldest + 1) % capacity
      }
      PubSub.publishUnsafe(published, record)
    }
    return DecisionLog.of({
      record,
      recordHead: (head) => record(fromHead(head)),
      recent: Effect.sync(() => [...ring.slice(oldest), ...ring.slice(0, oldest)]),
      changes: Stream.fromPubSub(published),
      counts: Effect.sync(() => [...counts.values()].map(({ count, of }) => ({ ...of, count })))
    })
  })

/** Provides a log: to `TelemetryLayer` by `Layer.provideMerge`, so that the program can read it too. */
export const layer = (options?: Options): Layer.Layer<DecisionLog> => Layer.effect(DecisionLog, make(options))
