/** What the contenders' modules set besides the defaults, except in the burst, in words. */
export const deliverySettings: ReadonlyArray<string> = [
  "Effect's OtlpTracer: shutdownTimeout 30 s (default 3 s)",
  "OpenTelemetry JS and @effect/opentelemetry: maxQueueSize 5,000,000 (default 2048 spans), concurrencyLimit 10,000 (default 30 exports), timeouts of 30 s",
  "effect-telemetry: maxQueueSize 5,000,000 (default 2048 spans), maxQueueBytes 1 GiB (default 32 MiB), shutdownTimeout 30 s (default 3 s)"
]
