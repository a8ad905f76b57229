/**
 * Exporters and processors as objects, for those who compose by hand. Each is a description of a part of the library; the
 * part itself is made when a telemetry starts with it, once for each.
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { otlpExporter, type PipelineOptions } from "../assembly.ts"
import * as ConsoleSpanExporter from "../exporters/ConsoleSpanExporter.ts"
import * as InMemorySpanExporter from "../exporters/InMemorySpanExporter.ts"
import { SpanExporter, type SpanExporterShape } from "../exporters/SpanExporter.ts"
import type { SpanData } from "../model/SpanData.ts"
import * as Batch from "../processors/BatchSpanProcessor.ts"
import * as Simple from "../processors/SimpleSpanProcessor.ts"
import type { SpanProcessorShape } from "../processors/SpanProcessor.ts"
import type { TelemetryLayerOptions } from "../Telemetry.ts"
import * as TelemetryConfig from "../TelemetryConfig.ts"

type Environment = TelemetryConfig.Environment | undefined
type Making<A> = Effect.Effect<A, never, Scope.Scope>

/** An exporter of this module. */
export abstract class ExporterHandle {
  /** @internal Makes the exporter, with variables from `env`. */
  abstract make(env: Environment): Making<SpanExporterShape>
}

/** A processor of this module. */
export abstract class ProcessorHandle {
  /** @internal Makes the processor, with variables from `env`. */
  abstract make(env: Environment): Making<SpanProcessorShape>
}

/** Where spans go: a handle, or an exporter of the library's other modules. */
export type Exporter = ExporterHandle | SpanExporterShape | Making<SpanExporterShape>

/** What happens to spans: a handle, or a processor of the library's other modules. */
export type Processor = ProcessorHandle | SpanProcessorShape | Making<SpanProcessorShape>

/** Keeps the newest spans in memory. */
export class InMemoryExporter extends ExporterHandle {
  readonly #memory: InMemorySpanExporter.InMemorySpanExporter

  constructor(options?: InMemorySpanExporter.Options) {
    super()
    this.#memory = InMemorySpanExporter.makeUnsafe(options)
  }

  /** The spans exported so far, in order of their end; `flush` the tracer before. A copy. */
  getSpans(): ReadonlyArray<SpanData> {
    return Effect.runSync(this.#memory.spans)
  }

  /** Forgets them. */
  reset(): void {
    Effect.runSync(this.#memory.reset)
  }

  /** @internal */
  make(): Making<SpanExporterShape> {
    return Effect.succeed(this.#memory.exporter)
  }
}

/** Writes spans to the console. */
export class ConsoleExporter extends ExporterHandle {
  readonly #options: ConsoleSpanExporter.Options | undefined

  constructor(options?: ConsoleSpanExporter.Options) {
    super()
    this.#options = options
  }

  /** @internal */
  make(): Making<SpanExporterShape> {
    return ConsoleSpanExporter.make(this.#options)
  }
}

/**
 * Sends spans by OTLP over HTTP.
 *
 * **Details**
 *
 * The options are those of `otlp` in `TraceContext.initialize`; what they leave out is read from `OTEL_EXPORTER_OTLP_*`.
 * Options that cannot be taken are an error when the telemetry starts.
 */
export class OTLPExporter extends ExporterHandle {
  readonly #otlp: TelemetryConfig.OtlpOptions | undefined

  constructor(options?: TelemetryConfig.OtlpOptions) {
    super()
    this.#otlp = options
  }

  /** @internal */
  make(env: Environment): Making<SpanExporterShape> {
    return Effect.flatMap(
      Effect.orDie(TelemetryConfig.load({ options: { otlp: this.#otlp }, env })),
      ({ config }) => otlpExporter(config)
    )
  }
}

const provided =
  (exporter: Exporter, env: Environment) =>
  <A>(processor: Effect.Effect<A, never, SpanExporter | Scope.Scope>): Making<A> =>
    Effect.flatMap(madeOf(exporter, env), (made) => Effect.provideService(processor, SpanExporter, made))

/** Exports each sampled span by itself as it ends; for tests and consoles. */
export class SimpleSpanProcessor extends ProcessorHandle {
  readonly #exporter: Exporter
  readonly #options: Simple.SimpleSpanProcessorOptions | undefined

  constructor(exporter: Exporter, options?: Simple.SimpleSpanProcessorOptions) {
    super()
    this.#exporter = exporter
    this.#options = options
  }

  /** @internal */
  make(env: Environment): Making<SpanProcessorShape> {
    return provided(this.#exporter, env)(Simple.make(this.#options))
  }
}

/** Exports sampled spans in batches, in the background. */
export class BatchSpanProcessor extends ProcessorHandle {
  readonly #exporter: Exporter
  readonly #options: Batch.BatchSpanProcessorOptions | undefined

  constructor(exporter: Exporter, options?: Batch.BatchSpanProcessorOptions) {
    super()
    this.#exporter = exporter
    this.#options = options
  }

  /** @internal */
  make(env: Environment): Making<SpanProcessorShape> {
    return provided(this.#exporter, env)(Batch.make(this.#options))
  }
}

const madeOf = (exporter: Exporter, env: Environment): Making<SpanExporterShape> =>
  exporter instanceof ExporterHandle
    ? exporter.make(env)
    : Effect.isEffect(exporter)
    ? exporter
    : Effect.succeed(exporter)

/** Options of `TraceContext.initialize`: those of `TelemetryLayer`, with exporters and processors of this module, too. */
export interface InitializeOptions extends Omit<TelemetryLayerOptions, keyof PipelineOptions> {
  /**
   * Exporters, each behind a batch processor of its own. They take the place of the configured ones, unless
   * `tracesExporters` is stated beside them.
   */
  readonly exporters?: ReadonlyArray<Exporter> | undefined
  /**
   * Processors that every span passes, in order. Where one of them is a `SimpleSpanProcessor` or a `BatchSpanProcessor` of
   * this module, they take the place of the configured exporters, too.
   */
  readonly processors?: ReadonlyArray<Processor> | undefined
  /**
   * Parts that `TelemetryLayer` looks for, as layers provide them to it in Effect: `Sampling.layerFile({ path })`,
   * `TailSampler.layer()`, `DecisionLog.layer()` and others of `effect-telemetry`; several of them by `Layer.provideMerge`.
   */
  readonly services?: Layer.Layer<never, unknown> | undefined
}

/** The same options for `TelemetryLayer`. */
export const layerOptions = (given: InitializeOptions): TelemetryLayerOptions => {
  const { exporters, processors, services: _, ...options } = given
  const isExporting = processors?.some((processor) => processor instanceof ProcessorHandle) === true
  return {
    ...options,
    exporters: (exporters ?? (isExporting ? [] : undefined))?.map((exporter) => madeOf(exporter, options.env)),
    processors: processors?.map((processor) =>
      processor instanceof ProcessorHandle ? processor.make(options.env) : processor
    )
  }
}
