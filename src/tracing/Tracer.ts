import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as EffectTracer from "effect/Tracer"
import * as AsyncContext from "../context/AsyncContext.ts"
import { HttpServerRequest, type IncomingRequest } from "../context/HttpReferences.ts"
import { Propagator } from "../context/Propagator.ts"
import * as traceLocal from "../context/traceLocal.ts"
import { TracesLedger } from "../diagnostics/CurrentLedger.ts"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { wallTime } from "../internal/wallTime.ts"
import type { Baggage } from "../model/Baggage.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { Resource } from "../model/Resource.ts"
import { SpanProcessor } from "../processors/SpanProcessor.ts"
import { Sampler } from "../sampling/Sampler.ts"
import { extractContext } from "./carrier.ts"
import { IdGenerator } from "./IdGenerator.ts"
import { OutcomePolicy } from "./Outcome.ts"
import { isOwn } from "./Span.ts"
import { SpanLimits } from "./SpanLimits.ts"
import type { ReservedSpan } from "./spanStart.ts"
import { TracerCore } from "./TracerCore.ts"

/** The identity promised to an outgoing request whose client span has yet to start. */
export const Reservation: Context.Reference<{ used: boolean; readonly span: ReservedSpan } | undefined> = Context
  .Reference<{ used: boolean; readonly span: ReservedSpan } | undefined>(
    "effect-telemetry/tracing/Reservation",
    { defaultValue: () => undefined }
  )

/** The baggage that is current on a fiber: the innermost of what was set by an operator and what the span captured. */
export const fiberBaggage = (fiber: Fiber.Fiber<unknown, unknown>): Baggage | undefined => {
  const local = traceLocal.ofFiber(fiber)
  const span = fiber.cache.span
  if (local.baggage !== undefined && (local.baggageSetIn === span || !isOwn(span))) return local.baggage
  return isOwn(span) ? span.baggage : undefined
}

// A request is continued from its headers once, by the first server span that is opened for it.
const continued = new WeakSet<IncomingRequest>()

const isWithinHttpServer = (span: EffectTracer.AnySpan | undefined): boolean => {
  for (let current = span; isOwn(current); current = current.parentSpan) {
    if (current.isHttpServer) return true
  }
  return false
}

/**
 * Effect's tracer over a {@link TracerCore}: every `Effect.withSpan`, `Effect.fn`, `Layer.span`, HTTP and RPC span goes
 * through it.
 *
 * **Details**
 *
 * The span that Effect's HTTP server opens for a request is continued from the request's headers by the installed
 * propagator, tracestate and baggage included; without a usable header it is a root span, also when the server was
 * started within a span.
 */
export class TelemetryTracer implements EffectTracer.Tracer {
  readonly core: TracerCore

  constructor(core: TracerCore) {
    this.core = core
  }

  // The engine must not inline this into Effect's own code (it does up to 460 bytes of bytecode): the room there is for
  // the five references that Effect reads for each span, which otherwise cost 0.1 µs more. Hence no helper for baggage.
  span(options: Parameters<EffectTracer.Tracer["span"]>[0]): EffectTracer.Span {
    const fiber = Fiber.getCurrent()
    let parent = Option.getOrUndefined(options.parent)
    let baggage: Baggage | undefined
    let scope: InstrumentationScope | undefined
    let reserved: ReservedSpan | undefined
    let isHttpServer = false
    // Effect passes `false` for every child of an unrecorded span; that is for the sampler to say.
    let sampled = options.sampled ? undefined : isUnsampled(parent) ? undefined : false
    if (options.sampled && isUnsampled(parent)) sampled = true

    if (fiber !== undefined) {
      const local = traceLocal.ofFiber(fiber)
      scope = local.scope
      const current = fiber.cache.span
      const inherited = isOwn(current) ? current.baggage : undefined
      baggage = local.baggage !== undefined && (local.baggageSetIn === current || !isOwn(current))
        ? local.baggage
        : inherited
      if (options.kind === "server") {
        const request = Context.getOrUndefined(fiber.context, HttpServerRequest)
        if (request !== undefined && !continued.has(request) && !isWithinHttpServer(parent)) {
          continued.add(request)
          isHttpServer = true
          const extracted = extractContext(this.core.options.propagator, request.headers)
          parent = extracted.parent
          baggage = extracted.baggage
          if (sampled === true) sampled = undefined
        }
      } else if (options.kind === "client") {
        const reservation = fiber.getRef(Reservation)
        if (reservation !== undefined && !reservation.used) {
          reservation.used = true
          reserved = reservation.span
        }
      }
    }
    if (parent === undefined && !options.root && !isHttpServer) parent = AsyncContext.currentSpan()

    const span = this.core.start({
      name: options.name,
      kind: options.kind,
      parent,
      startTimeUnixNano: options.startTime,
      annotations: options.annotations,
      links: options.links,
      scope,
      baggage,
      sampled,
      reserved
    })
    span.isHttpServer = isHttpServer
    return span
  }
}

const isUnsampled = (parent: EffectTracer.AnySpan | undefined): boolean => parent !== undefined && !parent.sampled

/** The tracer of this library that a fiber runs under, or `undefined`. */
export const fromFiber = (fiber: Fiber.Fiber<unknown, unknown>): TelemetryTracer | undefined => {
  const tracer = fiber.cache.tracer
  return tracer instanceof TelemetryTracer ? tracer : undefined
}

/** What a tracer is told beside its services. */
export interface TracerOptions {
  readonly resource: Resource
  /** Scope of spans that name none. Default: `effect-telemetry`. */
  readonly scope?: InstrumentationScope | undefined
  /** Records nothing; context passes through. Default `false`. */
  readonly disabled?: boolean | undefined
}

/**
 * Makes a tracer from the services in context. When the scope closes, later ends are booked as `shutdown`.
 */
export const make = (
  options: TracerOptions
): Effect.Effect<TelemetryTracer, never, Sampler | SpanProcessor | Propagator | Scope.Scope> =>
  Effect.gen(function*() {
    const clock = yield* Clock.Clock
    const core = new TracerCore({
      sampler: yield* Sampler,
      processor: yield* SpanProcessor,
      propagator: yield* Propagator,
      resource: options.resource,
      scope: options.scope,
      disabled: options.disabled,
      limits: yield* SpanLimits,
      ids: yield* IdGenerator,
      outcome: yield* OutcomePolicy,
      ledger: yield* TracesLedger,
      diagnostics: yield* Diagnostics,
      clock,
      wall: wallTime(clock)
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => core.shutdown()))
    return new TelemetryTracer(core)
  })

/** Installs a tracer: from here on every span of the program is one of ours. */
export const layer = (options: TracerOptions): Layer.Layer<never, never, Sampler | SpanProcessor | Propagator> =>
  Layer.effect(EffectTracer.Tracer, make(options))
