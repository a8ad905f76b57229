import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ConsoleMetricExporter from "../../src/exporters/ConsoleMetricExporter.ts"
import { setup } from "../metrics/support.ts"
import { metricsFromJson } from "../otlp/official.ts"

const collect = Effect.gen(function*() {
  const { meter, reader } = yield* setup({ temporality: "delta" })
  meter.createCounter("requests", { unit: "{request}" }).add(3, { route: "/a\u001b[31m", ok: true, tags: ["x"] })
  meter.createUpDownCounter("open").add(-2)
  const histogram = meter.createHistogram("duration", { unit: "ms" })
  for (const value of [1, 2, 4]) histogram.record(value)
  return reader.collect().metrics
})

describe("ConsoleMetricExporter", () => {
  it.effect("writes a line for each point", () =>
    Effect.gen(function*() {
      const written: Array<string> = []
      const exporter = yield* ConsoleMetricExporter.make({ write: (text) => written.push(text) })
      assert.deepStrictEqual(yield* exporter.export(yield* collect), { exported: 3 })
      assert.deepStrictEqual(written.join("\n").split("\n"), [
        "requests{ok=true, route=\"/a\\u001b[31m\", tags=[\"x\"]} 3 {request} (delta)",
        "open -2",
        "duration count 3, sum 7, mean 2.33333, min 1, max 4 ms (delta)"
      ])
    }))

  it.effect("writes OTLP JSON, and survives a stream that does not", () =>
    Effect.gen(function*() {
      const written: Array<string> = []
      const exporter = yield* ConsoleMetricExporter.make({ format: "json", write: (text) => written.push(text) })
      yield* exporter.export(yield* collect)
      assert.lengthOf(written, 1)
      assert.include(JSON.stringify(metricsFromJson(new TextEncoder().encode(written[0]))), "{request}")
      const broken = yield* ConsoleMetricExporter.make({
        write: () => {
          throw new Error("closed")
        }
      })
      assert.deepStrictEqual(yield* broken.export(yield* collect), { exported: 3 })
    }))
})
