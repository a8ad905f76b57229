/** OpenTelemetry JS, with a reader of cumulative series. */
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics"
import { createRequire } from "node:module"

const { ProtobufMetricsSerializer } = createRequire(import.meta.url)(
  "@opentelemetry/otlp-transformer"
) as typeof import("@opentelemetry/otlp-transformer")

class Reader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve()
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve()
  }
}

const reader = new Reader({ cardinalitySelector: () => 20_000 })
const meter = new MeterProvider({ readers: [reader] }).getMeter("bench")

export const counter = meter.createCounter("requests")
export const histogram = meter.createHistogram("duration", { unit: "ms" })
export const collect = async () => ProtobufMetricsSerializer.serializeRequest((await reader.collect()).resourceMetrics)!
