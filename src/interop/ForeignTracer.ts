/**
 * Effect's tracer over a `TracerProvider` of OpenTelemetry JavaScript that is not ours: for programs that have an SDK and
 * keep it. Nothing is exported here.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { Fetch } from "../context/HttpReferences.ts"
import { nodeBuiltin } from "../internal/nodeBuiltin.ts"
import { withoutEffectHeaders } from "../tracing/fetchPropagation.ts"
import { OutcomePolicy } from "../tracing/Outcome.ts"
import type * as Api from "./api.ts"
import { ForeignSpan, type SpanOptions, toOtelLink } from "./ForeignSpan.ts"
import { toOtelSpan } from "./OtelAmbient.ts"
import * as otelContext from "./otelContext.ts"
import { kindNumber } from "./otelKinds.ts"
import { toHrTime } from "./otelTime.ts"

/** What of the API is needed: its context and its provider. */
export interface ForeignApi {
  readonly context: Pick<Api.ContextManager, "active" | "with">
  readonly trace: { readonly getTracerProvider: () => Api.TracerProvider }
  readonly propagation: Pick<Api.TextMapPropagator, "inject">
}

/** Options of {@link layer}. */
export interface ForeignTracerOptions {
  /** The provider. Default: the global one. */
  readonly provider?: Api.TracerProvider | undefined
  /** Name and version of the tracer that Effect's spans are of. Default `effect-telemetry`. */
  readonly scope?: { readonly name: string; readonly version?: string | undefined } | undefined
}

const evaluate = "~effect/Effect/evaluate"

/**
 * Makes Effect's tracer of a provider.
 *
 * **Details**
 *
 * A span without a parent in Effect is a child of the context that is active, and so is that of an incoming request for
 * which an instrumentation has opened a span. The code of each effect runs in the context
 * of its span: with a context manager of somebody else this has to be entered for each step of a fiber, which makes a step
 * several times as dear.
 */
export const make = (
  api: ForeignApi,
  options?: ForeignTracerOptions
): Effect.Effect<Tracer.Tracer> =>
  Effect.map(OutcomePolicy, (policy) => {
    const provider = options?.provider ?? api.trace.getTracerProvider()
    const tracer = provider.getTracer(options?.scope?.name ?? "effect-telemetry", options?.scope?.version)
    const contexts = new WeakMap<Tracer.AnySpan, Api.Context>()

    const contextOf = (span: Tracer.AnySpan): Api.Context => {
      let context = contexts.get(span)
      if (context === undefined) {
        contexts.set(span, context = otelContext.withSpan(api.context.active(), toOtelSpan(span)))
      }
      return context
    }

    return Tracer.make({
      span: (given: SpanOptions) => {
        const parent = Option.getOrUndefined(given.parent)
        const active = api.context.active()
        const context = given.root
          ? otelContext.withSpan(active, undefined)
          : parent === undefined || continues(active, parent)
          ? active
          : contextOf(parent)
        const span = tracer.startSpan(given.name, {
          kind: kindNumber(given.kind),
          links: given.links.map(toOtelLink),
          startTime: toHrTime(given.startTime)
        }, context)
        const made = new ForeignSpan(span, given, policy)
        contexts.set(made, otelContext.withSpan(context, span))
        return made
      },
      context: <X>(primitive: Tracer.EffectPrimitive<X>, fiber: Fiber.Fiber<unknown, unknown>): X => {
        const { span } = fiber.cache
        return span === undefined
          ? primitive[evaluate](fiber)
          : api.context.with(contextOf(span), () => primitive[evaluate](fiber)) as X
      }
    })
  })

/** Whether the active span stands for the same request as a remote parent, and was opened for it by an instrumentation. */
const continues = (active: Api.Context, parent: Tracer.AnySpan): boolean => {
  if (parent._tag !== "ExternalSpan") return false
  const span = otelContext.spanIn(active) as
    | { readonly parentSpanContext?: Api.SpanContext | undefined; readonly parentSpanId?: string | undefined }
    | undefined
  return span !== undefined && (span.parentSpanContext?.spanId ?? span.parentSpanId) === parent.spanId
}

const setter: Api.TextMapSetter = {
  set(carrier, key, value) {
    ;(carrier as Record<string, string>)[key] = value
  }
}

/** Subscribed to by those who write headers into the requests of Node's `fetch`. */
const created = "undici:request:create"

/**
 * A `fetch` for Effect's `FetchHttpClient` under a provider of somebody else: its requests carry what the registered
 * propagator writes, once. Where an instrumentation listens to Node's `fetch`, it is that which writes.
 */
const foreignFetch = (api: ForeignApi, fetch: typeof globalThis.fetch): typeof globalThis.fetch => {
  const channels = nodeBuiltin<typeof import("node:diagnostics_channel")>("diagnostics_channel")
  return (input, init) => {
    const headers = withoutEffectHeaders(init)
    if (headers === undefined) return fetch(input, init)
    if (channels?.hasSubscribers(created) !== true) {
      api.propagation.inject(api.context.active(), headers, setter)
    }
    return fetch(input, { ...init, headers })
  }
}

/**
 * Has Effect's spans recorded and exported by an SDK that the program has already: the same trees, and nothing twice.
 *
 * **Details**
 *
 * Requests of `FetchHttpClient` carry what the registered propagator writes. Other clients of Effect write headers of
 * their own, beside what an instrumentation may write.
 */
export const layer = (api: ForeignApi, options?: ForeignTracerOptions): Layer.Layer<never> =>
  Layer.effectContext(Effect.gen(function*() {
    return Context.make(Tracer.Tracer, yield* make(api, options)).pipe(
      Context.add(Fetch, foreignFetch(api, yield* Fetch))
    )
  }))
