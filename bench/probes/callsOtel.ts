/** Calls under OpenTelemetry JS with its async-local context, whose spans are encoded and sent nowhere. */
import { otelSpan } from "../contenders/otelSpan.ts"
import { callProbe } from "./calls.ts"
import { provider, tracer } from "./otelEncoding.ts"
import type { Probe } from "./Probe.ts"

provider.register()

/** A span around a function, as the documentation of OpenTelemetry JS writes it. */
export const { runAsync, runSync } = otelSpan(tracer)

export const otelCalls = (call: (i: number) => number | Promise<number>): Probe =>
  callProbe(call, () => provider.forceFlush())
