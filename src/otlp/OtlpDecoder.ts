/**
 * Reads OTLP trace requests, from whomever they come: the receiving end of tests and of the demo, and the replay of
 * files.
 */
import type * as Result from "effect/Result"
import { ItemBudget } from "../internal/itemBudget.ts"
import type { SpanData } from "../model/SpanData.ts"
import { decodeAs, OtlpDecodeError } from "./OtlpDecodeError.ts"
import { decodeJson } from "./OtlpDecoderJson.ts"
import { decodeProtobuf } from "./OtlpDecoderProtobuf.ts"

export { OtlpDecodeError }

/** Bounds of what one body may hold. */
export interface DecodeOptions {
  /** Most spans, events, links and attribute values together. Default 1 000 000. */
  readonly maxItems?: number | undefined
}

/**
 * The spans of an `ExportTraceServiceRequest` body, in order.
 *
 * **Details**
 *
 * `contentType` is `application/x-protobuf` or `application/json`, with or without parameters. Spans of one
 * `ResourceSpans` share their resource object, those of one `ScopeSpans` their scope. Unknown fields are skipped; kind
 * `UNSPECIFIED` is `INTERNAL`; an end before the start becomes the start; of a repeated attribute key the last value
 * stays.
 *
 * **Gotchas**
 *
 * A number that is an integer is one JavaScript value whether it came as `int_value` or `double_value`; an `int_value`
 * beyond 2^53 is a bigint. One span with an invalid id, or a value nested deeper than 128, fails the whole body.
 */
export const decode = (
  contentType: string,
  body: Uint8Array,
  options?: DecodeOptions
): Result.Result<ReadonlyArray<SpanData>, OtlpDecodeError> => {
  const maxItems = options?.maxItems ?? 1_000_000
  return decodeAs<ReadonlyArray<SpanData>>(contentType, body, {
    protobuf: (body) => decodeProtobuf(body, new ItemBudget(maxItems)),
    json: (body) => decodeJson(body, new ItemBudget(maxItems))
  })
}
