/** OpenTelemetry JS: its Node tracer provider with async-local context, batch processor and OTLP exporter. */
import { context, propagation, trace } from "@opentelemetry/api"
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources"
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { plainContender } from "../programs/plainProgram.ts"
import { otelBatchProcessor } from "./otelExport.ts"
import { otelSpan } from "./otelSpan.ts"

export default plainContender(async (setup) => {
  const provider = new NodeTracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ "service.name": "shop" })),
    spanProcessors: [otelBatchProcessor(setup)]
  })
  provider.register()
  return {
    span: otelSpan(provider.getTracer("shop")),
    close: async () => {
      await provider.forceFlush().catch(() => {})
      await provider.shutdown().catch(() => {})
      trace.disable()
      context.disable()
      propagation.disable()
    }
  }
})
