import * as Context from "effect/Context"
import type { AnySpan } from "effect/Tracer"
import type { Baggage } from "../model/Baggage.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"

/**
 * What rides with a fiber beside its current span. One reference, because each lookup on the span's hot path costs.
 */
export interface TraceLocal {
  /** The scope of spans started here; `undefined` for the tracer's own. */
  readonly scope: InstrumentationScope | undefined
  /** Baggage set by a scoped operator, and the span that was current then. A span started later captured it. */
  readonly baggage: Baggage | undefined
  readonly baggageSetIn: AnySpan | undefined
}

const none: TraceLocal = { scope: undefined, baggage: undefined, baggageSetIn: undefined }

/** The fiber's {@link TraceLocal}. Default: nothing set. */
export const TraceLocal: Context.Reference<TraceLocal> = Context.Reference<TraceLocal>(
  "effect-telemetry/context/TraceLocal",
  { defaultValue: () => none }
)
