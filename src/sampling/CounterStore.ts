/**
 * Lets the instances of a service share what their adaptive samplers count, and with it one goal.
 *
 * **Details**
 *
 * Without it each instance keeps `goal / cluster.size`, whatever it has to do. With it, a key has the same probability in
 * all instances, and each instance keeps the part of the goal that its traffic asks for. Only counts are shared, every few
 * seconds; decisions are made locally, as before.
 *
 * It fails open: an exchange that fails or takes too long is skipped, and after three in a row an instance falls back to
 * its `goal / cluster.size`.
 *
 * **Example** (Four instances keep 100 traces per second together; in place of `layerMemory` stands a store of yours)
 *
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { AdaptiveSampler, CounterStore, Sampler } from "effect-telemetry"
 *
 * export const sampler = Layer.effect(
 *   Sampler.Sampler,
 *   Effect.gen(function*() {
 *     const adaptive = yield* AdaptiveSampler.make({ tracesPerSecond: 100, cluster: { size: 4 } })
 *     yield* CounterStore.share(adaptive)
 *     return adaptive
 *   })
 * ).pipe(Layer.provide(CounterStore.layerMemory))
 * ```
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { sleepUnref } from "../internal/clock.ts"
import { randomWord } from "../internal/random.ts"
import type { AdaptiveSamplerShape } from "./AdaptiveSampler.ts"

/** What an instance counts of a key: per second, in the unit of the goal. */
export interface KeyLoad {
  readonly key: string
  readonly load: number
}

/** What an instance tells the others. */
export interface Report {
  /** Names the instance among those that share a goal. */
  readonly instance: string
  readonly loads: ReadonlyArray<KeyLoad>
  /** After so many milliseconds without another report the instance is gone. */
  readonly expiresMillis: number
}

/** What the others told. */
export interface Totals {
  /** Instances that reported lately, this one included. */
  readonly instances: number
  /** The sums of the others' loads; a key may come several times. */
  readonly loads: ReadonlyArray<KeyLoad>
}

/** Where the instances meet: a database or a cache of yours, one for each goal. */
export class CounterStore extends Context.Service<CounterStore, {
  /** Leaves a report, in place of the instance's last one, and answers what is known of the others. */
  readonly exchange: (report: Report) => Effect.Effect<Totals, unknown>
}>()("effect-telemetry/sampling/CounterStore") {}

/** The implementation type of the {@link CounterStore} service. */
export type CounterStoreShape = CounterStore["Service"]

/** Makes a store in memory: for samplers of one process, and for tests. */
export const makeMemory: Effect.Effect<CounterStoreShape> = Effect.clockWith((clock) =>
  Effect.sync(() => {
    const reports = new Map<string, { readonly report: Report; readonly until: number }>()
    return CounterStore.of({
      exchange: (report) =>
        Effect.sync(() => {
          const now = clock.currentTimeMillisUnsafe()
          for (const [instance, { until }] of reports) if (until <= now) reports.delete(instance)
          reports.set(report.instance, { report, until: now + report.expiresMillis })
          const others = [...reports.values()].filter((known) => known.report.instance !== report.instance)
          return { instances: reports.size, loads: others.flatMap((known) => known.report.loads) }
        })
    })
  })
)

/** Provides {@link makeMemory}. */
export const layerMemory: Layer.Layer<CounterStore> = Layer.effect(CounterStore, makeMemory)

/** Options of {@link share}. */
export interface ShareOptions {
  /** Time between two exchanges. Default 2 seconds. */
  readonly every?: Duration.Input | undefined
  /** Names this instance. Default: 16 random hexadecimal digits. */
  readonly instance?: string | undefined
}

// Keys of others beyond these are not looked at.
const mostKeys = 100_000
const mostMissed = 3

const isLoad = (load: unknown): load is KeyLoad =>
  typeof load === "object" && load !== null && typeof (load as KeyLoad).key === "string" &&
  (load as KeyLoad).load > 0 && (load as KeyLoad).load < Infinity

const word = (): string => (randomWord() >>> 0).toString(16).padStart(8, "0")

/**
 * Exchanges what a sampler counts with other instances, until the scope closes.
 *
 * **Details**
 *
 * An exchange that takes longer than `every` has failed. What a store answers is checked, and what is no load is passed
 * over.
 */
export const share = Effect.fnUntraced(function*(
  sampler: AdaptiveSamplerShape,
  options?: ShareOptions
): Effect.fn.Return<void, never, CounterStore | Scope.Scope> {
  const store = yield* CounterStore
  const every = Option.match(Duration.fromInput(options?.every ?? 2_000), {
    onNone: () => 2_000,
    onSome: (duration) => Math.max(100, Duration.toMillis(duration))
  })
  const instance = options?.instance ?? word() + word()
  let missed = 0
  const exchange = Effect.gen(function*() {
    const { keys } = yield* sampler.state
    const totals = yield* store.exchange({
      instance,
      loads: keys.map(({ key, load }) => ({ key, load })),
      expiresMillis: every * (mostMissed + 1)
    })
    const loads = new Map<string, number>()
    for (const load of totals.loads) {
      if (!isLoad(load) || (loads.size >= mostKeys && !loads.has(load.key))) continue
      loads.set(load.key, (loads.get(load.key) ?? 0) + load.load)
    }
    yield* sampler.setElsewhere({ loads, instances: Math.max(1, totals.instances) || 1 })
    missed = 0
  })
  const attempt = Effect.raceFirst(exchange, Effect.andThen(sleepUnref(every), Effect.fail("it takes too long"))).pipe(
    Effect.catchCause(() => {
      missed++
      return missed === mostMissed ? sampler.setElsewhere(undefined) : Effect.void
    })
  )
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(attempt, sleepUnref(every))))
})
