/** Propagators of both kinds. */
import type * as Propagation from "../context/TextMap.ts"
import { empty } from "../model/Baggage.ts"
import type * as Api from "./api.ts"
import * as otelBaggage from "./otelBaggage.ts"
import * as otelContext from "./otelContext.ts"
import { noSpan } from "./noSpan.ts"
import * as otelSpanContext from "./otelSpanContext.ts"

const read = (context: Api.Context): Propagation.PropagationContext => {
  const baggage = otelContext.baggageIn(context)
  return {
    spanContext: otelSpanContext.fromOtel(otelContext.spanIn(context)?.spanContext()),
    baggage: baggage === undefined ? empty : otelBaggage.fromOtel(baggage)
  }
}

const write = (context: Api.Context, { baggage, spanContext }: Propagation.PropagationContext): Api.Context => {
  const out = spanContext === undefined
    ? context
    : otelContext.withSpan(context, noSpan(otelSpanContext.toOtel(spanContext)))
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
