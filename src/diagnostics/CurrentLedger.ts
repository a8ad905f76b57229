import * as Context from "effect/Context"
import { SignalLedger } from "./Ledger.ts"

/**
 * The ledger that spans are booked in.
 *
 * **Details**
 *
 * A telemetry layer provides a fresh one for what it builds. The default is one ledger for the process, for layers put
 * together by hand.
 */
export const TracesLedger: Context.Reference<SignalLedger> = Context.Reference<SignalLedger>(
  "effect-telemetry/diagnostics/TracesLedger",
  { defaultValue: () => new SignalLedger() }
)
