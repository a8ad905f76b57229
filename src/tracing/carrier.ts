/** Between spans and the headers that carry them. */
import type * as Tracer from "effect/Tracer"
import { type Environment, fromEnvironment, setter, variableName } from "../context/EnvironmentCarrier.ts"
import {
  fromRecord,
  type HeaderRecord,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter
} from "../context/TextMap.ts"
import { type Baggage, empty } from "../model/Baggage.ts"
import type { SpanContext } from "../model/SpanContext.ts"
import { identityContext } from "./identity.ts"
import { toExternalSpan, untrusted } from "./parentContext.ts"
import type { SpanIdentity } from "./Span.ts"
import type { TracerCore } from "./TracerCore.ts"

/** What headers brought. */
export interface Extracted {
  readonly parent: Tracer.ExternalSpan | undefined
  readonly baggage: Baggage | undefined
}

const nothing: Extracted = { parent: undefined, baggage: undefined }

/** What is sent on. */
interface Outgoing {
  readonly spanContext: SpanContext | undefined
  readonly baggage: Baggage | undefined
}

const write = ({ options }: TracerCore, outgoing: Outgoing, set: TextMapSetter, to: string | URL | undefined): void => {
  const { outbound } = options
  let { baggage = empty, spanContext } = outgoing
  if (to !== undefined && outbound !== undefined) {
    if (spanContext !== undefined && !outbound.trace(to)) spanContext = undefined
    if (baggage.size > 0 && !outbound.baggage(to)) baggage = empty
  }
  options.propagator.inject({ spanContext, baggage }, set)
}

const toHeaders = (core: TracerCore, outgoing: Outgoing, to: string | URL | undefined): Record<string, string> => {
  const headers: Record<string, string> = {}
  write(core, outgoing, (name, value) => {
    headers[name] = value
  }, to)
  return headers
}

const outgoingOf = (core: TracerCore, span: Tracer.AnySpan | undefined, baggage: Baggage | undefined): Outgoing => {
  try {
    return { spanContext: span === undefined ? undefined : core.spanContext(span), baggage }
  } catch {
    // A parent that is no span breaks no request.
    return { spanContext: undefined, baggage }
  }
}

/**
 * The headers that make `span` the remote parent of whoever reads them, or as many of them as the host of `to` may be
 * sent.
 */
export const injectSpan = (
  core: TracerCore,
  span: Tracer.AnySpan | undefined,
  baggage: Baggage | undefined,
  to?: string | URL
): Record<string, string> => toHeaders(core, outgoingOf(core, span, baggage), to)

/** {@link injectSpan} for a span that exists as an identity only. */
export const injectIdentity = (core: TracerCore, identity: SpanIdentity, to: string | URL): Record<string, string> =>
  toHeaders(core, { spanContext: identityContext(identity), baggage: identity.baggage }, to)

/** A copy of `env` in which `span` is the remote parent, and no other is. */
export const injectEnvironment = (
  core: TracerCore,
  span: Tracer.AnySpan | undefined,
  baggage: Baggage | undefined,
  env: Environment
): Record<string, string> => {
  const fields = core.options.propagator.fields
  const stale = new Set(fields.map(variableName))
  const prefixes = fields.filter((field) => field.endsWith("*")).map((field) => variableName(field.slice(0, -1)))
  const copy: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    const isStale = stale.has(name) || prefixes.some((prefix) => name.startsWith(prefix))
    if (value !== undefined && !isStale) copy[name] = value
  }
  write(core, outgoingOf(core, span, baggage), setter(copy), undefined)
  return copy
}

const read = (propagator: TextMapPropagator, carrier: TextMapGetter): Extracted => {
  const found = propagator.extract(carrier)
  const baggage = found.baggage.size === 0 ? undefined : found.baggage
  return {
    baggage,
    parent: found.spanContext && toExternalSpan({ ...found.spanContext, baggage, isRemote: true })
  }
}

/** The remote parent and the baggage that headers carry, as far as they are trusted. */
export const extractContext = (core: TracerCore, headers: HeaderRecord): Extracted => {
  const { propagator, trustIncoming = true } = core.options
  if (trustIncoming === false) return nothing
  const extracted = read(propagator, fromRecord(headers))
  return trustIncoming === true ? extracted : { parent: untrusted(extracted.parent), baggage: undefined }
}

/** The remote parent and the baggage that variables carry. Whoever starts a process is trusted. */
export const extractEnvironment = (propagator: TextMapPropagator, env: Environment): Extracted =>
  read(propagator, fromEnvironment(env))
