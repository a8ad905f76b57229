/**
 * The table: every option of the library, the variables that state it, its default and where that comes from.
 */
import type * as Redacted from "effect/Redacted"
import { defaultConfig as defaultSamplerConfig } from "../sampling/basicSampler.ts"
import { defaults as spanLimits } from "../tracing/SpanLimits.ts"
import { endpoint } from "./endpoint.ts"
import { boolean, duration, integer, listOf, oneOf, optionalText, text, timeout } from "./kinds.ts"
import { attributes, headers } from "./pairs.ts"
import { hosts, trust } from "./propagation.ts"
import { sampler, samplerArgument } from "./sampler.ts"
import { rowsOf, type Setting, setting } from "./setting.ts"

const general = "configuration/sdk-environment-variables.md#general-sdk-configuration"
const selection = "configuration/sdk-environment-variables.md#exporter-selection"
const bsp = "configuration/sdk-environment-variables.md#batch-span-processor"
const limits = "configuration/sdk-environment-variables.md#span-limits"
const otlp = "protocol/exporter.md#configuration-options"
const service = "https://opentelemetry.io/docs/specs/semconv/resource/service/"

const MiB = 1024 * 1024

const otlpVariables = (name: string): ReadonlyArray<string> => [
  `OTEL_EXPORTER_OTLP_TRACES_${name}`,
  `OTEL_EXPORTER_OTLP_${name}`
]

const limit = (
  name: keyof typeof spanLimits,
  variables: ReadonlyArray<string>,
  unit: string,
  description: string,
  source = limits
): Setting<number, number> =>
  setting(integer({ minimum: 0, unit, unlimited: true }), {
    variables,
    default: spanLimits[name],
    defaultText: spanLimits[name] === Infinity ? "no limit" : String(spanLimits[name]),
    description,
    source
  })

const file = (variable: string, description: string): Setting<string, string | undefined> =>
  setting(optionalText("the path of a PEM file"), {
    variables: otlpVariables(variable),
    default: undefined,
    defaultText: "none",
    description,
    source: otlp
  })

/** The table, in the order of the documentation. */
export const settings = {
  disabled: setting(boolean, {
    variables: ["OTEL_SDK_DISABLED"],
    default: false,
    description: "Turns telemetry off: no span is recorded or exported. Propagators stay active.",
    source: general
  }),
  serviceName: setting(text, {
    variables: ["OTEL_SERVICE_NAME"],
    default: "unknown_service",
    defaultText: "`unknown_service:` and the executable's name",
    description: "The `service.name` of the resource. Wins over the same key among the resource's attributes.",
    source: service
  }),
  serviceVersion: setting(optionalText("a non-empty text"), {
    variables: ["OTEL_SERVICE_VERSION"],
    default: undefined,
    defaultText: "none",
    description: "The `service.version` of the resource. The variable is Effect's, not the specification's.",
    source: service
  }),
  resource: {
    attributes: setting(attributes, {
      variables: ["OTEL_RESOURCE_ATTRIBUTES"],
      default: {},
      defaultText: "none",
      description: "Attributes of the resource. Option and variable are united; of a key in both, the option wins.",
      source: "resource/sdk.md#specifying-resource-information-via-an-environment-variable"
    }),
    schemaUrl: setting(optionalText("a non-empty URL"), {
      default: undefined,
      defaultText: "none",
      description: "The schema URL of the resource.",
      source: "resource/sdk.md#create"
    })
  },
  detectors: setting(
    listOf(["host", "process", "serviceinstance"], {
      words: ["all", "none"],
      aliases: { service: "serviceinstance", env: undefined }
    }),
    {
      variables: ["OTEL_NODE_RESOURCE_DETECTORS"],
      default: ["host", "process", "serviceinstance"],
      defaultText: "all",
      description:
        "What the resource learns by itself, below what is stated. The variable is OpenTelemetry JavaScript's; " +
        "its `env` is always on here and may be named.",
      source: "resource/sdk.md#detecting-resource-information-from-the-environment"
    }
  ),
  logLevel: setting(
    oneOf(["none", "error", "warn", "info", "debug"], { aliases: { verbose: "debug", trace: "debug", all: "debug" } }),
    {
      variables: ["OTEL_LOG_LEVEL"],
      default: "info",
      description: "The most talkative level of what the library says about itself.",
      source: general
    }
  ),
  propagators: setting(
    listOf(["tracecontext", "baggage", "b3", "b3multi", "jaeger"], {
      words: ["none"],
      refused: {
        xray: "is not supported (provide a Propagator for it) and is ignored",
        ottrace: "is not supported (OpenTelemetry has deprecated it) and is ignored"
      }
    }),
    {
      variables: ["OTEL_PROPAGATORS"],
      default: ["tracecontext", "baggage"],
      defaultText: "tracecontext, baggage",
      description:
        "How the context crosses to other processes: W3C Trace Context and Baggage, B3 in one header or in several, " +
        "Jaeger's headers. All are written; of what is read, a later one wins.",
      source: general
    }
  ),
  trustIncoming: setting(trust, {
    default: true,
    description:
      "Whether a context in incoming headers is continued. `\"edge\"`: a request starts a new trace, with a link to the " +
      "context that it brought, and the sampler decides as for any root; baggage is not taken. `false`: nothing is read."
  }),
  propagateTo: setting(hosts, {
    default: ["all"],
    defaultText: "all",
    description: "Hosts that are told of the trace. The words stand for many; `*.` means the hosts below, not the host."
  }),
  propagateBaggageTo: setting(hosts, {
    default: ["internal"],
    defaultText: "internal",
    description:
      "Hosts that are sent baggage. `internal`: loopback and private addresses, names without a dot, and those below " +
      "`localhost`, `local`, `internal`, `svc` and `home.arpa`."
  }),
  continueFromEnvironment: setting(boolean, {
    default: false,
    description:
      "Whether spans that have no parent here belong to the process that started this one, by `TRACEPARENT`, " +
      "`TRACESTATE` and `BAGGAGE`, or what else the propagators read.",
    source: "context/env-carriers.md"
  }),
  sampler: setting(sampler, {
    variables: ["OTEL_TRACES_SAMPLER"],
    refinements: [samplerArgument],
    default: defaultSamplerConfig,
    defaultText: "parentbased_always_on",
    description:
      "Which spans are exported. The argument is the ratio of the two ratio samplers, 1 where it is unset; for the two " +
      "Jaeger samplers, `endpoint=http://localhost:5778/sampling,pollingIntervalMs=60000,initialSamplingRate=0.001`.",
    source: general
  }),
  tracesExporters: setting(
    listOf(["otlp", "console", "otlp/stdout"], { words: ["none"] }),
    {
      variables: ["OTEL_TRACES_EXPORTER"],
      default: ["otlp"],
      defaultText: "otlp",
      description: "Where spans go. `otlp/stdout` writes OTLP JSON lines to standard output.",
      source: selection
    }
  ),
  redact: setting(boolean, {
    default: true,
    description: "Hides the values of attributes that are well known to hold secrets before anything else sees them."
  }),
  shutdownTimeout: setting(duration, {
    default: 3000,
    description: "How long closing may take, flush included. 0 does not wait."
  }),
  shutdownOn: setting(listOf(["SIGTERM", "SIGINT", "SIGHUP"], { words: ["none"] }), {
    default: [],
    defaultText: "none",
    description:
      "Signals after which what waits is delivered, within `shutdownTimeout`, before the process ends by the signal."
  }),
  followAsync: setting(boolean, {
    default: true,
    description:
      "Lets plain asynchronous code that an effect waits for run in the effect's span. It costs each step of a fiber some ten nanoseconds."
  }),
  startupProbe: setting(boolean, {
    default: false,
    description: "Asks each destination at the start whether it accepts data, and says so in one line."
  }),
  selfMetrics: setting(boolean, {
    default: true,
    description: "Registers the library's own metrics, `otel.sdk.*`, in Effect's metric registry."
  }),
  batch: {
    maxQueueSize: setting(integer({ minimum: 1, unit: "spans" }), {
      variables: ["OTEL_BSP_MAX_QUEUE_SIZE"],
      default: 2048,
      description: "Most ended spans in memory for one destination; more are dropped and counted.",
      source: bsp
    }),
    maxQueueBytes: setting(integer({ minimum: 1, unit: "bytes" }), {
      default: 32 * MiB,
      description: "Most bytes of ended spans in memory for one destination; more are dropped and counted."
    }),
    maxExportBatchSize: setting(integer({ minimum: 1, unit: "spans" }), {
      variables: ["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"],
      default: 512,
      description: "Most spans of one export. At most `maxQueueSize`, to which it is lowered.",
      source: bsp
    }),
    maxBatchBytes: setting(integer({ minimum: 1, unit: "bytes" }), {
      default: 4 * MiB,
      description: "Most bytes of one export. At most `maxQueueBytes`, to which it is lowered."
    }),
    scheduleDelay: setting(duration, {
      variables: ["OTEL_BSP_SCHEDULE_DELAY"],
      default: 5000,
      description: "How long spans wait for a batch to fill.",
      source: bsp
    }),
    exportTimeout: setting(timeout, {
      variables: ["OTEL_BSP_EXPORT_TIMEOUT"],
      default: 30_000,
      description: "How long the export of one batch may take, beyond the time that retries have.",
      source: bsp
    })
  },
  spool: {
    directory: setting(optionalText("a path"), {
      default: undefined,
      defaultText: "no spool",
      description:
        "Where spans are kept on disk that cannot be delivered now. Of this user alone; made if it is not there."
    }),
    mode: setting(oneOf(["overflow", "always"]), {
      default: "overflow",
      description:
        "`overflow`: what has no room in memory, could not be delivered, or is left at the end. `always`: everything, " +
        "before it is sent."
    }),
    durability: setting(oneOf(["process", "power"]), {
      default: "process",
      description:
        "What spans on disk survive: the end of the process, or that of the power, for which the disk is asked to " +
        "write through every 200 ms."
    }),
    maxBytes: setting(integer({ minimum: 64 * 1024, unit: "bytes" }), {
      default: 64 * MiB,
      description: "Most bytes on disk for one destination and process; then the oldest give way, and are counted."
    }),
    maxAge: setting(duration, {
      default: 86_400_000,
      description: "How long spans are kept on disk; older ones are dropped and counted."
    }),
    minFreeBytes: setting(integer({ minimum: 0, unit: "bytes" }), {
      default: 256 * MiB,
      description: "Bytes of the disk that are left free."
    })
  },
  spanLimits: {
    attributeCountLimit: limit(
      "attributeCountLimit",
      ["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"],
      "attributes",
      "Most attributes of a span."
    ),
    attributeValueLengthLimit: limit(
      "attributeValueLengthLimit",
      ["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"],
      "UTF-16 code units",
      "Longest text of an attribute; what is longer is cut."
    ),
    eventCountLimit: limit("eventCountLimit", ["OTEL_SPAN_EVENT_COUNT_LIMIT"], "events", "Most events of a span."),
    linkCountLimit: limit("linkCountLimit", ["OTEL_SPAN_LINK_COUNT_LIMIT"], "links", "Most links of a span."),
    attributePerEventCountLimit: limit(
      "attributePerEventCountLimit",
      ["OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"],
      "attributes",
      "Most attributes of an event."
    ),
    attributePerLinkCountLimit: limit(
      "attributePerLinkCountLimit",
      ["OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"],
      "attributes",
      "Most attributes of a link."
    ),
    attributeDepthLimit: limit(
      "attributeDepthLimit",
      [],
      "levels",
      "Deepest nesting within an attribute's value; what is deeper is null.",
      "common/README.md#attribute-limits"
    )
  },
  otlp: {
    endpoint: setting(endpoint, {
      variables: ["OTEL_EXPORTER_OTLP_ENDPOINT"],
      default: "http://localhost:4318/",
      defaultText: "http://localhost:4318",
      description: "The base URL of the receiver; `v1/traces` is appended to its path.",
      source: "protocol/exporter.md#endpoint-urls-for-otlphttp"
    }),
    tracesEndpoint: setting(endpoint, {
      variables: ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"],
      default: "http://localhost:4318/v1/traces",
      defaultText: "`otlp.endpoint` with `v1/traces`",
      description:
        "The URL of the receiver of traces, used as it is. Wins over `otlp.endpoint`, unless only that one is " +
        "given in code.",
      source: "protocol/exporter.md#endpoint-urls-for-otlphttp"
    }),
    headers: setting(headers, {
      variables: otlpVariables("HEADERS"),
      default: {} as Readonly<Record<string, Redacted.Redacted<string>>>,
      defaultText: "none",
      description:
        "Headers of every request. All statements are united; of a name in several, the option wins, then the " +
        "variable for traces.",
      source: "protocol/exporter.md#specifying-headers-via-environment-variables"
    }),
    timeout: setting(timeout, {
      variables: otlpVariables("TIMEOUT"),
      default: 10_000,
      description: "How long one request may take, from connect to the last byte of the answer.",
      source: otlp
    }),
    compression: setting(oneOf(["none", "gzip"]), {
      variables: otlpVariables("COMPRESSION"),
      default: "none",
      description: "How request bodies are compressed.",
      source: otlp
    }),
    protocol: setting(
      oneOf(["http/protobuf", "http/json"], {
        remark: " (gRPC is not spoken; its port 4317 is not that of HTTP, 4318)"
      }),
      {
        variables: otlpVariables("PROTOCOL"),
        default: "http/protobuf",
        description: "How request bodies are written.",
        source: "protocol/exporter.md#specify-protocol"
      }
    ),
    allowClearTextCredentials: setting(boolean, {
      default: false,
      description: "Sends credentials to another machine even over `http:`, where everybody on the way can read them."
    }),
    certificate: file("CERTIFICATE", "The certificate authority that the server's certificate is checked against."),
    clientKey: file("CLIENT_KEY", "The private key of the client, with `clientCertificate`."),
    clientCertificate: file("CLIENT_CERTIFICATE", "The certificate chain of the client, with `clientKey`."),
    maxRequestBytes: setting(integer({ minimum: 1, unit: "bytes" }), {
      default: 64 * MiB,
      description: "Largest request body before compression; a larger one is split, a larger span dropped and counted.",
      source: otlp
    }),
    maxResponseBytes: setting(integer({ minimum: 1, unit: "bytes" }), {
      default: 4 * MiB,
      description: "Largest answer after decompression; a larger one is not read and not retried.",
      source: otlp
    })
  }
} as const

/** The rows of the table with their paths. */
export const rows = rowsOf(settings)

/** What the specification or other implementations know and this library does not read; each is said once. */
export const unread: Readonly<Record<string, string>> = {
  OTEL_CONFIG_FILE: "declarative configuration in a file is not supported",
  OTEL_EXPERIMENTAL_CONFIG_FILE: "declarative configuration in a file is not supported"
}

/** Every variable that is read. */
export const variables: ReadonlyArray<string> = [
  ...new Set([
    ...rows.flatMap(({ setting }) => [...setting.variables, ...setting.refinements]),
    ...Object.keys(unread)
  ])
]
