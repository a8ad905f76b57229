import type * as Tracer from "effect/Tracer"
import * as AsyncContext from "../context/AsyncContext.ts"
import { isOwn } from "../tracing/Span.ts"
import { current } from "./registry.ts"
import type { ActiveSpan } from "./spans.ts"

/** The span that code without one of its own belongs to. */
export const ambientSpan = (): Tracer.AnySpan | undefined =>
  AsyncContext.currentSpan() ?? current()?.core.options.processParent

/**
 * The span that this code runs in: of `trace`, or of the Effect fiber that called here. `undefined` outside any span, and
 * directly under a remote parent.
 */
export const getCurrentSpan = (): ActiveSpan | undefined => {
  const span = AsyncContext.currentSpan()
  return isOwn(span) ? span : undefined
}

/** Links the current span to another one, of this process or one that `extract` found; does nothing outside any span. */
export const linkSpan = (target: Tracer.AnySpan, attributes: Readonly<Record<string, unknown>> = {}): void =>
  getCurrentSpan()?.addLinks([{ span: target, attributes }])
