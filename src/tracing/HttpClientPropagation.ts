/**
 * Propagation through any Effect HTTP client.
 *
 * **When to use**
 *
 * `FetchHttpClient` needs nothing: the telemetry layer reaches it. Wrap other clients (`NodeHttpClient`, a client of your
 * own) with {@link withPropagation}, or their layer with {@link layer}; unwrapped they send Effect's own headers.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import * as AsyncContext from "../context/AsyncContext.ts"
import { injectIdentity } from "./carrier.ts"
import { fiberBaggage, fromFiber, Reservation } from "./Tracer.ts"

/**
 * A client whose requests carry the installed propagators' headers instead of Effect's.
 *
 * **Details**
 *
 * The headers have to be written before the client opens the request's span, so the span's identity is decided first
 * and the span takes it over when it starts. A host is sent what `propagateTo` and `propagateBaggageTo` allow it.
 */
export const withPropagation = <E, R>(client: HttpClient.HttpClient.With<E, R>): HttpClient.HttpClient.With<E, R> =>
  HttpClient.makeWith<E, R, E, R>(
    Effect.flatMap((request) =>
      Effect.withFiber((fiber) => {
        const send = (outgoing: HttpClientRequest.HttpClientRequest) => client.postprocess(Effect.succeed(outgoing))
        const tracer = fromFiber(fiber)
        if (
          tracer === undefined ||
          !fiber.cache.tracerEnabled ||
          fiber.getRef(Tracer.DisablePropagation) ||
          !fiber.getRef(HttpClient.TracerPropagationEnabled) ||
          fiber.getRef(HttpClient.TracerDisabledWhen)(request)
        ) {
          return send(request)
        }
        const span = tracer.core.reserve({
          name: fiber.getRef(HttpClient.SpanNameGenerator)(request),
          kind: "client",
          parent: AsyncContext.innermost(fiber.cache.span),
          startTimeUnixNano: 0n,
          baggage: fiberBaggage(fiber)
        })
        const headers = injectIdentity(tracer.core, span.identity, request.url)
        return Effect.provideContext(
          send(HttpClientRequest.setHeaders(request, headers)),
          Context.make(Reservation, { used: false, span }).pipe(
            Context.add(HttpClient.TracerPropagationEnabled, false)
          )
        )
      })
    ),
    client.preprocess
  )

/** {@link withPropagation} for the `HttpClient` in context. */
export const layer: Layer.Layer<HttpClient.HttpClient, never, HttpClient.HttpClient> = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(HttpClient.HttpClient, withPropagation)
)
