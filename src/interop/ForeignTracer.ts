/**
 * Effect's tracer over a `TracerProvider` of OpenTelemetry JavaScript that is not ours: for programs that have an SDK and
 * keep it. Nothing is exported here.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
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
 * A span without a parent in Effect is a child of the context that is active. The code of each effect runs in the context
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
        const context = given.root
          ? otelContext.withSpan(api.context.active(), undefined)
          : parent === undefined
          ? api.context.active()
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

/**
 * Has Effect's spans recorded and exported by an SDK that the program has already: the same trees, and nothing twice.
 */
export const layer = (api: ForeignApi, options?: ForeignTracerOptions): Layer.Layer<never> =>
  Layer.effect(Tracer.Tracer, make(api, options))
