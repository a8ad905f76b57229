/**
 * Lean operators for spans: what `Effect.withSpan` does, with everything known when the span starts, for a fraction of
 * the cost.
 *
 * **Details**
 *
 * Under any other tracer (Effect's native one, for example) the same operators open spans through that tracer.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import * as AsyncContext from "../context/AsyncContext.ts"
import * as traceLocal from "../context/traceLocal.ts"
import { type Baggage, empty } from "../model/Baggage.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { StatusCode } from "../model/ReadableSpan.ts"
import { extractContext, injectSpan } from "./carrier.ts"
import type { OutcomePolicy } from "./Outcome.ts"
import { isOwn, type Span } from "./Span.ts"
import { fiberBaggage, fromFiber, type TelemetryTracer } from "./Tracer.ts"
import { underRemote, withBaggage } from "./underRemote.ts"

/** Options of {@link span}. */
export interface SpanOptions {
  /** Shown to the sampler, then set on the span. */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
  /** Default `"internal"`. */
  readonly kind?: Tracer.SpanKind | undefined
  readonly links?: ReadonlyArray<Tracer.SpanLink> | undefined
  /** Default: the fiber's current span. */
  readonly parent?: Tracer.AnySpan | undefined
  /** Starts a new trace. Default `false`. */
  readonly root?: boolean | undefined
  /** `false` never exports this span, `true` always does. Default: the sampler decides. */
  readonly sampled?: boolean | undefined
  /** Judges this span's exit instead of the tracer's policy. */
  readonly outcome?: OutcomePolicy | undefined
}

// The fiber's clock; where it is the tracer's, the tracer's quicker way to read it.
const timeOf = (fiber: Fiber.Fiber<unknown, unknown>, { core }: TelemetryTracer): () => bigint => {
  const clock = fiber.getRef(Clock.Clock)
  return clock === core.options.clock ? core.now : () => clock.currentTimeNanosUnsafe()
}

const startSpan = (
  fiber: Fiber.Fiber<unknown, unknown>,
  tracer: TelemetryTracer,
  name: string,
  options: SpanOptions | undefined,
  now: () => bigint
): Span => {
  const links = fiber.getRef(References.TracerSpanLinks)
  const local = traceLocal.ofFiber(fiber)
  const span = tracer.core.start({
    name,
    kind: options?.kind ?? "internal",
    parent: options?.parent ?? (options?.root === true ? undefined : AsyncContext.innermost(fiber.cache.span)),
    startTimeUnixNano: now(),
    links: links.length === 0 ? options?.links : [...links, ...options?.links ?? []],
    attributes: options?.attributes,
    scope: local.scope,
    baggage: fiberBaggage(fiber),
    sampled: options?.sampled,
    outcome: options?.outcome
  })
  const annotations = fiber.getRef(References.TracerSpanAnnotations)
  for (const key in annotations) span.attribute(key, annotations[key])
  return span
}

// What Effect keeps of a fiber's context: eleven references, read anew for each context with another span.
interface Cached {
  readonly cacheRoot?: Cached
  _fiberCache?: { readonly span?: unknown }
}

/**
 * The fiber's context with `span` as its current span.
 *
 * **Details**
 *
 * Of all that Effect derives from a context, only the span differs, so the rest is copied. Where Effect keeps it
 * elsewhere than in 4.1, nothing is copied, and Effect derives it itself.
 */
const withParent = (fiber: Fiber.Fiber<unknown, unknown>, span: Span): Context.Context<never> => {
  const context = Context.add(fiber.context, Tracer.ParentSpan, span)
  const cached: Cached = context as Cached
  const before = (fiber.context as Cached).cacheRoot?._fiberCache
  if (before !== undefined && before === fiber.cache && cached.cacheRoot === cached) {
    cached._fiberCache = { ...before, span }
  }
  return context
}

const effectOptions = (options: SpanOptions | undefined): Tracer.SpanOptions => ({
  ...options,
  captureStackTrace: false
})

type Body<Options, R2> = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  name: string,
  options?: Options
) => Effect.Effect<A, E, R | R2>

interface Operator<Options, R2 = never> {
  (name: string, options?: Options): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R | R2>
  <A, E, R>(self: Effect.Effect<A, E, R>, name: string, options?: Options): Effect.Effect<A, E, R | R2>
}

// `dual` for operators that take a name: whether it comes first tells the two forms apart, for less than a look at what
// may be an effect.
const named = <Options, R2>(body: Body<Options, R2>): Operator<Options, R2> =>
  ((first: never, second: never, third: never) =>
    typeof first === "string"
      ? <A, E, R>(self: Effect.Effect<A, E, R>) => body(self, first, second)
      : body(first, second, third)) as Operator<Options, R2>

// Whether the options leave parent and sampling to the context.
const hasNoWish = (options: SpanOptions): boolean =>
  options.root !== true && options.parent === undefined && options.sampled === undefined

/**
 * Runs an effect within a span, which ends with the effect's exit.
 *
 * **Details**
 *
 * The span is the current span of the effect and of every fiber it forks. Below a span that is not recorded, where the
 * sampler looks at the parent alone, none is made: the one above stays current, for a tenth of the cost.
 */
export const span: {
  (name: string, options?: SpanOptions): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, name: string, options?: SpanOptions): Effect.Effect<A, E, R>
} = named<SpanOptions, never>(
  <A, E, R>(self: Effect.Effect<A, E, R>, name: string, options?: SpanOptions): Effect.Effect<A, E, R> =>
    Effect.withFiber((fiber) => {
      const tracer = fiber.cache.tracerEnabled ? fromFiber(fiber) : undefined
      if (tracer === undefined) {
        return Effect.withSpan(self, name, effectOptions(options)) as Effect.Effect<A, E, R>
      }
      if (
        (options === undefined || hasNoWish(options)) && tracer.core.standsIn(AsyncContext.innermost(fiber.cache.span))
      ) return self
      const now = timeOf(fiber, tracer)
      const started = startSpan(fiber, tracer, name, options, now)
      const previous = fiber.context
      fiber.setContext(withParent(fiber, started))
      return Effect.onExitPrimitive(self, (exit) => {
        fiber.setContext(previous)
        started.end(now(), exit)
        return undefined
      })
    })
)

/** Runs an effect within the root span of a new trace. */
export const root: {
  (
    name: string,
    options?: Omit<SpanOptions, "root" | "parent">
  ): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(
    self: Effect.Effect<A, E, R>,
    name: string,
    options?: Omit<SpanOptions, "root" | "parent">
  ): Effect.Effect<A, E, R>
} = named<Omit<SpanOptions, "root" | "parent">, never>((self, name, options) =>
  span(self, name, { ...options, root: true })
)

/**
 * Runs an effect within a span that stays open until the enclosing `Scope` closes, and ends with the scope's exit.
 *
 * **Gotchas**
 *
 * The span is current inside `self` only; what else runs in the scope keeps its own parent.
 */
export const spanScoped: {
  (
    name: string,
    options?: SpanOptions
  ): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R | Scope.Scope>
  <A, E, R>(
    self: Effect.Effect<A, E, R>,
    name: string,
    options?: SpanOptions
  ): Effect.Effect<A, E, R | Scope.Scope>
} = named<SpanOptions, Scope.Scope>(
  <A, E, R>(self: Effect.Effect<A, E, R>, name: string, options?: SpanOptions): Effect.Effect<A, E, R | Scope.Scope> =>
    Effect.withFiber((fiber) => {
      const tracer = fiber.cache.tracerEnabled ? fromFiber(fiber) : undefined
      if (tracer === undefined) return Effect.withSpanScoped(self, name, effectOptions(options))
      const now = timeOf(fiber, tracer)
      const started = startSpan(fiber, tracer, name, options, now)
      const scope = Context.getUnsafe(fiber.context, Scope.Scope)
      return Effect.andThen(
        Scope.addFinalizerExit(scope, (exit) => Effect.sync(() => started.end(now(), exit))),
        Effect.provideService(self, Tracer.ParentSpan, started)
      )
    })
)

const onCurrent = (f: (span: Tracer.Span, fiber: Fiber.Fiber<unknown, unknown>) => void): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    const current = fiber.cache.span
    if (current !== undefined && current._tag === "Span") f(current, fiber)
    return Effect.void
  })

/** The fiber's current span, of whichever tracer; `None` outside any span and directly under a remote parent. */
export const current: Effect.Effect<Option.Option<Tracer.Span>> = Effect.withFiber((fiber) => {
  const span = fiber.cache.span
  return Effect.succeed(span !== undefined && span._tag === "Span" ? Option.some(span) : Option.none())
})

/** Sets an attribute on the current span. Does nothing outside a span. */
export const attribute = (key: string, value: unknown): Effect.Effect<void> =>
  onCurrent((span) => span.attribute(key, value))

/** Sets several attributes on the current span. */
export const attributes = (values: Readonly<Record<string, unknown>>): Effect.Effect<void> =>
  onCurrent((span) => {
    for (const key of Object.keys(values)) span.attribute(key, values[key])
  })

/** Adds an event to the current span, now. */
export const event = (name: string, attributes?: Record<string, unknown>): Effect.Effect<void> =>
  onCurrent((span, fiber) => span.event(name, fiber.getRef(Clock.Clock).currentTimeNanosUnsafe(), attributes))

/** Links the current span to another. */
export const link = (to: Tracer.AnySpan, attributes: Readonly<Record<string, unknown>> = {}): Effect.Effect<void> =>
  onCurrent((span) => span.addLinks([{ span: to, attributes }]))

/** Renames the current span, for names that are known only while it runs. */
export const updateName = (name: string): Effect.Effect<void> =>
  onCurrent((span) => {
    if (isOwn(span)) span.updateName(name)
  })

/** Sets the status of the current span. `OK` is final; a status set here stands whatever the exit. */
export const status = (code: StatusCode, message?: string): Effect.Effect<void> =>
  onCurrent((span) => {
    if (isOwn(span)) span.setStatus(code, message)
  })

/**
 * The headers that carry the current context to another process, as the installed propagators write them.
 *
 * **Details**
 *
 * Empty outside any span without baggage, and under a tracer that is not ours. Whoever they are sent to is the caller's
 * to judge; {@link headersFor} judges by the configuration.
 */
export const headers: Effect.Effect<Readonly<Record<string, string>>> = Effect.suspend(() => headersTo(undefined))

/**
 * {@link headers}, or as many of them as the host of a URL may be sent (`propagateTo`, `propagateBaggageTo`).
 */
export const headersFor = (url: string | URL): Effect.Effect<Readonly<Record<string, string>>> => headersTo(url)

const headersTo = (url: string | URL | undefined): Effect.Effect<Readonly<Record<string, string>>> =>
  Effect.withFiber((fiber) => {
    const core = fromFiber(fiber)?.core
    return Effect.succeed(
      core === undefined ? {} : injectSpan(core, AsyncContext.innermost(fiber.cache.span), fiberBaggage(fiber), url)
    )
  })

/**
 * Runs an effect under the remote parent that `headers` carry, baggage included. Headers without a usable context
 * change nothing. Names are matched in lower case.
 *
 * **Details**
 *
 * With `trustIncoming: "edge"` what starts within is a root with a link to that parent; with `false` nothing is read.
 */
export const withHeaders: {
  (
    headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  ): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(
    self: Effect.Effect<A, E, R>,
    headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  ): Effect.Effect<A, E, R>
} = dual(
  2,
  <A, E, R>(
    self: Effect.Effect<A, E, R>,
    headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  ): Effect.Effect<A, E, R> =>
    Effect.withFiber((fiber) => {
      const tracer = fromFiber(fiber)
      if (tracer === undefined) return self
      return underRemote(self, extractContext(tracer.core, headers))
    })
)

/** The baggage that travels with the current context (`baggage/api.md`); empty where there is none. */
export const baggage: Effect.Effect<Baggage> = Effect.withFiber((fiber) => Effect.succeed(fiberBaggage(fiber) ?? empty))

/** Runs an effect with its baggage changed by `f`; spans started within, and their outgoing requests, carry it. */
export const updateBaggage: {
  (f: (baggage: Baggage) => Baggage): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, f: (baggage: Baggage) => Baggage): Effect.Effect<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, f: (baggage: Baggage) => Baggage): Effect.Effect<A, E, R> =>
    Effect.withFiber((fiber) => withBaggage(self, f(fiberBaggage(fiber) ?? empty), fiber.cache.span))
)

/** Names the instrumentation scope of the spans started within an effect (`common/instrumentation-scope.md`). */
export const withScope: {
  (scope: InstrumentationScope): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, scope: InstrumentationScope): Effect.Effect<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, scope: InstrumentationScope): Effect.Effect<A, E, R> =>
    traceLocal.update(self, (local) => ({ ...local, scope }))
)
