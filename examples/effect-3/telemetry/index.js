export * from "effect-telemetry/effect-3"
export * from "effect-telemetry/promise"
