/** The same of OpenTelemetry JS: its batch processor over an exporter that does not answer. */
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer"
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from "@opentelemetry/sdk-trace-base"
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { first, heldByEach } from "./memory.ts"
import { type Probe, turn } from "./Probe.ts"
import { tenAttributes } from "./tenAttributes.ts"

let encoded = 0
let isStuck = false

const exporter: SpanExporter = {
  export(spans: Array<ReadableSpan>, done) {
    encoded = (ProtobufTraceSerializer.serializeRequest(spans)?.byteLength ?? 0) / spans.length
    if (!isStuck) done({ code: 0 })
  },
  shutdown: () => Promise.resolve()
}

const probe: Probe = {
  sample: async (size) => {
    const processor = new BatchSpanProcessor(exporter)
    const tracer = new NodeTracerProvider({ spanProcessors: [processor] }).getTracer("bench")
    const make = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        tracer.startSpan("GET /orders/:id", { attributes: tenAttributes(i) }).end()
        if (i % 32 === 31) await turn()
      }
    }
    isStuck = false
    await make(first)
    await processor.forceFlush()
    isStuck = true
    return await heldByEach(size, make) / encoded
  }
}

export default probe
