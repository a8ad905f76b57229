import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Tracer from "effect/Tracer"
import * as AsyncContext from "../context/AsyncContext.ts"
import type { Baggage } from "../model/Baggage.ts"
import { extractContext, injectSpan } from "../tracing/carrier.ts"
import { inertSpan } from "../tracing/inertSpan.ts"
import type { OutcomePolicy } from "../tracing/Outcome.ts"
import { isOwn, type Span } from "../tracing/Span.ts"
import { fiberBaggage, spanBaggage } from "../tracing/Tracer.ts"
import { current } from "./registry.ts"

/** A span that is open: attributes, events, status; `end()` closes it, as does `using`. */
export type ActiveSpan = Span

/** Options of {@link startSpan} and {@link trace}. */
export interface SpanOptions {
  /** Shown to the sampler, then set on the span. */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
  /** Default `"internal"`. */
  readonly kind?: Tracer.SpanKind | undefined
  /** Default: the current span. A remote parent comes from {@link extract}. */
  readonly parent?: Tracer.AnySpan | undefined
  /** Starts a new trace. Default `false`. */
  readonly root?: boolean | undefined
  readonly links?: ReadonlyArray<Tracer.AnySpan | Tracer.SpanLink> | undefined
  /** Judges how a span of {@link trace} ended: which failures are expected, which results are errors. */
  readonly outcome?: OutcomePolicy | undefined
}

/** The span that code without one of its own belongs to. */
export const ambientSpan = (): Tracer.AnySpan | undefined =>
  AsyncContext.currentSpan() ?? current()?.core.options.processParent

/** The baggage that goes with it. */
export const ambientBaggage = (): Baggage | undefined => {
  const fiber = Fiber.getCurrent()
  return (fiber === undefined ? undefined : fiberBaggage(fiber)) ?? spanBaggage(ambientSpan())
}

/**
 * The span that this code runs in: of {@link trace}, or of the Effect fiber that called here. `undefined` outside any
 * span, and directly under a remote parent.
 */
export const getCurrentSpan = (): ActiveSpan | undefined => {
  const span = AsyncContext.currentSpan()
  return isOwn(span) ? span : undefined
}

/**
 * Starts a span, which is not current anywhere until `trace` runs within it; end it with `span.end()` or `using`.
 *
 * **Details**
 *
 * Before `TraceContext.initialize` the span is inert: every method is safe and does nothing.
 */
export const startSpan = (name: string, options?: SpanOptions): ActiveSpan => {
  const core = current()?.core
  if (core === undefined) return inertSpan
  const fiber = Fiber.getCurrent()
  return core.start({
    name,
    kind: options?.kind ?? "internal",
    parent: options?.parent ?? (options?.root === true ? undefined : AsyncContext.currentSpan()),
    startTimeUnixNano: core.now(),
    attributes: options?.attributes,
    links: options?.links?.map((link) => "_tag" in link ? { span: link, attributes: {} } : link),
    baggage: fiber === undefined ? undefined : fiberBaggage(fiber),
    outcome: options?.outcome
  })
}

const isPromiseLike = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"

const runInSpan = <A>(span: ActiveSpan, run: () => A): A => {
  let result: A
  try {
    result = span === inertSpan ? run() : AsyncContext.runWith(span, run)
  } catch (error) {
    span.end(undefined, Exit.fail(error))
    throw error
  }
  if (!isPromiseLike(result)) {
    span.end(undefined, Exit.succeed(result))
    return result
  }
  return result.then(
    (value) => {
      span.end(undefined, Exit.succeed(value))
      return value
    },
    (error: unknown) => {
      span.end(undefined, Exit.fail(error))
      throw error
    }
  ) as A
}

/**
 * Runs `fn` within a span. The span ends when `fn` returns, throws, or its promise settles; what it throws is recorded
 * and thrown on.
 */
export const trace: {
  <A>(name: string, fn: (span: ActiveSpan) => A): A
  <A>(name: string, options: SpanOptions, fn: (span: ActiveSpan) => A): A
} = <A>(
  name: string,
  ...rest: [(span: ActiveSpan) => A] | [SpanOptions, (span: ActiveSpan) => A]
): A => {
  const fn = rest[rest.length - 1] as (span: ActiveSpan) => A
  const options = rest.length === 2 ? rest[0] as SpanOptions : undefined
  const span = startSpan(name, options)
  return runInSpan(span, () => fn(span))
}

/** Options of {@link traced}. */
export interface TracedOptions<Args extends ReadonlyArray<unknown>> extends Omit<SpanOptions, "attributes" | "parent"> {
  /** Attributes, or how they follow from the arguments. */
  readonly attributes?:
    | Readonly<Record<string, unknown>>
    | ((...args: Args) => Readonly<Record<string, unknown>>)
    | undefined
}

/**
 * Wraps a function so that each call runs within a span. `this`, arguments and result are the function's own.
 *
 * **Details**
 *
 * Without a name the span takes the function's; an anonymous function's span is called `anonymous`.
 */
export const traced: {
  <This, Args extends ReadonlyArray<unknown>, A>(fn: (this: This, ...args: Args) => A): (this: This, ...args: Args) => A
  <This, Args extends ReadonlyArray<unknown>, A>(
    name: string,
    fn: (this: This, ...args: Args) => A
  ): (this: This, ...args: Args) => A
  <This, Args extends ReadonlyArray<unknown>, A>(
    name: string,
    options: TracedOptions<Args>,
    fn: (this: This, ...args: Args) => A
  ): (this: This, ...args: Args) => A
} = <This, Args extends ReadonlyArray<unknown>, A>(
  ...parameters: ReadonlyArray<unknown>
): (this: This, ...args: Args) => A => {
  const fn = parameters[parameters.length - 1] as (this: This, ...args: Args) => A
  const name = typeof parameters[0] === "string" ? parameters[0] : fn.name || "anonymous"
  const options = (parameters.length === 3 ? parameters[1] : undefined) as TracedOptions<Args> | undefined
  const wrapped = function(this: This, ...args: Args): A {
    const given = options?.attributes
    const attributes = typeof given === "function"
      ? describeCall(() => (given as (...args: Args) => Readonly<Record<string, unknown>>)(...args))
      : given
    const span = startSpan(name, { ...options, attributes })
    return runInSpan(span, () => Reflect.apply(fn, this, args))
  }
  Object.defineProperty(wrapped, "name", { value: fn.name, configurable: true })
  Object.defineProperty(wrapped, "length", { value: fn.length, configurable: true })
  return wrapped
}

const describeCall = (
  describe: () => Readonly<Record<string, unknown>>
): Readonly<Record<string, unknown>> | undefined => {
  try {
    return describe()
  } catch {
    // The call itself must go on, whatever its description does.
    return undefined
  }
}

/**
 * The headers that carry the current context to another process; empty outside any span. With a URL, as many of them as
 * its host may be sent (`propagateTo`, `propagateBaggageTo`).
 */
export const inject = (to?: string | URL): Record<string, string> => {
  const core = current()?.core
  return core === undefined ? {} : injectSpan(core, ambientSpan(), ambientBaggage(), to)
}

/**
 * The remote parent that incoming headers carry, for `parent`; `undefined` when they carry none. Names are matched in
 * lower case, as Node gives them.
 *
 * **Details**
 *
 * With `trustIncoming: "edge"` it stands for a new trace with a link to that parent; with `false` there never is one.
 */
export const extract = (
  headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
): Tracer.ExternalSpan | undefined => {
  const core = current()?.core
  return core === undefined ? undefined : extractContext(core, headers).parent
}
