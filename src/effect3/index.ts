/**
 * `effect-telemetry/effect-3`: programs on Effect 3 send their spans through the same pipeline. Nothing of Effect 3 is
 * imported.
 */
export * as Effect3Telemetry from "./Effect3Telemetry.ts"
export * as Effect3Tracer from "./Effect3Tracer.ts"
