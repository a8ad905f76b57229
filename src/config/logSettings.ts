/** The part of the table that logs have to themselves. */
import type * as Redacted from "effect/Redacted"
import { defaults } from "../logs/LogRecordLimits.ts"
import { endpoint } from "./endpoint.ts"
import { duration, integer, listOf, oneOf, optionalText, timeout } from "./kinds.ts"
import { headers } from "./pairs.ts"
import { type Setting, setting } from "./setting.ts"

const selection = "configuration/sdk-environment-variables.md#exporter-selection"
const blrp = "configuration/sdk-environment-variables.md#batch-logrecord-processor"
const limits = "configuration/sdk-environment-variables.md#logrecord-limits"
const otlp = "protocol/exporter.md#configuration-options"

const MiB = 1024 * 1024

const asForTraces = "that of `otlp`"

const file = (variable: string, description: string): Setting<string, string | undefined> =>
  setting(optionalText("the path of a PEM file"), {
    variables: [`OTEL_EXPORTER_OTLP_LOGS_${variable}`],
    default: undefined,
    defaultText: asForTraces,
    description,
    source: otlp
  })

export const logsExporters = setting(
  listOf(["otlp", "console", "otlp/stdout"], { words: ["none"] }),
  {
    variables: ["OTEL_LOGS_EXPORTER"],
    default: [],
    defaultText: "none",
    description:
      "Where log records go. `otlp/stdout` writes OTLP JSON lines to standard output. The specification's default is otlp.",
    source: selection
  }
)

export const logBatch = {
  maxQueueSize: setting(integer({ minimum: 1, unit: "records" }), {
    variables: ["OTEL_BLRP_MAX_QUEUE_SIZE"],
    default: 2048,
    description: "Most log records in memory for one destination; more are dropped and counted.",
    source: blrp
  }),
  maxQueueBytes: setting(integer({ minimum: 1, unit: "bytes" }), {
    default: 32 * MiB,
    description: "Most bytes of log records in memory for one destination; more are dropped and counted."
  }),
  maxExportBatchSize: setting(integer({ minimum: 1, unit: "records" }), {
    variables: ["OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"],
    default: 512,
    description: "Most log records of one export. At most `maxQueueSize`, to which it is lowered.",
    source: blrp
  }),
  maxBatchBytes: setting(integer({ minimum: 1, unit: "bytes" }), {
    default: 4 * MiB,
    description: "Most bytes of one export. At most `maxQueueBytes`, to which it is lowered."
  }),
  scheduleDelay: setting(duration, {
    variables: ["OTEL_BLRP_SCHEDULE_DELAY"],
    default: 1000,
    description: "How long log records wait for a batch to fill.",
    source: blrp
  }),
  exportTimeout: setting(timeout, {
    variables: ["OTEL_BLRP_EXPORT_TIMEOUT"],
    default: 30_000,
    description: "How long the export of one batch may take, beyond the time that retries have.",
    source: blrp
  })
} as const

export const logRecordLimits = {
  attributeCountLimit: setting(integer({ minimum: 0, unit: "attributes", unlimited: true }), {
    variables: ["OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"],
    default: defaults.attributeCountLimit,
    description: "Most attributes of a log record.",
    source: limits
  }),
  attributeValueLengthLimit: setting(integer({ minimum: 0, unit: "UTF-16 code units", unlimited: true }), {
    variables: ["OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"],
    default: defaults.attributeValueLengthLimit,
    defaultText: "no limit",
    description: "Longest text of an attribute; what is longer is cut.",
    source: limits
  }),
  attributeDepthLimit: setting(integer({ minimum: 0, unit: "levels", unlimited: true }), {
    default: defaults.attributeDepthLimit,
    description: "Deepest nesting within an attribute's value or a body; what is deeper is null.",
    source: "common/README.md#attribute-limits"
  })
} as const

/** What differs for logs; what is left out is as for traces, but for their own variables. */
export const otlpLogs = {
  endpoint: setting(endpoint, {
    variables: ["OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"],
    default: "http://localhost:4318/v1/logs",
    defaultText: "`otlp.endpoint` with `v1/logs`",
    description:
      "The URL of the receiver of logs, used as it is. Wins over `otlp.endpoint`, unless only that one is given in code.",
    source: "protocol/exporter.md#endpoint-urls-for-otlphttp"
  }),
  headers: setting(headers, {
    variables: ["OTEL_EXPORTER_OTLP_LOGS_HEADERS"],
    default: {} as Readonly<Record<string, Redacted.Redacted<string>>>,
    defaultText: asForTraces,
    description: "Headers of every request with logs, united with the general ones.",
    source: "protocol/exporter.md#specifying-headers-via-environment-variables"
  }),
  timeout: setting(timeout, {
    variables: ["OTEL_EXPORTER_OTLP_LOGS_TIMEOUT"],
    default: 10_000,
    defaultText: asForTraces,
    description: "How long one request may take.",
    source: otlp
  }),
  compression: setting(oneOf(["none", "gzip"]), {
    variables: ["OTEL_EXPORTER_OTLP_LOGS_COMPRESSION"],
    default: "none",
    defaultText: asForTraces,
    description: "How request bodies are compressed.",
    source: otlp
  }),
  protocol: setting(
    oneOf(["http/protobuf", "http/json"], {
      remark: " (gRPC is not spoken; its port 4317 is not that of HTTP, 4318)"
    }),
    {
      variables: ["OTEL_EXPORTER_OTLP_LOGS_PROTOCOL"],
      default: "http/protobuf",
      defaultText: asForTraces,
      description: "How request bodies are written.",
      source: "protocol/exporter.md#specify-protocol"
    }
  ),
  certificate: file("CERTIFICATE", "The certificate authority that the server's certificate is checked against."),
  clientKey: file("CLIENT_KEY", "The private key of the client, with `clientCertificate`."),
  clientCertificate: file("CLIENT_CERTIFICATE", "The certificate chain of the client, with `clientKey`.")
} as const
