/** Metrics on the terminal or in a container's log. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import type * as Terminal from "../internal/terminal.ts"
import { escapeText } from "../internal/terminalText.ts"
import type { Attributes } from "../model/Attributes.ts"
import type { MetricData, MetricPoints } from "../model/MetricData.ts"
import { encoder } from "../otlp/OtlpMetricsJson.ts"
import { makeWrite } from "./consoleOutput.ts"
import { countPoints, MetricExporter, type MetricExporterShape } from "./MetricExporter.ts"

/** How metrics are written and where. */
export interface Options {
  /** `"line"`: one line for each point, for people. `"json"`: one OTLP JSON request for each batch. Default `"line"`. */
  readonly format?: "line" | "json" | undefined
  /** Default: `"stdout"` for JSON, else `"stderr"`. */
  readonly stream?: Terminal.StreamName | undefined
  /** Takes the text in place of the stream: whole lines, without the last line feed. */
  readonly write?: ((text: string) => void) | undefined
}

/** Makes an exporter that writes to the console. Control signs in names and values are escaped. */
export const make = (options?: Options): Effect.Effect<MetricExporterShape> =>
  Effect.gen(function*() {
    const diagnostics = yield* Diagnostics
    const format = options?.format ?? "line"
    const stream = options?.stream ?? (format === "json" ? "stdout" : "stderr")
    const write = makeWrite(options?.write, stream, diagnostics)
    const decoder = new TextDecoder()
    return MetricExporter.of({
      name: "console",
      export: (metrics) =>
        Effect.sync(() => {
          write(format === "json" ? decoder.decode(encoder.encode(metrics)) : metrics.flatMap(linesOf).join("\n"))
          return { exported: countPoints(metrics) }
        })
    })
  })

/** Provides the exporter as the {@link MetricExporter} service. */
export const layer = (options?: Options): Layer.Layer<MetricExporter> => Layer.effect(MetricExporter)(make(options))

const linesOf = ({ data, name, unit }: MetricData): ReadonlyArray<string> => {
  const tail = unit === "" ? "" : ` ${escapeText(unit, true)}`
  const change = "temporality" in data && data.temporality === "delta" ? " (delta)" : ""
  return data.points.map((point) =>
    `${escapeText(name, true)}${labels(point.attributes)} ${valueOf(point)}${tail}${change}`
  )
}

const labels = (attributes: Attributes): string => {
  const keys = Object.keys(attributes)
  if (keys.length === 0) return ""
  return `{${keys.map((key) => `${escapeText(key, true)}=${escapeText(textOf(attributes[key]!), true)}`).join(", ")}}`
}

const textOf = (value: Attributes[string]): string =>
  typeof value === "string"
    ? JSON.stringify(value)
    : JSON.stringify(value, (_, inner) => typeof inner === "bigint" ? String(inner) : inner)

const rounded = (value: number): string => String(Number(value.toPrecision(6)))

const valueOf = (point: MetricPoints["points"][number]): string => {
  if ("value" in point) return String(point.value)
  const { count } = point
  const parts = [`count ${count}`]
  if (point.sum !== undefined) parts.push(`sum ${rounded(point.sum)}`)
  if ("quantiles" in point) {
    for (const { quantile, value } of point.quantiles) parts.push(`p${rounded(quantile * 100)} ${rounded(value)}`)
    return parts.join(", ")
  }
  if (point.sum !== undefined && count > 0) parts.push(`mean ${rounded(point.sum / count)}`)
  if (point.min !== undefined) parts.push(`min ${rounded(point.min)}`)
  if (point.max !== undefined) parts.push(`max ${rounded(point.max)}`)
  return parts.join(", ")
}
