import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { flush, TelemetryLayer } from "effect-telemetry"
import { effectLogs } from "./effectLogs.ts"
import { arrived, logsOnly } from "./nullLogExporter.ts"

export default effectLogs(Layer.orDie(TelemetryLayer(logsOnly)), Effect.asVoid(flush()), arrived)
