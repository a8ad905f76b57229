/**
 * Options and `OTEL_*` variables, and the configuration they make.
 *
 * **Details**
 *
 * One table states every option: its variables, its default, what is allowed, the section of the specification it
 * follows. `docs/configuration.md` is made from it. The rules are the specification's
 * (`configuration/sdk-environment-variables.md`, `configuration/common.md`): a blank variable is unset; what cannot be
 * read, is out of range or is not known is told once and ignored; names are read in any case; times are milliseconds and
 * a timeout of 0 is no limit; an option in code wins over the environment.
 */
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import { TelemetryConfigError } from "./config/check.ts"
import * as environment from "./config/environment.ts"
import type { Environment } from "./config/environment.ts"
import { TelemetryOptions } from "./config/options.ts"
import { type Resolution, resolve as resolvePure } from "./config/resolve.ts"
import { TelemetryConfig } from "./config/resolved.ts"
import type { Problem } from "./config/setting.ts"
import { rows, variables } from "./config/settings.ts"
import type { Diagnostics } from "./diagnostics/Diagnostics.ts"

export { TelemetryConfig, TelemetryConfigError, TelemetryOptions, variables }
export type { Environment, Problem, Resolution }
export type { OptionIssue } from "./config/check.ts"
export type {
  BatchOptions,
  DetectorName,
  LogBatchOptions,
  LogsExporterName,
  OtlpLogsOptions,
  OtlpOptions,
  PropagatorName,
  TracesExporterName
} from "./config/options.ts"

/**
 * The configuration that `options` and `env` make: a `Result`, computed at once.
 *
 * **Details**
 *
 * `env` defaults to the variables of this process, and to none where there is no process. A variable that cannot be
 * taken is a problem and counts as unset. Fails with {@link TelemetryConfigError} for options that cannot be taken.
 */
export const resolve = (input?: {
  readonly options?: TelemetryOptions | undefined
  readonly env?: Environment | undefined
}): Result.Result<Resolution, TelemetryConfigError> =>
  resolvePure({ options: input?.options, env: input?.env ?? environment.ofProcess(variables) })

/**
 * As {@link resolve}, with the variables from the `ConfigProvider` where one is provided.
 *
 * **Details**
 *
 * Variables come from `env` if it is given; else from a `ConfigProvider` that was provided (its keys are the variables'
 * names, as in `ConfigProvider.fromUnknown({ OTEL_SERVICE_NAME: "shop" })`); else from this process.
 *
 * **Gotchas**
 *
 * A provided `ConfigProvider` replaces the process's environment. To have both, provide it with
 * `ConfigProvider.layerAdd`. What it fails to read is a problem, and counts as unset.
 */
export const load = (input?: {
  readonly options?: TelemetryOptions | undefined
  readonly env?: Environment | undefined
}): Effect.Effect<Resolution, TelemetryConfigError> =>
  input?.env !== undefined
    ? Effect.suspend(() => Effect.fromResult(resolve(input)))
    : Effect.flatMap(
      environment.load(variables),
      ({ env, unreadable }) => Effect.fromResult(resolvePure({ options: input?.options, env, unreadable }))
    )

/** Reports each problem as a warning, under `config.` and the variable or the option's path. */
export const report = (problems: ReadonlyArray<Problem>, diagnostics: Diagnostics): void => {
  const seen = new Map<string, number>()
  for (const problem of problems) {
    const name = problem.variable ?? problem.path
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    // Several problems of one variable are different news; one key would silence all but the first.
    diagnostics.report("warn", count === 1 ? `config.${name}` : `config.${name}.${count}`, problem.message)
  }
}

/** One option, for documentation and `--help`. */
export interface TableRow {
  /** As in `otlp.timeout`. */
  readonly path: string
  /** The variables that state it, the one that wins first. */
  readonly variables: ReadonlyArray<string>
  /** Variables that refine the value of another. */
  readonly refinements: ReadonlyArray<string>
  readonly default: string
  /** `""` for values without one. */
  readonly unit: string
  /** What is allowed in code. */
  readonly allowed: string
  /** What is allowed in a variable. */
  readonly allowedText: string
  readonly description: string
  /** The section of the specification it follows, or a URL; `""` for an option that is the library's own. */
  readonly source: string
}

/** Every option, in the order of the documentation. */
export const table: ReadonlyArray<TableRow> = rows.map(({ path, setting }) => ({
  path,
  variables: setting.variables,
  refinements: setting.refinements,
  default: setting.defaultText,
  unit: setting.kind.unit,
  allowed: setting.kind.allowed,
  allowedText: setting.kind.allowedText,
  description: setting.description,
  source: setting.source
}))
