/**
 * From options and variables to the configuration.
 */
import * as Result from "effect/Result"
import type { Attributes } from "../model/Attributes.ts"
import { checkOptions, optionAt, TelemetryConfigError } from "./check.ts"
import { signalUrl, splitCredentials } from "./endpoint.ts"
import { type Environment, unknownService, type Unreadable } from "./environment.ts"
import type { TelemetryOptions } from "./options.ts"
import { type Headers, mergeAttributes, mergeHeaders } from "./pairs.ts"
import type { TelemetryConfig } from "./resolved.ts"
import type { Complaint, Problem, Setting, ValuesOf } from "./setting.ts"
import { rows, settings, unread } from "./settings.ts"
import { hidden, showText, showValue } from "./show.ts"

/** The configuration, and what was stated and could not be taken. */
export interface Resolution {
  readonly config: TelemetryConfig
  readonly problems: ReadonlyArray<Problem>
}

type Values = ValuesOf<typeof settings>

/** One statement of a value and who made it; `undefined` stands for the code. */
interface Statement {
  readonly variable: string | undefined
  readonly value: unknown
}

const makeProblem = (problem: Omit<Problem, "message">): Problem => ({
  ...problem,
  message: `${problem.variable ?? `option ${problem.path}`}=${problem.value} ${problem.consequence}: ` +
    `expected ${problem.allowed}`
})

const reader = (env: Environment) => (variable: string): string | undefined => {
  const raw: unknown = Object.hasOwn(env, variable) ? env[variable] : undefined
  const trimmed = typeof raw === "string" ? raw.trim() : ""
  return trimmed === "" ? undefined : trimmed
}

/** Everything that is stated of a setting, the strongest first; only as much as the setting needs. */
const statementsOf = (
  path: string,
  { kind, refinements, variables }: Setting<any, any>,
  option: unknown,
  read: (variable: string) => string | undefined,
  problems: Array<Problem>
): ReadonlyArray<Statement> => {
  const statements: Array<Statement> = []
  const done = () => kind.merge === undefined && statements.length > 0
  if (option !== undefined) statements.push({ variable: undefined, value: kind.fromOption(option) })
  for (const variable of variables) {
    if (done()) break
    const raw = read(variable)
    if (raw === undefined) continue
    const complain = (complaint: Complaint = {}, named = variable) => {
      problems.push(makeProblem({
        path,
        variable: named,
        value: complaint.value ?? kind.show(raw),
        allowed: complaint.allowed ?? kind.allowedText,
        consequence: complaint.consequence ?? "is ignored"
      }))
    }
    const value = kind.parse(raw, { read, complain })
    if (value !== undefined) statements.push({ variable, value })
  }
  if (option === undefined && variables.every((variable) => read(variable) === undefined)) {
    for (const refinement of refinements) {
      const raw = read(refinement)
      if (raw === undefined) continue
      problems.push(makeProblem({
        path,
        variable: refinement,
        value: kind.show(raw),
        allowed: `${variables.join(" or ")} beside it`,
        consequence: "is ignored"
      }))
    }
  }
  return statements
}

const valueOf = ({ default: fallback, kind }: Setting<any, any>, statements: ReadonlyArray<Statement>): unknown =>
  statements.length === 0
    ? fallback
    : statements.map((statement) => statement.value).reduce(kind.merge ?? ((over) => over))

/** What the settings are before they are looked at together. */
interface Gathered {
  readonly values: Values
  readonly stated: (path: string) => ReadonlyArray<Statement>
}

const gather = (
  options: TelemetryOptions,
  read: (variable: string) => string | undefined,
  problems: Array<Problem>
): Gathered => {
  const values: Record<string, unknown> = {}
  const stated = new Map<string, ReadonlyArray<Statement>>()
  for (const { path, setting } of rows) {
    const statements = statementsOf(path, setting, optionAt(options, path), read, problems)
    stated.set(path, statements)
    const [group, name] = path.split(".") as [string, string | undefined]
    const value = valueOf(setting, statements)
    values[group] = name === undefined ? value : { ...values[group] as object, [name]: value }
  }
  return { values: values as unknown as Values, stated: (path) => stated.get(path) ?? [] }
}

/** The name or version of the service: in code before in the environment, by itself before among the attributes. */
const serviceAttribute = (gathered: Gathered, path: string, key: string): string | undefined => {
  const own = gathered.stated(path)
  const among = gathered.stated("resource.attributes").map(({ value, variable }) => ({
    variable,
    value: (value as Attributes)[key]
  }))
  const isCode = ({ variable }: Statement) => variable === undefined
  const ordered = [...own.filter(isCode), ...among.filter(isCode), ...own, ...among]
  const found = ordered.find(({ value }) => value !== undefined && value !== null && value !== "")
  return found === undefined ? undefined : String(found.value)
}

const resourceOf = (gathered: Gathered) => {
  const serviceName = serviceAttribute(gathered, "serviceName", "service.name")
  const serviceVersion = serviceAttribute(gathered, "serviceVersion", "service.version")
  const service: Record<string, string> = {}
  if (serviceName !== undefined) service["service.name"] = serviceName
  if (serviceVersion !== undefined) service["service.version"] = serviceVersion
  return {
    serviceName: serviceName ?? unknownService(),
    serviceVersion,
    resource: {
      attributes: mergeAttributes(service, gathered.values.resource.attributes),
      schemaUrl: gathered.values.resource.schemaUrl
    }
  }
}

const batchOf = (
  { stated, values }: Gathered,
  group: "batch" | "logBatch",
  problems: Array<Problem>
): TelemetryConfig["batch"] => {
  const atMost = (name: "maxExportBatchSize" | "maxBatchBytes", bound: "maxQueueSize" | "maxQueueBytes"): number => {
    const { [name]: value, [bound]: most } = values[group]
    if (value <= most) return value
    const [statement] = stated(`${group}.${name}`)
    if (statement !== undefined) {
      problems.push(makeProblem({
        path: `${group}.${name}`,
        variable: statement.variable,
        value: String(value),
        allowed: `at most ${group}.${bound}, ${most}`,
        consequence: `is lowered to ${most}`
      }))
    }
    return most
  }
  return {
    ...values[group],
    maxExportBatchSize: atMost("maxExportBatchSize", "maxQueueSize"),
    maxBatchBytes: atMost("maxBatchBytes", "maxQueueBytes")
  }
}

const endpointsOf = ({ stated, values }: Gathered) => {
  const [own] = stated("otlp.tracesEndpoint")
  const [base] = stated("otlp.endpoint")
  // A base URL in code is an explicit option, and wins over a variable for the signal.
  const asItIs = own !== undefined && !(own.variable !== undefined && base !== undefined && base.variable === undefined)
  const endpoint = splitCredentials(values.otlp.endpoint)
  const traces = asItIs ? splitCredentials(values.otlp.tracesEndpoint) : endpoint
  return {
    endpoint: endpoint.url,
    tracesEndpoint: asItIs ? traces.url : signalUrl(endpoint.url, "v1/traces"),
    headers: mergeHeaders(values.otlp.headers, traces.headers)
  }
}

/** The key and certificate of a client, both or none. */
const clientOf = (
  group: "otlp" | "otlpLogs",
  own: { readonly clientKey: string | undefined; readonly clientCertificate: string | undefined },
  { stated }: Gathered,
  problems: Array<Problem>
) => {
  const { clientCertificate, clientKey } = own
  const hasKey = clientKey !== undefined
  if (hasKey === (clientCertificate !== undefined)) return { clientKey, clientCertificate }
  const alone = hasKey ? "clientKey" : "clientCertificate"
  problems.push(makeProblem({
    path: `${group}.${alone}`,
    variable: stated(`${group}.${alone}`)[0]?.variable,
    value: showValue(own[alone]),
    allowed: "clientKey and clientCertificate together",
    consequence: "is ignored"
  }))
  return { clientKey: undefined, clientCertificate: undefined }
}

const otlpOf = (gathered: Gathered, problems: Array<Problem>): TelemetryConfig["otlp"] => ({
  ...gathered.values.otlp,
  ...endpointsOf(gathered),
  ...clientOf("otlp", gathered.values.otlp, gathered, problems)
})

/** What a statement of a signal's own variables is made of. */
interface Source {
  readonly options: TelemetryOptions
  readonly read: (variable: string) => string | undefined
  readonly problems: Array<Problem>
}

const otlpLogsOf = (gathered: Gathered, { options, problems, read }: Source): TelemetryConfig["otlpLogs"] => {
  const { stated, values } = gathered
  const isCode = ({ variable }: Statement): boolean => variable === undefined
  /** In code for logs, in code for all, in the variable for logs, in that for all. */
  const statements = (name: "headers" | "timeout" | "compression" | "protocol" | TlsName): ReadonlyArray<Statement> => {
    const own = stated(`otlpLogs.${name}`)
    const general = settings.otlp[name]
    const found: Array<Problem> = []
    const rest = statementsOf(
      `otlp.${name}`,
      // The first variable is that of traces.
      { ...general, variables: general.variables.slice(1) } as Setting<any, any>,
      optionAt(options, `otlp.${name}`),
      read,
      found
    )
    problems.push(...found.filter(({ message }) => problems.every((known) => known.message !== message)))
    return [...own.filter(isCode), ...rest.filter(isCode), ...own.filter((one) => !isCode(one)), ...rest]
  }
  const first = <A>(name: Parameters<typeof statements>[0], fallback: A): A => {
    const [statement] = statements(name)
    return statement === undefined ? fallback : statement.value as A
  }
  const [own] = stated("otlpLogs.endpoint")
  const [base] = stated("otlp.endpoint")
  // As for traces: a base URL in code wins over a variable for the signal.
  const asItIs = own !== undefined && (isCode(own) || base === undefined || !isCode(base))
  const logs = splitCredentials(asItIs ? values.otlpLogs.endpoint : values.otlp.endpoint)
  const stands = statements("headers").map(({ value }) => value as Headers)
  return {
    endpoint: asItIs ? logs.url : signalUrl(logs.url, "v1/logs"),
    headers: mergeHeaders(stands.reduceRight((under, over) => mergeHeaders(over, under), {}), logs.headers),
    timeout: first("timeout", values.otlpLogs.timeout),
    compression: first("compression", values.otlpLogs.compression),
    protocol: first("protocol", values.otlpLogs.protocol),
    certificate: first<string | undefined>("certificate", undefined),
    ...clientOf(
      "otlpLogs",
      {
        clientKey: first<string | undefined>("clientKey", undefined),
        clientCertificate: first<string | undefined>("clientCertificate", undefined)
      },
      gathered,
      // That half of a pair is stated for all signals is told once, by the group that states it.
      stated("otlpLogs.clientKey").length + stated("otlpLogs.clientCertificate").length === 0 ? [] : problems
    )
  }
}

type TlsName = "certificate" | "clientKey" | "clientCertificate"

/**
 * The configuration that `options` and `env` make.
 *
 * **Details**
 *
 * Pure. An option wins over its variables, the first variable over the next, those over the default. A variable that
 * cannot be taken is a problem and counts as unset; an option that cannot be taken fails with `TelemetryConfigError`.
 */
export const resolve = (input: {
  readonly options?: TelemetryOptions | undefined
  readonly env?: Environment | undefined
  /** Variables that were asked for and could not be read. */
  readonly unreadable?: ReadonlyArray<Unreadable> | undefined
}): Result.Result<Resolution, TelemetryConfigError> => {
  const options = input.options ?? {}
  const [first, ...others] = checkOptions(options)
  if (first !== undefined) return Result.fail(new TelemetryConfigError({ issues: [first, ...others] }))

  const read = reader(input.env ?? {})
  const problems: Array<Problem> = []
  const gathered = gather(options, read, problems)
  const { values } = gathered
  const config: TelemetryConfig = {
    ...values,
    ...resourceOf(gathered),
    batch: batchOf(gathered, "batch", problems),
    logBatch: batchOf(gathered, "logBatch", problems),
    otlp: otlpOf(gathered, problems),
    otlpLogs: otlpLogsOf(gathered, { options, read, problems })
  }
  return Result.succeed({ config, problems: [...problems, ...sources(read, input.unreadable ?? [])] })
}

const sources = (
  read: (variable: string) => string | undefined,
  unreadable: ReadonlyArray<Unreadable>
): ReadonlyArray<Problem> => [
  ...Object.entries(unread).flatMap(([variable, reason]) => {
    const raw = read(variable)
    return raw === undefined ? [] : [makeProblem({
      path: "",
      variable,
      value: showText(raw),
      allowed: `nothing, as ${reason}`,
      consequence: "is ignored"
    })]
  }),
  ...unreadable.map(({ reason, variable }) =>
    makeProblem({
      path: rows.find(({ setting }) => setting.variables.includes(variable))?.path ?? "",
      variable,
      value: hidden,
      allowed: `a text, but ${reason}`,
      consequence: "is taken as unset"
    })
  )
]
