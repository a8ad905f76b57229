/** The tracer of this library for programs on Effect 3. */
import * as Effect from "effect/Effect"
import type * as Tracer from "effect/Tracer"
import * as AsyncContext from "../context/AsyncContext.ts"
import type { IncomingRequest } from "../context/HttpReferences.ts"
import type { Baggage } from "../model/Baggage.ts"
import { injectSpan } from "../tracing/carrier.ts"
import { propagatingFetch } from "../tracing/fetchPropagation.ts"
import { continueRequest } from "../tracing/incoming.ts"
import { trusted } from "../tracing/parentContext.ts"
import { fromFiber, spanBaggage } from "../tracing/Tracer.ts"
import type { TracerCore } from "../tracing/TracerCore.ts"
import { Effect3Span, isOfFiber, toAnySpan, toLink } from "./Effect3Span.ts"
import { toValues } from "./outcome.ts"
import type { AnySpan3, Context3, Fiber3, Option3, SpanLink3, SpanOptions3 } from "./structures.ts"

/** What `Tracer.make` of Effect 3 takes; `Layer.setTracer` and `Effect.withTracer` take what that gives. */
export interface Effect3Tracer {
  readonly span: <Parent extends Option3<AnySpan3>, Annotations extends Context3, Link extends SpanLink3>(
    name: string,
    parent: Parent,
    context: Annotations,
    links: ReadonlyArray<Link>,
    startTime: bigint,
    kind: Tracer.SpanKind,
    options?: SpanOptions3
  ) => Effect3Span<Parent, Annotations, Link>
  readonly context: <X>(f: () => X, fiber: Fiber3) => X
}

/** A tracer, and what speaks for the fiber that it serves at the moment. */
export interface Made {
  readonly tracer: Effect3Tracer
  readonly fetch: typeof globalThis.fetch
  readonly headers: (to?: string | URL) => Record<string, string>
}

/** Options of {@link makeUnsafe}. */
export interface Effect3TracerOptions {
  /**
   * Whether plain asynchronous code that an effect calls runs in the effect's span. Effect 3 does not tell a tracer which
   * steps of a fiber call any, so that each step within a span pays for it. Default `true`.
   */
  readonly followAsync?: boolean | undefined
  /** What {@link Made.fetch} calls. Default: the global one. */
  readonly fetch?: typeof globalThis.fetch | undefined
}

const requestKey = "@effect/platform/HttpServerRequest"

const spanOf = (store: AsyncContext.Store | undefined): Tracer.AnySpan | undefined =>
  store instanceof AsyncContext.Ambient ? store.span : store

/**
 * What is laid around a fiber that takes its first step.
 *
 * **Details**
 *
 * The span of another fiber is, where that runs now and starts this one at once. Else it is there because Effect 3 starts
 * the fibers of a queue in the context of the first, and not meant.
 */
const storeAtStart = (starter: Fiber3 | undefined): AsyncContext.Store | undefined => {
  const store = AsyncContext.stored()
  const span = spanOf(store)
  return starter === undefined && span !== undefined && isOfFiber(span) ? undefined : store
}

/** Serves Effect 3 from a tracer of ours. */
export const makeUnsafe = (core: TracerCore, options?: Effect3TracerOptions): Made => {
  const isFollowed = options?.followAsync !== false
  // The fiber whose step runs now. Effect 3 has a global for it, which may hold one that has long ended.
  let running: Fiber3 | undefined
  // What plain code had laid around each fiber without a span when it started. Later steps run in the asynchronous context
  // of whoever woke the fiber, which says nothing of it.
  const around = new WeakMap<Fiber3, AsyncContext.Store | undefined>()

  const tracer: Effect3Tracer = {
    span: (name, given, context, links, startTime, kind, spanOptions) => {
      let parent = given._tag === "Some" ? toAnySpan(given.value) : undefined
      let baggage: Baggage | undefined
      const request = kind === "server"
        ? continueRequest(
          core,
          running?.currentContext.unsafeMap.get(requestKey) as IncomingRequest | undefined,
          parent
        )
        : undefined
      if (request !== undefined) {
        parent = request.parent
        baggage = request.baggage
      } else {
        const { processParent, trustIncoming = true } = core.options
        if (kind === "server" && trustIncoming !== true) parent = trusted(parent, trustIncoming)
        if (spanOptions?.root !== true) {
          if (parent === toAnySpan(running?.currentSpan)) {
            parent = parent === undefined && running !== undefined
              ? spanOf(around.get(running))
              : AsyncContext.innermost(parent)
          }
          parent ??= processParent
        }
      }
      const attributes = spanOptions?.attributes
      const span = core.start({
        name,
        kind,
        parent,
        startTimeUnixNano: startTime,
        links: links.length === 0 ? undefined : links.map(toLink),
        attributes: attributes === undefined ? undefined : toValues(attributes),
        baggage
      })
      // Effect 3 sets each of them once more; here they were for the sampler.
      span.droppedAttributesCount = 0
      span.isHttpServer = request !== undefined
      return new Effect3Span(span, given, context, links)
    },
    context: (f, fiber) => {
      const before = running
      const span = toAnySpan(fiber.currentSpan)
      if (span === undefined && !around.has(fiber)) around.set(fiber, storeAtStart(before))
      running = fiber
      try {
        if (!isFollowed) return f()
        if (span !== undefined) {
          return AsyncContext.storedSpan() === span
            ? f()
            : AsyncContext.runWith(span, f, undefined)
        }
        const store = around.get(fiber)
        return AsyncContext.stored() === store ? f() : AsyncContext.run(store, f)
      } finally {
        running = before
      }
    }
  }

  const currentSpan = (): Tracer.AnySpan | undefined =>
    running === undefined || isFollowed
      ? AsyncContext.currentSpan()
      : AsyncContext.innermost(toAnySpan(running.currentSpan))

  return {
    // `Tracer.make` of Effect 3 adds this, and takes nothing that is not enumerable.
    tracer: { [Symbol.for("effect/Tracer")]: Symbol.for("effect/Tracer"), ...tracer },
    fetch: propagatingFetch(core, options?.fetch ?? ((input, init) => globalThis.fetch(input, init)), () => {
      const span = currentSpan()
      return span === undefined ? undefined : { span, baggage: spanBaggage(span) }
    }),
    headers: (to) => {
      const span = currentSpan()
      return injectSpan(core, span, spanBaggage(span), to)
    }
  }
}

/**
 * Serves Effect 3 from the tracer that an Effect 4 program runs under, for a process that has both; `undefined` under a
 * tracer that is not ours.
 */
export const make = (options?: Effect3TracerOptions): Effect.Effect<Made | undefined> =>
  Effect.withFiber((fiber) => {
    const core = fromFiber(fiber)?.core
    return Effect.succeed(core === undefined ? undefined : makeUnsafe(core, options))
  })
