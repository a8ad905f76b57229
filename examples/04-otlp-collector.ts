/**
 * Spans to an OpenTelemetry collector, over OTLP/HTTP.
 *
 * `OTEL_EXPORTER_OTLP_ENDPOINT` says where it listens, http://localhost:4318 if it is not set; so do the other `OTEL_*`
 * variables. Where nobody listens, the program is told and goes on.
 */
import { Effect } from "effect"
import { Telemetry, TelemetryLayer } from "effect-telemetry"

const work = Effect.forEach(
  Array.from({ length: 20 }, (_, i) => i),
  (i) => Effect.sleep("5 millis").pipe(Effect.withSpan("item", { attributes: { "item.index": i } })),
  { concurrency: 5, discard: true }
).pipe(Effect.withSpan("batch"))

const program = Effect.gen(function*() {
  const telemetry = yield* Telemetry
  yield* work
  const { exported, failed, left } = yield* telemetry.flush({ within: "1 second" })
  console.log(`flush: ${exported} spans delivered, ${left} still waiting, ${failed} failed`)
  if (left + failed > 0) {
    console.log("Is a collector running? OTEL_EXPORTER_OTLP_ENDPOINT is its address, http://localhost:4318 by default.")
  }
  return telemetry.ledger
}).pipe(
  Effect.provide(TelemetryLayer({ serviceName: "batch-job", shutdownTimeout: "500 millis" })),
  // The layer is closed here, so these are the final books.
  Effect.flatten
)

const { created, destinations, sampledOut } = await Effect.runPromise(program)
console.log(`ledger: ${created} spans made, ${sampledOut} sampled out`)
for (const { destination, dropped, exported, rejected } of destinations) {
  console.log(`  ${destination}:`, { exported, rejected, dropped })
}
