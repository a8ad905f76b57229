/**
 * Start and stop of the telemetry that the Promise facade speaks to.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as EffectTracer from "effect/Tracer"
import type { SignalSnapshot } from "../diagnostics/Ledger.ts"
import {
  type FlushResult,
  type Health,
  type ProbeResult,
  Telemetry,
  TelemetryLayer,
  type TelemetryLayerOptions
} from "../Telemetry.ts"
import type { TelemetryTracer } from "../tracing/Tracer.ts"
import * as registry from "./registry.ts"

/** Options of {@link initialize}: those of `TelemetryLayer`. */
export type InitializeOptions = TelemetryLayerOptions

interface Running {
  readonly scope: Scope.Closeable
  readonly ready: Promise<void>
}

let running: Running | undefined

/**
 * Starts telemetry for this process. Until it has resolved, spans are inert.
 *
 * **Details**
 *
 * A second call while telemetry runs changes nothing and resolves with the first; after {@link shutdown} it starts
 * afresh. Rejects with `TelemetryConfigError` for options that cannot be taken.
 */
export const initialize = (options?: InitializeOptions): Promise<void> => {
  if (running !== undefined) return running.ready
  const scope = Scope.makeUnsafe()
  const start: Running = {
    scope,
    ready: Effect.runPromise(Layer.buildWithScope(TelemetryLayer(options), scope)).then(
      (context) => {
        const telemetry = Context.get(context, Telemetry)
        const tracer = Context.get(context, EffectTracer.Tracer) as TelemetryTracer
        if (running === start) registry.register({ core: tracer.core, telemetry })
      },
      (error: unknown) => {
        if (running === start) running = undefined
        throw error
      }
    )
  }
  running = start
  return start.ready
}

const nothing: FlushResult = { exported: 0, spooled: 0, left: 0, failed: 0 }

/** Delivers every span that has ended. Resolves at the latest after `within` (default 10 seconds); never rejects. */
export const flush = (options?: Parameters<Telemetry["Service"]["flush"]>[0]): Promise<FlushResult> => {
  const telemetry = registry.current()?.telemetry
  return telemetry === undefined ? Promise.resolve(nothing) : Effect.runPromise(telemetry.flush(options))
}

/**
 * Delivers what has ended, within `shutdownTimeout`, and stops. Later spans are inert. Safe to call twice, and without
 * {@link initialize}; never rejects.
 *
 * **Details**
 *
 * Resolves with the closing ledger: every span delivered or counted. `undefined` where nothing ran.
 */
export const shutdown = async (): Promise<SignalSnapshot | undefined> => {
  const stopping = running
  if (stopping === undefined) return undefined
  running = undefined
  await stopping.ready.catch(() => {})
  const telemetry = registry.current()?.telemetry
  registry.register(undefined)
  await Effect.runPromise(Scope.close(stopping.scope, Exit.void))
  return telemetry === undefined ? undefined : await Effect.runPromise(telemetry.ledger)
}

/** How the pipeline fares; `undefined` when it does not run. */
export const health = (): Promise<Health | undefined> => {
  const telemetry = registry.current()?.telemetry
  return telemetry === undefined ? Promise.resolve(undefined) : Effect.runPromise(telemetry.health)
}

/** Asks each destination now whether it accepts data; `undefined` when telemetry does not run. */
export const probe = (): Promise<ReadonlyArray<ProbeResult> | undefined> => {
  const telemetry = registry.current()?.telemetry
  return telemetry === undefined ? Promise.resolve(undefined) : Effect.runPromise(telemetry.probe)
}

/** Every span accounted for; `undefined` when telemetry does not run. */
export const ledger = (): Promise<SignalSnapshot | undefined> => {
  const telemetry = registry.current()?.telemetry
  return telemetry === undefined ? Promise.resolve(undefined) : Effect.runPromise(telemetry.ledger)
}

/** Whether telemetry runs. */
export const isInitialized = (): boolean => registry.current() !== undefined

export { getCurrentSpan as current } from "./trace.ts"
