/** What of OpenTelemetry JavaScript is installed beside this library. All of it is optional. */
import * as Context from "effect/Context"
import { isInstalled } from "./peers.ts"

/** Whether `@opentelemetry/api` is there: the global registry can be served. */
export const HAS_TRACE_CONTEXT: boolean = /* @__PURE__ */ isInstalled("@opentelemetry/api")

/** Whether an SDK for traces is there, whose processors, exporters and samplers can be used. */
export const HAS_SPAN_PROCESSOR: boolean = /* @__PURE__ */ isInstalled("@opentelemetry/sdk-trace-base") ||
  /* @__PURE__ */ isInstalled("@opentelemetry/sdk-trace")

/** Whether the SDK's own exporter for OTLP over HTTP is there. This library has one of its own, always. */
export const HAS_OTLP_EXPORTER: boolean = /* @__PURE__ */ isInstalled("@opentelemetry/exporter-trace-otlp-http") ||
  /* @__PURE__ */ isInstalled("@opentelemetry/exporter-trace-otlp-proto")

/** What is available, for programs that decide by it. */
export interface AvailabilityShape {
  readonly traceContext: boolean
  readonly spanProcessor: boolean
  readonly otlpExporter: boolean
}

/** What is available; replaceable in tests. */
export const Availability: Context.Reference<AvailabilityShape> = Context.Reference<AvailabilityShape>(
  "effect-telemetry/interop/Availability",
  {
    defaultValue: () => ({
      traceContext: HAS_TRACE_CONTEXT,
      spanProcessor: HAS_SPAN_PROCESSOR,
      otlpExporter: HAS_OTLP_EXPORTER
    })
  }
)
