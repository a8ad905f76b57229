/**
 * The front door for plain TypeScript: spans around functions, without any knowledge of Effect. The same tracer,
 * processors and exporters as `TelemetryLayer`, and no fiber for a call.
 */
export { getCurrentSpan, linkSpan } from "./ambient.ts"
export { getBaggage, withBaggage } from "./baggage.ts"
export {
  BatchSpanProcessor,
  ConsoleExporter,
  type Exporter,
  InMemoryExporter,
  OTLPExporter,
  type Processor,
  SimpleSpanProcessor
} from "./handles.ts"
export { getLogger, log, type LogFunction, type PlainLogger } from "./log.ts"
export {
  extract,
  extractEnvironment,
  type IncomingHeaders,
  inject,
  injectEnvironment,
  withHeaders
} from "./propagation.ts"
export { type ActiveSpan, type SpanAttributes, type SpanOptions } from "./spans.ts"
export { startSpan, trace, traced } from "./trace.ts"
export * as TraceContext from "./TraceContext.ts"
export { type Trace, type Traced, type TracedDecorator, type TracedOptions } from "./traced.ts"
export { getTracer, type ScopedTracer, Tracer, type TracerOptions } from "./Tracer.ts"
