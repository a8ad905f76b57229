/** Memory held for each span in a queue that does not drain, as a multiple of its encoded bytes. Default limits. */
import * as Effect from "effect/Effect"
import * as SpanExporter from "effect-telemetry/exporters/SpanExporter"
import type { OtlpSpanBatch } from "effect-telemetry/otlp/OtlpEncoder"
import { encoder } from "effect-telemetry/otlp/OtlpProtobuf"
import { startSpan, TraceContext } from "effect-telemetry/promise"
import { heldBytes } from "./memory.ts"
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

const few = 32

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
    // A few spans first, so that what is made once is not weighed; not so many that memory to be used again lies ready.
    await make(few)
    await TraceContext.flush()
    isStuck = true
    // The second half: what the engine compiles and the caches take does not depend on the queue.
    await make(size / 2)
    const before = heldBytes()
    await make(size / 2)
    const held = heldBytes() - before
    await TraceContext.shutdown()
    return held / (size / 2) / encoded
  }
}

export default probe
