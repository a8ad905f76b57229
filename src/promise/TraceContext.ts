/**
 * Start and stop of the telemetry that the Promise facade speaks to.
 */
import * as Effect from "effect/Effect"
import type { SignalSnapshot } from "../diagnostics/Ledger.ts"
import type { FlushResult, Health, ProbeResult } from "../Telemetry.ts"
import type { InitializeOptions } from "./handles.ts"
import * as registry from "./registry.ts"
import { flushOf, type FlushOptions, Running } from "./running.ts"

export type { InitializeOptions } from "./handles.ts"

/**
 * Starts telemetry for this process. Spans are recorded as soon as it runs: when this has returned, unless a part that
 * was passed in has to be waited for; at the latest when it has resolved.
 *
 * **Details**
 *
 * A second call while telemetry runs changes nothing and resolves with the first; after {@link shutdown} it starts
 * afresh. Rejects with `TelemetryConfigError` for options that cannot be taken.
 */
export const initialize = (options?: InitializeOptions): Promise<void> => {
  const before = registry.registered()
  if (before !== undefined) return before.ready
  const running: Running = new Running(options, () => {
    if (registry.registered()?.failure !== undefined) registry.register(undefined)
  })
  if (running.failure === undefined) registry.register(running)
  return running.ready
}

/** Delivers every span that has ended. Resolves at the latest after `within` (default 10 seconds); never rejects. */
export const flush = (options?: FlushOptions): Promise<FlushResult> => flushOf(registry.current(), options)

/**
 * Delivers what has ended, within `shutdownTimeout`, and stops. Later spans are inert. Safe to call twice, and without
 * {@link initialize}; never rejects.
 *
 * **Details**
 *
 * Resolves with the closing ledger: every span delivered or counted. `undefined` where nothing ran.
 */
export const shutdown = (): Promise<SignalSnapshot | undefined> => {
  const running = registry.registered()
  registry.register(undefined)
  return running === undefined ? Promise.resolve(undefined) : running.stop()
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

export { getCurrentSpan as current } from "./ambient.ts"
