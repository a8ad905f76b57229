/**
 * Effect's `OtlpTracer` with its fetch client.
 *
 * To deliver, it gets 30 s to shut down instead of 3 s. Its queue has no bound.
 */
import * as Layer from "effect/Layer"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import type { Contender } from "../programs/Load.ts"
import { effectContender, withSpan } from "../programs/effectProgram.ts"

export const effectOtlp = (serialization: Layer.Layer<OtlpSerialization.OtlpSerialization>): Contender =>
  effectContender({
    span: withSpan,
    layer: (setup) =>
      OtlpTracer.layer({
        url: `${setup.endpoint}/v1/traces`,
        resource: { serviceName: "shop" },
        ...(setup.settings === "delivering" ? { shutdownTimeout: "30 seconds" } : {})
      }).pipe(Layer.provide(serialization), Layer.provide(FetchHttpClient.layer), Layer.orDie)
  })
