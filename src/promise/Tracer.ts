/** Tracers: of the process's telemetry by name, and with a telemetry of their own. */
import type { SignalSnapshot } from "../diagnostics/Ledger.ts"
import type { FlushResult } from "../Telemetry.ts"
import type { Exporter, InitializeOptions, Processor } from "./handles.ts"
import { globalSource, tracerOf } from "./registry.ts"
import { flushOf, type FlushOptions, Running } from "./running.ts"
import { type ActiveSpan, type Source, type SpanOptions, startSpanOf } from "./spans.ts"
import { type Trace, type Traced, tracedOf, traceOf } from "./traced.ts"

/** Makes spans as the functions of the same names do. */
export interface ScopedTracer {
  readonly startSpan: (name: string, options?: SpanOptions) => ActiveSpan
  readonly trace: Trace
  readonly traced: Traced
}

const scopedTo = (source: Source): ScopedTracer => ({
  startSpan: (name, options) => startSpanOf(source, name, options),
  trace: traceOf(source),
  traced: tracedOf(source)
})

/**
 * The tracer of a library or module, whose spans name it as their instrumentation scope. The same object for the same
 * name and version.
 *
 * **Details**
 *
 * It may be asked for at any time: its spans are those of whatever telemetry `TraceContext` runs at the moment, and inert
 * while there is none. Names are kept for good, so they must be few.
 */
export const getTracer = (name: string, version?: string): ScopedTracer =>
  tracerOf(name, version, () => {
    const scope = version === undefined ? { name } : { name, version }
    return scopedTo({ core: globalSource.core, scope })
  })

/** Options of {@link Tracer}. */
export interface TracerOptions extends Omit<InitializeOptions, "serviceName"> {
  /** One more of `exporters`. */
  readonly exporter?: Exporter | undefined
  /** One more of `processors`. */
  readonly processor?: Processor | undefined
}

const listOf = <A>(one: A | undefined, more: ReadonlyArray<A> | undefined): ReadonlyArray<A> | undefined =>
  one === undefined ? more : [one, ...more ?? []]

/**
 * A tracer with a telemetry of its own, beside that of `TraceContext`: another service, or a test.
 *
 * **Details**
 *
 * It runs when it is made, unless a part that was passed in has to be waited for: then spans are inert until `ready`. The
 * constructor throws `TelemetryConfigError` for options that cannot be taken. A span's parent is the current span, whoever
 * made it. It listens for the end of the process until `shutdown`.
 *
 * **Example**
 *
 * ```ts
 * import { InMemoryExporter, Tracer } from "effect-telemetry/promise"
 *
 * const exporter = new InMemoryExporter()
 * const tracer = new Tracer("shop", { exporter })
 *
 * tracer.span("checkout", (span) => span.setAttribute("cart.items", 3))
 *
 * await tracer.flush()
 * exporter.getSpans().map((span) => span.name) // => ["checkout"]
 * await tracer.shutdown()
 * ```
 */
export class Tracer implements ScopedTracer {
  readonly startSpan: ScopedTracer["startSpan"]
  readonly trace: Trace
  /** The same as `trace`. */
  readonly span: Trace
  readonly traced: Traced
  /** Resolves when the tracer runs; rejects when a part could not be made. */
  readonly ready: Promise<void>
  readonly #running: Running

  constructor(serviceName: string, options: TracerOptions = {}) {
    const { exporter, exporters, processor, processors, ...rest } = options
    const running = new Running({
      ...rest,
      serviceName,
      exporters: listOf(exporter, exporters),
      processors: listOf(processor, processors)
    })
    // Whoever looks at `ready` sees a rejection; nobody has to.
    running.ready.catch(() => {})
    if (running.failure !== undefined) throw running.failure.error
    this.#running = running
    this.ready = running.ready
    const { startSpan, trace, traced } = scopedTo({ core: () => running.parts?.core, scope: undefined })
    this.startSpan = startSpan
    this.trace = trace
    this.span = trace
    this.traced = traced
  }

  /** Delivers every span that has ended. Resolves at the latest after `within` (default 10 seconds); never rejects. */
  async flush(options?: FlushOptions): Promise<FlushResult> {
    await this.ready.catch(() => {})
    return flushOf(this.#running.parts, options)
  }

  /** Delivers what has ended and stops; later spans are inert. Never rejects, resolves with the closing ledger. */
  shutdown(): Promise<SignalSnapshot | undefined> {
    return this.#running.stop()
  }

  /** Stops it, so that `await using` works. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown()
  }
}
