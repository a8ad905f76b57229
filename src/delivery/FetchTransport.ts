/** The transport of runtimes that have `fetch` and no `node:http`: browsers, workers, edge. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { sleepUnref } from "../internal/clock.ts"
import { untraced } from "../internal/otherTracers.ts"
import { Transport, TransportError, type TransportRequest, type TransportResponse } from "./Transport.ts"

/** Options of {@link make}. */
export interface FetchTransportOptions {
  /** The function that sends. Default `globalThis.fetch`, looked up at each request. */
  readonly fetch?: typeof globalThis.fetch | undefined
}

/**
 * Makes the transport over `fetch`.
 *
 * **Details**
 *
 * Redirects are not followed. The answer is read up to the bound and no further; the runtime decompresses it. The
 * deadline covers the body of the answer too.
 *
 * **Gotchas**
 *
 * `fetch` tells no reason for most failures: whatever fails without a status counts as a connection failure. The runtime
 * verifies TLS by its own rules. A browser does not let a program set `User-Agent`.
 */
export const make = (options?: FetchTransportOptions): Transport["Service"] =>
  Transport.of({
    send: (request) => {
      const host = URL.canParse(request.url) ? new URL(request.url).host : "an invalid URL"
      const timeout = new TransportError({
        reason: "timeout",
        detail: `no answer from ${host} in ${request.timeoutMillis} ms`
      })
      return Effect.raceFirst(
        exchange(options?.fetch ?? globalThis.fetch, request, host),
        Effect.andThen(sleepUnref(request.timeoutMillis), Effect.fail(timeout))
      )
    }
  })

/** {@link make} as a layer. */
export const layer = (options?: FetchTransportOptions): Layer.Layer<Transport> =>
  Layer.succeed(Transport, make(options))

const exchange = (
  fetch: typeof globalThis.fetch,
  request: TransportRequest,
  host: string
): Effect.Effect<TransportResponse, TransportError> =>
  Effect.acquireUseRelease(
    Effect.sync(() => new AbortController()),
    Effect.fnUntraced(function*(controller) {
      const response = yield* attempt(host, () =>
        untraced(() =>
          fetch(request.url, {
            method: request.method ?? "POST",
            headers: request.headers,
            body: request.method === "GET" ? null : request.body as Uint8Array<ArrayBuffer>,
            redirect: "manual",
            signal: controller.signal
          })
        ))
      if (response.type === "opaqueredirect") {
        return yield* new TransportError({ reason: "response", detail: `${host} answered with a redirect` })
      }
      const body = yield* readBody(response, request.maxResponseBytes, host)
      return { status: response.status, headers: Object.fromEntries(response.headers), body }
    }),
    // Ends the connection of an exchange that stopped early; does nothing to a finished one.
    (controller) => Effect.sync(() => controller.abort())
  )

// What `fetch` rejects with may quote a header or the URL, so nothing of it is told.
const attempt = <A>(host: string, run: () => Promise<A>): Effect.Effect<A, TransportError> =>
  Effect.tryPromise({
    try: run,
    catch: () => new TransportError({ reason: "connect", detail: `the request to ${host} failed` })
  })

const readBody = Effect.fnUntraced(function*(
  response: Response,
  limit: number,
  host: string
): Effect.fn.Return<Uint8Array, TransportError> {
  const chunks: Array<Uint8Array> = []
  let size = 0
  const reader = response.body?.getReader()
  while (reader !== undefined) {
    const { done, value } = yield* attempt(host, () => reader.read())
    if (done) break
    size += value.byteLength
    if (size > limit) {
      return yield* new TransportError({ reason: "response", detail: `the answer is larger than ${limit} bytes` })
    }
    chunks.push(value)
  }
  const body = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    body.set(chunk, offset)
    offset += chunk.byteLength
  }
  return body
})
