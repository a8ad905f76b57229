import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { ComponentInfo } from "../diagnostics/Ledger.ts"
import type { ReadableLogRecord } from "../model/ReadableLogRecord.ts"
import type { BatchSpool, ExportError, ExportResult } from "./SpanExporter.ts"

/** Log records gathered for one export. What is gathered is the exporter's choice: bytes, lines or objects. */
export interface LogBatch {
  /** Records held. */
  readonly count: number
  /** Bytes of memory held for them; an estimate where records are kept as objects. */
  readonly bytes: number
  /**
   * Adds a record. Synchronous and must not keep a reference to `record`. Returns `false`, and leaves the batch as it was,
   * when the batch would then hold more than `maxBytes`.
   */
  add(record: ReadableLogRecord, maxBytes: number): boolean
  /** Why the last `add` returned `false`, where the batch can tell: without it, the batch was full. */
  readonly refusal?: "full" | "unserializable" | undefined
  /** Called once, before `export`: no record will be added any more. */
  seal?(): void
  /** Called once, when `export` has ended and nobody will look at the batch again. */
  release?(): void
}

/**
 * Where log records go (`logs/sdk.md#logrecordexporter`). A processor gathers a batch with `makeBatch` and hands it over
 * once to `export`; it never calls `export` concurrently unless told so. Each field means what it means for a
 * `SpanExporter`.
 */
export class LogExporter extends Context.Service<LogExporter, {
  /** Short name of the destination, used in the ledger and in diagnostics. */
  readonly name: string
  readonly makeBatch: () => LogBatch
  /** Delivers a batch made by `makeBatch`. Retries are the exporter's. */
  readonly export: (batch: LogBatch) => Effect.Effect<ExportResult, ExportError>
  readonly giveUp?: ((batch: LogBatch) => ExportResult | undefined) | undefined
  readonly retryAge?: Duration.Input | undefined
  readonly failing?: (() => string | undefined) | undefined
  readonly check?: Effect.Effect<string | undefined> | undefined
  readonly component?: ComponentInfo | undefined
  readonly spool?: BatchSpool<LogBatch> | undefined
}>()("effect-telemetry/exporters/LogExporter") {}

/** The implementation type of the {@link LogExporter} service. */
export type LogExporterShape = LogExporter["Service"]

/** Makes an exporter; the batch type is known to its own `makeBatch` and `export` only. */
export const make = <Batch extends LogBatch>(options: {
  readonly name: string
  readonly makeBatch: () => Batch
  readonly export: (batch: Batch) => Effect.Effect<ExportResult, ExportError>
  readonly giveUp?: ((batch: Batch) => ExportResult | undefined) | undefined
  readonly retryAge?: Duration.Input | undefined
  readonly failing?: (() => string | undefined) | undefined
  readonly check?: Effect.Effect<string | undefined> | undefined
  readonly component?: ComponentInfo | undefined
  readonly spool?: BatchSpool<Batch> | undefined
}): LogExporterShape => options as unknown as LogExporterShape
