/**
 * The front door for plain TypeScript: spans around functions, without any knowledge of Effect. The same tracer,
 * processors and exporters as `TelemetryLayer`, and no fiber for a call.
 */
export * from "./trace.ts"
export * as TraceContext from "./TraceContext.ts"
