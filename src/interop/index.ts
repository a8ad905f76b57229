/**
 * `effect-telemetry/opentelemetry`: this library and OpenTelemetry JavaScript in one process. Nothing of theirs is
 * imported; what is optional is loaded when it is asked for.
 */
export * from "./Availability.ts"
export * as ForeignTracer from "./ForeignTracer.ts"
export * as FromOpenTelemetry from "./FromOpenTelemetry.ts"
export * as OpenTelemetry from "./OpenTelemetry.ts"
export * as ToOpenTelemetry from "./ToOpenTelemetry.ts"
