/** Propagators of both kinds. */
import type * as Propagation from "../context/TextMap.ts"
import { empty } from "../model/Baggage.ts"
import type * as Api from "./api.ts"
import * as otelBaggage from "./otelBaggage.ts"
import * as otelContext from "./otelContext.ts"
import { toOtelSpan } from "./OtelAmbient.ts"
import { toExternalSpan } from "./OtelSpan.ts"
import * as otelTraceState from "./otelTraceState.ts"

const read = (context: Api.Context): Propagation.PropagationContext => {
  const span = otelContext.spanIn(context)?.spanContext()
  const baggage = otelContext.baggageIn(context)
  return {
    spanContext: span === undefined || !/[^0]/.test(span.traceId) || !/[^0]/.test(span.spanId) ? undefined : {
      traceId: span.traceId,
      spanId: span.spanId,
      traceFlags: span.traceFlags,
      traceState: otelTraceState.fromOtel(span.traceState),
      isRemote: span.isRemote === true
    },
    baggage: baggage === undefined ? empty : otelBaggage.fromOtel(baggage)
  }
}

const write = (context: Api.Context, { baggage, spanContext }: Propagation.PropagationContext): Api.Context => {
  let out = context
  if (spanContext !== undefined) {
    const traceState = otelTraceState.toOtel(spanContext.traceState)
    const { isRemote, spanId, traceFlags, traceId } = spanContext
    const span = { traceId, spanId, traceFlags, isRemote, ...traceState === undefined ? {} : { traceState } }
    out = otelContext.withSpan(out, toOtelSpan(toExternalSpan(span)))
  }
  return baggage.size === 0 ? out : otelContext.withBaggage(out, otelBaggage.toOtel(baggage))
}

/** A propagator of ours as the API has them. */
export const toOtel = (propagator: Propagation.TextMapPropagator): Api.TextMapPropagator => ({
  fields: () => [...propagator.fields],
  inject(context, carrier, setter) {
    if (otelContext.isSuppressed(context) || otelContext.isCarried(context)) return
    propagator.inject(read(context), (name, value) => setter.set(carrier, name, value))
  },
  extract: (context, carrier, getter) =>
    write(
      context,
      propagator.extract(
        { get: (name) => getter.get(carrier, name), keys: () => getter.keys(carrier) },
        read(context)
      )
    )
})

/** A propagator of the API as ours are. */
export const fromOtel = (propagator: Api.TextMapPropagator): Propagation.TextMapPropagator => ({
  fields: propagator.fields().map((field) => field.toLowerCase()),
  inject(context, set) {
    propagator.inject(write(otelContext.rootContext, context), undefined, { set: (_, name, value) => set(name, value) })
  },
  extract: (carrier, context) =>
    read(propagator.extract(
      context === undefined ? otelContext.rootContext : write(otelContext.rootContext, context),
      undefined,
      {
        get: (_, key) => {
          const value = carrier.get(key.toLowerCase())
          return value === undefined || typeof value === "string" ? value : [...value]
        },
        keys: () => [...carrier.keys()]
      }
    ))
})
