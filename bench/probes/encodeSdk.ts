import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer"
import { sdkSpans, spanCount } from "./encodedSpans.ts"
import type { Probe } from "./Probe.ts"

/** Nanoseconds for each span, the median of `size` batches. */
const probe: Probe = {
  sample: async (size) => {
    const times: Array<number> = []
    for (let i = 0; i < size; i++) {
      const spans = sdkSpans()
      const before = performance.now()
      ProtobufTraceSerializer.serializeRequest(spans)
      times.push((performance.now() - before) * 1e6 / spanCount)
    }
    return times.toSorted((a, b) => a - b)[size >> 1]!
  }
}

export default probe
