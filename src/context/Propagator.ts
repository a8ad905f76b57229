/**
 * How a context crosses a process boundary: the service, its composition, and its layers
 * (`context/api-propagators.md`).
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { describeError } from "../internal/describeError.ts"
import { isToken } from "../internal/percent.ts"
import * as B3 from "./B3.ts"
import * as Jaeger from "./Jaeger.ts"
import { emptyContext, type TextMapPropagator, type TextMapSetter } from "./TextMap.ts"
import * as W3CBaggage from "./W3CBaggage.ts"
import * as W3CTraceContext from "./W3CTraceContext.ts"

export {
  emptyContext,
  fromEntries,
  fromRecord,
  type HeaderRecord,
  type PropagationContext,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter
} from "./TextMap.ts"

/** The propagator in use. */
export class Propagator extends Context.Service<Propagator, TextMapPropagator>()(
  "effect-telemetry/context/Propagator"
) {}

/** Writes nothing, reads nothing. */
export const none: TextMapPropagator = {
  fields: [],
  inject() {},
  extract: (_carrier, context = emptyContext) => context
}

/** W3C Trace Context. */
export const traceContext: TextMapPropagator = W3CTraceContext.propagator

/** W3C Baggage. */
export const baggage: TextMapPropagator = W3CBaggage.propagator

/** B3, written as the single header `b3`. */
export const b3: TextMapPropagator = B3.single

/** B3, written as headers `x-b3-*`. */
export const b3multi: TextMapPropagator = B3.multi

/** Jaeger's `uber-trace-id` and `uberctx-*`. */
export const jaeger: TextMapPropagator = Jaeger.propagator

// Printable, and no byte that a server might take for the end of the header.
const isHeaderValue = (value: string): boolean => {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if ((code < 0x20 && code !== 0x09) || code > 0x7e) return false
  }
  return true
}

/**
 * One propagator that runs `propagators` in order; each adds to what those before it read or wrote.
 *
 * **Details**
 *
 * It never throws, whatever the carrier or a propagator does: a failing one is passed over and reported under
 * `propagator.<its first field>`. A header whose name is no HTTP token, or whose value has a control character or a
 * character outside ASCII, is not written, and reported.
 */
export const composite = (
  propagators: ReadonlyArray<TextMapPropagator>,
  diagnostics?: Diagnostics
): TextMapPropagator => {
  const failed = (propagator: TextMapPropagator, what: string, error: unknown): void =>
    diagnostics?.report(
      "warn",
      `propagator.${propagator.fields[0] ?? "none"}`,
      `propagator of ${propagator.fields.join(", ")} failed to ${what}: ${describeError(error)}`
    )
  const write = (propagator: TextMapPropagator, set: TextMapSetter): TextMapSetter => (name, value) => {
    if (isToken(name) && isHeaderValue(value)) set(name, value)
    else failed(propagator, "inject", "it wrote a header that HTTP does not allow")
  }
  return {
    fields: [...new Set(propagators.flatMap((propagator) => propagator.fields))],
    inject(context, set) {
      for (const propagator of propagators) {
        try {
          propagator.inject(context, write(propagator, set))
        } catch (error) {
          failed(propagator, "inject", error)
        }
      }
    },
    extract(carrier, context = emptyContext) {
      let out = context
      for (const propagator of propagators) {
        try {
          const next = propagator.extract(carrier, out)
          if (next?.baggage === undefined) throw new TypeError("it returned no context")
          out = next
        } catch (error) {
          failed(propagator, "extract", error)
        }
      }
      return out
    }
  }
}

/** Provides `propagators`, in order, as the {@link Propagator} service, made safe by {@link composite}. */
export const layer = (...propagators: ReadonlyArray<TextMapPropagator>): Layer.Layer<Propagator> =>
  Layer.effect(Propagator, Effect.map(Diagnostics, (diagnostics) => composite(propagators, diagnostics)))

/** Provides W3C Trace Context alone. */
export const layerTraceContext: Layer.Layer<Propagator> = layer(traceContext)

/** Provides W3C Baggage alone. */
export const layerBaggage: Layer.Layer<Propagator> = layer(baggage)

/** Provides W3C Trace Context and W3C Baggage: the default of `OTEL_PROPAGATORS`. */
export const layerDefault: Layer.Layer<Propagator> = layer(traceContext, baggage)

/** Provides {@link none}. */
export const layerNone: Layer.Layer<Propagator> = Layer.succeed(Propagator, none)
