/** What is current around plain code, as a context of OpenTelemetry JavaScript and as a span of ours. */
import type { AnySpan } from "effect/Tracer"
import * as AsyncContext from "../context/AsyncContext.ts"
import type { Baggage } from "../model/Baggage.ts"
import { foreignContext, toExternalSpan } from "../tracing/parentContext.ts"
import { isOwn } from "../tracing/Span.ts"
import type * as Api from "./api.ts"
import * as otelBaggage from "./otelBaggage.ts"
import * as otelContext from "./otelContext.ts"
import { noSpan } from "./noSpan.ts"
import * as otelSpanContext from "./otelSpanContext.ts"
import { OtelSpan, viewOf } from "./OtelSpan.ts"

// A span of another tracer is one parent, not one for each of its children.
const externals = new WeakMap<Api.Span, AnySpan>()

/** The span of a context as a parent of ours. */
export const parentIn = (context: Api.Context): AnySpan | undefined => {
  const span = otelContext.spanIn(context)
  if (span === undefined || span instanceof OtelSpan) return span?.span
  const known = externals.get(span)
  if (known !== undefined) return known
  const spanContext = otelSpanContext.fromOtel(span.spanContext())
  if (spanContext === undefined) return undefined
  const made = toExternalSpan({ ...spanContext, baggage: undefined })
  externals.set(span, made)
  origins.set(made, span)
  return made
}

/** The spans of other tracers that external spans stand for. */
const origins = new WeakMap<AnySpan, Api.Span>()

/** Says which span of OpenTelemetry JavaScript a span of Effect stands for. */
export const represent = (span: AnySpan, of: Api.Span): void => void origins.set(span, of)

/** A span of ours, or of whichever tracer, as OpenTelemetry JavaScript has them. */
export const toOtelSpan = (span: AnySpan): Api.Span => {
  if (isOwn(span)) return viewOf(span)
  let made = origins.get(span)
  if (made === undefined) origins.set(span, made = noSpan(otelSpanContext.toOtel(foreignContext(span) ?? nowhere)))
  return made
}

// The invalid context of the specification, for a span whose ids are no W3C ids.
const nowhere = { traceId: "0".repeat(32), spanId: "0".repeat(16), traceFlags: 0, traceState: "", isRemote: false }

/** A context, and what it says to us. */
export class OtelAmbient extends AsyncContext.Ambient {
  readonly context: Api.Context
  private parent: AnySpan | null | undefined
  private inner: WeakMap<AnySpan, OtelAmbient> | undefined = undefined

  constructor(context: Api.Context) {
    super()
    this.context = context
  }

  get span(): AnySpan | undefined {
    if (this.parent === undefined) this.parent = parentIn(this.context) ?? null
    return this.parent ?? undefined
  }

  get baggage(): Baggage | undefined {
    const baggage = otelContext.baggageIn(this.context)
    return baggage === undefined ? undefined : otelBaggage.fromOtel(baggage)
  }

  get isSuppressed(): boolean {
    return otelContext.isSuppressed(this.context)
  }

  within(span: AnySpan): OtelAmbient {
    const inner = this.inner ??= new WeakMap()
    let made = inner.get(span)
    if (made === undefined) inner.set(span, made = new OtelAmbient(laidOver(this.context, span)))
    return made
  }

  withBaggage(baggage: Baggage): OtelAmbient {
    return new OtelAmbient(otelContext.withBaggage(this.context, otelBaggage.toOtel(baggage)))
  }
}

const laidOver = (context: Api.Context, span: AnySpan): Api.Context => {
  const within = otelContext.withSpan(context, toOtelSpan(span))
  const baggage = isOwn(span) ? span.baggage : undefined
  return baggage === undefined ? within : otelContext.withBaggage(within, otelBaggage.toOtel(baggage))
}

const contexts = new WeakMap<AnySpan, Api.Context>()

/** The context that has nothing but a span, and its baggage. */
export const contextOf = (span: AnySpan | undefined): Api.Context => {
  if (span === undefined) return otelContext.rootContext
  let context = contexts.get(span)
  if (context === undefined) contexts.set(span, context = laidOver(otelContext.rootContext, span))
  return context
}

/** The context of this code, of a fiber or of plain code, whichever is further inside. */
export const active = (): Api.Context => {
  const span = AsyncContext.currentSpan()
  const store = AsyncContext.stored()
  if (store instanceof OtelAmbient) {
    return span === undefined || span === store.span
      ? store.context
      : store.within(span).context
  }
  // Laid here by plain code of this library, which knows nothing of contexts.
  const baggage = store instanceof AsyncContext.Ambient && store.span === span ? store.baggage : undefined
  return baggage === undefined
    ? contextOf(span)
    : otelContext.withBaggage(contextOf(span), otelBaggage.toOtel(baggage))
}
