/** Who runs, in the order of the table. */

/** A line of the table. */
export interface ContenderInfo {
  /** The name of its module in this folder. */
  readonly id: string
  readonly name: string
  readonly role: "baseline" | "rival" | "ours" | "floor"
  readonly program: "effect" | "plain"
  /** What is subtracted: the same program under a tracer that does nothing. Baselines have none. */
  readonly baseline: "noop" | "plainNoop" | undefined
  /** Whether it sends its spans anywhere, and how. */
  readonly exports: boolean
  readonly encoding: "JSON" | "protobuf" | undefined
}

const contender = (
  id: string,
  role: ContenderInfo["role"],
  program: ContenderInfo["program"],
  name: string,
  encoding?: ContenderInfo["encoding"]
): ContenderInfo => ({
  id,
  name: encoding === undefined ? name : `${name}, ${encoding}`,
  role,
  program,
  exports: encoding !== undefined,
  encoding,
  baseline: role === "baseline" ? undefined : program === "effect" ? "noop" : "plainNoop"
})

export const contenders: ReadonlyArray<ContenderInfo> = [
  contender("bare", "baseline", "effect", "Effect, no spans"),
  contender("noop", "baseline", "effect", "Effect.withSpan, no-op tracer"),
  contender("effectNative", "rival", "effect", "Effect.withSpan, Effect's native tracer (exports nothing)"),
  contender("effectOtlpJson", "rival", "effect", "Effect.withSpan, Effect's OtlpTracer", "JSON"),
  contender("effectOtlpProtobuf", "rival", "effect", "Effect.withSpan, Effect's OtlpTracer", "protobuf"),
  contender("effectSdk", "rival", "effect", "Effect.withSpan, @effect/opentelemetry NodeSdk", "protobuf"),
  contender("oursProtobuf", "ours", "effect", "Effect.withSpan, effect-telemetry", "protobuf"),
  contender("oursJson", "ours", "effect", "Effect.withSpan, effect-telemetry", "JSON"),
  contender("oursTrace", "ours", "effect", "Trace.span, effect-telemetry", "protobuf"),
  contender("prototype", "floor", "effect", "Effect.withSpan, bare prototype with our encoder", "protobuf"),
  contender("plainNoop", "baseline", "plain", "async functions, no-op tracer"),
  contender("otelJs", "rival", "plain", "async functions, OpenTelemetry JS", "protobuf"),
  contender("oursPromise", "ours", "plain", "async functions, effect-telemetry/promise", "protobuf")
]
