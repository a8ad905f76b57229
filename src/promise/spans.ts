/** How the facade starts a span and runs a function within it, whoever's tracer it is. */
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Tracer from "effect/Tracer"
import * as AsyncContext from "../context/AsyncContext.ts"
import type { Baggage } from "../model/Baggage.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import { inertSpan } from "../tracing/inertSpan.ts"
import type { OutcomePolicy } from "../tracing/Outcome.ts"
import type { Span } from "../tracing/Span.ts"
import { fiberBaggage, spanBaggage } from "../tracing/Tracer.ts"
import type { TracerCore } from "../tracing/TracerCore.ts"

/** A span that is open: attributes, events, status; `end()` closes it, as does `using`. */
export type ActiveSpan = Span

/** Attributes by name; the values are any JavaScript values. */
export type SpanAttributes = Readonly<Record<string, unknown>>

/** Options of `startSpan` and `trace`. */
export interface SpanOptions {
  /** Shown to the sampler, then set on the span. */
  readonly attributes?: SpanAttributes | undefined
  /** Default `"internal"`. */
  readonly kind?: Tracer.SpanKind | undefined
  /** Default: the current span. A remote parent comes from `extract`. */
  readonly parent?: Tracer.AnySpan | undefined
  /** Starts a new trace. Default `false`. */
  readonly root?: boolean | undefined
  readonly links?: ReadonlyArray<Tracer.AnySpan | Tracer.SpanLink> | undefined
  /** Judges how a span of `trace` ended: which failures are expected, which results are errors. */
  readonly outcome?: OutcomePolicy | undefined
}

/** Who makes the spans. */
export interface Source {
  /** `undefined` while no telemetry runs; then spans are inert. */
  readonly core: () => TracerCore | undefined
  /** The instrumentation scope of the spans; `undefined` for the tracer's own. */
  readonly scope: InstrumentationScope | undefined
}

/** The baggage of this code, in `span`: what was laid here last, by `withBaggage`, the fiber, or with the span. */
export const baggageAround = (span: Tracer.AnySpan | undefined): Baggage | undefined => {
  const ambient = AsyncContext.ambient()
  if (ambient?.baggage !== undefined && ambient.span === AsyncContext.currentSpan()) return ambient.baggage
  const fiber = Fiber.getCurrent()
  return (fiber !== undefined && fiber.cache.span === span ? fiberBaggage(fiber) : undefined) ?? spanBaggage(span)
}

/** Where a function was called whose span starts later. */
export interface Origin {
  readonly parent: Tracer.AnySpan | undefined
  readonly baggage: Baggage | undefined
}

/** What a span that started here would belong to. */
export const originOf = (core: TracerCore, options: SpanOptions | undefined): Origin => {
  const around = AsyncContext.currentSpan() ?? core.options.processParent
  const parent = options?.parent ?? (options?.root === true ? undefined : around)
  // A new trace does not end what the baggage is about, and a parent that was named brings its own.
  return { parent, baggage: options?.parent === undefined ? baggageAround(around) : undefined }
}

/** Starts a span of a telemetry that runs, within `origin`. `attributes` stand for those of the options. */
export const startWithin = (
  core: TracerCore,
  scope: InstrumentationScope | undefined,
  name: string,
  options: SpanOptions | undefined,
  attributes: SpanAttributes | undefined,
  { baggage, parent }: Origin
): Span =>
  core.start({
    name,
    kind: options?.kind ?? "internal",
    parent,
    startTimeUnixNano: core.now(),
    attributes,
    links: options?.links?.map((link) => "_tag" in link ? { span: link, attributes: {} } : link),
    scope,
    baggage,
    outcome: options?.outcome
  })

/** {@link startWithin} here. */
export const start = (
  core: TracerCore,
  scope: InstrumentationScope | undefined,
  name: string,
  options: SpanOptions | undefined,
  attributes: SpanAttributes | undefined
): Span => startWithin(core, scope, name, options, attributes, originOf(core, options))

/** Starts a span, inert where no telemetry runs. */
export const startSpanOf = (source: Source, name: string, options: SpanOptions | undefined): Span => {
  const core = source.core()
  return core === undefined ? inertSpan : start(core, source.scope, name, options, options?.attributes)
}

/** Ends `span` as a function did that returned `value`. */
export const succeed = (span: Span, value: unknown): void =>
  span.end(undefined, value === undefined ? Exit.void : Exit.succeed(value))

/** Ends `span` as a function did that threw `error`. */
export const fail = (span: Span, error: unknown): void => span.end(undefined, Exit.fail(error))

const isPromiseLike = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"

/** Runs `fn(argument)` in the context of `span`, which ends when that returns, throws, or its promise settles. */
export const runWithin = <A, B>(span: Span, fn: (argument: B) => A, argument: B): A => {
  let result: A
  try {
    result = AsyncContext.runWith(span, fn, argument)
  } catch (error) {
    fail(span, error)
    throw error
  }
  if (!isPromiseLike(result)) {
    succeed(span, result)
    return result
  }
  return result.then(
    (value) => {
      succeed(span, value)
      return value
    },
    (error: unknown) => {
      fail(span, error)
      throw error
    }
  ) as A
}
