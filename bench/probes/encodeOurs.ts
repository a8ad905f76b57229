import { encoder } from "effect-telemetry/otlp/OtlpProtobuf"
import { ourSpans, spanCount } from "./encodedSpans.ts"
import type { Probe } from "./Probe.ts"

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

/** Nanoseconds for each span, the median of `size` batches. */
const probe: Probe = {
  sample: async (size) => {
    const times: Array<number> = []
    for (let i = 0; i < size; i++) {
      const spans = ourSpans()
      const before = performance.now()
      encode(spans)
      times.push((performance.now() - before) * 1e6 / spanCount)
    }
    return times.toSorted((a, b) => a - b)[size >> 1]!
  }
}

export default probe
