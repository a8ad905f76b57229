import * as Effect from "effect/Effect"
import type { TransportError, TransportRequest, TransportResponse } from "../../src/delivery/Transport.ts"
import { Transport } from "../../src/delivery/Transport.ts"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"

/** What a scripted server does with one request. */
export type Step =
  | TransportError
  | "hang"
  | {
    readonly status: number
    readonly headers?: Record<string, string>
    readonly body?: Uint8Array
    /** How long the answer takes, in milliseconds. */
    readonly after?: number
  }

/** A transport that answers by `script`, step by step, then 200, and keeps what it was sent. */
export const scripted = (script: Iterable<Step>) => {
  const steps = [...script]
  const requests: Array<TransportRequest & { readonly at: number }> = []
  let aborted = 0
  let active = 0
  let maxActive = 0
  const transport = Transport.of({
    send: (request) =>
      Effect.clockWith((clock) => {
        requests.push({ ...request, at: clock.currentTimeMillisUnsafe() })
        const step = steps.shift() ?? { status: 200 }
        active++
        maxActive = Math.max(maxActive, active)
        return Effect.onExit(answer(step), () => Effect.sync(() => active--))
      })
  })
  const answer = (step: Step): Effect.Effect<TransportResponse, TransportError> =>
    step === "hang"
      ? Effect.onInterrupt(Effect.never, () => Effect.sync(() => aborted++))
      : "_tag" in step
      ? Effect.fail(step)
      : Effect.as(step.after === undefined ? Effect.void : Effect.sleep(step.after), {
        status: step.status,
        headers: step.headers ?? {},
        body: step.body ?? new Uint8Array()
      })
  return {
    transport,
    requests,
    /** Seconds on the test clock at which requests came. */
    times: () => requests.map((request) => request.at / 1000),
    get aborted() {
      return aborted
    },
    get maxActive() {
      return maxActive
    }
  }
}

/** Diagnostics into an array. */
export const collected = () => {
  const lines: Array<string> = []
  return { lines, diagnostics: Diagnostics.make({ level: "debug", write: (line) => lines.push(line) }) }
}
