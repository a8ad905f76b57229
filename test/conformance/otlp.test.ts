import { assert, describe, it } from "@effect/vitest"
import type { OtlpEncoder } from "../../src/otlp/OtlpEncoder.ts"
import * as OtlpJson from "../../src/otlp/OtlpJson.ts"
import * as OtlpProtobuf from "../../src/otlp/OtlpProtobuf.ts"
import * as SpanData from "../../src/model/SpanData.ts"
import { expected, fromJson, fromProtobuf } from "../otlp/official.ts"
import { spans } from "../otlp/spans.ts"

const encode = (encoder: OtlpEncoder, spans: ReadonlyArray<SpanData.SpanData>): Uint8Array => {
  const batch = encoder.makeSpanBatch()
  for (const span of spans) assert.isTrue(batch.add(SpanData.toReadable(span), Infinity))
  return batch.toBody()
}

const options = { arbitrary: { runs: 120, size: 20 } }

describe("OTLP, read by the decoder of the OpenTelemetry project", () => {
  it.prop("a protobuf body holds every field of every span", { spans }, ({ spans }) => {
    assert.deepStrictEqual(fromProtobuf(encode(OtlpProtobuf.encoder, spans)), expected(spans))
  }, options)

  it.prop("a JSON body holds the same as the protobuf body", { spans }, ({ spans }) => {
    const json = fromJson(encode(OtlpJson.encoder, spans))
    assert.deepStrictEqual(json, expected(spans))
    assert.deepStrictEqual(json, fromProtobuf(encode(OtlpProtobuf.encoder, spans)))
  }, options)
})
