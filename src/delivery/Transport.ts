import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"

/** One HTTP request, with an already encoded body. */
export interface TransportRequest {
  readonly url: string
  /** Default `"POST"`. A `"GET"` has an empty body. */
  readonly method?: "GET" | "POST" | undefined
  /** Values may be secret; no transport writes them to a log or an error. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** Bound on the whole exchange, from connect to the last byte of the answer, in milliseconds of monotonic time. */
  readonly timeoutMillis: number
  /** Largest accepted answer after decompression, in bytes. */
  readonly maxResponseBytes: number
}

/** What the server said. */
export interface TransportResponse {
  readonly status: number
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** The exchange failed before a complete answer arrived. */
export class TransportError extends Data.TaggedError("TransportError")<{
  /** `connect`: no connection, or it broke; `timeout`: the deadline passed; `tls`: the certificate was refused; `response`: the answer was unusable. */
  readonly reason: "connect" | "timeout" | "tls" | "response"
  readonly detail: string
}> {
  override get message(): string {
    return `${this.reason}: ${this.detail}`
  }
}

/** Sends one request. Interruption aborts the exchange. Redirects are not followed. */
export class Transport extends Context.Service<Transport, {
  readonly send: (request: TransportRequest) => Effect.Effect<TransportResponse, TransportError>
  /**
   * Whether nobody reads a request's `body` any more once `send` has ended, so that its memory may be written again.
   * Default `false`.
   */
  readonly releasesBody?: boolean | undefined
}>()("effect-telemetry/delivery/Transport") {}
