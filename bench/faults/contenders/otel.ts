/** OpenTelemetry JS: tracer provider, batch processor and OTLP protobuf exporter, all with their defaults. */
import type { Attributes } from "@opentelemetry/api"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto"
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources"
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base"
import type { Contender } from "./Contender.ts"
import { plainMain } from "./plain.ts"

export const start: Contender["start"] = async ({ endpoint, headers, serviceName }) => {
  const named = serviceName === undefined ? {} : { "service.name": serviceName }
  const provider = new BasicTracerProvider({
    resource: defaultResource().merge(resourceFromAttributes(named)),
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, headers: { ...headers } }))
    ]
  })
  const tracer = provider.getTracer("faults")
  return {
    span: (name, attributes) => tracer.startSpan(name, { attributes: (attributes ?? {}) as Attributes }).end(),
    open: (name) => {
      const span = tracer.startSpan(name)
      return () => span.end()
    },
    close: () => provider.shutdown()
  }
}

export default { start, main: plainMain(start) } satisfies Contender
