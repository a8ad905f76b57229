/** Baggage: what goes with a trace from process to process, whatever spans there are. */
import type { AnySpan } from "effect/Tracer"
import * as AsyncContext from "../context/AsyncContext.ts"
import * as Baggage from "../model/Baggage.ts"
import { isOwn } from "../tracing/Span.ts"
import { ambientSpan } from "./ambient.ts"
import { baggageAround } from "./spans.ts"

/** Baggage around plain code, and the span that it is in. */
class BaggageAmbient extends AsyncContext.Ambient {
  readonly span: AnySpan | undefined
  readonly baggage: Baggage.Baggage | undefined
  readonly isSuppressed = false

  constructor(span: AnySpan | undefined, baggage: Baggage.Baggage | undefined) {
    super()
    this.span = span
    this.baggage = baggage
  }

  within(span: AnySpan): BaggageAmbient {
    // A span of ours has taken what is around, unless its parent was named and had other baggage, or none.
    return new BaggageAmbient(span, isOwn(span) ? span.baggage : this.baggage)
  }

  withBaggage(baggage: Baggage.Baggage): BaggageAmbient {
    return new BaggageAmbient(this.span, baggage)
  }
}

/** The current baggage: the value of each key. */
export const getBaggage = (): ReadonlyMap<string, string> => {
  const values = new Map<string, string>()
  for (const [key, { value }] of baggageAround(ambientSpan()) ?? Baggage.empty) values.set(key, value)
  return values
}

/**
 * Runs `fn` with `entries` in the baggage of everything it calls, awaits and schedules, beside what is there already;
 * `undefined` takes an entry out.
 *
 * **Details**
 *
 * `inject` sends it on, to hosts of the private network unless `propagateBaggageTo` says otherwise; spans that are started
 * inside carry it. It does not become attributes.
 *
 * **Gotchas**
 *
 * It travels in clear text to other services: nothing secret belongs into it.
 */
export const withBaggage = <A>(entries: Readonly<Record<string, string | undefined>>, fn: () => A): A => {
  let baggage = baggageAround(ambientSpan()) ?? Baggage.empty
  for (const key of Object.keys(entries)) {
    const value = entries[key]
    baggage = value === undefined ? Baggage.remove(baggage, key) : Baggage.set(baggage, key, value)
  }
  return runWithBaggage(baggage, fn)
}

/** Runs `fn` with `baggage` around everything it calls, awaits and schedules, in the span that it is in. */
export const runWithBaggage = <A>(baggage: Baggage.Baggage, fn: () => A): A => {
  const span = AsyncContext.currentSpan()
  const around = AsyncContext.ambient()
  const store = around === undefined || around.span !== span
    ? new BaggageAmbient(span, baggage)
    : around.withBaggage(baggage)
  return AsyncContext.run(store, fn)
}
