import { startSpan, TraceContext } from "effect-telemetry/promise"
import { longestStall } from "./afterBurst.ts"
import { nullExporter } from "./nullExporter.ts"
import type { Probe } from "./Probe.ts"
import { tenAttributes } from "./tenAttributes.ts"

const probe: Probe = {
  sample: async (size) => {
    await TraceContext.initialize({ exporters: [nullExporter] })
    const stall = await longestStall(() => {
      for (let i = 0; i < size; i++) startSpan("GET /orders/:id", { attributes: tenAttributes(i) }).end()
    })
    const ledger = await TraceContext.shutdown()
    const account = ledger!.destinations[0]!
    const dropped = Object.values(account.dropped).reduce((a, b) => a + b, 0)
    if (account.exported + dropped !== size) throw new Error(`${account.exported} + ${dropped} of ${size} spans`)
    return stall
  }
}

export default probe
