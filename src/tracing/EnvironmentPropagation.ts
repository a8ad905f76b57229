/**
 * Propagation to processes that are started, through their environment (`context/env-carriers.md`).
 *
 * **Details**
 *
 * The variables are those of the installed propagators: `TRACEPARENT`, `TRACESTATE`, `BAGGAGE`. A process whose telemetry
 * has the option `continueFromEnvironment` continues what it was started with.
 *
 * **Example** (A child process)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { EnvironmentPropagation, TelemetryLayer } from "effect-telemetry"
 *
 * const program = EnvironmentPropagation.environment({ PATH: "/bin" }).pipe(
 *   Effect.map((env) => Object.keys(env)),
 *   Effect.withSpan("backup")
 * )
 * const variables = await program.pipe(
 *   Effect.provide(TelemetryLayer({ tracesExporters: ["none"] })),
 *   Effect.runPromise
 * )
 * variables // => ["PATH", "TRACEPARENT"]
 * ```
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import { type Environment, ofProcess } from "../context/EnvironmentCarrier.ts"
import { extractEnvironment, injectEnvironment } from "./carrier.ts"
import { fiberBaggage, fromFiber } from "./Tracer.ts"
import { underRemote } from "./underRemote.ts"

export type { Environment } from "../context/EnvironmentCarrier.ts"

/**
 * The environment for a process to be started: a copy of `env` (default: that of this process) with the current context
 * in the place of any that it had. `env` itself is not changed.
 */
export const environment = (env?: Environment): Effect.Effect<Record<string, string>> =>
  Effect.withFiber((fiber) => {
    const core = fromFiber(fiber)?.core
    const from = env ?? ofProcess()
    return Effect.succeed(
      core === undefined
        ? Object.fromEntries(Object.entries(from).filter((entry): entry is [string, string] => entry[1] !== undefined))
        : injectEnvironment(core, fiber.cache.span, fiberBaggage(fiber), from)
    )
  })

/**
 * Runs an effect under the remote parent that variables carry, baggage included; by default the variables of this
 * process. Variables without a usable context change nothing.
 */
export const withEnvironment: {
  (env?: Environment): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, env?: Environment): Effect.Effect<A, E, R>
} = dual(
  (args) => Effect.isEffect(args[0]),
  <A, E, R>(self: Effect.Effect<A, E, R>, env?: Environment): Effect.Effect<A, E, R> =>
    Effect.withFiber((fiber) => {
      const core = fromFiber(fiber)?.core
      return core === undefined
        ? self
        : underRemote(self, extractEnvironment(core.options.propagator, env ?? ofProcess()))
    })
)
