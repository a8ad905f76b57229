import { assert, describe, it } from "@effect/vitest"
import * as OtlpMetricsJson from "../../src/otlp/OtlpMetricsJson.ts"
import * as OtlpMetricsProtobuf from "../../src/otlp/OtlpMetricsProtobuf.ts"
import { expected, metrics, shared } from "../otlp/metrics.ts"
import { metricsFromJson, metricsFromProtobuf } from "../otlp/official.ts"

const options = { arbitrary: { runs: 100, size: 5 } }

describe("OTLP metrics, read by the decoder of the OpenTelemetry project", () => {
  it.prop("a protobuf body holds every field of every metric", { metrics }, ({ metrics }) => {
    const some = shared(metrics)
    assert.deepStrictEqual(metricsFromProtobuf(OtlpMetricsProtobuf.encoder.encode(some)), expected(some))
  }, options)

  it.prop("a JSON body holds the same as the protobuf body", { metrics }, ({ metrics }) => {
    const some = shared(metrics)
    const json = metricsFromJson(OtlpMetricsJson.encoder.encode(some))
    assert.deepStrictEqual(json, expected(some))
    assert.deepStrictEqual(json, metricsFromProtobuf(OtlpMetricsProtobuf.encoder.encode(some)))
  }, options)
})
