/** What the contenders' modules set besides the defaults where the cost of a span is measured, in words. */
export const deliverySettings: ReadonlyArray<string> = [
  "Effect's OtlpTracer: shutdownTimeout 30 s (default 3 s)",
  "OpenTelemetry JS and @effect/opentelemetry: maxQueueSize 5,000,000 (default 2048 spans), concurrencyLimit 10,000 (default 30 exports), timeouts of 30 s",
  "effect-telemetry: maxQueueSize 5,000,000 (default 2048 spans; the bound of 32 MiB stays), shutdownTimeout 30 s (default 3 s)"
]
