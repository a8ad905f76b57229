/** `startSpan` and `end` of OpenTelemetry JS. */
import { provider, tracer } from "./otelEncoding.ts"
import { cpuNanos, type Probe, turn } from "./Probe.ts"
import { tenAttributes } from "./tenAttributes.ts"

const probe: Probe = {
  sample: (size) =>
    cpuNanos(size, async () => {
      for (let i = 0; i < size; i++) {
        tracer.startSpan("GET /orders/:id", { attributes: tenAttributes(i) }).end()
        if (i % 32 === 31) await turn()
      }
      await provider.forceFlush()
    })
}

export default probe
