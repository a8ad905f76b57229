/** `startSpan` and `end` of the Promise facade. */
import { startSpan, TraceContext } from "effect-telemetry/promise"
import { encodingOnly } from "./nullExporter.ts"
import { cpuNanos, type Probe, turn } from "./Probe.ts"
import { tenAttributes } from "./tenAttributes.ts"

const probe: Probe = {
  sample: async (size) => {
    await TraceContext.initialize(encodingOnly)
    return cpuNanos(size, async () => {
      for (let i = 0; i < size; i++) {
        startSpan("GET /orders/:id", { attributes: tenAttributes(i) }).end()
        if (i % 32 === 31) await turn()
      }
      await TraceContext.flush()
    })
  }
}

export default probe
