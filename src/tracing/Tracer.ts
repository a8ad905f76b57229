import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as EffectTracer from "effect/Tracer"
import * as AsyncContext from "../context/AsyncContext.ts"
import { HttpServerRequest } from "../context/HttpReferences.ts"
import type { Environment } from "../context/EnvironmentCarrier.ts"
import * as outbound from "../context/outbound.ts"
import { composite, Propagator } from "../context/Propagator.ts"
import * as traceLocal from "../context/traceLocal.ts"
import { TracesLedger } from "../diagnostics/CurrentLedger.ts"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { optionalService } from "../internal/optionalService.ts"
import { wallTime } from "../internal/wallTime.ts"
import type { Baggage } from "../model/Baggage.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { Resource } from "../model/Resource.ts"
import { SpanProcessor } from "../processors/SpanProcessor.ts"
import { DecisionLog } from "../sampling/DecisionLog.ts"
import { Sampler } from "../sampling/Sampler.ts"
import { extractEnvironment } from "./carrier.ts"
import { IdGenerator } from "./IdGenerator.ts"
import { continueRequest } from "./incoming.ts"
import { OutcomePolicy } from "./Outcome.ts"
import { remoteBaggage, trusted } from "./parentContext.ts"
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

/** The baggage that a span captured, or brought from elsewhere. */
export const spanBaggage = (span: EffectTracer.AnySpan | undefined): Baggage | undefined =>
  isOwn(span) ? span.baggage : span === undefined ? undefined : remoteBaggage(span)

/** The baggage that is current on a fiber: the innermost of what was set by an operator and what the span captured. */
export const fiberBaggage = (fiber: Fiber.Fiber<unknown, unknown>): Baggage | undefined => {
  const local = traceLocal.ofFiber(fiber)
  const span = fiber.cache.span
  if (local.baggage !== undefined && (local.baggageSetIn === span || !isOwn(span))) return local.baggage
  return spanBaggage(span)
}

/**
 * Effect's tracer over a {@link TracerCore}: every `Effect.withSpan`, `Effect.fn`, `Layer.span`, HTTP and RPC span goes
 * through it.
 *
 * **Details**
 *
 * The span that Effect's HTTP server opens for a request is continued from the request's headers by the installed
 * propagator, tracestate and baggage included; without a usable header it is a root span, also when the server was
 * started within a span. Where an instrumentation of `node:http` has opened a span for the same request, it is a child of
 * that.
 */
export class TelemetryTracer implements EffectTracer.Tracer {
  readonly core: TracerCore
  readonly context: EffectTracer.Tracer["context"]

  constructor(core: TracerCore, context?: EffectTracer.Tracer["context"]) {
    this.core = core
    this.context = context
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
        const request = continueRequest(this.core, Context.getOrUndefined(fiber.context, HttpServerRequest), parent)
        if (request !== undefined) {
          isHttpServer = true
          parent = request.parent
          baggage = request.baggage
          if (sampled === true) sampled = undefined
        } else if (this.core.options.trustIncoming !== true) {
          parent = trusted(parent, this.core.options.trustIncoming)
        }
      } else if (options.kind === "client") {
        const reservation = fiber.getRef(Reservation)
        if (reservation !== undefined && !reservation.used) {
          reservation.used = true
          reserved = reservation.span
        }
      }
    }
    if (!options.root && !isHttpServer && parent === fiber?.cache.span) parent = AsyncContext.innermost(parent)

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
  /**
   * Whether plain asynchronous code that an effect waits for runs in the effect's span. It costs each primitive of a fiber
   * some ten nanoseconds. Default `true`.
   */
  readonly followAsync?: boolean | undefined
  /** Whether a context in incoming headers is continued; `"edge"` starts a new trace with a link to it. Default `true`. */
  readonly trustIncoming?: boolean | "edge" | undefined
  /** Hosts that are sent the span's context, as in `TelemetryOptions`. Default all. */
  readonly propagateTo?: ReadonlyArray<string> | undefined
  /** Hosts that are sent baggage, as in `TelemetryOptions`. Default those of the private network. */
  readonly propagateBaggageTo?: ReadonlyArray<string> | undefined
  /** Variables that carry the parent of spans that have none here. */
  readonly environment?: Environment | undefined
}

/**
 * Makes a tracer from the services in context. When the scope closes, later ends are booked as `shutdown`.
 */
export const make = (
  options: TracerOptions
): Effect.Effect<TelemetryTracer, never, Sampler | SpanProcessor | Propagator | Scope.Scope> =>
  Effect.gen(function*() {
    const clock = yield* Clock.Clock
    const diagnostics = yield* Diagnostics
    // Whoever wrote it: what it throws must not reach the program, nor what it writes another header.
    const propagator = composite([yield* Propagator], diagnostics)
    const core = new TracerCore({
      sampler: yield* Sampler,
      processor: yield* SpanProcessor,
      propagator,
      outbound: outbound.compile({
        trace: options.propagateTo ?? ["all"],
        baggage: options.propagateBaggageTo ?? ["internal"]
      }),
      trustIncoming: options.trustIncoming ?? true,
      processParent: options.environment === undefined
        ? undefined
        : extractEnvironment(propagator, options.environment).parent,
      resource: options.resource,
      scope: options.scope,
      disabled: options.disabled,
      limits: yield* SpanLimits,
      ids: yield* IdGenerator,
      outcome: yield* OutcomePolicy,
      ledger: yield* TracesLedger,
      diagnostics,
      clock,
      wall: wallTime(clock),
      decisions: yield* optionalService(DecisionLog)
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => core.shutdown()))
    return new TelemetryTracer(core, options.followAsync === false ? undefined : AsyncContext.makeFollower())
  })

/** Installs a tracer: from here on every span of the program is one of ours. */
export const layer = (options: TracerOptions): Layer.Layer<never, never, Sampler | SpanProcessor | Propagator> =>
  Layer.effect(EffectTracer.Tracer, make(options))
