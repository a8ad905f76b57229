/** `log.info` of the Promise facade, batched and encoded. */
import { log, TraceContext } from "effect-telemetry/promise"
import { logAttributes, logBody } from "./logAttributes.ts"
import { arrived, logsOnly } from "./nullLogExporter.ts"
import { cpuNanos, type Probe, turn } from "./Probe.ts"

const probe: Probe = {
  sample: async (size) => {
    await TraceContext.initialize(logsOnly)
    const time = await cpuNanos(size, async () => {
      for (let i = 0; i < size; i++) {
        log.info(logBody, logAttributes(i))
        if (i % 32 === 31) await turn()
      }
      await TraceContext.flush()
    })
    arrived(size)
    return time
  }
}

export default probe
