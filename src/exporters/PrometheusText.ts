/**
 * Metrics as Prometheus reads them: the text format 0.0.4 and OpenMetrics 1.0 (`compatibility/prometheus_and_openmetrics.md`).
 */
import type { Attributes, AttributeValue } from "../model/Attributes.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { Exemplar, HistogramPoint, MetricData, MetricValue, SummaryPoint } from "../model/MetricData.ts"
import { explicitOf } from "./explicitBuckets.ts"
import { familyName, labelName, type NameStyle, unitWord } from "./prometheusNames.ts"

/** How metrics are written. */
export interface Options {
  /** Default `text`, which is 0.0.4 and knows no exemplars. */
  readonly format?: "text" | "openmetrics" | undefined
  /**
   * `underscores`: what Prometheus did not always allow becomes `_`. `allow-utf-8`: names stay as they are. Default
   * `underscores`.
   */
  readonly escaping?: "underscores" | "allow-utf-8" | undefined
  /** Whether names end in their unit, and counters in `_total`. OpenMetrics has it no other way. Default `true`. */
  readonly suffixes?: boolean | undefined
  /** Whether each series has the labels `otel_scope_*`. Default `true`. */
  readonly scopeLabels?: boolean | undefined
  /** Whether the resource is the metric `target_info`. Default `true`. */
  readonly targetInfo?: boolean | undefined
}

interface Style extends NameStyle {
  readonly scopeLabels: boolean
  readonly targetInfo: boolean
}

/** What a scrape asks for: the format, the escaping, and the `Content-Type` of the answer. */
export interface Negotiated {
  readonly format: "text" | "openmetrics"
  readonly escaping: "underscores" | "allow-utf-8"
  readonly contentType: string
}

/**
 * Chooses by an `Accept` header: OpenMetrics where it is asked for with no less weight than plain text, and names in UTF-8
 * where `escaping=allow-utf-8` is asked for with it.
 */
export const negotiate = (accept: string | undefined): Negotiated => {
  let best: { readonly weight: number; readonly isOpen: boolean; readonly isUtf8: boolean } | undefined
  for (const range of (accept ?? "").toLowerCase().split(",")) {
    const [type, ...parameters] = range.split(";").map((part) => part.trim())
    const isOpen = type === "application/openmetrics-text"
    const isText = type === "text/plain" || type === "text/*" || type === "*/*"
    if (!isOpen && !isText) continue
    const version = parameters.find((parameter) => parameter.startsWith("version="))
    if (isOpen && version !== undefined && version !== "version=1.0.0" && version !== "version=0.0.1") continue
    const weight = Number(parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? 1)
    if (!(weight > 0) || (best !== undefined && weight <= best.weight)) continue
    best = { weight, isOpen, isUtf8: parameters.includes("escaping=allow-utf-8") }
  }
  const escaping = best?.isUtf8 === true ? "allow-utf-8" : "underscores"
  const tail = best?.isUtf8 === true ? `; escaping=${escaping}` : ""
  return best?.isOpen === true
    ? {
      format: "openmetrics",
      escaping,
      contentType: `application/openmetrics-text; version=1.0.0; charset=utf-8${tail}`
    }
    : { format: "text", escaping, contentType: `text/plain; version=0.0.4; charset=utf-8${tail}` }
}

type PrometheusType = "counter" | "gauge" | "histogram" | "summary"

interface Family {
  readonly name: string
  readonly type: PrometheusType
  readonly help: string
  readonly unit: string
  readonly members: Array<MetricData>
}

/**
 * Writes what a reader of cumulative series has collected.
 *
 * **Details**
 *
 * A monotonic sum is a counter, any other sum and a gauge a gauge; an exponential histogram is one with explicit bounds,
 * joined to 160 buckets at most, since the text formats have no other. A metric of the same name as another, but of another
 * type, is left out; of those of the same type the first says what they are. Delta points are left out: a scrape cannot
 * take them. A value that is no text is JSON. Labels that become the same are joined by `;`.
 */
export const format = (metrics: ReadonlyArray<MetricData>, options?: Options): string => {
  const style: Style = {
    format: options?.format ?? "text",
    escaping: options?.escaping ?? "underscores",
    suffixes: options?.suffixes ?? true,
    scopeLabels: options?.scopeLabels ?? true,
    targetInfo: options?.targetInfo ?? true
  }
  const lines: Array<string> = []
  const resource = metrics[0]?.resource
  if (style.targetInfo && resource !== undefined && Object.keys(resource.attributes).length > 0) {
    const isOpen = style.format === "openmetrics"
    lines.push(`# TYPE ${isOpen ? "target info" : "target_info gauge"}`)
    lines.push(`# HELP ${isOpen ? "target" : "target_info"} Target metadata`)
    lines.push(`target_info${labels(labelsOf(resource.attributes, style))} 1`)
  }
  for (const family of familiesOf(metrics, style)) writeFamily(lines, family, style)
  if (style.format === "openmetrics") lines.push("# EOF")
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`
}

const typeOf = ({ data }: MetricData): PrometheusType | undefined => {
  if ("temporality" in data && data.temporality === "delta") return undefined
  switch (data.type) {
    case "sum":
      return data.isMonotonic ? "counter" : "gauge"
    case "gauge":
    case "summary":
      return data.type
    default:
      return "histogram"
  }
}

const familiesOf = (metrics: ReadonlyArray<MetricData>, style: Style): Iterable<Family> => {
  const families = new Map<string, Family>()
  for (const metric of metrics) {
    const type = typeOf(metric)
    if (type === undefined) continue
    const name = familyName(metric.name, metric.unit, type === "counter", style)
    const known = families.get(name)
    if (known === undefined) {
      families.set(name, { name, type, help: metric.description, unit: unitWord(metric.unit), members: [metric] })
    } else if (known.type === type) known.members.push(metric)
  }
  return families.values()
}

const writeFamily = (lines: Array<string>, family: Family, style: Style): void => {
  const { help, members, name, type, unit } = family
  const isOpen = style.format === "openmetrics"
  // In OpenMetrics the family of a counter has no `_total`, which its series then has.
  const isCounter = type === "counter"
  const series = isCounter && (isOpen || style.suffixes) && !name.endsWith("_total") ? `${name}_total` : name
  const head = isOpen && isCounter ? series.slice(0, -"_total".length) : series
  const quoted = isQuoted(head) ? quote(head) : head
  lines.push(`# TYPE ${quoted} ${type}`)
  if (isOpen && unit !== "" && head.endsWith(`_${unit}`)) lines.push(`# UNIT ${quoted} ${unit}`)
  if (help !== "") lines.push(`# HELP ${quoted} ${escapeHelp(help, isOpen)}`)
  for (const { data, scope } of members) {
    const scopeOf = style.scopeLabels ? scopeLabels(scope, style) : noLabels
    for (const point of data.points) {
      const own = [...labelsOf(point.attributes, style), ...scopeOf]
      if ("quantiles" in point) writeSummary(lines, series, own, point, isOpen)
      else if ("value" in point) {
        const exemplar = isOpen && isCounter ? exemplarText(point.exemplars[0], style) : ""
        lines.push(`${sample(series, own)} ${number(point.value)}${exemplar}`)
      } else writeHistogram(lines, series, own, "bounds" in point ? point : explicitOf(point), style)
    }
  }
}

const writeHistogram = (
  lines: Array<string>,
  name: string,
  own: Labels,
  point: HistogramPoint,
  style: Style
): void => {
  const isOpen = style.format === "openmetrics"
  let below = 0
  const bucketCounts = point.bucketCounts.length > 0 ? point.bucketCounts : [point.count]
  bucketCounts.forEach((count, i) => {
    below += count
    const [from, to] = [point.bounds[i - 1] ?? -Infinity, point.bounds[i] ?? Infinity]
    const within = isOpen
      ? point.exemplars.find(({ value }) => Number(value) > from && Number(value) <= to)
      : undefined
    const le = isOpen ? float(to) : number(to)
    lines.push(`${sample(`${name}_bucket`, [...own, ["le", le]])} ${below}${exemplarText(within, style)}`)
  })
  if (point.sum !== undefined) lines.push(`${sample(`${name}_sum`, own)} ${number(point.sum)}`)
  lines.push(`${sample(`${name}_count`, own)} ${point.count}`)
}

const writeSummary = (lines: Array<string>, name: string, own: Labels, point: SummaryPoint, isOpen: boolean): void => {
  for (const { quantile, value } of point.quantiles) {
    const label = isOpen ? float(quantile) : number(quantile)
    lines.push(`${sample(name, [...own, ["quantile", label]])} ${number(value)}`)
  }
  lines.push(`${sample(`${name}_sum`, own)} ${number(point.sum)}`, `${sample(`${name}_count`, own)} ${point.count}`)
}

type Labels = ReadonlyArray<readonly [name: string, value: string]>

const noLabels: Labels = []

const textOf = (value: AttributeValue): string => {
  if (typeof value === "string") return value.toWellFormed()
  if (typeof value === "bigint") return String(value)
  if (value instanceof Uint8Array) return JSON.stringify([...value])
  return JSON.stringify(value, (_, inner) => typeof inner === "bigint" ? String(inner) : inner)
}

const labelsOf = (attributes: Attributes, { escaping }: Style): Labels => {
  const joined = new Map<string, string>()
  for (const key of Object.keys(attributes).sort()) {
    const name = labelName(key, escaping)
    const known = joined.get(name)
    const value = textOf(attributes[key]!)
    joined.set(name, known === undefined ? value : `${known};${value}`)
  }
  return [...joined]
}

const scopeLabels = (scope: InstrumentationScope, style: Style): Labels => {
  const { attributes = {}, name, schemaUrl, version } = scope
  const all: Array<readonly [string, string]> = []
  if (name !== "") all.push(["otel_scope_name", name])
  if (version !== undefined && version !== "") all.push(["otel_scope_version", version])
  if (schemaUrl !== undefined && schemaUrl !== "") all.push(["otel_scope_schema_url", schemaUrl])
  for (const [key, value] of labelsOf(attributes, style)) all.push([`otel_scope_${key}`, value])
  return all
}

const isQuoted = (name: string): boolean => !/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)

const quote = (text: string): string => `"${text.replace(/[\\"\n]/g, (sign) => sign === "\n" ? "\\n" : `\\${sign}`)}"`

const escapeHelp = (text: string, isOpen: boolean): string =>
  text.toWellFormed().replace(isOpen ? /[\\"\n]/g : /[\\\n]/g, (sign) => sign === "\n" ? "\\n" : `\\${sign}`)

const label = ([name, value]: Labels[number]): string => {
  const isPlain = /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)
  return `${isPlain ? name : quote(name)}=${quote(value.toWellFormed())}`
}

const labels = (all: Labels): string => all.length === 0 ? "" : `{${all.map(label).join(",")}}`

/** A series: in UTF-8, its name stands among its labels. */
const sample = (name: string, all: Labels): string =>
  isQuoted(name) ? `{${[quote(name), ...all.map(label)].join(",")}}` : `${name}${labels(all)}`

const number = (value: MetricValue): string =>
  typeof value === "bigint" || Number.isFinite(value) || Number.isNaN(value)
    ? String(value)
    : value > 0
    ? "+Inf"
    : "-Inf"

/** A bound, which OpenMetrics wants with its point. */
const float = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : number(value)

const exemplarText = (exemplar: Exemplar | undefined, style: Style): string => {
  if (exemplar === undefined) return ""
  const { filteredAttributes, spanId, timeUnixNano, traceId, value } = exemplar
  const all: Array<readonly [string, string]> = []
  let length = 0
  const add = (pair: readonly [string, string]): void => {
    // OpenMetrics allows 128 characters in all.
    const size = [...pair[0]].length + [...pair[1]].length
    if (length + size > 128) return
    length += size
    all.push(pair)
  }
  if (traceId !== undefined) add(["trace_id", traceId])
  if (spanId !== undefined) add(["span_id", spanId])
  labelsOf(filteredAttributes, style).forEach(add)
  const time = `${timeUnixNano / 1_000_000_000n}.${String(timeUnixNano % 1_000_000_000n).padStart(9, "0")}`
  return ` # ${all.length === 0 ? "{}" : labels(all)} ${number(value)} ${time}`
}
