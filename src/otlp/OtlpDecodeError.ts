import * as Data from "effect/Data"
import * as Result from "effect/Result"
import { MalformedJson } from "../internal/jsonReader.ts"
import { MalformedBytes } from "../internal/protobufReader.ts"

/** A body that is not the OTLP message it should be. */
export class OtlpDecodeError extends Data.TaggedError("OtlpDecodeError")<{
  /** The media type of the body, or what was given for it. */
  readonly contentType: string
  /** Where: `byte 17` or `$.resourceSpans[0].scopeSpans`; `body` for the whole. */
  readonly position: string
  readonly detail: string
}> {
  override get message(): string {
    return `${this.contentType}: ${this.detail} (${this.position})`
  }
}

/** The two wire formats of OTLP over HTTP. */
export type OtlpFormat = "protobuf" | "json"

/** The format that a `Content-Type` header names; its parameters are ignored. */
export const formatOf = (contentType: string): OtlpFormat | undefined => {
  const mediaType = contentType.split(";", 1)[0]!.trim().toLowerCase()
  if (mediaType === "application/x-protobuf" || mediaType === "application/protobuf") return "protobuf"
  return mediaType === "application/json" ? "json" : undefined
}

const describe = (contentType: string, cause: unknown): OtlpDecodeError => {
  if (cause instanceof MalformedBytes) {
    return new OtlpDecodeError({ contentType, position: `byte ${cause.offset}`, detail: cause.detail })
  }
  if (cause instanceof MalformedJson) {
    return new OtlpDecodeError({ contentType, position: cause.path, detail: cause.detail })
  }
  return new OtlpDecodeError({
    contentType,
    position: "body",
    detail: cause instanceof SyntaxError ? "not JSON" : `unreadable: ${cause instanceof Error ? cause.name : "error"}`
  })
}

/** Decodes `body` by its content type; whatever a decoder throws is an {@link OtlpDecodeError}. */
export const decodeAs = <A>(
  contentType: string,
  body: Uint8Array,
  decoders: { readonly [Format in OtlpFormat]: (body: Uint8Array) => A }
): Result.Result<A, OtlpDecodeError> => {
  const format = formatOf(contentType)
  if (format === undefined) {
    // What a stranger wrote is cut before it is repeated.
    const given = contentType === "" ? "no content type" : contentType.slice(0, 80)
    return Result.fail(new OtlpDecodeError({ contentType: given, position: "body", detail: "not an OTLP media type" }))
  }
  return Result.try({
    try: () => decoders[format](body),
    catch: (cause) => describe(format === "json" ? "application/json" : "application/x-protobuf", cause)
  })
}
