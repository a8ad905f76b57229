/** Contexts of OpenTelemetry JavaScript: immutable maps by symbol, with a few keys that everybody agrees on. */
import type * as Api from "./api.ts"

/** A context as the API makes them: what it was made from, and one value more. */
class OtelContext implements Api.Context {
  private readonly values: ReadonlyMap<symbol, unknown>

  constructor(values: ReadonlyMap<symbol, unknown>) {
    this.values = values
  }

  getValue(key: symbol): unknown {
    return this.values.get(key)
  }

  setValue(key: symbol, value: unknown): Api.Context {
    return new OtelContext(new Map(this.values).set(key, value))
  }

  deleteValue(key: symbol): Api.Context {
    const values = new Map(this.values)
    values.delete(key)
    return new OtelContext(values)
  }
}

/** A context without values. */
export const rootContext: Api.Context = /* @__PURE__ */ new OtelContext(new Map())

// `createContextKey` of the API is `Symbol.for`, so that several copies of it agree.
const spanKey = /* @__PURE__ */ Symbol.for("OpenTelemetry Context Key SPAN")
const baggageKey = /* @__PURE__ */ Symbol.for("OpenTelemetry Baggage Key")
const suppressKey = /* @__PURE__ */ Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING")

export const spanIn = (context: Api.Context): Api.Span | undefined => context.getValue(spanKey) as Api.Span | undefined

export const withSpan = (context: Api.Context, span: Api.Span | undefined): Api.Context =>
  span === undefined ? context.deleteValue(spanKey) : context.setValue(spanKey, span)

export const baggageIn = (context: Api.Context): Api.Baggage | undefined =>
  context.getValue(baggageKey) as Api.Baggage | undefined

export const withBaggage = (context: Api.Context, baggage: Api.Baggage): Api.Context =>
  context.setValue(baggageKey, baggage)

const carriedKey = /* @__PURE__ */ Symbol("effect-telemetry/interop/carried")

/** Whether the context is in the headers already of what is sent here. */
export const isCarried = (context: Api.Context): boolean => context.getValue(carriedKey) === true

export const carried = (context: Api.Context): Api.Context => context.setValue(carriedKey, true)

/** Whether nothing is to be traced here: what an exporter does for its own requests. */
export const isSuppressed = (context: Api.Context): boolean => context.getValue(suppressKey) === true

export const suppressed = (context: Api.Context): Api.Context => context.setValue(suppressKey, true)
