/** Log records kept in memory, to be looked at by tests and tools. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ring from "../internal/ring.ts"
import type { LogRecord } from "../model/LogRecord.ts"
import * as LogRecordBatch from "./LogRecordBatch.ts"
import * as LogExporter from "./LogExporter.ts"

/** How much is kept. */
export interface Options {
  /** Most records kept. Default 10,000; beyond it the oldest give way and are counted as evicted. */
  readonly maxRecords?: number | undefined
}

/** What an in-memory exporter has taken. */
export interface LogStore {
  /** The records kept, in order as exported. A copy. */
  readonly records: Effect.Effect<ReadonlyArray<LogRecord>>
  /** How many records gave way to newer ones since the start or the last reset. */
  readonly evicted: Effect.Effect<number>
  /** Forgets the records and the count. */
  readonly reset: Effect.Effect<void>
}

/** The handle on the exporter of {@link layer}. */
export class InMemoryLogs extends Context.Service<InMemoryLogs, LogStore>()(
  "effect-telemetry/exporters/InMemoryLogExporter/InMemoryLogs"
) {}

/** An exporter that keeps log records in memory, and the handle on what it keeps. */
export interface InMemoryLogExporter extends LogStore {
  readonly exporter: LogExporter.LogExporterShape
}

/**
 * Makes an exporter that keeps the newest log records in memory.
 *
 * **Gotchas**
 *
 * An evicted record still counts as exported in the ledger.
 */
export const makeUnsafe = (options?: Options): InMemoryLogExporter => {
  const ring = Ring.make<LogRecord>(Math.max(options?.maxRecords ?? 10_000, 0))
  return {
    exporter: LogExporter.make({
      name: "memory",
      makeBatch: LogRecordBatch.make,
      export: (batch) =>
        Effect.sync(() => {
          for (const record of batch.records) ring.keep(record)
          return { exported: batch.count }
        })
    }),
    records: ring.items,
    evicted: ring.evicted,
    reset: ring.reset
  }
}

/** Like {@link makeUnsafe}, as an effect. */
export const make = (options?: Options): Effect.Effect<InMemoryLogExporter> => Effect.sync(() => makeUnsafe(options))

/** Provides the exporter as the {@link LogExporter.LogExporter} service, and the handle on it. */
export const layer = (options?: Options): Layer.Layer<LogExporter.LogExporter | InMemoryLogs> =>
  Layer.effectContext(
    Effect.map(make(options), (memory) =>
      Context.make(LogExporter.LogExporter, memory.exporter).pipe(Context.add(InMemoryLogs, memory)))
  )
