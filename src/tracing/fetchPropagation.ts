import * as Fiber from "effect/Fiber"
import type { AnySpan } from "effect/Tracer"
import { withoutHeaders } from "../internal/otherTracers.ts"
import type { Baggage } from "../model/Baggage.ts"
import { injectSpan } from "./carrier.ts"
import { fiberBaggage } from "./Tracer.ts"
import type { TracerCore } from "./TracerCore.ts"

/** Whose context a request carries. */
export interface Sender {
  readonly span: AnySpan | undefined
  readonly baggage: Baggage | undefined
}

const fiberNow = (): Sender | undefined => {
  const fiber = Fiber.getCurrent()
  return fiber === undefined ? undefined : { span: fiber.cache.span, baggage: fiberBaggage(fiber) }
}

/** The headers of a request of Effect's client without what it wrote of its span; `undefined` where it wrote nothing. */
export const withoutEffectHeaders = (init: RequestInit | undefined): Record<string, string> | undefined => {
  const headers = init?.headers as Record<string, string> | undefined
  if (headers === undefined || typeof headers["traceparent"] !== "string") return undefined
  const [, traceId, spanId] = headers["traceparent"].split("-")
  const next: Record<string, string> = { ...headers }
  delete next["traceparent"]
  if (next["b3"]?.startsWith(`${traceId}-${spanId}-`) || next["b3"]?.startsWith("noop-")) delete next["b3"]
  return next
}

/**
 * A `fetch` for Effect's `FetchHttpClient` that puts the installed propagators' headers in the place of the ones that
 * Effect writes.
 *
 * **Details**
 *
 * Effect writes `b3` to every host, knows no tracestate and no baggage, and writes `noop` ids where tracing is off. Only
 * requests that carry Effect's own `traceparent` are touched, so a program that switched propagation off stays without.
 * A host is sent what `propagateTo` and `propagateBaggageTo` allow it; an instrumentation of `fetch` adds nothing to that.
 */
export const propagatingFetch = (
  core: TracerCore,
  fetch: typeof globalThis.fetch,
  senderNow: () => Sender | undefined = fiberNow
): typeof globalThis.fetch =>
(input, init) => {
  const sender = senderNow()
  const next = sender === undefined ? undefined : withoutEffectHeaders(init)
  if (sender === undefined || next === undefined) return fetch(input, init)
  const to = input instanceof Request ? input.url : input
  Object.assign(next, injectSpan(core, sender.span, sender.baggage, to))
  return withoutHeaders(() => fetch(input, { ...init, headers: next }))
}
