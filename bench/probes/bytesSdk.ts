import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer"
import { sdkSpans, spanCount } from "./encodedSpans.ts"
import type { Probe } from "./Probe.ts"

const probe: Probe = {
  sample: async () => ProtobufTraceSerializer.serializeRequest(sdkSpans())!.byteLength / spanCount
}

export default probe
