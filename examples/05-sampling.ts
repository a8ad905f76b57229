/** Fewer traces on purpose: which are kept, and how the kept ones still tell how many there were. */
import { Effect, Layer } from "effect"
import {
  DecisionLog,
  InMemorySpanExporter,
  Sampling,
  type SamplingConfig,
  Telemetry,
  TelemetryLayer,
  Threshold,
  Trace
} from "effect-telemetry"

/**
 * Health checks never, checkouts always, one in eight of everything else. A sampler sees what is known when a span
 * starts: of spans made with `Trace.span`, the attributes too. As data, so it could stand in a file that is followed while
 * the program runs: `Sampling.layerFile({ path })`.
 */
const config: SamplingConfig.SamplingConfig = {
  version: "example",
  head: {
    parentBased: {
      root: {
        ruleBased: {
          rules: [
            { id: "health", when: { attribute: "http.route", eq: "/health" }, sampler: "always_off" },
            { id: "checkout", when: { attribute: "http.route", eq: "/checkout" }, sampler: "always_on" }
          ],
          otherwise: { probability: 1 / 8 }
        }
      }
    }
  }
}

const request = (route: string) =>
  Effect.void.pipe(
    // The child follows its parent's decision, as it would in the next service.
    Trace.span("handle"),
    Trace.span(`GET ${route}`, { kind: "server", attributes: { "http.route": route } })
  )

const traffic = { "/health": 500, "/products": 2000, "/checkout": 50 }

const memory = InMemorySpanExporter.makeUnsafe()

const program = Effect.gen(function*() {
  for (const [route, count] of Object.entries(traffic)) yield* Effect.repeat(request(route), { times: count - 1 })
  const log = yield* DecisionLog.DecisionLog
  return { ledger: yield* (yield* Telemetry).ledger, decisions: yield* log.counts }
}).pipe(
  Effect.provide(
    TelemetryLayer({ serviceName: "shop", exporters: [memory.exporter], batch: { maxQueueSize: 10_000 } }).pipe(
      Layer.provide(Sampling.layer(config)),
      Layer.provideMerge(DecisionLog.layer())
    )
  )
)

const { decisions, ledger } = await Effect.runPromise(program)
const { created, sampledOut } = ledger
const spans = await Effect.runPromise(memory.spans)
console.log(`${created} spans made, ${sampledOut} sampled out, ${spans.length} exported\n`)

/** How many spans a kept one stands for: its tracestate carries the sampler's threshold. */
const weight = (traceState: string): number => {
  const threshold = Threshold.fromHex(/(?:^|,)ot=(?:[^,]*;)?th:([0-9a-f]+)/.exec(traceState)?.[1] ?? "0")
  return threshold === undefined ? 1 : Threshold.adjustedCount(threshold)
}

for (const [route, count] of Object.entries(traffic)) {
  const kept = spans.filter((span) => span.name === `GET ${route}`)
  const estimate = kept.reduce((sum, span) => sum + weight(span.traceState), 0)
  const state = kept[0]?.traceState || "-"
  console.log(
    `${route.padEnd(10)} ${String(count).padStart(5)} made ${String(kept.length).padStart(5)} kept, ` +
      `which stand for ${estimate.toFixed(0).padStart(5)}   tracestate ${state}`
  )
}

console.log("\nWho decided:")
for (const { count, decision, ruleId, stage } of decisions) {
  console.log(`${String(count).padStart(5)} ${decision.padEnd(4)} by ${stage}, rule ${ruleId ?? "-"}`)
}
