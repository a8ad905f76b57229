/** `Effect.withSpan` through `@effect/opentelemetry` into the OpenTelemetry SDK. To deliver: 30 s to shut down. */
import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import { effectContender, withSpan } from "../programs/effectProgram.ts"
import { otelBatchProcessor } from "./otelExport.ts"

export default effectContender({
  span: withSpan,
  layer: (setup) =>
    NodeSdk.layer(() => ({
      resource: { serviceName: "shop" },
      spanProcessor: otelBatchProcessor(setup),
      ...(setup.settings === "delivering" ? { shutdownTimeout: "30 seconds" } : {})
    }))
})
