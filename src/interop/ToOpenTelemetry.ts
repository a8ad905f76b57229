/** Parts of this library as parts of the OpenTelemetry SDK for JavaScript, where a program has one. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { TextMapPropagator } from "../context/Propagator.ts"
import type { SpanExporterShape } from "../exporters/SpanExporter.ts"
import { describeError } from "../internal/describeError.ts"
import { hexToWord } from "../internal/hex.ts"
import type { SamplerShape } from "../sampling/Sampler.ts"
import * as OtTraceState from "../sampling/OtTraceState.ts"
import * as Threshold from "../sampling/Threshold.ts"
import type * as Api from "./api.ts"
import * as otelContext from "./otelContext.ts"
import { kindOf } from "./otelKinds.ts"
import * as otelPropagator from "./otelPropagator.ts"
import * as otelTraceState from "./otelTraceState.ts"
import * as sdkSpan from "./sdkSpan.ts"

/** An exporter for the SDK's processors. */
export interface OtelSpanExporter {
  readonly export: (spans: ReadonlyArray<Api.ReadableSpan>, done: (result: Api.ExportResult) => void) => void
  readonly forceFlush: () => Promise<void>
  readonly shutdown: () => Promise<void>
}

const noRoom = Number.MAX_SAFE_INTEGER

/**
 * A span exporter of this library for the SDK's processors. It is opened at once and closed by `shutdown`.
 *
 * **Details**
 *
 * Success is an export of which every span was accepted; anything else is a failure, with the reason.
 */
export const spanExporter = (
  make: Effect.Effect<SpanExporterShape, unknown, Scope.Scope> | SpanExporterShape
): OtelSpanExporter => {
  const scope = Scope.makeUnsafe()
  const opening = Effect.runFork(
    Effect.isEffect(make) ? Effect.provideService(make, Scope.Scope, scope) : Effect.succeed(make)
  )
  const running = new Set<Fiber.Fiber<unknown, unknown>>()
  const done = Effect.suspend(() => Fiber.awaitAll([...running]))

  const send = Effect.fnUntraced(function*(spans: ReadonlyArray<Api.ReadableSpan>) {
    const exporter = yield* Fiber.join(opening)
    const batch = exporter.makeBatch()
    for (const span of spans) batch.add(sdkSpan.fromSdk(span), noRoom)
    batch.seal?.()
    const { exported } = yield* Effect.withTracerEnabled(exporter.export(batch), false)
    batch.release?.()
    if (exported >= spans.length) return
    return yield* Effect.fail(`${exporter.name}: ${spans.length - exported} of ${spans.length} spans not accepted`)
  })

  return {
    export: (spans, result) => {
      const fiber = Effect.runFork(send(spans))
      running.add(fiber)
      fiber.addObserver((exit) => {
        running.delete(fiber)
        if (Exit.isSuccess(exit)) return result({ code: 0 })
        const error = Cause.squash(exit.cause)
        result({ code: 1, error: error instanceof Error ? error : new Error(describeError(error)) })
      })
    },
    forceFlush: () => Effect.runPromise(Effect.asVoid(done)),
    shutdown: () => Effect.runPromise(Effect.andThen(done, Scope.close(scope, Exit.void)))
  }
}

/** A sampler for the SDK's tracers. */
export interface OtelSampler {
  readonly shouldSample: (
    context: Api.Context,
    traceId: string,
    name: string,
    kind: number,
    attributes: Api.Attributes,
    links: Array<Api.Link>
  ) => { decision: number; attributes?: Readonly<Api.Attributes>; traceState?: Api.TraceState }
  readonly toString: () => string
}

/**
 * A sampler of this library for the SDK. The threshold is written into the tracestate, as the tracer of this library does.
 */
export const sampler = (sampler: SamplerShape): OtelSampler => ({
  toString: () => sampler.description,
  shouldSample: (context, traceId, name, kind, attributes, links) => {
    const parent = otelContext.spanIn(context)?.spanContext()
    const isChild = parent?.traceId === traceId
    const traceState = isChild ? otelTraceState.fromOtel(parent.traceState) : ""
    const decision = sampler.decide({
      name,
      kind: kindOf(kind),
      traceId,
      attributes,
      links: links.map((link) => sdkSpan.fromLink(link)),
      parent: isChild
        ? { traceFlags: parent.traceFlags, traceState, isRemote: parent.isRemote === true, spanId: parent.spanId }
        : undefined
    })
    const randomness = OtTraceState.read(traceState).randomness
    const keeps = Threshold.keeps(
      decision.threshold,
      randomness?.hi ?? Threshold.randomnessHi(hexToWord(traceId, 16), hexToWord(traceId, 24)),
      randomness?.lo ?? Threshold.randomnessLo(hexToWord(traceId, 24))
    )
    const after = otelTraceState.toOtel(OtTraceState.afterDecision(traceState, decision, keeps))
    return {
      decision: keeps ? 2 : decision.record === true ? 1 : 0,
      ...decision.attributes === undefined ? {} : { attributes: decision.attributes as Api.Attributes },
      ...after === undefined ? {} : { traceState: after }
    }
  }
})

/** A propagator of this library for the API. */
export const propagator = (propagator: TextMapPropagator): Api.TextMapPropagator => otelPropagator.toOtel(propagator)
