/** Kinds and status codes: numbers there, words here. */
import type { SpanKind } from "effect/Tracer"
import type { StatusCode } from "../model/ReadableSpan.ts"

const kinds: ReadonlyArray<SpanKind> = ["internal", "server", "client", "producer", "consumer"]
const codes: ReadonlyArray<StatusCode> = ["UNSET", "OK", "ERROR"]

/** A number outside the enumeration is `internal`, as the SDK has it. */
export const kindOf = (kind: number | undefined): SpanKind => kinds[kind ?? 0] ?? "internal"

export const kindNumber = (kind: SpanKind): number => kinds.indexOf(kind)

export const statusOf = (code: number): StatusCode => codes[code] ?? "UNSET"

export const statusNumber = (code: StatusCode): number => codes.indexOf(code)
