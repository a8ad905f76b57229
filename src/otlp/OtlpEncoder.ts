/**
 * The port between what is exported and how it is written: an encoder gathers spans as bytes, each span encoded when it
 * ends, and a batch becomes one OTLP request body without touching a span again.
 */
import type { ReadableSpan } from "../model/ReadableSpan.ts"

/** Encoded spans on their way to one `ExportTraceServiceRequest`. */
export interface OtlpSpanBatch {
  /** Spans held. */
  readonly count: number
  /** Bytes of memory held: the encoded spans and their share of buffers. The body is never longer. */
  readonly bytes: number
  /**
   * Encodes a span. Returns `false`, leaving the batch as it was, when it would then hold more than `maxBytes`. Never
   * throws.
   *
   * **Gotchas**
   *
   * It also returns `false` for a span that cannot be encoded at all, which a span made by this library cannot be;
   * `refusal` tells the two apart.
   */
  add(span: ReadableSpan, maxBytes: number): boolean
  /** Why the last `add` returned `false`; `undefined` when it returned `true`. */
  readonly refusal?: "full" | "unserializable" | undefined
  /** No span will be added any more: memory that stays unused is given back. */
  seal(): void
  /** The batch is not needed any more, nor are the halves made of it: its memory may be used for others. */
  release(): void
  /**
   * The request body: spans grouped by resource and scope, in order of arrival within a scope. Empty for no spans. It lies
   * in the memory of `reuse` when that has room for it.
   */
  toBody(reuse?: Uint8Array): Uint8Array
  /** Two batches with the same spans, in order, in the same memory; `undefined` for a batch of one span. */
  split(): readonly [OtlpSpanBatch, OtlpSpanBatch] | undefined
}

/** A request body, and how many spans it holds. */
export interface EncodedBody {
  readonly body: Uint8Array
  readonly count: number
}

/** A way of writing OTLP. */
export interface OtlpEncoder {
  /** `application/x-protobuf` or `application/json`. */
  readonly contentType: string
  readonly makeSpanBatch: () => OtlpSpanBatch
  /** One request body with what several bodies of this encoder hold, in order. */
  readonly merge: (bodies: ReadonlyArray<Uint8Array>) => Uint8Array
  /** Two bodies with the spans of one of this encoder, in order; `undefined` where it holds one span. */
  readonly split: (body: Uint8Array) => readonly [EncodedBody, EncodedBody] | undefined
}
