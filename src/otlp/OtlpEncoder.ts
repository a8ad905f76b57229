/**
 * The port between what is exported and how it is written: an encoder gathers spans or log records as bytes, each encoded
 * when it comes, and a batch becomes one OTLP request body without touching an item again.
 */
import type { ReadableLogRecord } from "../model/ReadableLogRecord.ts"
import type { ReadableSpan } from "../model/ReadableSpan.ts"

/** Items that can be sent in one request, or in several. */
export interface OtlpPayload {
  /** Items held. */
  readonly count: number
  /**
   * The request body: items grouped by resource and scope, in order of arrival within a scope. Empty for no items. It may
   * lie in the memory of `reuse` when that has room for it.
   */
  toBody(reuse?: Uint8Array): Uint8Array
  /** Two with the same items, in order; `undefined` for one item. */
  split(): readonly [OtlpPayload, OtlpPayload] | undefined
}

/** Encoded items on their way to one request. */
export interface OtlpBatch<in Item> extends OtlpPayload {
  /** Bytes of memory held: the encoded items and their share of buffers. The body is never longer. */
  readonly bytes: number
  /**
   * Encodes an item. Returns `false`, leaving the batch as it was, when it would then hold more than `maxBytes`. Never
   * throws.
   *
   * **Gotchas**
   *
   * It also returns `false` for an item that cannot be encoded at all, which one made by this library cannot be; `refusal`
   * tells the two apart.
   */
  add(item: Item, maxBytes: number): boolean
  /** Why the last `add` returned `false`; `undefined` when it returned `true`. */
  readonly refusal?: "full" | "unserializable" | undefined
  /** No item will be added any more: memory that stays unused is given back. */
  seal(): void
  /** The batch is not needed any more, nor are the halves made of it: its memory may be used for others. */
  release(): void
  /** Two batches with the same items, in order, in the same memory; `undefined` for a batch of one item. */
  split(): readonly [OtlpBatch<Item>, OtlpBatch<Item>] | undefined
}

/** Encoded spans on their way to one `ExportTraceServiceRequest`. */
export type OtlpSpanBatch = OtlpBatch<ReadableSpan>

/** Encoded log records on their way to one `ExportLogsServiceRequest`. */
export type OtlpLogBatch = OtlpBatch<ReadableLogRecord>

/** A request body, and how many items it holds. */
export interface EncodedBody {
  readonly body: Uint8Array
  readonly count: number
}

/** What a way of writing OTLP does with bodies, whatever they hold. */
export interface OtlpBodies {
  /** `application/x-protobuf` or `application/json`. */
  readonly contentType: string
  /** One request body with what several bodies of this encoder hold, in order. */
  readonly merge: (bodies: ReadonlyArray<Uint8Array>) => Uint8Array
  /** Two bodies with the items of one of this encoder, in order; `undefined` where it holds one item. */
  readonly split: (body: Uint8Array) => readonly [EncodedBody, EncodedBody] | undefined
}

/** A way of writing spans in OTLP. */
export interface OtlpEncoder extends OtlpBodies {
  readonly makeSpanBatch: () => OtlpSpanBatch
}

/** A way of writing log records in OTLP. */
export interface OtlpLogEncoder extends OtlpBodies {
  readonly makeLogBatch: () => OtlpLogBatch
}
