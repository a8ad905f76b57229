/** Where a sampling configuration comes from, again and again. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { sleepUnref } from "../internal/clock.ts"
import { describeError } from "../internal/describeError.ts"
import { defaultSamplingConfig, type SamplingConfig, SamplingConfigError } from "./SamplingConfig.ts"

/** A file or a server that is asked again and again. */
export interface ConfigSource {
  /** As in an error. */
  readonly name: string
  /** What is there; `undefined` where nothing has changed since it was asked last. */
  readonly poll: Effect.Effect<SamplingConfig | undefined, SamplingConfigError>
  /** Milliseconds until the next time. */
  readonly interval: Effect.Effect<number>
}

/** Takes a configuration; says why where it cannot be taken. */
export type Apply = (config: SamplingConfig) => Effect.Effect<void, SamplingConfigError>

/** What is in force at first, and why it is not what the source says, where it is not. */
export interface First {
  readonly config: SamplingConfig
  readonly trouble: string | undefined
}

/** Asks a source for the first time: its answer, or the fallback, which is told; fails where there is neither. */
export const first = (
  source: ConfigSource,
  fallback: SamplingConfig | undefined,
  diagnostics: Diagnostics
): Effect.Effect<First, SamplingConfigError> =>
  polled(source).pipe(
    Effect.map((config): First => ({ config: config ?? defaultSamplingConfig, trouble: undefined })),
    Effect.catch((error) =>
      fallback === undefined ? Effect.fail(error) : Effect.sync((): First => {
        diagnostics.report("error", keyOf(source), `${error.message}; the fallback is in force`)
        return { config: fallback, trouble: error.reason }
      })
    )
  )

/**
 * Asks a source at each interval until the scope closes. Answers with an effect that asks now.
 *
 * **Details**
 *
 * What cannot be had or taken leaves what was applied last in place, and is told in one line; the same trouble again is
 * not. When the trouble is over, that is told too.
 */
export const follow = Effect.fnUntraced(function*(
  source: ConfigSource,
  apply: Apply,
  diagnostics: Diagnostics,
  troubleAtFirst: string | undefined
): Effect.fn.Return<Effect.Effect<void>, never, Scope.Scope> {
  let trouble = troubleAtFirst
  const failed = (error: SamplingConfigError): Effect.Effect<void> =>
    Effect.sync(() => {
      if (error.reason === trouble) return
      const isSilenced = diagnostics.isSilenced?.(keyOf(source)) === true
      diagnostics.report("error", keyOf(source), `${error.message}; what was in force before stays`)
      // A line that was kept back is tried again with the next answer.
      trouble = isSilenced ? "" : error.reason
    })
  const succeeded = (isNew: boolean): Effect.Effect<void> =>
    Effect.sync(() => {
      if (trouble === undefined) return
      trouble = undefined
      const what = isNew ? "is good again and in force" : "is there again, unchanged"
      diagnostics.report("info", `${keyOf(source)}.good`, `sampling configuration of ${source.name}: ${what}`)
    })
  const once = polled(source).pipe(
    Effect.flatMap((config) =>
      config === undefined ? succeeded(false) : Effect.andThen(apply(config), succeeded(true))
    ),
    Effect.catch(failed)
  )
  const semaphore = yield* Semaphore.make(1)
  const refresh = semaphore.withPermits(1)(once)
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(
    Effect.flatMap(source.interval, (millis) => sleepUnref(millis)),
    refresh
  )))
  return refresh
})

/** What is there, whatever goes wrong. */
const polled = (source: ConfigSource): ConfigSource["poll"] =>
  source.poll.pipe(
    Effect.catchDefect((defect) =>
      Effect.fail(new SamplingConfigError({ source: source.name, reason: describeError(defect) }))
    ),
    Effect.withTracerEnabled(false)
  )

const keyOf = (source: ConfigSource): string => `sampling.config.${source.name}`
