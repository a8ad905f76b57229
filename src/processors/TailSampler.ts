/**
 * Tail sampling in process: the spans of a trace are held until it is known whether the trace is worth keeping.
 *
 * **Details**
 *
 * What this process records of a trace is one segment, also where its parent is in another process. It is decided when
 * every span that has started has ended, after `timeout`, at `spanLimit` or `traceBytesLimit`, when room is needed, and at
 * shutdown; always by the policy. Segments that are complete wait for the next flush, once a second, and compete there for
 * the budget by weighted bottom-k: a kept trace's weight is right, and stands as `ot=th` in the tracestate of each of its
 * spans; a trace whose probability upstream is unknown carries none. Spans that come later follow the decision.
 *
 * **The head.** What is not recorded cannot be rescued. With `Sampler.alwaysRecord` around the head sampler every trace is
 * seen here: the sampled flag in outgoing requests is still the head sampler's, and what is kept weighs the inverse of the
 * probability with which it was kept here, since a sampler that records without selecting does so with certainty. Without
 * it only what the head sampler selects is seen, and its threshold is taken into account.
 *
 * **Gotchas**
 *
 * Memory is estimated, and bounded by `maxBytes`. A flush of `Telemetry` decides what is complete; spans of a trace that
 * is still open stay, and count as left. A provided `SpanProcessor` takes the place of the whole pipeline, this included.
 *
 * **Example**
 *
 * ```ts
 * import { Layer } from "effect"
 * import { TailSampler, TelemetryLayer } from "effect-telemetry"
 *
 * export const telemetry = TelemetryLayer({ serviceName: "shop" }).pipe(
 *   Layer.provideMerge(TailSampler.layer({
 *     policy: {
 *       rules: [
 *         { id: "error", when: { errorCount: { ge: 1 } }, always: true },
 *         { id: "slow", when: { traceDuration: { ge: "2 seconds" } }, weight: 10 }
 *       ],
 *       budget: { perSecond: 500 }
 *     }
 *   }))
 * )
 * ```
 */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as References from "effect/References"
import * as Context from "effect/Context"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { Alarm } from "../internal/Alarm.ts"
import { asyncScope } from "../internal/asyncScope.ts"
import { nodeBuiltin } from "../internal/nodeBuiltin.ts"
import { optionalService } from "../internal/optionalService.ts"
import { DecisionLog } from "../sampling/DecisionLog.ts"
import { Sampling } from "../sampling/Sampling.ts"
import * as TailPolicy from "../sampling/TailPolicy.ts"
import { TailCore, type TailCoreOptions } from "./tailCore.ts"
import { TailSampler, type TailSamplerShape } from "./tailService.ts"

export { type RuleCount, TailSampler, type TailSamplerShape, type TailStats } from "./tailService.ts"

/** An option that cannot be taken. */
export class TailSamplerError extends Data.TaggedError("TailSamplerError")<{
  /** The path of the option, as in `stress.activateAt`. */
  readonly option: string
  readonly value: unknown
  /** What is allowed. */
  readonly allowed: string
}> {
  override get message(): string {
    return `TailSampler: ${this.option} is ${String(this.value)}, allowed is ${this.allowed}`
  }
}

/** Options of {@link make}. */
export interface Options {
  /**
   * The policy to begin with, or a reference that somebody else sets. Default `TailPolicy.defaultPolicy`: errors first,
   * then traces over two seconds with weight 10, within 1,000 spans a second.
   */
  readonly policy?: TailPolicy.TailPolicy | SubscriptionRef.SubscriptionRef<TailPolicy.TailPolicy> | undefined
  /** Asked before the rules; `undefined` leaves the trace to them. A failure is reported, and the rules are asked. */
  readonly evaluate?: ((view: TailPolicy.TraceView) => TailPolicy.Verdict | undefined) | undefined
  /** How often complete traces compete for the budget. Default 1 second. */
  readonly flushInterval?: Duration.Input | undefined
  /**
   * How long after its last span a complete trace may begin anew before it competes; for programs whose traces go on in
   * daemons. Default 0: until the next flush.
   */
  readonly settle?: Duration.Input | undefined
  /** A trace is decided this long after its first span ended, complete or not. Default 30 seconds. */
  readonly timeout?: Duration.Input | undefined
  /** A trace of so many spans is decided at once. Default 10,000. */
  readonly spanLimit?: number | undefined
  /** A trace of so many estimated bytes is decided at once. Default 8 MiB. */
  readonly traceBytesLimit?: number | undefined
  /** Most traces held, those included of which no span has ended. Default 20,000. */
  readonly maxTraces?: number | undefined
  /** Most spans held. Default 200,000. */
  readonly maxSpans?: number | undefined
  /** Most estimated bytes held. Default 64 MiB. */
  readonly maxBytes?: number | undefined
  /** Dropped traces that are remembered for certain, 16 to 32 bytes each. Default 65,536. */
  readonly droppedCacheSize?: number | undefined
  /** Kept traces that are remembered, about 60 bytes each. Default 10,000. */
  readonly keptCacheSize?: number | undefined
  /** The weight of a trace that a called service wants. Default 20. */
  readonly deferredWeight?: number | undefined
  /** When relief from stress begins and ends, as levels from 0 to 100. Defaults 90, 75, and 10 seconds. */
  readonly stress?: {
    readonly activateAt?: number | undefined
    readonly deactivateAt?: number | undefined
    readonly least?: Duration.Input | undefined
    /** The fraction of the memory in use, from 0 to 1. Default: that of V8's heap, where there is one. */
    readonly memory?: (() => number) | undefined
  } | undefined
}

interface HeapStatistics {
  readonly used_heap_size: number
  readonly heap_size_limit: number
}

const heapInUse = (): () => number => {
  const v8 = nodeBuiltin<{ readonly getHeapStatistics: () => HeapStatistics }>("v8")
  if (v8 === undefined) return () => 0
  return () => {
    const { heap_size_limit, used_heap_size } = v8.getHeapStatistics()
    return used_heap_size / heap_size_limit
  }
}

const fail = (option: string, value: unknown, allowed: string) => new TailSamplerError({ option, value, allowed })

const wholeOf = (option: string, value: number | undefined, otherwise: number) =>
  value === undefined
    ? Effect.succeed(otherwise)
    : Number.isInteger(value) && value >= 1
    ? Effect.succeed(value)
    : Effect.fail(fail(option, value, "a whole number of at least 1"))

const between = (option: string, value: number | undefined, otherwise: number, least: number, most: number) =>
  value === undefined
    ? Effect.succeed(otherwise)
    : value >= least && value <= most
    ? Effect.succeed(value)
    : Effect.fail(fail(option, value, `a number from ${least} to ${most}`))

const millisOf = (option: string, input: Duration.Input | undefined, otherwise: number, least: number) => {
  if (input === undefined) return Effect.succeed(otherwise)
  const millis = Option.match(Duration.fromInput(input), { onNone: () => NaN, onSome: Duration.toMillis })
  return millis >= least && Number.isFinite(millis)
    ? Effect.succeed(millis)
    : Effect.fail(fail(option, input, `a duration of at least ${least} ms`))
}

const policyOf = Effect.fnUntraced(function*(given: Options["policy"]) {
  if (SubscriptionRef.isSubscriptionRef(given)) return given as SubscriptionRef.SubscriptionRef<TailPolicy.TailPolicy>
  const policy = yield* Effect.mapError(
    Schema.decodeEffect(TailPolicy.TailPolicy)((given ?? TailPolicy.defaultPolicy) as TailPolicy.TailPolicy),
    (error) => fail("policy", `not valid (${error.message})`, "a TailPolicy")
  )
  return yield* SubscriptionRef.make(policy)
})

/**
 * Makes a tail sampler that works until its scope closes; then it decides about everything that is held.
 *
 * **Details**
 *
 * `TelemetryLayer` finds it in the context, puts its processor before the exporters, and decides everything before these
 * close. Elsewhere, call `decideAll` before what stands behind the processor ends. One tail sampler serves one pipeline.
 *
 * Fails with {@link TailSamplerError} for options that cannot be taken.
 */
export const make = Effect.fnUntraced(function*(
  options?: Options
): Effect.fn.Return<TailSamplerShape, TailSamplerError, Scope.Scope> {
  const clock = yield* Clock.Clock
  const config = yield* policyOf(options?.policy)
  const stress = options?.stress
  const activateAt = yield* between("stress.activateAt", stress?.activateAt, 90, 1, 100)
  const settings = {
    flushInterval: yield* millisOf("flushInterval", options?.flushInterval, 1000, 1),
    settle: yield* millisOf("settle", options?.settle, 0, 0),
    timeout: yield* millisOf("timeout", options?.timeout, 30_000, 1),
    spanLimit: yield* wholeOf("spanLimit", options?.spanLimit, 10_000),
    traceBytesLimit: yield* wholeOf("traceBytesLimit", options?.traceBytesLimit, 8 * 2 ** 20),
    maxTraces: yield* wholeOf("maxTraces", options?.maxTraces, 20_000),
    maxSpans: yield* wholeOf("maxSpans", options?.maxSpans, 200_000),
    maxBytes: yield* wholeOf("maxBytes", options?.maxBytes, 64 * 2 ** 20),
    droppedCacheSize: yield* wholeOf("droppedCacheSize", options?.droppedCacheSize, 65_536),
    keptCacheSize: yield* wholeOf("keptCacheSize", options?.keptCacheSize, 10_000),
    deferredWeight: yield* between("deferredWeight", options?.deferredWeight, 20, 0.001, 1e6),
    stress: {
      activateAt,
      deactivateAt: yield* between(
        "stress.deactivateAt",
        stress?.deactivateAt,
        Math.min(75, activateAt),
        0,
        activateAt
      ),
      leastMillis: yield* millisOf("stress.least", stress?.least, 10_000, 0)
    },
    memory: stress?.memory ?? heapInUse()
  }
  const core = yield* makeCore(clock, {
    ...settings,
    evaluate: options?.evaluate,
    policy: () => SubscriptionRef.getUnsafe(config)
  })
  const shape: TailSamplerShape = {
    processor: {
      name: "tail",
      onStart: (span, decision) => core.onStart(span, decision),
      onEnd: (span, next) => core.onEnd(span, next),
      keepsSpans: true,
      flush: Effect.sync(() => core.flushComplete()),
      accounts: []
    },
    config,
    stats: Effect.sync(() => core.stats),
    decideAll: () => core.decideAll(),
    isWanted: (span, isFailing) => core.isWanted(span, isFailing === true),
    raise: (span) => core.raise(span)
  }
  return shape
})

const makeCore = Effect.fnUntraced(function*(
  clock: Clock.Clock,
  settings: Omit<TailCoreOptions, "now" | "wakeAt" | "diagnostics" | "log">
) {
  const nanos = (millis: number): bigint => BigInt(Math.ceil(millis * 1e6))
  const alarm = new Alarm({
    context: Context.add(yield* Effect.context<never>(), References.TracerEnabled, false),
    clock,
    detached: asyncScope(),
    ring: () => {
      const next = core.wake()
      return next === undefined ? undefined : nanos(next)
    }
  })
  const core: TailCore = new TailCore({
    ...settings,
    now: () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6,
    wakeAt: (millis) => alarm.set(nanos(millis)),
    diagnostics: yield* Diagnostics,
    log: yield* optionalService(DecisionLog)
  })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      core.decideAll()
      alarm.stop()
    })
  )
  return core
})

/** {@link make} as a layer, to be provided to `TelemetryLayer`. */
export const layer = (options?: Options): Layer.Layer<TailSampler, TailSamplerError> =>
  Layer.effect(TailSampler, make(options))

/** Like {@link layer}, by the policy of the {@link Sampling} service, whose changes hold from the next flush on. */
export const layerFollowing = (
  options?: Omit<Options, "policy">
): Layer.Layer<TailSampler, TailSamplerError, Sampling> =>
  Layer.effect(TailSampler, Effect.flatMap(Sampling, ({ tail }) => make({ ...options, policy: tail })))
