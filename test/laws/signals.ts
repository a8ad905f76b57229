/** The signals that are delivered, each from its items to the bytes of a request; a law holds for all of them. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { BatcherLimits } from "../../src/delivery/Batcher.ts"
import { LogsLedger, TracesLedger } from "../../src/diagnostics/CurrentLedger.ts"
import { type Account, SignalLedger } from "../../src/diagnostics/Ledger.ts"
import { LogExporter } from "../../src/exporters/LogExporter.ts"
import * as OtlpLogExporter from "../../src/exporters/OtlpLogExporter.ts"
import * as OtlpSpanExporter from "../../src/exporters/OtlpSpanExporter.ts"
import { type ExportError, type ExportResult, SpanExporter } from "../../src/exporters/SpanExporter.ts"
import * as BatchLogRecordProcessor from "../../src/logs/BatchLogRecordProcessor.ts"
import { decode } from "../../src/otlp/OtlpDecoder.ts"
import type { OtlpSignalName } from "../../src/otlp/OtlpResponse.ts"
import * as BatchSpanProcessor from "../../src/processors/BatchSpanProcessor.ts"
import { readable } from "../exporters/spans.ts"
import { make } from "../otlp/logs.ts"
import { logsFromJson, logsFromProtobuf } from "../otlp/official.ts"

/** Options of every signal's exporter. */
export type ExportOptions = OtlpSpanExporter.OtlpSpanExporterOptions

/** A running pipeline of one signal. */
export interface Pipeline {
  /** Makes an item of about `size` bytes. */
  readonly offer: (id: number, size: number) => void
  readonly flush: Effect.Effect<void>
  readonly account: Account
  /** Bytes of memory that its batches hold. */
  readonly heldBytes: () => number
}

export interface Signal {
  readonly name: string
  readonly signal: OtlpSignalName
  /** Opens a pipeline until the scope closes. `around` is laid around each export. */
  readonly open: (
    limits: BatcherLimits,
    options: ExportOptions,
    around?: <A, E>(exporting: Effect.Effect<A, E>) => Effect.Effect<A, E>
  ) => Effect.Effect<Pipeline, never, Scope.Scope>
  /** The items in a request body; throws for one that cannot be read. */
  readonly idsIn: (contentType: string, body: Uint8Array) => ReadonlyArray<number>
}

const spans: Signal = {
  name: "spans",
  signal: "traces",
  open: Effect.fnUntraced(function*(limits, options, around = (exporting) => exporting) {
    const exporter = yield* OtlpSpanExporter.make(options)
    const ledger = new SignalLedger()
    const held = new Set<{ readonly bytes: number; readonly count: number }>()
    const processor = yield* BatchSpanProcessor.make(limits).pipe(
      Effect.provideService(TracesLedger, ledger),
      Effect.provideService(SpanExporter, {
        ...exporter,
        makeBatch: () => {
          const batch = exporter.makeBatch()
          held.add(batch)
          const release = batch.release?.bind(batch)
          batch.release = () => {
            held.delete(batch)
            release?.()
          }
          return batch
        },
        export: (batch): Effect.Effect<ExportResult, ExportError> => around(exporter.export(batch))
      })
    )
    return {
      offer: (id, size) =>
        processor.onEnd(readable({ id, name: "x".repeat(size) }), { emit() {}, drop() {}, hold() {}, sampledOut() {} }),
      flush: processor.flush,
      account: ledger.accounts[0]!,
      heldBytes: () => [...held].reduce((sum, { bytes, count }) => sum + (count === 0 ? 0 : bytes), 0)
    }
  }),
  idsIn: (contentType, body) =>
    Result.getOrThrow(decode(contentType, body)).map(({ spanId }) => Number.parseInt(spanId, 16))
}

interface LogsRequest {
  readonly resourceLogs: ReadonlyArray<{
    readonly scopeLogs: ReadonlyArray<{ readonly logRecords: ReadonlyArray<{ readonly eventName: string }> }>
  }>
}

const logs: Signal = {
  name: "log records",
  signal: "logs",
  open: Effect.fnUntraced(function*(limits, options, around = (exporting) => exporting) {
    const exporter = yield* OtlpLogExporter.make(options)
    const ledger = new SignalLedger()
    const held = new Set<{ readonly bytes: number; readonly count: number }>()
    const processor = yield* BatchLogRecordProcessor.make(limits).pipe(
      Effect.provideService(LogsLedger, ledger),
      Effect.provideService(LogExporter, {
        ...exporter,
        makeBatch: () => {
          const batch = exporter.makeBatch()
          held.add(batch)
          const release = batch.release?.bind(batch)
          batch.release = () => {
            held.delete(batch)
            release?.()
          }
          return batch
        },
        export: (batch): Effect.Effect<ExportResult, ExportError> => around(exporter.export(batch))
      })
    )
    return {
      offer: (id, size) =>
        processor.onEmit(make({ eventName: String(id), body: "x".repeat(size) }), { emit() {}, drop() {} }),
      flush: processor.flush,
      account: ledger.accounts[0]!,
      heldBytes: () => [...held].reduce((sum, { bytes, count }) => sum + (count === 0 ? 0 : bytes), 0)
    }
  }),
  idsIn: (contentType, body) => {
    const request = contentType === "application/json" ? logsFromJson(body) : logsFromProtobuf(body)
    return (request as LogsRequest).resourceLogs.flatMap(({ scopeLogs }) =>
      scopeLogs.flatMap(({ logRecords }) => logRecords.map(({ eventName }) => Number(eventName)))
    )
  }
}

export const signals: ReadonlyArray<Signal> = [spans, logs]
