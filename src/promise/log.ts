/** Log records from plain TypeScript: of the process's telemetry, within the current span. */
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import * as Severity from "../logs/Severity.ts"
import { ambientSpan } from "./ambient.ts"
import { current, tracerOf } from "./registry.ts"
import type { SpanAttributes } from "./spans.ts"

/**
 * Says something at one severity.
 *
 * **Details**
 *
 * The body is a text, an object, or an error, which is then described in `exception.*` attributes. So is an error in the
 * place of the attributes, or among them by the key `error` or `exception`. Never throws; does nothing where no telemetry
 * runs or records go nowhere.
 */
export type LogFunction = (body: unknown, details?: SpanAttributes | Error) => void

/** Says things at all severities. */
export interface PlainLogger {
  readonly trace: LogFunction
  readonly debug: LogFunction
  readonly info: LogFunction
  readonly warn: LogFunction
  readonly error: LogFunction
  readonly fatal: LogFunction
  /** Emits an event: a record with a name. Severity `Info` unless stated. */
  readonly event: (name: string, options?: {
    readonly body?: unknown
    readonly attributes?: SpanAttributes | undefined
    readonly severity?: Severity.SeverityInput | undefined
    readonly exception?: unknown
  }) => void
  /** Whether a record of this severity would go anywhere: for texts that cost something to make. */
  readonly isEnabled: (severity: Severity.SeverityInput) => boolean
}

/** The key of the error among the details. */
const errorKey = (details: SpanAttributes): "error" | "exception" | undefined =>
  details["error"] instanceof Error ? "error" : details["exception"] instanceof Error ? "exception" : undefined

const without = (details: SpanAttributes, key: string): SpanAttributes => {
  const { [key]: _, ...rest } = details
  return rest
}

const loggerOf = (scope: InstrumentationScope | undefined): PlainLogger => {
  const at = (severity: keyof typeof Severity.numbers): LogFunction => (body, details) => {
    const logger = current()?.logger
    if (logger === undefined || !logger.isEnabled({ severityNumber: Severity.numbers[severity] })) return
    try {
      const isError = details instanceof Error
      const key = isError || details === undefined ? undefined : errorKey(details)
      // All fields, and no spread: one shape, which the engine knows.
      logger.emit({
        body,
        severity,
        severityText: undefined,
        eventName: undefined,
        attributes: isError ? undefined : key === undefined ? details : without(details!, key),
        exception: isError ? details : key === undefined ? undefined : details![key],
        span: ambientSpan(),
        timeUnixNano: undefined,
        scope
      })
    } catch (error) {
      logger.failed(error)
    }
  }
  return {
    trace: at("Trace"),
    debug: at("Debug"),
    info: at("Info"),
    warn: at("Warn"),
    error: at("Error"),
    fatal: at("Fatal"),
    event: (eventName, options) =>
      current()?.logger?.emit({ severity: "Info", ...options, eventName, span: ambientSpan(), scope }),
    isEnabled: (severity) => current()?.logger?.isEnabled({ severityNumber: Severity.fromInput(severity) }) === true
  }
}

/**
 * The logger of the process's telemetry.
 *
 * **Details**
 *
 * Records go where `logsExporters`, `OTEL_LOGS_EXPORTER` or `logs` of `TraceContext.initialize` say; without any of them,
 * nowhere. They carry the ids of the current span.
 *
 * **Example**
 *
 * ```ts
 * import { log, trace, TraceContext } from "effect-telemetry/promise"
 *
 * await TraceContext.initialize({ serviceName: "shop", logsExporters: ["console"], tracesExporters: ["none"] })
 * trace("checkout", () => log.info("paid", { "order.id": 7 }))
 * await TraceContext.shutdown()
 * ```
 */
export const log: PlainLogger = /* @__PURE__ */ loggerOf(undefined)

/**
 * The logger of a library or module, whose records name it as their instrumentation scope. The same object for the same
 * name and version; names are kept for good, so they must be few.
 */
export const getLogger = (name: string, version?: string): PlainLogger =>
  tracerOf(`log ${name}`, version, () => loggerOf(version === undefined ? { name } : { name, version }))
