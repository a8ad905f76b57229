/** What rides with a fiber beside its current span: a scope, and baggage. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { AnySpan } from "effect/Tracer"
import type { Baggage } from "../model/Baggage.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"

/** One value for both, because each lookup on the span's hot path costs. */
export interface TraceLocal {
  /** The scope of spans started here; `undefined` for the tracer's own. */
  readonly scope: InstrumentationScope | undefined
  /** Baggage set by a scoped operator, and the span that was current then. A span started later captured it. */
  readonly baggage: Baggage | undefined
  readonly baggageSetIn: AnySpan | undefined
}

const none: TraceLocal = { scope: undefined, baggage: undefined, baggageSetIn: undefined }

const Reference = /* @__PURE__ */ Context.Reference<TraceLocal>(
  "effect-telemetry/context/traceLocal",
  { defaultValue: () => none }
)

// Most programs never set one; for them no span pays for a lookup.
let isUsed = false

/** What was set for `fiber`. */
export const ofFiber = (fiber: Fiber.Fiber<unknown, unknown>): TraceLocal => isUsed ? fiber.getRef(Reference) : none

/** Runs an effect with what `f` makes of it. */
export const update = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  f: (local: TraceLocal) => TraceLocal
): Effect.Effect<A, E, R> => {
  isUsed = true
  return Effect.updateService(self, Reference, f)
}
