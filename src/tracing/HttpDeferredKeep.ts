/**
 * Deferred keep over HTTP: a service that finds a trace worth keeping tells whoever called it, so that the way from the
 * root to the failure survives, without a collector that sees all of it.
 *
 * **Details**
 *
 * The callee answers with `server-timing: trace;desc=00-<trace id>-<span id>-03` when a rule of its `TailSampler` wants the
 * trace, as far as it has come (W3C Trace Context level 2, "Load Balancer Deferred Sampling"; `traceresponse` in an
 * earlier draft, which is read too). The caller, whose own part of the trace is still held, raises that to the class
 * `deferred`. The next caller up is told in turn.
 *
 * **Gotchas**
 *
 * Whoever answers can so ask for traces to be kept: it is off unless installed on both sides, believed only of the hosts
 * in `trusted`, at most `maxPerSecond` times a second, and what is raised competes for the budget like everything else.
 * Requests that the same span sends afterwards say that they are sampled; those already sent do not.
 *
 * **Example**
 *
 * ```ts
 * import { Effect } from "effect"
 * import { HttpClient } from "effect/http"
 * import { HttpDeferredKeep } from "effect-telemetry"
 *
 * // On the server: HttpRouter.serve(routes, { middleware: HttpDeferredKeep.middleware })
 * export const client = Effect.map(
 *   HttpClient.HttpClient,
 *   HttpDeferredKeep.withDeferredKeep({ trusted: ["internal", "*.shop.example"] })
 * )
 * ```
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpEffect from "effect/http/HttpEffect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { AnySpan } from "effect/Tracer"
import * as Outbound from "../context/outbound.ts"
import { TailSampler, type TailSamplerShape } from "../processors/tailService.ts"
import { isOwn, type Span } from "./Span.ts"

const tailOf = (fiber: Fiber.Fiber<unknown, unknown>): TailSamplerShape | undefined =>
  fiber.context.mapUnsafe.get(TailSampler.key) as TailSamplerShape | undefined

/** What of a response tells that the trace is kept. */
const valueOf = (span: Span): string => `00-${span.traceId}-${span.spanId}-03`

/**
 * Tells callers which of their traces a rule wants. For `HttpRouter.serve(routes, { middleware })`, where the context has a
 * `TailSampler`; without one it does nothing.
 *
 * **Details**
 *
 * It is asked when the response is about to be sent. A response with a status from 500 on counts as an error of the trace.
 */
export const middleware = <E, R>(
  self: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R | HttpServerRequest.HttpServerRequest>
): Effect.Effect<HttpServerResponse.HttpServerResponse, E, R | HttpServerRequest.HttpServerRequest> =>
  Effect.withFiber((fiber) => {
    const tail = tailOf(fiber)
    if (tail === undefined) return self
    HttpEffect.appendPreResponseHandlerUnsafe(fiber.context, (_, response) =>
      Effect.withFiber((sending) => {
        const span = sending.cache.span
        if (!isOwn(span) || !tail.isWanted(span, response.status >= 500)) return Effect.succeed(response)
        const before = response.headers["server-timing"]
        const timing = `trace;desc=${valueOf(span)}`
        return Effect.succeed(
          HttpServerResponse.setHeader(
            response,
            "server-timing",
            before === undefined ? timing : `${before}, ${timing}`
          )
        )
      }))
    return self
  })

/** The trace that a response says is kept, as 32 hexadecimal digits. */
export const keptTrace = (headers: Readonly<Record<string, string | undefined>>): string | undefined => {
  const timing = headers["server-timing"]
  const text = timing === undefined ? headers["traceresponse"] : timing
  if (text === undefined || text.length > 4096) return undefined
  const found = timing === undefined
    ? /^\s*00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})\s*$/.exec(text)
    : /(?:^|,)\s*trace;desc="?00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})"?\s*(?:,|;|$)/.exec(text)
  if (found === null || (Number.parseInt(found[2]!, 16) & 1) === 0) return undefined
  return found[1]
}

/** Whom to believe, and how often. */
export interface Options {
  /**
   * Hosts whose answers are believed: `api.example`, `*.example` for what is below it, either with a port; `"internal"`
   * for this machine and private networks; `"all"`. None is believed that is not named.
   */
  readonly trusted: ReadonlyArray<string>
  /** Default 100. */
  readonly maxPerSecond?: number | undefined
}

/** A client that raises the trace of a request whose answer says that it is kept. */
export const withDeferredKeep = (options: Options): {
  <E, R>(client: HttpClient.HttpClient.With<E, R>): HttpClient.HttpClient.With<E, R>
} => {
  const isTrusted = Outbound.compile({ trace: options.trusted, baggage: [] }).trace
  const most = options.maxPerSecond ?? 100
  let second = -1
  let count = 0
  const isWithin = (now: number): boolean => {
    const current = Math.floor(now / 1000)
    if (current !== second) {
      second = current
      count = 0
    }
    return count++ < most
  }
  const note = (
    tail: TailSamplerShape,
    span: AnySpan | undefined,
    response: HttpClientResponse.HttpClientResponse,
    now: () => number
  ): void => {
    if (!isOwn(span)) return
    const traceId = keptTrace(response.headers)
    if (traceId === undefined || traceId !== span.traceId || !isTrusted(response.request.url)) return
    if (isWithin(now())) tail.raise(span)
  }
  return (client) =>
    HttpClient.transformResponse(client, (received) =>
      Effect.withFiber((fiber) => {
        const tail = tailOf(fiber)
        if (tail === undefined) return received
        const clock = fiber.getRef(Clock.Clock)
        const span = fiber.cache.span
        return Effect.map(received, (response) => {
          note(tail, span, response, () => clock.currentTimeMillisUnsafe())
          return response
        })
      }))
}
