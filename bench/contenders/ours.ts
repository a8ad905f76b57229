/**
 * `TelemetryLayer` with its defaults.
 *
 * To deliver however fast a closed loop makes spans, on a machine however busy: a queue of more items (its bound by bytes
 * stays), and 30 s to shut down.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { Telemetry, TelemetryLayer } from "effect-telemetry"
import * as Trace from "effect-telemetry/tracing/Trace"
import { sum } from "../statistics.ts"
import type { Contender, Setup } from "../programs/Load.ts"
import { effectContender, type SpanOperator } from "../programs/effectProgram.ts"

/** The options of every contender of ours. */
export const oursOptions = (setup: Setup, protocol: "http/protobuf" | "http/json") => ({
  serviceName: "shop",
  otlp: { endpoint: setup.endpoint, protocol },
  ...(setup.settings === "delivering"
    ? { shutdownTimeout: "30 seconds" as const, batch: { maxQueueSize: 5_000_000 } }
    : {})
})

type Snapshot = Effect.Success<Telemetry["Service"]["ledger"]>

/** What a ledger says was dropped or rejected. */
export const lostIn = ({ destinations }: Snapshot): number =>
  sum(destinations.flatMap(({ dropped, rejected }) => [...Object.values(dropped), ...Object.values(rejected)]))

const countedLost = (context: Context.Context<Telemetry>): () => number => {
  const { ledger } = Context.get(context, Telemetry)
  return () => lostIn(Effect.runSync(ledger))
}

export const ours = (span: SpanOperator, protocol: "http/protobuf" | "http/json"): Contender =>
  effectContender({
    span,
    layer: (setup) => TelemetryLayer(oursOptions(setup, protocol)),
    countedLost
  })

/** `Trace.span`, our lean operator. */
export const traceSpan: SpanOperator = (self, name, attributes): Effect.Effect<number> =>
  Trace.span(self, name, { attributes })
