/** `Trace.span` below a root that the sampler dropped. */
import { TelemetryLayer } from "effect-telemetry"
import * as Trace from "effect-telemetry/tracing/Trace"
import { encodingOnly } from "./nullExporter.ts"
import { fiveAttributes, operatorProbe } from "./operators.ts"

export default operatorProbe(
  TelemetryLayer({ ...encodingOnly, sampler: { parentBased: { root: "always_off" } } }),
  (inner, i) => Trace.span(inner, "GET /orders/:id", { attributes: fiveAttributes(i) }),
  Trace.span("root")
)
