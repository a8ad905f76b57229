/** Our meter, with a reader of cumulative series. */
import * as Effect from "effect/Effect"
import { type Exemplars, MeterProvider, OtlpMetricsProtobuf } from "effect-telemetry"

export const make = (exemplarFilter: Exemplars.ExemplarFilter = "trace_based") => {
  const provider = Effect.runSync(MeterProvider.make({ exemplarFilter }))
  const reader = provider.addReader({ cardinalityLimit: () => 20_000 })
  const meter = provider.getMeter("bench")
  return {
    counter: meter.createCounter("requests"),
    histogram: meter.createHistogram("duration", { unit: "ms" }),
    collect: async () => OtlpMetricsProtobuf.encoder.encode(reader.collect().metrics)
  }
}

export const { collect, counter, histogram } = make()
