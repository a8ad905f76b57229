/**
 * What a user may pass, and the check of it.
 */
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { ShutdownSignal } from "../delivery/leaving.ts"
import type { DiagnosticLevel } from "../diagnostics/Diagnostics.ts"
import type { BasicConfig } from "../sampling/basicSampler.ts"
import type { SpanLimits } from "../tracing/SpanLimits.ts"
import { isSetting, type OptionsOf, type Setting, type Tree } from "./setting.ts"
import { settings } from "./settings.ts"

/** A resource detector by name. */
export type DetectorName = "host" | "process" | "serviceinstance"

/** A propagator by its name in `OTEL_PROPAGATORS`. */
export type PropagatorName = "tracecontext" | "baggage" | "b3" | "b3multi" | "jaeger"

/** An exporter by its name in `OTEL_TRACES_EXPORTER`. */
export type TracesExporterName = "otlp" | "console" | "otlp/stdout"

/** How spans gather before an export. */
export interface BatchOptions {
  /** Most ended spans in memory for one destination. `OTEL_BSP_MAX_QUEUE_SIZE`, default 2048. */
  readonly maxQueueSize?: number | undefined
  /** Most bytes of ended spans in memory for one destination. Default 32 MiB. */
  readonly maxQueueBytes?: number | undefined
  /** Most spans of one export, at most `maxQueueSize`. `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`, default 512. */
  readonly maxExportBatchSize?: number | undefined
  /** Most bytes of one export, at most `maxQueueBytes`. Default 4 MiB. */
  readonly maxBatchBytes?: number | undefined
  /** How long spans wait for a batch to fill. `OTEL_BSP_SCHEDULE_DELAY`, default 5 s. */
  readonly scheduleDelay?: Duration.Input | undefined
  /** How long the export of one batch may take, beyond the time that retries have; 0 for no limit. `OTEL_BSP_EXPORT_TIMEOUT`, default 30 s. */
  readonly exportTimeout?: Duration.Input | undefined
}

/** Where spans go that cannot be delivered now. */
export interface SpoolOptions {
  /**
   * A directory of this user alone. It is made if it is not there; nothing is written to disk where it is left out, and
   * one that others may write into is not used.
   */
  readonly directory?: string | undefined
  /**
   * `"overflow"` (default): what has no room in memory, could not be delivered, or is left at the end. `"always"`:
   * everything, before it is sent.
   */
  readonly mode?: "overflow" | "always" | undefined
  /** What spans on disk survive: the end of the `"process"` (default), or that of the `"power"`. */
  readonly durability?: "process" | "power" | undefined
  /** Most bytes on disk for one destination and process. Default 64 MiB. */
  readonly maxBytes?: number | undefined
  /** How long spans are kept on disk. Default 24 hours. */
  readonly maxAge?: Duration.Input | undefined
  /** Bytes of the disk that are left free. Default 256 MiB. */
  readonly minFreeBytes?: number | undefined
}

/** The OTLP exporter of traces. Each `OTEL_EXPORTER_OTLP_*` has a form for traces, `OTEL_EXPORTER_OTLP_TRACES_*`, which wins. */
export interface OtlpOptions {
  /** Base URL of the receiver. `OTEL_EXPORTER_OTLP_ENDPOINT`, default `http://localhost:4318`. */
  readonly endpoint?: string | undefined
  /** URL of the receiver of traces, used as it is. `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, default `endpoint` with `v1/traces`. */
  readonly tracesEndpoint?: string | undefined
  /** Headers of every request, united with those of `OTEL_EXPORTER_OTLP_HEADERS`. */
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted<string>>> | undefined
  /** How long one request may take; 0 for no limit. `OTEL_EXPORTER_OTLP_TIMEOUT`, default 10 s. */
  readonly timeout?: Duration.Input | undefined
  /** `OTEL_EXPORTER_OTLP_COMPRESSION`, default `"none"`. */
  readonly compression?: "none" | "gzip" | undefined
  /** `OTEL_EXPORTER_OTLP_PROTOCOL`, default `"http/protobuf"`. */
  readonly protocol?: "http/protobuf" | "http/json" | undefined
  /**
   * Sends credentials to another machine even over `http:`, where everybody on the way can read them. Default `false`:
   * they are left out, and that is reported.
   */
  readonly allowClearTextCredentials?: boolean | undefined
  /** Path of a PEM file with the certificate authority. `OTEL_EXPORTER_OTLP_CERTIFICATE`. */
  readonly certificate?: string | undefined
  /** Path of a PEM file with the client's key. `OTEL_EXPORTER_OTLP_CLIENT_KEY`. */
  readonly clientKey?: string | undefined
  /** Path of a PEM file with the client's certificate. `OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE`. */
  readonly clientCertificate?: string | undefined
  /** Largest request body before compression. Default 64 MiB. */
  readonly maxRequestBytes?: number | undefined
  /** Largest answer after decompression. Default 4 MiB. */
  readonly maxResponseBytes?: number | undefined
}

/**
 * What may be configured in code. What is left out is read from the environment, then has its default; `docs/configuration.md`
 * has the whole table.
 */
export interface TelemetryOptions {
  /** Turns telemetry off; propagators stay active. `OTEL_SDK_DISABLED`, default `false`. */
  readonly disabled?: boolean | undefined
  /** `OTEL_SERVICE_NAME`, default `unknown_service:` and the executable's name. */
  readonly serviceName?: string | undefined
  /** `OTEL_SERVICE_VERSION`. */
  readonly serviceVersion?: string | undefined
  readonly resource?: {
    /** United with those of `OTEL_RESOURCE_ATTRIBUTES`. Any value is taken, as `Attributes.fromUnknown` does. */
    readonly attributes?: Readonly<Record<string, unknown>> | undefined
    /** Schema URL of the resource. */
    readonly schemaUrl?: string | undefined
  } | undefined
  /** What the resource learns by itself. `OTEL_NODE_RESOURCE_DETECTORS`, default all. */
  readonly detectors?: ReadonlyArray<DetectorName | "all" | "none"> | undefined
  /** What the library says about itself. `OTEL_LOG_LEVEL`, default `"info"`. */
  readonly logLevel?: DiagnosticLevel | undefined
  /** `OTEL_PROPAGATORS`, default `["tracecontext", "baggage"]`. */
  readonly propagators?: ReadonlyArray<PropagatorName | "none"> | undefined
  /**
   * Whether a context in incoming headers is continued. `"edge"`: a request starts a new trace with a link to the context
   * that it brought. Default `true`.
   */
  readonly trustIncoming?: boolean | "edge" | undefined
  /** Hosts that are told of the trace: names, `*.name`, `"internal"`, `"all"` (default), or `"none"` alone. */
  readonly propagateTo?: ReadonlyArray<string> | undefined
  /** Hosts that are sent baggage, likewise. Default `["internal"]`: this machine and private networks. */
  readonly propagateBaggageTo?: ReadonlyArray<string> | undefined
  /** Whether spans without a parent here belong to the process that started this one. Default `false`. */
  readonly continueFromEnvironment?: boolean | undefined
  /** `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`, default parent-based always on. */
  readonly sampler?: BasicConfig | undefined
  /** `OTEL_TRACES_EXPORTER`, default `["otlp"]`. */
  readonly tracesExporters?: ReadonlyArray<TracesExporterName | "none"> | undefined
  /** Hides the values of attributes that are well known to hold secrets. Default `true`. */
  readonly redact?: boolean | undefined
  /** How long closing may take, flush included; 0 does not wait. Default 3 s. */
  readonly shutdownTimeout?: Duration.Input | undefined
  /**
   * Signals after which open spans are ended and everything is delivered, within `shutdownTimeout`, before the process
   * ends by that signal. Where the program listens to the signal itself, it ends the process, and only the delivery is
   * done. Default none.
   */
  readonly shutdownOn?: ReadonlyArray<ShutdownSignal | "none"> | undefined
  /**
   * Whether plain asynchronous code that an effect waits for runs in the effect's span: after its first `await`, in its
   * timers and listeners, and in effects that it runs. It costs each step of a fiber some ten nanoseconds. Default `true`.
   */
  readonly followAsync?: boolean | undefined
  /** Asks each destination at the start whether it accepts data, and says so in one line. Default `false`. */
  readonly startupProbe?: boolean | undefined
  /** Registers the library's own metrics, `otel.sdk.*`, in Effect's metric registry. Default `true`. */
  readonly selfMetrics?: boolean | undefined
  readonly batch?: BatchOptions | undefined
  readonly spool?: SpoolOptions | undefined
  /** `OTEL_SPAN_*`, `OTEL_EVENT_*`, `OTEL_LINK_*` and `OTEL_ATTRIBUTE_*`; `Infinity` for no limit. */
  readonly spanLimits?: { readonly [K in keyof SpanLimits]?: number | undefined } | undefined
  readonly otlp?: OtlpOptions | undefined
}

const optional = (setting: Setting<any, any>) => Schema.optional(setting.kind.option)

const structOf = (tree: Tree) =>
  Schema.Struct(Object.fromEntries(
    Object.entries(tree).map(([name, node]) => [
      name,
      isSetting(node)
        ? optional(node)
        : Schema.optional(Schema.Struct(
          Object.fromEntries(Object.entries(node).map(([inner, setting]) => [inner, optional(setting)]))
        ))
    ])
  ))

/** The Schema of {@link TelemetryOptions}. */
export const TelemetryOptions: Schema.Codec<TelemetryOptions> = structOf(settings).annotate({
  identifier: "TelemetryOptions"
}) as unknown as Schema.Codec<OptionsOf<typeof settings>>
