/**
 * What everything else is built from: every field there, every default filled in.
 */
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { ShutdownSignal } from "../delivery/leaving.ts"
import type { DiagnosticLevel } from "../diagnostics/Diagnostics.ts"
import type { Attributes } from "../model/Attributes.ts"
import type { BasicConfig } from "../sampling/basicSampler.ts"
import type { SpanLimits } from "../tracing/SpanLimits.ts"
import type { DetectorName, PropagatorName, TracesExporterName } from "./options.ts"
import { isSetting, type Tree } from "./setting.ts"
import { settings } from "./settings.ts"

/**
 * The configuration, complete.
 *
 * **Details**
 *
 * Times are milliseconds, `Infinity` where there is no limit; sizes are bytes. Lists are free of `"all"` and `"none"`: an
 * empty list is none.
 */
export interface TelemetryConfig {
  readonly disabled: boolean
  /** The name stated, or `unknown_service:` and the executable's name: below what detectors find. */
  readonly serviceName: string
  readonly serviceVersion: string | undefined
  readonly resource: {
    /** Everything stated, above what detectors find; `service.name` and `service.version` are here where they are stated. */
    readonly attributes: Attributes
    readonly schemaUrl: string | undefined
  }
  readonly detectors: ReadonlyArray<DetectorName>
  readonly logLevel: DiagnosticLevel
  readonly propagators: ReadonlyArray<PropagatorName>
  readonly trustIncoming: boolean | "edge"
  /** Hosts in lower case, `"all"` and `"internal"` as words. */
  readonly propagateTo: ReadonlyArray<string>
  readonly propagateBaggageTo: ReadonlyArray<string>
  readonly continueFromEnvironment: boolean
  readonly sampler: BasicConfig
  readonly tracesExporters: ReadonlyArray<TracesExporterName>
  readonly redact: boolean
  readonly shutdownTimeout: number
  readonly shutdownOn: ReadonlyArray<ShutdownSignal>
  readonly followAsync: boolean
  readonly startupProbe: boolean
  readonly selfMetrics: boolean
  readonly batch: {
    readonly maxQueueSize: number
    readonly maxQueueBytes: number
    /** At most `maxQueueSize`. */
    readonly maxExportBatchSize: number
    /** At most `maxQueueBytes`. */
    readonly maxBatchBytes: number
    readonly scheduleDelay: number
    readonly exportTimeout: number
  }
  readonly spool: {
    /** `undefined`: there is none. */
    readonly directory: string | undefined
    readonly mode: "overflow" | "always"
    readonly durability: "process" | "power"
    readonly maxBytes: number
    readonly maxAge: number
    readonly minFreeBytes: number
  }
  readonly spanLimits: SpanLimits
  readonly otlp: {
    /** The base URL, without user information. */
    readonly endpoint: string
    /** Where traces are sent, complete, without user information. */
    readonly tracesEndpoint: string
    /** Names in lower case. */
    readonly headers: Readonly<Record<string, Redacted.Redacted<string>>>
    readonly timeout: number
    readonly compression: "none" | "gzip"
    readonly protocol: "http/protobuf" | "http/json"
    readonly allowClearTextCredentials: boolean
    readonly certificate: string | undefined
    /** Present if and only if `clientCertificate` is. */
    readonly clientKey: string | undefined
    readonly clientCertificate: string | undefined
    readonly maxRequestBytes: number
    readonly maxResponseBytes: number
  }
}

const structOf = (tree: Tree): Schema.Codec<unknown> =>
  Schema.Struct(Object.fromEntries(
    Object.entries(tree).map(([name, node]) => [name, isSetting(node) ? node.kind.value : structOf(node)])
  ))

/** The Schema of {@link TelemetryConfig}. */
export const TelemetryConfig: Schema.Codec<TelemetryConfig> = (structOf(settings) as Schema.Codec<TelemetryConfig>)
  .check(
    Schema.makeFilter(({ batch }) =>
      batch.maxExportBatchSize <= batch.maxQueueSize && batch.maxBatchBytes <= batch.maxQueueBytes
    ),
    Schema.makeFilter(({ otlp }) => (otlp.clientKey === undefined) === (otlp.clientCertificate === undefined))
  )
  .annotate({ identifier: "TelemetryConfig" })
