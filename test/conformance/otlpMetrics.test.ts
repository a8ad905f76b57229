import { assert, describe, it } from "@effect/vitest"
import * as OtlpMetricsJson from "../../src/otlp/OtlpMetricsJson.ts"
import * as OtlpMetricsProtobuf from "../../src/otlp/OtlpMetricsProtobuf.ts"
import { expected, metrics, shared } from "../otlp/metrics.ts"
import { fromJson, fromProtobuf, MetricsRequest } from "../otlp/official.ts"

const options = { arbitrary: { runs: 100, size: 5 } }

describe("OTLP metrics, read by the decoder of the OpenTelemetry project", () => {
  it.prop("a protobuf body holds every field of every metric", { metrics }, ({ metrics }) => {
    const some = shared(metrics)
    assert.deepStrictEqual(fromProtobuf(OtlpMetricsProtobuf.encoder.encode(some), MetricsRequest), expected(some))
  }, options)

  it.prop("a JSON body holds the same as the protobuf body", { metrics }, ({ metrics }) => {
    const some = shared(metrics)
    const json = fromJson(OtlpMetricsJson.encoder.encode(some), MetricsRequest)
    assert.deepStrictEqual(json, expected(some))
    assert.deepStrictEqual(json, fromProtobuf(OtlpMetricsProtobuf.encoder.encode(some), MetricsRequest))
  }, options)
})
