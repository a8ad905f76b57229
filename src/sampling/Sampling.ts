/**
 * Sampling that follows a configuration: from code, a `SubscriptionRef`, a file or a server, and its changes.
 *
 * **Details**
 *
 * Each layer provides the `Sampler` that `TelemetryLayer` looks for, and a {@link Sampling} service that says which
 * configuration is in force. A change swaps the sampler for spans that start from then on; it happens only where the new
 * configuration says something else than the old one. Samplers that learn keep what they learned where their part of the
 * configuration stays the same. A configuration that cannot be read or taken leaves the last good one in force, with one
 * line that names the place and the reason, and another when it is good again.
 *
 * **Example**
 *
 * ```ts
 * import { Effect, Layer, SubscriptionRef } from "effect"
 * import { Sampling, type SamplingConfig, TelemetryLayer } from "effect-telemetry"
 *
 * const program = Effect.gen(function*() {
 *   const ref = yield* SubscriptionRef.make<SamplingConfig.SamplingConfig>({ version: "1", head: "always_on" })
 *   return yield* Effect.gen(function*() {
 *     yield* SubscriptionRef.set(ref, { version: "2", head: { parentBased: { root: { traceIdRatio: 0.1 } } } })
 *     const sampling = yield* Sampling.Sampling
 *     yield* sampling.refresh
 *     return (yield* sampling.current).version
 *   }).pipe(Effect.provide(TelemetryLayer().pipe(Layer.provideMerge(Sampling.layerRef(ref)))))
 * })
 *
 * await Effect.runPromise(program) // => "2"
 * ```
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { describeError } from "../internal/describeError.ts"
import * as configFile from "./configFile.ts"
import * as configSource from "./configSource.ts"
import * as configUrl from "./configUrl.ts"
import * as reloadableHead from "./reloadableHead.ts"
import { Sampler } from "./Sampler.ts"
import { decode, type SamplingConfig, SamplingConfigError, tailPolicyOf } from "./SamplingConfig.ts"
import type { TailPolicy } from "./TailPolicy.ts"

/** What a configuration does not say. */
export interface Options extends reloadableHead.BuildOptions {}

export type { FileOptions } from "./configFile.ts"
export type { UrlOptions } from "./configUrl.ts"

/** The configuration that is in force. */
export class Sampling extends Context.Service<Sampling, {
  readonly current: Effect.Effect<SamplingConfig>
  /** The current configuration, and each that takes its place. */
  readonly changes: Stream.Stream<SamplingConfig>
  /** The policy of the tail that is in force. */
  readonly tail: SubscriptionRef.SubscriptionRef<TailPolicy>
  /**
   * Asks the source now, as on a signal. Returns when what it says is in force, or has been told to be bad.
   */
  readonly refresh: Effect.Effect<void>
}>()("effect-telemetry/sampling/Sampling") {}

type Services = Context.Context<Sampler | Sampling>

interface Started {
  readonly apply: configSource.Apply
  readonly services: (refresh: Effect.Effect<void>) => Services
}

const start = Effect.fnUntraced(function*(
  config: SamplingConfig,
  options?: Options,
  source?: string
): Effect.fn.Return<Started, SamplingConfigError, Scope.Scope> {
  // What a Schema takes and a sampler does not.
  const taken = <A, R>(effect: Effect.Effect<A, never, R>): Effect.Effect<A, SamplingConfigError, R> =>
    Effect.catchDefect(
      effect,
      (defect) => Effect.fail(new SamplingConfigError({ source: source ?? "options", reason: describeError(defect) }))
    )
  const inForce = yield* SubscriptionRef.make(config)
  const tail = yield* SubscriptionRef.make(tailPolicyOf(config))
  const { follow, head } = yield* taken(reloadableHead.make(config, options))
  const semaphore = yield* Semaphore.make(1)
  return {
    apply: (next) =>
      semaphore.withPermits(1)(
        Effect.suspend(() =>
          Equal.equals(SubscriptionRef.getUnsafe(inForce), next)
            ? Effect.void
            : taken(follow(next)).pipe(
              Effect.andThen(SubscriptionRef.set(tail, tailPolicyOf(next))),
              Effect.andThen(SubscriptionRef.set(inForce, next))
            )
        )
      ),
    services: (refresh) =>
      Context.make(Sampler, head).pipe(
        Context.add(
          Sampling,
          Sampling.of({
            current: SubscriptionRef.get(inForce),
            changes: SubscriptionRef.changes(inForce),
            tail,
            refresh
          })
        )
      )
  }
})

const polled = Effect.fnUntraced(function*(
  source: configSource.ConfigSource,
  fallback: SamplingConfig | undefined,
  options: Options
): Effect.fn.Return<Services, SamplingConfigError, Scope.Scope> {
  const diagnostics = yield* Diagnostics
  const { config, trouble } = yield* configSource.first(source, fallback, diagnostics)
  const { apply, services } = yield* start(config, options, source.name)
  return services(yield* configSource.follow(source, apply, diagnostics, trouble))
})

/** Samples by `config`, which does not change. Fails where it cannot be taken. */
export const layer = (
  config: SamplingConfig,
  options?: Options
): Layer.Layer<Sampler | Sampling, SamplingConfigError> =>
  Layer.effectContext(
    Effect.fromResult(decode(config)).pipe(
      Effect.flatMap((config) => start(config, options)),
      Effect.map(({ services }) => services(Effect.void))
    )
  )

/**
 * Samples by what `ref` holds. Fails where that cannot be taken at first; what cannot be taken later is told, and is not
 * in force.
 */
export const layerRef = (
  ref: SubscriptionRef.SubscriptionRef<SamplingConfig>,
  options?: Options
): Layer.Layer<Sampler | Sampling, SamplingConfigError> =>
  Layer.effectContext(Effect.gen(function*() {
    const diagnostics = yield* Diagnostics
    const first = yield* Effect.fromResult(decode(SubscriptionRef.getUnsafe(ref), refName))
    const { apply, services } = yield* start(first, options, refName)
    const take = Effect.suspend(() => Effect.fromResult(decode(SubscriptionRef.getUnsafe(ref), refName))).pipe(
      Effect.flatMap(apply),
      Effect.catch((error) =>
        Effect.sync(() => {
          diagnostics.report("error", "sampling.config.ref", `${error.message}; what was in force before stays`)
        })
      )
    )
    yield* Effect.forkScoped(Stream.runForEach(SubscriptionRef.changes(ref), () => take))
    return services(take)
  }))

const refName = "the SubscriptionRef"

/**
 * Samples by a file of JSON, and follows its changes.
 *
 * **Details**
 *
 * The file is looked at every 2 seconds (`interval`), so it may also be one that is mounted, linked or replaced by
 * renaming. At most 1 MiB is read. Where it is not good at first the layer fails, unless a `fallback` is stated.
 *
 * **Gotchas**
 *
 * A file that cannot be decoded is read again a quarter of a second later before it counts as bad.
 */
export const layerFile = (
  options: configFile.FileOptions & Options
): Layer.Layer<Sampler | Sampling, SamplingConfigError> =>
  Layer.effectContext(Effect.suspend(() => polled(configFile.make(options), options.fallback, options)))

/**
 * Samples by what a server answers, and follows its changes.
 *
 * **Details**
 *
 * The server is asked every 30 seconds (`interval`), give or take a tenth, by `GET` with `If-None-Match`; redirects are not
 * followed, an answer has 5 seconds (`timeout`) and 1 MiB (`maxBytes`). It waits for the first answer as long; without
 * one, `fallback` is in force (default: every trace whose parent was not dropped). Requests go through the `Transport`
 * service where one is provided, and are never traced. Fails for a URL that cannot be asked, and where credentials would go
 * to another machine in clear text.
 */
export const layerUrl = (
  options: configUrl.UrlOptions & Options
): Layer.Layer<Sampler | Sampling, SamplingConfigError> =>
  Layer.effectContext(
    Effect.flatMap(configUrl.make(options), (source) =>
      polled(source, options.fallback ?? configUrl.defaultFallback, options))
  )
