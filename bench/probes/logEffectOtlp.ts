/** Effect's `OtlpLogger`, protobuf, with a client that answers at once. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import { Flusher } from "effect/observability/OtlpExporter"
import * as OtlpLogger from "effect/observability/OtlpLogger"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import { effectLogs } from "./effectLogs.ts"

const client = HttpClient.make((request) =>
  Effect.succeed(HttpClientResponse.fromWeb(request, new Response(null, { status: 200 })))
)

const layer = OtlpLogger.layer({
  url: "http://localhost:4318/v1/logs",
  resource: { serviceName: "bench" },
  mergeWithExisting: false
}).pipe(Layer.provide(OtlpSerialization.layerProtobuf), Layer.provide(Layer.succeed(HttpClient.HttpClient, client)))

export default effectLogs(layer, Effect.flatMap(Flusher, ({ flush }) => flush), () => {})
