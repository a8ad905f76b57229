/** Who runs, in the order of the table. */

/** A line of the table. */
export interface ContenderInfo {
  /** The name of its module in this folder. */
  readonly id: string
  readonly name: string
  readonly role: "baseline" | "rival" | "ours"
  readonly program: "effect" | "plain"
  /** What is subtracted: the same program under a tracer that does nothing. Baselines have none. */
  readonly baseline: "noop" | "plainNoop" | undefined
  /** Whether it sends its spans anywhere. */
  readonly exports: boolean
}

const contender = (
  id: string,
  name: string,
  role: ContenderInfo["role"],
  program: ContenderInfo["program"],
  rest: { readonly exports?: boolean; readonly baseline?: undefined } = {}
): ContenderInfo => ({
  id,
  name,
  role,
  program,
  exports: role !== "baseline",
  baseline: role === "baseline" ? undefined : program === "effect" ? "noop" : "plainNoop",
  ...rest
})

export const contenders: ReadonlyArray<ContenderInfo> = [
  contender("bare", "Effect, no spans", "baseline", "effect"),
  contender("noop", "Effect.withSpan, no-op tracer", "baseline", "effect"),
  contender("effectNative", "Effect.withSpan, Effect's native tracer (no export)", "rival", "effect", {
    exports: false
  }),
  contender("effectOtlpJson", "Effect.withSpan, Effect's OtlpTracer, JSON", "rival", "effect"),
  contender("effectOtlpProtobuf", "Effect.withSpan, Effect's OtlpTracer, protobuf", "rival", "effect"),
  contender("effectSdk", "Effect.withSpan, @effect/opentelemetry NodeSdk, protobuf", "rival", "effect"),
  contender("oursProtobuf", "Effect.withSpan, effect-telemetry, protobuf", "ours", "effect"),
  contender("oursJson", "Effect.withSpan, effect-telemetry, JSON", "ours", "effect"),
  contender("oursTrace", "Trace.span, effect-telemetry, protobuf", "ours", "effect"),
  contender("plainNoop", "async functions, no-op tracer", "baseline", "plain"),
  contender("otelJs", "async functions, OpenTelemetry JS, protobuf", "rival", "plain"),
  contender("oursPromise", "async functions, effect-telemetry/promise, protobuf", "ours", "plain")
]
