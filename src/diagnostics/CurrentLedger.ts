import * as Context from "effect/Context"
import { SignalLedger } from "./Ledger.ts"

/**
 * The ledger in which the parts of a trace pipeline book their spans.
 *
 * **Details**
 *
 * `Telemetry` provides a fresh one to everything it builds. A processor opens one account in it for each exporter it
 * feeds; the tracer counts what it makes in the same ledger.
 *
 * **Gotchas**
 *
 * The default is one ledger for the whole process. Pipelines that are built by hand and should balance on their own need
 * their own: `Layer.provide(Layer.sync(TracesLedger, () => new SignalLedger()))`.
 */
export const TracesLedger: Context.Reference<SignalLedger> = Context.Reference<SignalLedger>(
  "effect-telemetry/diagnostics/TracesLedger",
  { defaultValue: () => new SignalLedger() }
)

/** As {@link TracesLedger}, for the records of a log pipeline. */
export const LogsLedger: Context.Reference<SignalLedger> = Context.Reference<SignalLedger>(
  "effect-telemetry/diagnostics/LogsLedger",
  { defaultValue: () => new SignalLedger() }
)

/**
 * As {@link TracesLedger}, for the data points that readers of metrics export: one that is reported again, since it did not
 * arrive, is the same point.
 */
export const MetricsLedger: Context.Reference<SignalLedger> = Context.Reference<SignalLedger>(
  "effect-telemetry/diagnostics/MetricsLedger",
  { defaultValue: () => new SignalLedger() }
)
