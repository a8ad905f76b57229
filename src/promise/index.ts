/**
 * The front door for plain TypeScript: spans around functions, without any knowledge of Effect. The same tracer,
 * processors and exporters as `TelemetryLayer`, and no fiber for a call.
 */
export { extractEnvironment, injectEnvironment } from "./environment.ts"
export {
  type ActiveSpan,
  extract,
  getCurrentSpan,
  inject,
  type SpanOptions,
  startSpan,
  trace,
  traced,
  type TracedOptions
} from "./trace.ts"
export * as TraceContext from "./TraceContext.ts"
