import { globalSource } from "./registry.ts"
import { type ActiveSpan, type SpanOptions, startSpanOf } from "./spans.ts"
import { type Trace, type Traced, tracedOf, traceOf } from "./traced.ts"

/**
 * Starts a span, which is not current anywhere until `trace` runs within it; end it with `span.end()` or `using`.
 *
 * **Details**
 *
 * Before `TraceContext.initialize` the span is inert: every method is safe and does nothing.
 */
export const startSpan = (name: string, options?: SpanOptions): ActiveSpan => startSpanOf(globalSource, name, options)

/**
 * Runs `fn` within a span. The span ends when `fn` returns, throws, or its promise settles; what it throws is recorded
 * and thrown on.
 *
 * **Details**
 *
 * The span of a generator function, also an async one, covers the iteration: it starts with the first step and ends when
 * the generator does, by `return`, by an error, or because its consumer breaks off. Between two steps the consumer is not
 * in the span.
 */
export const trace: Trace = traceOf(globalSource)

/**
 * Wraps a function so that each call runs within a span, as {@link trace} does it: `traced(name?, options?, fn)`. `this`,
 * arguments and result are the function's own, generators included. Without a function it is a standard decorator of
 * methods: `@traced(name?, options?)`.
 *
 * **Details**
 *
 * Without a name the span takes the function's; an anonymous function's span is called `anonymous`.
 */
export const traced: Traced = tracedOf(globalSource)
