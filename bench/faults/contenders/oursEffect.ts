/** Ours as an Effect program provides it. */
import * as Layer from "effect/Layer"
import { TelemetryLayer } from "effect-telemetry"
import { effectContender } from "./effectProgram.ts"
import { oursOptions } from "./oursOptions.ts"

export default effectContender((setup) => Layer.orDie(TelemetryLayer(oursOptions(setup))))
