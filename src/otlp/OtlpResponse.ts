/**
 * What an OTLP receiver answers: `ExportTraceServiceResponse`, or that of another signal, which says the same, for success,
 * and `google.rpc.Status` for failure; read by the exporters and written by receivers of our own.
 */
import * as Result from "effect/Result"
import { allocate } from "../internal/buffers.ts"
import { ByteWriter } from "../internal/byteWriter.ts"
import type { JsonReader } from "../internal/jsonReader.ts"
import { ProtobufReader } from "../internal/protobufReader.ts"
import { decodeAs, formatOf, type OtlpDecodeError } from "./OtlpDecodeError.ts"
import { parse } from "./OtlpDecoderJson.ts"

/** The receiver took the request, but not all of it. */
export interface PartialSuccess {
  /** Spans, log records or data points that were refused; 0 when the message is only a warning. */
  readonly rejectedItems: number
  readonly errorMessage: string
}

/** `google.rpc.Status`: the body of a 4xx or 5xx answer. */
export interface ErrorStatus {
  /** A gRPC status code. */
  readonly code: number
  readonly message: string
}

const partialSuccess = (rejected: bigint, errorMessage: string): PartialSuccess | undefined => {
  const rejectedItems = rejected < 0n ? 0 : Math.min(Number(rejected), Number.MAX_SAFE_INTEGER)
  return rejectedItems === 0 && errorMessage === "" ? undefined : { rejectedItems, errorMessage }
}

const readPartialSuccess = (body: Uint8Array): PartialSuccess | undefined => {
  let rejected = 0n
  let errorMessage = ""
  const response = ProtobufReader.of(body)
  while (response.next()) {
    if (response.field !== 1) {
      response.skip()
      continue
    }
    const partial = response.message()
    while (partial.next()) {
      if (partial.field === 1) rejected = partial.int64()
      else if (partial.field === 2) errorMessage = partial.text()
      else partial.skip()
    }
  }
  return partialSuccess(rejected, errorMessage)
}

/** What the three signals call, in JSON, what was rejected; in protobuf it has the same number. */
const rejectedMember = { traces: "rejectedSpans", logs: "rejectedLogRecords", metrics: "rejectedDataPoints" } as const

/** What was sent. */
export type OtlpSignalName = keyof typeof rejectedMember

const minInt64 = -(2n ** 63n)
const maxInt64 = 2n ** 63n - 1n

const isBlank = (body: Uint8Array): boolean => body.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d))

const object = (body: Uint8Array): JsonReader => {
  const reader = parse(body)
  return typeof reader.value === "object" ? reader : reader.fail("not an object")
}

/**
 * The partial success that the body of a 200 answer reports, `undefined` for full success.
 *
 * **Details**
 *
 * An empty body is full success, and so are 0 rejected items without a message (`specification.md#partial-success-1`).
 * In JSON each signal has a name of its own for them, and only that one is read. Fails for a body that cannot be read;
 * since the receiver answered 200, the items have still arrived.
 */
export const decodeExportResponse = (
  contentType: string,
  body: Uint8Array,
  signal: OtlpSignalName = "traces"
): Result.Result<PartialSuccess | undefined, OtlpDecodeError> =>
  body.length === 0 ? Result.succeed(undefined) : decodeAs(contentType, body, {
    protobuf: readPartialSuccess,
    json: (body) => {
      if (isBlank(body)) return undefined
      const partial = object(body).member("partialSuccess")
      return partialSuccess(
        partial.member(rejectedMember[signal]).bigint(minInt64, maxInt64),
        partial.member("errorMessage").text()
      )
    }
  })

const readStatus = (body: Uint8Array): ErrorStatus => {
  let code = 0
  let message = ""
  const reader = ProtobufReader.of(body)
  while (reader.next()) {
    if (reader.field === 1) code = reader.varint32() | 0
    else if (reader.field === 2) message = reader.text()
    else reader.skip()
  }
  return { code, message }
}

/** The `google.rpc.Status` that the body of a failing answer holds. */
export const decodeStatus = (
  contentType: string,
  body: Uint8Array
): Result.Result<ErrorStatus, OtlpDecodeError> =>
  decodeAs(contentType, body, {
    protobuf: readStatus,
    json: (body) => {
      const status = object(body)
      return {
        code: Number(status.member("code").bigint(-(2n ** 31n), 2n ** 31n - 1n)),
        message: status.member("message").text()
      }
    }
  })

/**
 * The message of a failing answer, or `undefined` when it has none that can be read. The text is the receiver's: bound
 * and sanitise it before it is shown.
 */
export const decodeStatusMessage = (contentType: string, body: Uint8Array): string | undefined => {
  const status = decodeStatus(contentType, body)
  return Result.isSuccess(status) && status.success.message !== "" ? status.success.message : undefined
}

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

const isJson = (contentType: string): boolean => formatOf(contentType) === "json"

/** The body of a 200 answer; JSON for `application/json`, protobuf for everything else. */
export const encodeExportResponse = (
  contentType: string,
  partial?: PartialSuccess | undefined,
  signal: OtlpSignalName = "traces"
): Uint8Array => {
  if (isJson(contentType)) {
    return json(
      partial === undefined
        ? {}
        : {
          partialSuccess: {
            [rejectedMember[signal]]: String(partial.rejectedItems),
            errorMessage: partial.errorMessage.toWellFormed()
          }
        }
    )
  }
  if (partial === undefined) return new Uint8Array(0)
  const writer = new ByteWriter(allocate(64))
  writer.byte(0x0a)
  const begun = writer.begin()
  if (partial.rejectedItems > 0) {
    writer.byte(0x08)
    writer.varint(partial.rejectedItems)
  }
  if (partial.errorMessage !== "") {
    writer.byte(0x12)
    writer.delimitedUtf8(partial.errorMessage)
  }
  writer.end(begun)
  return writer.toBytes()
}

/** The body of a failing answer; JSON for `application/json`, protobuf for everything else. */
export const encodeStatus = (contentType: string, status: ErrorStatus): Uint8Array => {
  if (isJson(contentType)) return json({ code: status.code, message: status.message.toWellFormed() })
  const writer = new ByteWriter(allocate(64))
  if (status.code !== 0) {
    writer.byte(0x08)
    writer.varint64(status.code < 0 ? -1 : 0, status.code | 0)
  }
  if (status.message !== "") {
    writer.byte(0x12)
    writer.delimitedUtf8(status.message)
  }
  return writer.toBytes()
}
