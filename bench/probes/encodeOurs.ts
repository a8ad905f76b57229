import { encoder } from "effect-telemetry/otlp/OtlpProtobuf"
import { ourSpans } from "./encodedSpans.ts"
import { encodeTime } from "./encodeTime.ts"

// As the OTLP exporter does: the memory of a request that is over serves the next.
let spare: Uint8Array | undefined

export const encode = (spans: ReturnType<typeof ourSpans>): Uint8Array => {
  const batch = encoder.makeSpanBatch()
  for (const span of spans) {
    if (!batch.add(span, Infinity)) throw new Error("the span did not fit")
  }
  const body = batch.toBody(spare)
  spare = new Uint8Array(body.buffer)
  batch.release()
  return body
}

export default encodeTime(ourSpans, encode)
