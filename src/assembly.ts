/** From a configuration to the parts that a telemetry layer is made of. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Delivery } from "./delivery/Delivery.ts"
import { ProcessExit } from "./delivery/ProcessExit.ts"
import * as Spool from "./delivery/Spool.ts"
import { Diagnostics } from "./diagnostics/Diagnostics.ts"
import * as ConsoleLogExporter from "./exporters/ConsoleLogExporter.ts"
import * as ConsoleSpanExporter from "./exporters/ConsoleSpanExporter.ts"
import { LogExporter, type LogExporterShape } from "./exporters/LogExporter.ts"
import { makeDelivery } from "./exporters/otlpExporter.ts"
import * as OtlpLogExporter from "./exporters/OtlpLogExporter.ts"
import * as OtlpSpanExporter from "./exporters/OtlpSpanExporter.ts"
import { SpanExporter, type SpanExporterShape } from "./exporters/SpanExporter.ts"
import { optionalService } from "./internal/optionalService.ts"
import { nodeBuiltin } from "./internal/nodeBuiltin.ts"
import * as BatchLogRecordProcessor from "./logs/BatchLogRecordProcessor.ts"
import { compose as composeLogs, type LogRecordProcessorShape } from "./logs/LogRecordProcessor.ts"
import * as RedactLogRecordProcessor from "./logs/RedactLogRecordProcessor.ts"
import * as SimpleLogRecordProcessor from "./logs/SimpleLogRecordProcessor.ts"
import * as Resource from "./model/Resource.ts"
import * as BatchSpanProcessor from "./processors/BatchSpanProcessor.ts"
import * as RedactSpanProcessor from "./processors/RedactSpanProcessor.ts"
import * as SimpleSpanProcessor from "./processors/SimpleSpanProcessor.ts"
import { compose, SpanProcessor, type SpanProcessorShape } from "./processors/SpanProcessor.ts"
import { TailSampler } from "./processors/tailService.ts"
import * as ResourceDetector from "./resource/ResourceDetector.ts"
import type { LogsExporterName, TelemetryConfig, TracesExporterName } from "./TelemetryConfig.ts"

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
  /** The same for log records. */
  readonly logs?:
    | {
      /**
       * Exporters, each behind a batch processor of its own. They take the place of the configured ones, unless
       * `logsExporters` is stated beside them.
       */
      readonly exporters?:
        | ReadonlyArray<LogExporterShape | Effect.Effect<LogExporterShape, never, Scope.Scope>>
        | undefined
      /** Processors that every record passes, in order, after redaction and before the exporters. */
      readonly processors?:
        | ReadonlyArray<LogRecordProcessorShape | Effect.Effect<LogRecordProcessorShape, never, Scope.Scope>>
        | undefined
    }
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

/** Where spans are kept on disk, and log records: a spool of the program's, or the configured one. */
const withSpool = Effect.fnUntraced(function*<A>(
  config: TelemetryConfig,
  exporter: Effect.Effect<A, never, Scope.Scope>
): Effect.fn.Return<A, never, Scope.Scope> {
  const { directory } = config.spool
  const provided = yield* optionalService(Spool.Spool)
  const spool = provided ?? (directory === undefined ? undefined : Spool.make({ ...config.spool, directory }))
  return yield* spool === undefined ? exporter : Effect.provideService(exporter, Spool.Spool, spool)
})

/** What a destination is sent with. */
type Sending = Pick<
  TelemetryConfig["otlpLogs"],
  "headers" | "timeout" | "compression" | "certificate" | "clientKey" | "clientCertificate"
>

const sendingOptions = Effect.fnUntraced(function*(config: TelemetryConfig, sending: Sending, group: string) {
  const { otlp } = config
  return {
    headers: sending.headers,
    timeout: Number.isFinite(sending.timeout) ? sending.timeout : 0,
    compression: sending.compression,
    maxRequestBytes: otlp.maxRequestBytes,
    maxResponseBytes: otlp.maxResponseBytes,
    allowClearTextCredentials: otlp.allowClearTextCredentials,
    certificate: yield* readPem(sending.certificate, `${group}.certificate`),
    clientKey: yield* readPem(sending.clientKey, `${group}.clientKey`),
    clientCertificate: yield* readPem(sending.clientCertificate, `${group}.clientCertificate`)
  }
})

/** Whether both signals go to one server in the same way, so that what one learns of it holds for the other. */
const isSameDestination = ({ otlp, otlpLogs }: TelemetryConfig): boolean => {
  const plain = (headers: Sending["headers"]): string =>
    JSON.stringify(Object.keys(headers).sort().map((name) => [name, Redacted.value(headers[name]!)]))
  return new URL(otlp.tracesEndpoint).origin === new URL(otlpLogs.endpoint).origin &&
    plain(otlp.headers) === plain(otlpLogs.headers) &&
    (["timeout", "compression", "certificate", "clientKey", "clientCertificate"] as const)
      .every((name) => otlp[name] === otlpLogs[name])
}

/** The delivery of traces, for the exporters that share it; made when it is first asked for. */
export type SharedDelivery = () => Effect.Effect<Delivery, never, Scope.Scope>

/** Makes {@link SharedDelivery}. */
export const sharedDelivery = (config: TelemetryConfig): SharedDelivery => {
  let made: Delivery | undefined
  return Effect.fnUntraced(function*() {
    return made ??= yield* makeDelivery({ ...yield* sendingOptions(config, config.otlp, "otlp"), name: "otlp" })
  })
}

/** The OTLP exporter of a configuration. */
export const otlpExporter = Effect.fnUntraced(function*(
  config: TelemetryConfig,
  shared: SharedDelivery = sharedDelivery(config)
) {
  const { maxRequestBytes, protocol, tracesEndpoint } = config.otlp
  const delivery = yield* shared()
  return yield* withSpool(config, OtlpSpanExporter.make({ url: tracesEndpoint, protocol, maxRequestBytes, delivery }))
})

const otlpLogExporter = Effect.fnUntraced(function*(config: TelemetryConfig, shared: SharedDelivery) {
  const { endpoint: url, protocol } = config.otlpLogs
  const { maxRequestBytes } = config.otlp
  const name = "otlp/logs"
  const delivery = yield* isSameDestination(config)
    ? shared()
    : makeDelivery({ ...yield* sendingOptions(config, config.otlpLogs, "otlpLogs"), name })
  return yield* withSpool(config, OtlpLogExporter.make({ url, name, protocol, maxRequestBytes, delivery }))
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

const named = Effect.fnUntraced(function*(config: TelemetryConfig, name: TracesExporterName, shared: SharedDelivery) {
  if (name === "otlp") return yield* batched(config, yield* otlpExporter(config, shared))
  const exporter = yield* ConsoleSpanExporter.make(name === "otlp/stdout" ? { format: "json" } : {})
  return yield* Effect.provideService(
    SimpleSpanProcessor.make({ shutdownTimeout: config.shutdownTimeout }),
    SpanExporter,
    exporter
  )
})

const defaultQueueSize = 2048
// More spans than the queue has bytes for: those alone are the bound.
const unboundedQueueSize = 1_000_000

/**
 * A tail sampler hands over all that it keeps at once, and the weights of that are right only if nothing is lost there. So
 * behind one, a queue of the default size is bounded by its bytes alone.
 */
const withRoomForFlushes = (config: TelemetryConfig): TelemetryConfig =>
  config.batch.maxQueueSize === defaultQueueSize
    ? { ...config, batch: { ...config.batch, maxQueueSize: unboundedQueueSize } }
    : config

/** The processors of a configuration: redaction, the program's own, tail sampling, then one for each exporter. */
export const buildPipeline = Effect.fnUntraced(function*(
  given: TelemetryConfig,
  options: PipelineOptions & { readonly tracesExporters: ReadonlyArray<unknown> | undefined },
  shared: SharedDelivery
): Effect.fn.Return<SpanProcessorShape, never, Scope.Scope> {
  const diagnostics = yield* Diagnostics
  const tail = yield* optionalService(TailSampler)
  const config = tail === undefined ? given : withRoomForFlushes(given)
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
    ...yield* Effect.forEach(names, (name) => named(config, name, shared))
  ]
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

const batchedLogs = (config: TelemetryConfig, exporter: LogExporterShape) =>
  Effect.provideService(
    BatchLogRecordProcessor.make({
      ...config.logBatch,
      exportTimeout: Number.isFinite(config.logBatch.exportTimeout) ? config.logBatch.exportTimeout : 0,
      shutdownTimeout: config.shutdownTimeout
    }),
    LogExporter,
    exporter
  )

const namedLogs = Effect.fnUntraced(function*(config: TelemetryConfig, name: LogsExporterName, shared: SharedDelivery) {
  if (name === "otlp") return yield* batchedLogs(config, yield* otlpLogExporter(config, shared))
  const exporter = yield* ConsoleLogExporter.make(name === "otlp/stdout" ? { format: "otlp" } : {})
  return yield* Effect.provideService(
    SimpleLogRecordProcessor.make({ shutdownTimeout: config.shutdownTimeout }),
    LogExporter,
    exporter
  )
})

/**
 * The processors of log records: redaction, the program's own, then one for each exporter; `undefined` where no record
 * would go anywhere.
 */
export const buildLogPipeline = Effect.fnUntraced(function*(
  config: TelemetryConfig,
  options: PipelineOptions & { readonly logsExporters: ReadonlyArray<unknown> | undefined },
  shared: SharedDelivery
): Effect.fn.Return<LogRecordProcessorShape | undefined, never, Scope.Scope> {
  if (config.disabled) return undefined
  const provided = yield* optionalService(LogExporter)
  const custom = options.logs
  // Who says where spans go in code, and nothing of logs, has asked for nothing beyond.
  const isReplaced = provided !== undefined || custom?.exporters !== undefined ||
    options.exporters !== undefined || (yield* optionalService(SpanExporter)) !== undefined ||
    (yield* optionalService(SpanProcessor)) !== undefined
  const names = isReplaced && options.logsExporters === undefined ? [] : config.logsExporters
  const exporters = [
    ...provided === undefined ? [] : [provided],
    ...yield* Effect.forEach(custom?.exporters ?? [], made)
  ]
  if (names.length + exporters.length === 0 && custom?.processors === undefined) return undefined
  return composeLogs(
    [
      ...config.redact ? [yield* RedactLogRecordProcessor.make()] : [],
      ...yield* Effect.forEach(custom?.processors ?? [], made),
      ...yield* Effect.forEach(exporters, (exporter) => batchedLogs(config, exporter)),
      ...yield* Effect.forEach(names, (name) => namedLogs(config, name, shared))
    ],
    yield* Diagnostics
  )
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
