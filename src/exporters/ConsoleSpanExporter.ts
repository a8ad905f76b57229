/** Spans on the terminal or in a container's log. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Diagnostics from "../diagnostics/Diagnostics.ts"
import { sleepUnref } from "../internal/clock.ts"
import * as Terminal from "../internal/terminal.ts"
import type { ReadableSpan } from "../model/ReadableSpan.ts"
import * as OtlpJson from "../otlp/OtlpJson.ts"
import { makeWrite, otlpLines } from "./consoleOutput.ts"
import * as SpanDataBatch from "./SpanDataBatch.ts"
import * as SpanExporter from "./SpanExporter.ts"
import { type HeldTrace, TraceBuffer } from "./TraceBuffer.ts"
import { formatSpanLine, formatTraceLines, type LineOptions } from "./TraceLine.ts"
import { renderTrace } from "./TraceRenderer.ts"

/** How spans are written and where. */
export interface Options {
  /**
   * - `"tree"`: for people, one tree for each trace.
   * - `"line"`: one line for each trace.
   * - `"span"`: one line for each span, as it is exported.
   * - `"json"`: one OTLP JSON `ExportTraceServiceRequest` for each span, on a line of its own.
   *
   * Default: `"tree"` where the stream is a terminal, else `"line"`.
   */
  readonly format?: "tree" | "line" | "span" | "json" | undefined
  /** Default: `"stdout"` for JSON, else `"stderr"`, so that a program's own output can be piped. */
  readonly stream?: Terminal.StreamName | undefined
  /** Colour or none, above `NO_COLOR`, `FORCE_COLOR`, `TERM=dumb` and whether the stream is a terminal. */
  readonly color?: boolean | undefined
  /** More than ASCII or not, above what the locale says. */
  readonly unicode?: boolean | undefined
  /** Columns of a tree. Default: those of the stream at the moment of writing, 80 if it does not say; at most 160. */
  readonly width?: number | undefined
  /** Keys of the attributes shown in a tree. Default `TraceRenderer.defaultAttributes`. */
  readonly attributes?: ReadonlyArray<string> | undefined
  /** Where a trace can be looked at; printed with each tree. */
  readonly traceUrl?: ((traceId: string) => string) | undefined
  /** How long a trace whose local root has ended waits for further spans. Default 150 milliseconds. */
  readonly quietPeriod?: Duration.Input | undefined
  /** How long a trace waits for its local root. Default 30 seconds; then it is shown as `(incomplete)`. */
  readonly maxWait?: Duration.Input | undefined
  /** Most traces held. Default 500; beyond it the oldest is shown as it is. */
  readonly maxTraces?: number | undefined
  /** Most spans held. Default 10,000; beyond it the oldest trace is shown as it is. */
  readonly maxSpans?: number | undefined
  /** Takes the text in place of the stream: whole lines, without the last line feed. */
  readonly write?: ((text: string) => void) | undefined
}

/**
 * An exporter that writes to the console.
 *
 * **Details**
 *
 * Trees and trace lines are held until the local root of the trace has ended and no span came for the quiet period; all
 * that is held is written when the scope closes. Spans that come later are shown apart, as `(late)`. A span counts as
 * exported when it is taken. Waiting does not keep the process alive.
 *
 * Colour follows `TERM=dumb` (none), a non-empty `NO_COLOR` (none, whatever `FORCE_COLOR` says), `FORCE_COLOR` (other
 * than `0` and `false`: colour), then whether the stream is a terminal. Control signs in names and values are escaped.
 */
export const make = (options?: Options): Effect.Effect<SpanExporter.SpanExporterShape, never, Scope.Scope> =>
  Effect.gen(function*() {
    const stream = options?.stream ?? (options?.format === "json" ? "stdout" : "stderr")
    const isTty = options?.write === undefined && Terminal.isTerminal(stream)
    const format = options?.format ?? (isTty ? "tree" : "line")
    const diagnostics = yield* Effect.service(Diagnostics.Diagnostics)
    const write = makeWrite(options?.write, stream, diagnostics)
    if (format === "json") return jsonExporter(write)

    const found = yield* Terminal.capabilities(isTty)
    const look: LineOptions = { color: options?.color ?? found.color, unicode: options?.unicode ?? found.unicode }
    if (format === "span") return spanExporter(write, look)

    const show = (trace: HeldTrace): void => {
      if (format === "line") {
        for (const line of formatTraceLines(trace.spans, { ...look, note: trace.note })) write(line)
      } else {
        const width = options?.width ?? Terminal.columns(stream)
        const { attributes, traceUrl } = options ?? {}
        write(renderTrace(trace.spans, { ...look, width, attributes, traceUrl, note: trace.note }))
      }
    }
    return yield* holdingExporter(options, show)
  })

/** Provides the exporter as the {@link SpanExporter.SpanExporter} service. */
export const layer = (options?: Options): Layer.Layer<SpanExporter.SpanExporter> =>
  Layer.effect(SpanExporter.SpanExporter)(make(options))

const jsonExporter = (write: (text: string) => void): SpanExporter.SpanExporterShape =>
  SpanExporter.make(otlpLines(write, (span: ReadableSpan) => {
    const one = OtlpJson.encoder.makeSpanBatch()
    return one.add(span, Infinity) ? one.toBody() : undefined
  }))

const spanExporter = (write: (text: string) => void, look: LineOptions): SpanExporter.SpanExporterShape =>
  SpanExporter.make({
    name: "console",
    makeBatch: SpanDataBatch.make,
    export: (batch) =>
      Effect.sync(() => {
        for (const span of batch.spans) write(formatSpanLine(span, look))
        return { exported: batch.count }
      })
  })

const holdingExporter = (options: Options | undefined, show: (trace: HeldTrace) => void) =>
  Effect.gen(function*() {
    const scope = yield* Scope.Scope
    const buffer = new TraceBuffer({
      quietMillis: Duration.toMillis(Duration.fromInputUnsafe(options?.quietPeriod ?? "150 millis")),
      maxAgeMillis: Duration.toMillis(Duration.fromInputUnsafe(options?.maxWait ?? "30 seconds")),
      maxTraces: options?.maxTraces ?? 500,
      maxSpans: options?.maxSpans ?? 10_000
    })
    let closed = false
    let waiting: { readonly until: number; readonly fiber: Fiber.Fiber<void> } | undefined

    const wait: Effect.Effect<void> = Effect.suspend(() => {
      const until = buffer.nextDue
      if (until === undefined || closed) {
        waiting = undefined
        return Effect.void
      }
      // A trace that is due sooner than the one waited for moves the alarm forward.
      if (waiting !== undefined && waiting.until <= until) return Effect.void
      const sleeping = waiting
      waiting = undefined
      return Effect.gen(function*() {
        if (sleeping !== undefined) yield* Fiber.interrupt(sleeping.fiber)
        const now = yield* Clock.currentTimeMillis
        const fiber = yield* Effect.forkIn(Effect.andThen(sleepUnref(Math.max(until - now, 0)), alarm), scope)
        waiting = { until, fiber }
      })
    })
    const alarm: Effect.Effect<void> = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      waiting = undefined
      for (const trace of buffer.due(now)) show(trace)
      return wait
    })

    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        closed = true
        for (const trace of buffer.drain()) show(trace)
      })
    )

    return SpanExporter.make({
      name: "console",
      makeBatch: SpanDataBatch.make,
      export: (batch) =>
        Effect.gen(function*() {
          const now = yield* Clock.currentTimeMillis
          for (const span of batch.spans) {
            for (const trace of buffer.add(span, now)) show(trace)
          }
          if (closed) buffer.drain().forEach(show)
          yield* wait
          return { exported: batch.count }
        })
    })
  })
