/** Effects under a context that came from elsewhere. */
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import * as traceLocal from "../context/traceLocal.ts"
import type { Baggage } from "../model/Baggage.ts"
import type { Extracted } from "./carrier.ts"

/** Runs an effect with `baggage`, set while `setIn` was the current span. */
export const withBaggage = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  baggage: Baggage,
  setIn: Tracer.AnySpan | undefined
): Effect.Effect<A, E, R> => traceLocal.update(self, (local) => ({ ...local, baggage, baggageSetIn: setIn }))

/** Runs an effect under what was extracted; where that is nothing, as it is. */
export const underRemote = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  { baggage, parent }: Extracted
): Effect.Effect<A, E, R> => {
  const within = parent === undefined ? self : Effect.provideService(self, Tracer.ParentSpan, parent)
  return baggage === undefined ? within : withBaggage(within, baggage, parent)
}
