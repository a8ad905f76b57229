/** Log records on the terminal or in a container's log. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Diagnostics from "../diagnostics/Diagnostics.ts"
import * as Terminal from "../internal/terminal.ts"
import type { LogRecord } from "../model/LogRecord.ts"
import type { ReadableLogRecord } from "../model/ReadableLogRecord.ts"
import * as OtlpLogJson from "../otlp/OtlpLogJson.ts"
import { makeWrite, otlpLines } from "./consoleOutput.ts"
import * as LogExporter from "./LogExporter.ts"
import { formatJson, formatLogfmt, formatPretty } from "./logLine.ts"
import * as LogRecordBatch from "./LogRecordBatch.ts"

/** How records are written and where. */
export interface Options {
  /**
   * - `"pretty"`: for people, one line for each record, and the stack of its error below.
   * - `"json"`: one object for each record, on a line of its own, with `trace_id` and `span_id`.
   * - `"logfmt"`: one line of `key=value` for each record.
   * - `"otlp"`: one OTLP JSON `ExportLogsServiceRequest` for each record, on a line of its own.
   *
   * Default: `"pretty"` where the stream is a terminal, else `"logfmt"`.
   */
  readonly format?: "pretty" | "json" | "logfmt" | "otlp" | undefined
  /** Default: `"stdout"` for JSON and OTLP, else `"stderr"`, so that a program's own output can be piped. */
  readonly stream?: Terminal.StreamName | undefined
  /** Colour or none, above `NO_COLOR`, `FORCE_COLOR`, `TERM=dumb` and whether the stream is a terminal. */
  readonly color?: boolean | undefined
  /** More than ASCII or not, above what the locale says. */
  readonly unicode?: boolean | undefined
  /** Takes the text in place of the stream: whole lines, without the last line feed. */
  readonly write?: ((text: string) => void) | undefined
}

/**
 * An exporter that writes log records to the console.
 *
 * **Details**
 *
 * Control signs in texts are escaped. Effect's own loggers go on to write what they write; `Logger.layer([])` of Effect
 * below the telemetry layer silences them.
 */
export const make = (options?: Options): Effect.Effect<LogExporter.LogExporterShape> =>
  Effect.gen(function*() {
    const isMachine = options?.format === "json" || options?.format === "otlp"
    const stream = options?.stream ?? (isMachine ? "stdout" : "stderr")
    const isTty = options?.write === undefined && Terminal.isTerminal(stream)
    const format = options?.format ?? (isTty ? "pretty" : "logfmt")
    const write = makeWrite(options?.write, stream, yield* Effect.service(Diagnostics.Diagnostics))
    if (format === "otlp") return otlpExporter(write)
    const found = yield* Terminal.capabilities(isTty)
    const look = { color: options?.color ?? found.color, unicode: options?.unicode ?? found.unicode }
    const text: (record: LogRecord) => string = format === "json"
      ? formatJson
      : format === "logfmt"
      ? formatLogfmt
      : (record) => formatPretty(record, look)
    return LogExporter.make({
      name: "console",
      makeBatch: LogRecordBatch.make,
      export: (batch) =>
        Effect.sync(() => {
          if (batch.count > 0) write(batch.records.map(text).join("\n"))
          return { exported: batch.count }
        })
    })
  })

/** Provides the exporter as the {@link LogExporter.LogExporter} service. */
export const layer = (options?: Options): Layer.Layer<LogExporter.LogExporter> =>
  Layer.effect(LogExporter.LogExporter)(make(options))

const otlpExporter = (write: (text: string) => void): LogExporter.LogExporterShape =>
  LogExporter.make(otlpLines(write, (record: ReadableLogRecord) => {
    const one = OtlpLogJson.encoder.makeLogBatch()
    return one.add(record, Infinity) ? one.toBody() : undefined
  }))
