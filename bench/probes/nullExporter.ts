/** Encodes, and sends nowhere: what a span costs up to the wire. */
import * as Effect from "effect/Effect"
import * as SpanExporter from "effect-telemetry/exporters/SpanExporter"
import type { OtlpSpanBatch } from "effect-telemetry/otlp/OtlpEncoder"
import { encoder } from "effect-telemetry/otlp/OtlpProtobuf"

// As the OTLP exporter does: the memory of a request that is over serves the next.
let spare: Uint8Array | undefined

export const nullExporter = SpanExporter.make<OtlpSpanBatch>({
  name: "null",
  makeBatch: encoder.makeSpanBatch,
  export: (batch) =>
    Effect.sync(() => {
      spare = new Uint8Array(batch.toBody(spare).buffer)
      return { exported: batch.count }
    })
})

/** Options of a telemetry that does so, with a queue that holds whatever is made between two turns. */
export const encodingOnly = { exporters: [nullExporter], batch: { maxQueueSize: 5_000_000 } }
