import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TelemetryConfig from "../../src/TelemetryConfig.ts"

/** The configuration of options and variables that can be taken. */
export const resolve = (
  env: TelemetryConfig.Environment = {},
  options?: TelemetryConfig.TelemetryOptions
): TelemetryConfig.Resolution => Result.getOrThrow(TelemetryConfig.resolve({ options, env }))

/** The error of options that cannot be taken. */
export const reject = (options: unknown): TelemetryConfig.TelemetryConfigError =>
  Result.getOrThrow(
    Result.flip(TelemetryConfig.resolve({ options: options as TelemetryConfig.TelemetryOptions, env: {} }))
  )

/** A value of a configuration by path. */
export const at = (config: TelemetryConfig.TelemetryConfig, path: string): unknown =>
  path.split(".").reduce<unknown>((from, key) => (from as Record<string, unknown>)[key], config)

/** Headers with their secrets. */
export const plain = (headers: Readonly<Record<string, Redacted.Redacted<string>>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Redacted.value(value)]))
