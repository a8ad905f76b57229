/** Calls under the Promise facade, whose spans are encoded and sent nowhere. */
import { TraceContext } from "effect-telemetry/promise"
import { callProbe } from "./calls.ts"
import { encodingOnly } from "./nullExporter.ts"
import type { Probe } from "./Probe.ts"

export const oursCalls = (call: (i: number) => number | Promise<number>): Probe =>
  callProbe(call, () => TraceContext.flush(), () => TraceContext.initialize(encodingOnly))
