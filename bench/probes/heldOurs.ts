/** Memory held for each span in a queue that does not drain, as a multiple of its encoded bytes. Default limits. */
import * as Effect from "effect/Effect"
import * as SpanExporter from "effect-telemetry/exporters/SpanExporter"
import type { OtlpSpanBatch } from "effect-telemetry/otlp/OtlpEncoder"
import { encoder } from "effect-telemetry/otlp/OtlpProtobuf"
import { startSpan, TraceContext } from "effect-telemetry/promise"
import { first, heldByEach } from "./memory.ts"
import { type Probe, turn } from "./Probe.ts"
import { tenAttributes } from "./tenAttributes.ts"

let encoded = 0
let isStuck = false

const exporter = SpanExporter.make<OtlpSpanBatch>({
  name: "stuck",
  makeBatch: encoder.makeSpanBatch,
  export: (batch) =>
    Effect.suspend(() => {
      encoded = batch.toBody().byteLength / batch.count
      return isStuck ? Effect.never : Effect.succeed({ exported: batch.count })
    })
})

const make = async (size: number): Promise<void> => {
  for (let i = 0; i < size; i++) {
    startSpan("GET /orders/:id", { attributes: tenAttributes(i) }).end()
    if (i % 32 === 31) await turn()
  }
}

const probe: Probe = {
  sample: async (size) => {
    isStuck = false
    await TraceContext.initialize({ exporters: [exporter], shutdownTimeout: 1 })
    await make(first)
    await TraceContext.flush()
    isStuck = true
    const held = await heldByEach(size, make)
    await TraceContext.shutdown()
    return held / encoded
  }
}

export default probe
