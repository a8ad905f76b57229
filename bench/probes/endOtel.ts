import { endTime } from "./endTime.ts"
import { provider, tracer } from "./otelEncoding.ts"
import type { Probe } from "./Probe.ts"
import { tenAttributes } from "./tenAttributes.ts"

const probe: Probe = {
  sample: async (size) => {
    const time = await endTime(size, (i) => tracer.startSpan("GET /orders/:id", { attributes: tenAttributes(i) }))
    await provider.forceFlush()
    return time
  }
}

export default probe
