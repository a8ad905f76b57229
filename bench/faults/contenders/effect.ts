/** Effect's own exporter, as its documentation sets it up: JSON, over `fetch`. */
import * as Layer from "effect/Layer"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import { effectContender } from "./effectProgram.ts"

export default effectContender((setup) =>
  OtlpTracer.layer({
    url: `${setup.endpoint}/v1/traces`,
    headers: setup.headers,
    ...(setup.serviceName === undefined ? {} : { resource: { serviceName: setup.serviceName } })
  }).pipe(Layer.provide(OtlpSerialization.layerJson), Layer.provide(FetchHttpClient.layer), Layer.orDie)
)
