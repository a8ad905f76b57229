/**
 * Start and stop of telemetry for a program on Effect 3.
 */
import type { SignalSnapshot } from "../diagnostics/Ledger.ts"
import * as registry from "../promise/registry.ts"
import * as TraceContext from "../promise/TraceContext.ts"
import type { FlushResult, Health, ProbeResult } from "../Telemetry.ts"
import { type Effect3Tracer, makeUnsafe } from "./Effect3Tracer.ts"

/** Options of {@link start}: those of `TelemetryLayer`. */
export type StartOptions = TraceContext.InitializeOptions

/** A running telemetry, in words that Effect 3 and plain TypeScript understand. */
export interface Effect3Telemetry {
  /** For `Layer.setTracer(Tracer.make(telemetry.tracer))`. */
  readonly tracer: Effect3Tracer
  /**
   * For `Layer.succeed(FetchHttpClient.Fetch, telemetry.fetch)`: a `fetch` that sends the installed propagators' headers,
   * tracestate and baggage included, in the place of those of `@effect/platform`, to the hosts that may have them.
   */
  readonly fetch: typeof globalThis.fetch
  /**
   * The headers that carry the context of the fiber that runs this code, for other HTTP clients; with a URL, as many of
   * them as its host may be sent.
   */
  readonly headers: (to?: string | URL) => Record<string, string>
  /** Delivers every span that has ended. Resolves at the latest after `within` (default 10 seconds); never rejects. */
  readonly flush: (options?: Parameters<typeof TraceContext.flush>[0]) => Promise<FlushResult>
  /** How the pipeline fares; `undefined` when it does not run. */
  readonly health: () => Promise<Health | undefined>
  /** Asks each destination now whether it accepts data; `undefined` when telemetry does not run. */
  readonly probe: () => Promise<ReadonlyArray<ProbeResult> | undefined>
  /** Every span accounted for; `undefined` when telemetry does not run. */
  readonly ledger: () => Promise<SignalSnapshot | undefined>
  /**
   * Delivers what has ended, within `shutdownTimeout`, and stops. Resolves with the closing ledger; never rejects. Spans
   * that end later are counted as dropped.
   */
  readonly shutdown: () => Promise<SignalSnapshot | undefined>
}

/**
 * Starts telemetry for this process.
 *
 * **Details**
 *
 * It is the one that `effect-telemetry/promise` speaks to, so that plain asynchronous code beside the program has spans in
 * the same trees. Where that was started already, the options change nothing. Rejects with `TelemetryConfigError` for
 * options that cannot be taken.
 */
export const start = (options?: StartOptions): Promise<Effect3Telemetry> =>
  TraceContext.initialize(options).then(() => {
    const core = registry.current()?.core
    if (core === undefined) throw new Error("telemetry was shut down while it started")
    const { flush, health, ledger, probe, shutdown } = TraceContext
    return { ...makeUnsafe(core, { followAsync: options?.followAsync }), flush, health, probe, ledger, shutdown }
  })
