/** The span that a server opens for a request, and what it continues. */
import type { AnySpan } from "effect/Tracer"
import * as AsyncContext from "../context/AsyncContext.ts"
import type { IncomingRequest } from "../context/HttpReferences.ts"
import type { Baggage } from "../model/Baggage.ts"
import { extractContext } from "./carrier.ts"
import { isOwn } from "./Span.ts"
import type { TracerCore } from "./TracerCore.ts"

// A request is continued from its headers once, by the first server span that is opened for it.
const continued = new WeakSet<IncomingRequest>()

const isWithinHttpServer = (span: AnySpan | undefined): boolean => {
  for (let current = span; isOwn(current); current = current.parentSpan) {
    if (current.isHttpServer) return true
  }
  return false
}

/** The span that an instrumentation has opened for a request whose headers carry `remote`. */
const outerServerSpan = (remote: AnySpan | undefined): AnySpan | undefined => {
  const stored = AsyncContext.ambient()?.span
  if (!isOwn(stored) || stored.kind !== "server" || stored.isHttpServer) return undefined
  const isSame = remote === undefined
    ? stored.parentSpanId === undefined
    : stored.traceId === remote.traceId && stored.parentSpanId === remote.spanId
  return isSame ? stored : undefined
}

/**
 * The parent and the baggage of a server span within `parent`; `undefined` where it is not the first of a request.
 */
export const continueRequest = (
  core: TracerCore,
  request: IncomingRequest | undefined,
  parent: AnySpan | undefined
): { readonly parent: AnySpan | undefined; readonly baggage: Baggage | undefined } | undefined => {
  if (request === undefined || continued.has(request) || isWithinHttpServer(parent)) return undefined
  continued.add(request)
  const extracted = extractContext(core, request.headers)
  return { parent: outerServerSpan(extracted.parent) ?? extracted.parent, baggage: extracted.baggage }
}
