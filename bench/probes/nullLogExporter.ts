/** Encodes log records, and sends nowhere: what a record costs up to the wire. */
import * as Effect from "effect/Effect"
import * as LogExporter from "effect-telemetry/exporters/LogExporter"
import type { OtlpLogBatch } from "effect-telemetry/otlp/OtlpEncoder"
import { encoder } from "effect-telemetry/otlp/OtlpLogProtobuf"

// As the OTLP exporter does: the memory of a request that is over serves the next.
let spare: Uint8Array | undefined
let exported = 0

export const nullLogExporter = LogExporter.make<OtlpLogBatch>({
  name: "null",
  makeBatch: encoder.makeLogBatch,
  export: (batch) =>
    Effect.sync(() => {
      exported += batch.count
      spare = new Uint8Array(batch.toBody(spare).buffer)
      return { exported: batch.count }
    })
})

/** Options of a telemetry of nothing but logs, with a queue that holds whatever is made between two turns. */
export const logsOnly = {
  tracesExporters: ["none"] as const,
  logs: { exporters: [nullLogExporter] },
  logBatch: { maxQueueSize: 5_000_000 }
}

/** Throws unless everything has arrived since it was last asked. */
export const arrived = (count: number): void => {
  if (exported !== count) throw new Error(`${exported} of ${count} records arrived`)
  exported = 0
}
