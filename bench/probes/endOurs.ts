import { startSpan, TraceContext } from "effect-telemetry/promise"
import { endTime } from "./endTime.ts"
import { encodingOnly } from "./nullExporter.ts"
import type { Probe } from "./Probe.ts"
import { tenAttributes } from "./tenAttributes.ts"

const probe: Probe = {
  sample: async (size) => {
    await TraceContext.initialize(encodingOnly)
    const time = await endTime(size, (i) => startSpan("GET /orders/:id", { attributes: tenAttributes(i) }))
    await TraceContext.flush()
    return time
  }
}

export default probe
