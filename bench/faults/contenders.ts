/** Who takes part. */

export interface ContenderInfo {
  readonly id: string
  readonly name: string
  /** File of its module in `contenders`. */
  readonly module: string
  readonly role: "ours" | "rival"
  /** Whether it is given a directory, and a process after it that is given the same one. */
  readonly spool: boolean
}

const contender = (
  id: string,
  name: string,
  role: ContenderInfo["role"],
  rest: Partial<ContenderInfo> = {}
): ContenderInfo => ({ id, name, role, module: id, spool: false, ...rest })

export const contenders: ReadonlyArray<ContenderInfo> = [
  contender("ours", "effect-telemetry", "ours"),
  contender("oursSpool", "effect-telemetry, spool", "ours", { module: "ours", spool: true }),
  contender("oursAlways", "effect-telemetry, spool, mode always", "ours", { spool: true }),
  contender("oursSignals", "effect-telemetry, shutdownOn", "ours"),
  contender("oursEffect", "effect-telemetry, TelemetryLayer and runMain", "ours"),
  contender("otel", "OpenTelemetry JS", "rival"),
  contender("otelHook", "OpenTelemetry JS, its SIGTERM hook", "rival"),
  contender("effect", "Effect's OtlpTracer", "rival")
]

export const contenderOf = (id: string): ContenderInfo => {
  const found = contenders.find((info) => info.id === id)
  if (found === undefined) throw new Error(`there is no contender ${id}`)
  return found
}
