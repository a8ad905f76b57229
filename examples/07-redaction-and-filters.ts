/** What leaves the process: secrets are hidden, and spans that are not worth their way are dropped and counted. */
import { Effect } from "effect"
import {
  FilterSpanProcessor,
  InMemorySpanExporter,
  RedactSpanProcessor,
  Telemetry,
  TelemetryLayer,
  Trace
} from "effect-telemetry"

const program = Effect.gen(function*() {
  // The well-known secrets are hidden without a word of configuration.
  yield* Effect.void.pipe(Trace.span("login", {
    attributes: {
      "http.request.header.authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc",
      "db.password": "hunter2",
      "url.full": "https://ada:lovelace@shop.example/files?sig=7f3a&page=2",
      "llm.usage.total_tokens": 812
    }
  }))
  // A secret of our own: a processor below knows its form.
  yield* Trace.event("mail from ada@example.org").pipe(
    Trace.span("support.mail", { attributes: { "customer.email": "ada@example.org" } })
  )
  yield* Effect.void.pipe(Trace.span("GET /health", { kind: "server" }))
  yield* Effect.void.pipe(Trace.span("cache.get"))
  yield* Effect.sleep("20 millis").pipe(Trace.span("cache.get"))
  return (yield* Telemetry).ledger
})

const memory = InMemorySpanExporter.makeUnsafe()

const telemetry = TelemetryLayer({
  serviceName: "shop",
  exporters: [memory.exporter],
  processors: [
    RedactSpanProcessor.make({ values: [/[\w.]+@example\.org/], mask: "(customer)", wellKnown: false, urls: false }),
    FilterSpanProcessor.make({
      drop: [
        { kind: "SERVER", name: "GET /health" },
        { name: { prefix: "cache." }, status: "UNSET", maxDuration: "10 millis" }
      ]
    })
  ]
})

const { created, destinations } = await Effect.runPromise(program.pipe(Effect.provide(telemetry), Effect.flatten))

for (const span of await Effect.runPromise(memory.spans)) {
  console.log(span.name)
  for (const [key, value] of Object.entries(span.attributes)) console.log(`  ${key} = ${String(value)}`)
  for (const event of span.events) console.log(`  event: ${event.name}`)
}
for (const { dropped, exported } of destinations) {
  console.log(`\n${created} spans made, ${exported} exported, dropped:`, dropped)
}
