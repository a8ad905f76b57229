/**
 * Parts of the OpenTelemetry SDK for JavaScript (`@opentelemetry/sdk-trace-base`, or anybody's that have their shape) as
 * parts of this library.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { TextMapPropagator } from "../context/Propagator.ts"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import * as SpanDataBatch from "../exporters/SpanDataBatch.ts"
import * as SpanExporter from "../exporters/SpanExporter.ts"
import { describeError } from "../internal/describeError.ts"
import { hexToWord, isSpanId, isTraceId } from "../internal/hex.ts"
import * as Resource from "../model/Resource.ts"
import { fromReadable } from "../model/SpanData.ts"
import type { SpanProcessorShape } from "../processors/SpanProcessor.ts"
import type { ResourceDetector } from "../resource/ResourceDetector.ts"
import type { SamplerShape, SamplingDecision, SamplingInput } from "../sampling/Sampler.ts"
import * as Threshold from "../sampling/Threshold.ts"
import type { IdGenerator } from "../tracing/IdGenerator.ts"
import { isOwn } from "../tracing/Span.ts"
import type * as Api from "./api.ts"
import { contextOf } from "./OtelAmbient.ts"
import * as otelContext from "./otelContext.ts"
import { kindNumber } from "./otelKinds.ts"
import * as otelPropagator from "./otelPropagator.ts"
import { viewOf } from "./OtelSpan.ts"
import * as otelSpanContext from "./otelSpanContext.ts"
import * as otelTraceState from "./otelTraceState.ts"
import { noSpan } from "./noSpan.ts"
import * as sdkSpan from "./sdkSpan.ts"

/** A promise of somebody else: what it fails with is told, and ends nothing. */
const settled = (name: string, what: string, run: () => Promise<unknown> | undefined, diagnostics: Diagnostics) =>
  Effect.catch(
    Effect.tryPromise(() => Promise.resolve(run())),
    (error) =>
      Effect.sync(() =>
        diagnostics.report("warn", `${name}.${what}`, `${name} could not ${what}: ${describeError(error.cause)}`)
      )
  )

/**
 * A span processor of the SDK, until the scope closes.
 *
 * **Details**
 *
 * It sees each recorded span when it starts, and may add to it, and when it has ended. The span goes on to the next
 * processor. What it exports by itself is not in this library's books.
 */
export const spanProcessor = Effect.fnUntraced(function*(
  processor: Api.SpanProcessor,
  options?: { readonly name?: string | undefined }
): Effect.fn.Return<SpanProcessorShape, never, Scope.Scope> {
  const diagnostics = yield* Diagnostics
  const name = options?.name ?? "opentelemetry"
  const { onEnd, onStart } = processor as unknown as {
    readonly onStart: (span: Api.Span, context: Api.Context) => void
    readonly onEnd: (span: Api.ReadableSpan) => void
  }
  yield* Effect.addFinalizer(() => settled(name, "shut down", () => processor.shutdown(), diagnostics))
  return {
    name,
    keepsSpans: true,
    accounts: [],
    flush: settled(name, "flush", () => processor.forceFlush(), diagnostics),
    onStart: (span) => {
      if (isOwn(span)) onStart.call(processor, viewOf(span), contextOf(span.parentSpan))
    },
    onEnd: (span, next) => {
      try {
        onEnd.call(processor, isOwn(span) ? viewOf(span) : sdkSpan.toSdk(fromReadable(span)))
      } finally {
        next.emit(span)
      }
    }
  }
})

/**
 * A span exporter of the SDK, shut down when the scope closes.
 *
 * **Details**
 *
 * A batch that it reports as failed is booked as `export_error`. Whether it tries again is its own affair.
 */
export const spanExporter = Effect.fnUntraced(function*(
  exporter: Api.SpanExporter,
  options?: { readonly name?: string | undefined }
): Effect.fn.Return<SpanExporter.SpanExporterShape, never, Scope.Scope> {
  const diagnostics = yield* Diagnostics
  const name = options?.name ?? "opentelemetry"
  const send = exporter.export.bind(exporter) as (
    spans: ReadonlyArray<Api.ReadableSpan>,
    done: (result: Api.ExportResult) => void
  ) => void
  yield* Effect.addFinalizer(() => settled(name, "shut down", () => exporter.shutdown(), diagnostics))
  return SpanExporter.make<SpanDataBatch.SpanDataBatch>({
    name,
    makeBatch: SpanDataBatch.make,
    export: ({ spans }) =>
      Effect.callback((resume) => {
        const failed = (error: unknown) =>
          resume(Effect.fail(
            new SpanExporter.ExportError({ destination: name, reason: "export_error", detail: describeError(error) })
          ))
        try {
          send(spans.map(sdkSpan.toSdk), ({ code, error }) => {
            if (code === 0) resume(Effect.succeed({ exported: spans.length }))
            else failed(error ?? "the exporter reported a failure")
          })
        } catch (error) {
          failed(error)
        }
      })
  })
})

/**
 * A sampler of the SDK.
 *
 * **Details**
 *
 * It says yes or no and not with which probability, so the weight of what it keeps is unknown: no threshold is written into
 * the tracestate.
 */
export const sampler = (sampler: Api.Sampler): SamplerShape => {
  const ask = sampler.shouldSample.bind(sampler) as (
    context: Api.Context,
    traceId: string,
    name: string,
    kind: number,
    attributes: Api.Attributes,
    links: ReadonlyArray<Api.Link>
  ) => ReturnType<Api.Sampler["shouldSample"]>
  return {
    description: `OpenTelemetry{${String(sampler)}}`,
    decide: (input) => {
      const { attributes, decision, traceState } = ask(
        parentContextOf(input),
        input.traceId,
        input.name,
        kindNumber(input.kind),
        input.attributes as Api.Attributes,
        input.links.map(sdkSpan.toLink)
      )
      return {
        ...decisions[decision] ?? dropped,
        ...attributes === undefined ? {} : { attributes },
        ...traceState === undefined ? {} : { traceState: otelTraceState.fromOtel(traceState) }
      }
    }
  }
}

const dropped: SamplingDecision = { threshold: Threshold.never, reliable: false }
// NOT_RECORD, RECORD, RECORD_AND_SAMPLED
const decisions: ReadonlyArray<SamplingDecision> = [
  dropped,
  { ...dropped, record: true },
  { threshold: Threshold.always, reliable: false }
]

const parentContextOf = ({ parent, traceId }: SamplingInput): Api.Context =>
  parent?.spanId === undefined
    ? otelContext.rootContext
    : otelContext.withSpan(
      otelContext.rootContext,
      noSpan(otelSpanContext.toOtel({
        traceId,
        spanId: parent.spanId,
        traceFlags: parent.traceFlags,
        traceState: parent.traceState,
        isRemote: parent.isRemote
      }))
    )

/** An id generator of the SDK. What it gives that is no valid id is replaced by one that is. */
export const idGenerator = (generator: Api.IdGenerator, otherwise: IdGenerator): IdGenerator => ({
  // Nobody says how it makes them.
  isRandom: false,
  writeTraceId: (words) => {
    const id = generator.generateTraceId()
    if (!isTraceId(id)) return otherwise.writeTraceId(words)
    for (let i = 0; i < 4; i++) words[i] = hexToWord(id, i * 8)
  },
  writeSpanId: (words) => {
    const id = generator.generateSpanId()
    if (!isSpanId(id)) return otherwise.writeSpanId(words)
    for (let i = 0; i < 2; i++) words[i] = hexToWord(id, i * 8)
  }
})

/** A propagator of the API. */
export const propagator = (propagator: Api.TextMapPropagator): TextMapPropagator => otelPropagator.fromOtel(propagator)

/** A resource detector of `@opentelemetry/resources`; what it knows later is waited for. */
export const resourceDetector = (detector: Api.ResourceDetector, name = "opentelemetry"): ResourceDetector => ({
  name,
  detect: Effect.gen(function*() {
    const { attributes = {}, schemaUrl } = yield* Effect.try({ try: () => detector.detect(), catch: (error) => error })
    const found = yield* Effect.forEach(
      Object.entries(attributes),
      ([key, value]) => Effect.map(Effect.tryPromise(() => Promise.resolve(value)), (known) => [key, known] as const),
      { concurrency: "unbounded" }
    )
    return Resource.make(Object.fromEntries(found), schemaUrl)
  })
})
