/** `TelemetryLayer` with its defaults. To deliver as fast as a closed loop can make spans: a longer queue. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TelemetryLayer } from "effect-telemetry"
import * as Trace from "effect-telemetry/tracing/Trace"
import type { Contender, Setup } from "../programs/Load.ts"
import { effectContender, type SpanOperator } from "../programs/effectProgram.ts"

/** The options of every contender of ours. */
export const oursOptions = (setup: Setup, protocol: "http/protobuf" | "http/json") => ({
  serviceName: "shop",
  otlp: { endpoint: setup.endpoint, protocol },
  ...(setup.settings === "delivering"
    ? { shutdownTimeout: "30 seconds" as const, batch: { maxQueueSize: 5_000_000, maxQueueBytes: 2 ** 30 } }
    : {})
})

export const ours = (span: SpanOperator, protocol: "http/protobuf" | "http/json"): Contender =>
  effectContender({
    span,
    layer: (setup) => TelemetryLayer(oursOptions(setup, protocol)).pipe(Layer.merge(Layer.empty))
  })

/** `Trace.span`, our lean operator. */
export const traceSpan: SpanOperator = (self, name, attributes): Effect.Effect<number> =>
  Trace.span(self, name, { attributes })
