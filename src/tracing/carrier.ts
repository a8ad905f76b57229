/** Between spans and the headers that carry them. */
import * as Context from "effect/Context"
import * as Tracer from "effect/Tracer"
import { fromRecord, type HeaderRecord, type TextMapPropagator } from "../context/TextMap.ts"
import { type Baggage, empty } from "../model/Baggage.ts"
import { isSampled } from "../model/ReadableSpan.ts"
import type { SpanContext } from "../model/SpanContext.ts"
import { identityContext } from "./identity.ts"
import { RemoteContext } from "./parentContext.ts"
import type { SpanIdentity } from "./Span.ts"
import type { TracerCore } from "./TracerCore.ts"

/** What headers brought. */
export interface Extracted {
  readonly parent: Tracer.ExternalSpan | undefined
  readonly baggage: Baggage | undefined
}

const write = (
  propagator: TextMapPropagator,
  spanContext: SpanContext | undefined,
  baggage: Baggage | undefined
): Record<string, string> => {
  const headers: Record<string, string> = {}
  propagator.inject({ spanContext, baggage: baggage ?? empty }, (name, value) => {
    headers[name] = value
  })
  return headers
}

/** The headers that make `span` the remote parent of whoever reads them. */
export const injectSpan = (
  core: TracerCore,
  span: Tracer.AnySpan | undefined,
  baggage: Baggage | undefined
): Record<string, string> =>
  write(core.options.propagator, span === undefined ? undefined : core.spanContext(span), baggage)

/** {@link injectSpan} for a span that exists as an identity only. */
export const injectIdentity = (core: TracerCore, identity: SpanIdentity): Record<string, string> =>
  write(core.options.propagator, identityContext(identity), identity.baggage)

/** The remote parent and the baggage that headers carry. */
export const extractContext = (propagator: TextMapPropagator, headers: HeaderRecord): Extracted => {
  const { baggage, spanContext } = propagator.extract(fromRecord(headers))
  return {
    baggage: baggage.size === 0 ? undefined : baggage,
    parent: spanContext === undefined ? undefined : Tracer.externalSpan({
      traceId: spanContext.traceId,
      spanId: spanContext.spanId,
      sampled: isSampled(spanContext),
      annotations: Context.make(RemoteContext, {
        traceFlags: spanContext.traceFlags,
        traceState: spanContext.traceState,
        baggage: baggage.size === 0 ? undefined : baggage
      })
    })
  }
}
