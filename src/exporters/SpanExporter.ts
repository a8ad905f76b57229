import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { BatchSpill } from "../delivery/Batcher.ts"
import type { Account, ComponentInfo, DropReason, RejectReason } from "../diagnostics/Ledger.ts"
import type { ReadableSpan } from "../model/ReadableSpan.ts"

/**
 * Spans gathered for one export. What is gathered is the exporter's choice: bytes, lines or objects.
 */
export interface SpanBatch {
  /** Spans held. */
  readonly count: number
  /** Bytes of memory held for them; an estimate where spans are kept as objects. */
  readonly bytes: number
  /**
   * Adds an ended span. Synchronous and must not keep a reference to `span`. Returns `false`, and leaves the batch as it
   * was, when the batch would then hold more than `maxBytes`.
   */
  add(span: ReadableSpan, maxBytes: number): boolean
  /** Why the last `add` returned `false`, where the batch can tell: without it, the batch was full. */
  readonly refusal?: "full" | "unserializable" | undefined
  /** Called once, before `export`: no span will be added any more. */
  seal?(): void
  /** Called once, when `export` has ended and nobody will look at the batch again. */
  release?(): void
}

/** What became of the spans of one batch. Counts add up to the batch's count; a shortfall is booked as `export_error`. */
export interface ExportResult {
  readonly exported: number
  readonly rejected?: { readonly [Reason in RejectReason]?: number } | undefined
  readonly dropped?: { readonly [Reason in DropReason]?: number } | undefined
  /** Spans that the exporter's spool has taken over. */
  readonly spooled?: number | undefined
}

/** Keeps batches and delivers them later. */
export interface BatchSpool<in Batch> extends BatchSpill<Batch> {
  /** Told once who answers for the items; what becomes of them is booked there. Nothing is delivered before. */
  readonly attach: (account: Account) => void
  /**
   * Completes when nothing is left, or the destination does not answer and what is left is as safe as it was asked to
   * be.
   */
  readonly drain: Effect.Effect<void>
}

/** A batch that could not be delivered at all, and why. */
export class ExportError extends Data.TaggedError("ExportError")<{
  /** The destination, as in `otlp`. */
  readonly destination: string
  /** Booked in the ledger for every span of the batch. */
  readonly reason:
    | "unserializable"
    | "oversize"
    | "retry_exhausted"
    | "export_error"
    | "export_timeout"
    | "shutdown_timeout"
    | "disk_error"
  readonly detail: string
}> {
  override get message(): string {
    return `${this.destination}: ${this.detail} (${this.reason})`
  }
}

/**
 * Where spans go. A processor gathers a batch with `makeBatch` and hands it over once to `export`; it never calls
 * `export` concurrently unless told so.
 */
export class SpanExporter extends Context.Service<SpanExporter, {
  /** Short name of the destination, used in the ledger and in diagnostics. */
  readonly name: string
  readonly makeBatch: () => SpanBatch
  /** Delivers a batch made by `makeBatch`. Retries are the exporter's. */
  readonly export: (batch: SpanBatch) => Effect.Effect<ExportResult, ExportError>
  /**
   * Told that an export is given up: what became of the batch, where parts of it have had their outcome already or are in
   * the spool now. `undefined` where nothing has become of it. Default: nothing ever has.
   */
  readonly giveUp?: ((batch: SpanBatch) => ExportResult | undefined) | undefined
  /**
   * How long `export` may hold a batch on purpose, for retries. A processor's export timeout counts from the end of it.
   * Default none.
   */
  readonly retryAge?: Duration.Input | undefined
  /** What goes wrong with the destination right now, `undefined` while it answers; for `health`. */
  readonly failing?: (() => string | undefined) | undefined
  /** Asks the destination whether it accepts data, and answers why not; for `probe`. */
  readonly check?: Effect.Effect<string | undefined> | undefined
  /** What the exporter is, for the library's own metrics. */
  readonly component?: ComponentInfo | undefined
  /** Where batches are kept that cannot be delivered now, if anywhere. */
  readonly spool?: BatchSpool<SpanBatch> | undefined
}>()("effect-telemetry/exporters/SpanExporter") {}

/** The implementation type of the {@link SpanExporter} service. */
export type SpanExporterShape = SpanExporter["Service"]

/** Makes an exporter; the batch type is known to its own `makeBatch` and `export` only. */
export const make = <Batch extends SpanBatch>(options: {
  readonly name: string
  readonly makeBatch: () => Batch
  readonly export: (batch: Batch) => Effect.Effect<ExportResult, ExportError>
  readonly giveUp?: ((batch: Batch) => ExportResult | undefined) | undefined
  readonly retryAge?: Duration.Input | undefined
  readonly failing?: (() => string | undefined) | undefined
  readonly check?: Effect.Effect<string | undefined> | undefined
  readonly component?: ComponentInfo | undefined
  readonly spool?: BatchSpool<Batch> | undefined
}): SpanExporterShape => options as unknown as SpanExporterShape

/** What became of two batches together. */
export const addResults = (a: ExportResult, b: ExportResult): ExportResult => ({
  exported: a.exported + b.exported,
  rejected: sum(a.rejected, b.rejected),
  dropped: sum(a.dropped, b.dropped),
  ...a.spooled === undefined && b.spooled === undefined ? {} : { spooled: (a.spooled ?? 0) + (b.spooled ?? 0) }
})

const sum = <Reason extends string>(
  a: { readonly [K in Reason]?: number } | undefined,
  b: { readonly [K in Reason]?: number } | undefined
): { readonly [K in Reason]?: number } => {
  const total: { [K in Reason]?: number } = { ...a }
  for (const reason in b) total[reason] = (total[reason] ?? 0) + (b[reason] ?? 0)
  return total
}
