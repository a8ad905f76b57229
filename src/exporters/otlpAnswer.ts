/** What an OTLP receiver's answer means for the items that were sent, and the lines that are said about it. */
import * as Result from "effect/Result"
import { isConfigurationStatus } from "../delivery/Retry.ts"
import type { TransportResponse } from "../delivery/Transport.ts"
import type { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { decodeExportResponse, decodeStatusMessage, type OtlpSignalName } from "../otlp/OtlpResponse.ts"
import type { ExportResult } from "./SpanExporter.ts"

/** Reads the final answers of one destination. */
export interface AnswerReader {
  /** For a status from 200 to 299. */
  readonly accepted: (response: TransportResponse, count: number) => ExportResult
  /** For any other: the items are given up. `kept` says where a copy of them is. */
  readonly refused: (response: TransportResponse, count: number, kept?: string) => ExportResult
  /** For a status that a change of configuration ends: the items are kept for then. */
  readonly postponed: (response: TransportResponse, count: number) => void
  /** A refusal in words. */
  readonly describe: (response: TransportResponse) => string
  /** What is odd about an answer with a status from 200 to 299. */
  readonly oddity: (response: TransportResponse) => string | undefined
}

// What is to be said takes a few hundred bytes; to parse megabytes of hostile JSON would hold the program for a second.
const maxReadBytes = 256 * 1024

export const makeAnswerReader = ({ contentType, diagnostics, name, scrub, signal }: {
  readonly name: string
  readonly contentType: string
  readonly scrub: (text: string) => string
  readonly diagnostics: Diagnostics
  readonly signal: { readonly signal: OtlpSignalName; readonly items: string }
}): AnswerReader => {
  const { items } = signal
  const typeOf = (response: TransportResponse): string => response.headers["content-type"] ?? contentType
  const quote = (text: string): string => text === "" ? "no message" : JSON.stringify(scrub(text).slice(0, 512))

  const messageOf = (response: TransportResponse): string => {
    const type = typeOf(response)
    if (response.body.byteLength > maxReadBytes) return ""
    // A gateway in front of the receiver answers in plain text.
    return decodeStatusMessage(type, response.body) ??
      (/^text\/plain\b/i.test(type) ? new TextDecoder().decode(response.body.subarray(0, 512)).trim() : "")
  }

  /** The status of refusals that only a change of configuration ends: said once, and then only when asked for it. */
  let standing: number | undefined

  const describe = (response: TransportResponse): string =>
    `HTTP ${response.status}${advice(response.status, signal.signal)}: ${quote(messageOf(response))}`

  const report = (response: TransportResponse, what: string, kept = ""): void => {
    const { status } = response
    const isKnown = isConfigurationStatus(status) && status === standing
    standing = status
    diagnostics.report(
      isKnown ? "debug" : "error",
      `${name}.status.${status}`,
      `${name}: ${what} with ${describe(response)}${kept}`
    )
  }

  const read = (response: TransportResponse) =>
    response.body.byteLength > maxReadBytes
      ? undefined
      : decodeExportResponse(typeOf(response), response.body, signal.signal)

  const oddity = (response: TransportResponse): string | undefined => {
    const answer = read(response)
    return answer !== undefined && Result.isSuccess(answer)
      ? undefined
      : `is not OTLP (${JSON.stringify(typeOf(response).slice(0, 64))}); is something else listening there?`
  }

  return {
    describe,
    oddity,
    accepted: (response, count) => {
      standing = undefined
      const answer = read(response)
      if (answer === undefined || Result.isFailure(answer)) {
        diagnostics.report(
          "warn",
          `${name}.answer`,
          `${name}: the answer to an accepted request ${oddity(response)}`
        )
        return { exported: count }
      }
      const partial = answer.success
      if (partial === undefined) return { exported: count }
      const rejected = Math.min(partial.rejectedItems, count)
      diagnostics.report(
        "warn",
        `${name}.partial_success`,
        `${name}: the destination rejected ${rejected} of ${count} ${items}: ${quote(partial.errorMessage)}`
      )
      return { exported: count - rejected, rejected: { partial_rejected: rejected } }
    },
    refused: (response, count, kept) => {
      report(response, `${count} ${items} refused`, kept)
      return { exported: 0, rejected: { permanent_status: count } }
    },
    postponed: (response, count) => report(response, `${count} ${items} refused for now, and kept,`)
  }
}

const advice = (status: number, signal: string): string =>
  status === 401 || status === 403
    ? " (check the credentials in the configured headers)"
    : status === 404 || status === 405
    ? ` (check the endpoint: ${signal} usually go to /v1/${signal})`
    : status === 415
    ? " (check the protocol: the endpoint takes another OTLP encoding)"
    : status === 407
    ? " (a proxy on the way asks for credentials)"
    : status >= 300 && status < 400
    ? " (redirects are not followed: configure the final address)"
    : ""
