/**
 * The OpenTelemetry SDK's batch processor and OTLP protobuf exporter.
 *
 * To deliver, the queue is unbounded in practice (the default holds 2048 spans and drops what comes next), and as many
 * exports as there are batches may run at once (the default refuses more than 30, which a shutdown with a long queue
 * reaches).
 */
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto"
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base"
import type { Setup } from "../programs/Load.ts"

export const otelBatchProcessor = (setup: Setup): BatchSpanProcessor => {
  const url = `${setup.endpoint}/v1/traces`
  return setup.settings === "delivering"
    ? new BatchSpanProcessor(new OTLPTraceExporter({ url, concurrencyLimit: 10_000, timeoutMillis: 30_000 }), {
      maxQueueSize: 5_000_000
    })
    : new BatchSpanProcessor(new OTLPTraceExporter({ url }))
}
