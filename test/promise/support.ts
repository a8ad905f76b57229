import * as Effect from "effect/Effect"
import * as InMemorySpanExporter from "../../src/exporters/InMemorySpanExporter.ts"
import type { SpanData } from "../../src/model/SpanData.ts"
import { TraceContext } from "../../src/promise/index.ts"

/** Options of a telemetry that depends on nothing of this machine. */
export const quiet = { env: {}, detectors: ["none"] as const, serviceName: "plain" }

/** Starts telemetry; answers how to read what it has exported so far. */
export const record = async (): Promise<() => Promise<ReadonlyArray<SpanData>>> => {
  const memory = InMemorySpanExporter.makeUnsafe()
  await TraceContext.initialize({ ...quiet, exporters: [memory.exporter] })
  return async () => {
    await TraceContext.flush()
    return await Effect.runPromise(memory.spans)
  }
}
