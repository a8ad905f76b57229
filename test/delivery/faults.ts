/**
 * A destination for properties: what it answers is a schedule of the generator's, and it keeps books of its own, from
 * the bytes that reached it.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import {
  Transport,
  TransportError,
  type TransportRequest,
  type TransportResponse
} from "../../src/delivery/Transport.ts"
import { encodeExportResponse, encodeStatus, type OtlpSignalName } from "../../src/otlp/OtlpResponse.ts"

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

/** What the destination does with one request. */
export const Fault = Schema.Struct({
  kind: Schema.Literals([
    "ok",
    "ok",
    "partial",
    "html",
    "429",
    "503",
    "400",
    "401",
    "404",
    "413",
    "413",
    "500",
    "301",
    "tls",
    "refused",
    "reset",
    "hang",
    "too large"
  ]),
  /** How long it takes for it, from 1,000 on; otherwise it answers at once. */
  millis: upTo(15_000),
  /** Empty for none. */
  retryAfter: Schema.Literals([
    "",
    "",
    "0",
    "1",
    "40",
    "999999999999999",
    "-5",
    "1e9",
    "soon",
    "\u001b[31m",
    "Thu, 01 Jan 1970 00:00:07 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT"
  ]),
  /** Whether it takes the items of a request that it does not answer. */
  keeps: Schema.Boolean,
  /** Items that a partial success rejects; the largest is more than any request has. */
  rejects: Schema.Literals([0, 1, 2, 1e15])
})
export type Fault = typeof Fault.Type

const bodyOf = (
  fault: Fault,
  contentType: string,
  signal: OtlpSignalName,
  count: number,
  message: string
): TransportResponse => {
  const headers: Record<string, string> = { "content-type": contentType }
  switch (fault.kind) {
    case "ok":
      return { status: 200, headers, body: new Uint8Array() }
    case "partial":
      return {
        status: 200,
        headers,
        body: encodeExportResponse(contentType, { rejectedItems: fault.rejects, errorMessage: message }, signal)
      }
    case "html":
      return {
        status: 200,
        headers: { "content-type": "text/html" },
        body: new TextEncoder().encode(`<html>${message} ${count}`)
      }
    default:
      if (fault.retryAfter !== "") headers["retry-after"] = fault.retryAfter
      return { status: Number(fault.kind), headers, body: encodeStatus(contentType, { code: 13, message }) }
  }
}

const failures: { readonly [kind: string]: TransportError } = {
  tls: new TransportError({ reason: "tls", detail: "CERT_HAS_EXPIRED at localhost" }),
  refused: new TransportError({ reason: "connect", detail: "ECONNREFUSED at localhost" }),
  reset: new TransportError({
    reason: "connect",
    detail: "localhost closed the connection before its answer was complete"
  }),
  "too large": new TransportError({ reason: "response", detail: "the answer is larger than 4194304 bytes" })
}

/** Makes a destination that goes through `faults`, then accepts everything. */
export const judge = (options: {
  readonly faults: ReadonlyArray<Fault>
  readonly signal: OtlpSignalName
  /** The items in a request body. */
  readonly idsIn: (contentType: string, body: Uint8Array) => ReadonlyArray<number>
  /** A text that the destination writes into its answers. */
  readonly message?: ((request: TransportRequest) => string) | undefined
  readonly onRequest?: ((request: TransportRequest, ids: ReadonlyArray<number>) => void) | undefined
  /** Told of items that were accepted or refused for good, as soon as the client has the answer. */
  readonly onAnswered?: ((accepted: number, refused: number) => Effect.Effect<void>) | undefined
}) => {
  const steps = [...options.faults]
  /** How often each item was accepted. */
  const accepted = new Map<number, number>()
  const state = {
    accepted,
    requests: 0,
    active: 0,
    /** Items that were accepted, and the client knows. */
    answered: 0,
    /** Items that were accepted, but the client got no answer. */
    unanswered: 0,
    /** Items that were refused for good, and the client knows. */
    refused: 0,
    /** From now on everything is accepted. */
    heal: () => {
      steps.length = 0
    }
  }
  const accept = (ids: ReadonlyArray<number>): void => {
    for (const id of ids) accepted.set(id, (accepted.get(id) ?? 0) + 1)
  }
  const healthy: Fault = { kind: "ok", millis: 0, retryAfter: "", keeps: true, rejects: 0 }

  const respond = (request: TransportRequest): Effect.Effect<TransportResponse, TransportError> => {
    const fault = steps.shift() ?? healthy
    const contentType = request.headers["content-type"]!
    const ids = options.idsIn(contentType, request.body)
    options.onRequest?.(request, ids)
    const pause = fault.millis < 1_000 ? Effect.void : Effect.sleep(fault.millis)
    if (fault.kind === "hang") {
      if (fault.keeps) unansweredOf(ids)
      return Effect.never
    }
    const failure = failures[fault.kind]
    if (failure !== undefined) {
      if (fault.keeps && fault.kind !== "tls" && fault.kind !== "refused") unansweredOf(ids)
      return Effect.andThen(pause, failure)
    }
    const response = bodyOf(fault, contentType, options.signal, ids.length, options.message?.(request) ?? "")
    const isAccepted = response.status === 200
    const rejected = fault.kind === "partial" ? Math.min(fault.rejects, ids.length) : 0
    const taken = isAccepted ? ids.slice(rejected) : []
    accept(taken)
    // Until the client has it.
    state.unanswered += taken.length
    const told = Effect.suspend(() => {
      state.unanswered -= taken.length
      state.answered += taken.length
      const isFinal = !isAccepted && response.status !== 429 && response.status !== 503 &&
        !(response.status === 413 && ids.length > 1)
      const refused = isFinal ? ids.length : rejected
      state.refused += refused
      return options.onAnswered?.(taken.length, refused) ?? Effect.void
    })
    return Effect.as(Effect.andThen(pause, told), response)
  }
  const unansweredOf = (ids: ReadonlyArray<number>): void => {
    accept(ids)
    state.unanswered += ids.length
  }

  const transport = Transport.of({
    send: (request) =>
      Effect.suspend(() => {
        state.requests++
        state.active++
        const answered = Effect.onExit(respond(request), () => Effect.sync(() => state.active--))
        return Number.isFinite(request.timeoutMillis)
          ? Effect.raceFirst(
            answered,
            Effect.andThen(
              Effect.sleep(request.timeoutMillis),
              new TransportError({ reason: "timeout", detail: `no answer in ${request.timeoutMillis} ms` })
            )
          )
          : answered
      })
  })
  return Object.assign(state, { transport })
}
