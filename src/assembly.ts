/** From a configuration to the parts that a telemetry layer is made of. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { ProcessExit } from "./delivery/ProcessExit.ts"
import * as Spool from "./delivery/Spool.ts"
import { Diagnostics } from "./diagnostics/Diagnostics.ts"
import * as ConsoleSpanExporter from "./exporters/ConsoleSpanExporter.ts"
import * as OtlpSpanExporter from "./exporters/OtlpSpanExporter.ts"
import { SpanExporter, type SpanExporterShape } from "./exporters/SpanExporter.ts"
import { optionalService } from "./internal/optionalService.ts"
import { nodeBuiltin } from "./internal/nodeBuiltin.ts"
import * as Resource from "./model/Resource.ts"
import * as BatchSpanProcessor from "./processors/BatchSpanProcessor.ts"
import * as RedactSpanProcessor from "./processors/RedactSpanProcessor.ts"
import * as SimpleSpanProcessor from "./processors/SimpleSpanProcessor.ts"
import { compose, type SpanProcessorShape } from "./processors/SpanProcessor.ts"
import { TailSampler } from "./processors/tailService.ts"
import * as ResourceDetector from "./resource/ResourceDetector.ts"
import type { TelemetryConfig, TracesExporterName } from "./TelemetryConfig.ts"

/** The parts of a pipeline that only code can state. */
export interface PipelineOptions {
  /**
   * Exporters, each behind a batch processor of its own. They take the place of the configured ones, unless
   * `tracesExporters` is stated beside them.
   */
  readonly exporters?:
    | ReadonlyArray<SpanExporterShape | Effect.Effect<SpanExporterShape, never, Scope.Scope>>
    | undefined
  /** Processors that every span passes, in order, after redaction and before the exporters. */
  readonly processors?:
    | ReadonlyArray<SpanProcessorShape | Effect.Effect<SpanProcessorShape, never, Scope.Scope>>
    | undefined
}

const made = <A, R>(part: A | Effect.Effect<A, never, R>): Effect.Effect<A, never, R> =>
  Effect.isEffect(part) ? part : Effect.succeed(part)

const readPem = Effect.fnUntraced(function*(path: string | undefined, option: string) {
  if (path === undefined) return undefined
  const fs = nodeBuiltin<typeof import("node:fs")>("fs")
  const diagnostics = yield* Diagnostics
  return yield* Effect.catch(
    Effect.try({
      try: () => {
        if (fs === undefined) throw new Error("this runtime has no files")
        return fs.readFileSync(path, "utf8")
      },
      catch: (error) => error instanceof Error ? error.message : String(error)
    }),
    (reason) =>
      Effect.sync(() => {
        diagnostics.report("error", `config.${option}`, `${option} cannot be read and is not used: ${reason}`)
        return undefined
      })
  )
})

/** The OTLP exporter of a configuration. */
export const otlpExporter = Effect.fnUntraced(function*(config: TelemetryConfig) {
  const { otlp } = config
  const { directory } = config.spool
  const provided = yield* optionalService(Spool.Spool)
  const spool = provided ?? (directory === undefined ? undefined : Spool.make({ ...config.spool, directory }))
  const exporter = OtlpSpanExporter.make({
    url: otlp.tracesEndpoint,
    protocol: otlp.protocol,
    headers: otlp.headers,
    timeout: Number.isFinite(otlp.timeout) ? otlp.timeout : 0,
    compression: otlp.compression,
    maxRequestBytes: otlp.maxRequestBytes,
    maxResponseBytes: otlp.maxResponseBytes,
    allowClearTextCredentials: otlp.allowClearTextCredentials,
    certificate: yield* readPem(otlp.certificate, "otlp.certificate"),
    clientKey: yield* readPem(otlp.clientKey, "otlp.clientKey"),
    clientCertificate: yield* readPem(otlp.clientCertificate, "otlp.clientCertificate")
  })
  return yield* spool === undefined ? exporter : Effect.provideService(exporter, Spool.Spool, spool)
})

const batched = (config: TelemetryConfig, exporter: SpanExporterShape) =>
  Effect.provideService(
    BatchSpanProcessor.make({
      ...config.batch,
      exportTimeout: Number.isFinite(config.batch.exportTimeout) ? config.batch.exportTimeout : 0,
      shutdownTimeout: config.shutdownTimeout
    }),
    SpanExporter,
    exporter
  )

const named = Effect.fnUntraced(function*(config: TelemetryConfig, name: TracesExporterName) {
  if (name === "otlp") return yield* batched(config, yield* otlpExporter(config))
  const exporter = yield* ConsoleSpanExporter.make(name === "otlp/stdout" ? { format: "json" } : {})
  return yield* Effect.provideService(
    SimpleSpanProcessor.make({ shutdownTimeout: config.shutdownTimeout }),
    SpanExporter,
    exporter
  )
})

/** The processors of a configuration: redaction, the program's own, tail sampling, then one for each exporter. */
export const buildPipeline = Effect.fnUntraced(function*(
  config: TelemetryConfig,
  options: PipelineOptions & { readonly tracesExporters: ReadonlyArray<unknown> | undefined }
): Effect.fn.Return<SpanProcessorShape, never, Scope.Scope> {
  const diagnostics = yield* Diagnostics
  if (config.disabled) return compose([], diagnostics)
  const provided = yield* optionalService(SpanExporter)
  const exporters = [
    ...provided === undefined ? [] : [provided],
    ...yield* Effect.forEach(options.exporters ?? [], made)
  ]
  const isReplaced = provided !== undefined || options.exporters !== undefined
  const names = isReplaced && options.tracesExporters === undefined ? [] : config.tracesExporters
  const processors = [
    ...config.redact ? [yield* RedactSpanProcessor.make()] : [],
    ...yield* Effect.forEach(options.processors ?? [], made),
    ...yield* Effect.forEach(exporters, (exporter) => batched(config, exporter)),
    ...yield* Effect.forEach(names, (name) => named(config, name))
  ]
  const tail = yield* optionalService(TailSampler)
  if (tail === undefined) return compose(processors, diagnostics)
  // After the exporters, so that it runs before they close.
  const takeBack = (yield* ProcessExit).add(tail.decideAll)
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      takeBack()
      tail.decideAll()
    })
  )
  // Before whatever feeds a destination, a processor of the program's own included.
  const first = processors.findIndex((processor) => processor.accounts.length > 0)
  const at = first < 0 ? processors.length : first
  return compose([...processors.slice(0, at), tail.processor, ...processors.slice(at)], diagnostics)
})

const builtIn = {
  process: ResourceDetector.process(),
  host: ResourceDetector.host,
  serviceinstance: ResourceDetector.serviceInstance
}

/** Who emits: what the SDK says of itself, what the detectors find, what was stated; each wins over those before it. */
export const buildResource = (
  config: TelemetryConfig,
  custom: ReadonlyArray<ResourceDetector.ResourceDetector>
): Effect.Effect<Resource.Resource> =>
  ResourceDetector.detectAll([
    ResourceDetector.make("service", { "service.name": config.serviceName }),
    ...config.detectors.map((name) => builtIn[name]),
    ...custom,
    {
      name: "options",
      detect: Effect.succeed(Resource.make(config.resource.attributes, config.resource.schemaUrl))
    },
    ResourceDetector.sdk
  ])
