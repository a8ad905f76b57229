import { longestStall } from "./afterBurst.ts"
import { provider, tracer } from "./otelEncoding.ts"
import type { Probe } from "./Probe.ts"
import { tenAttributes } from "./tenAttributes.ts"

const probe: Probe = {
  sample: async (size) => {
    const stall = await longestStall(() => {
      for (let i = 0; i < size; i++) tracer.startSpan("GET /orders/:id", { attributes: tenAttributes(i) }).end()
    })
    await provider.forceFlush()
    return stall
  }
}

export default probe
