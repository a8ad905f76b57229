/**
 * Telemetry for tests: every span of the program under test, in memory the moment it ends.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TracesLedger } from "../diagnostics/CurrentLedger.ts"
import * as Diagnostics from "../diagnostics/Diagnostics.ts"
import { isSampled } from "../model/ReadableSpan.ts"
import * as SpanData from "../model/SpanData.ts"
import type { SpanProcessorShape } from "../processors/SpanProcessor.ts"
import { type Telemetry, TelemetryLayer, type TelemetryLayerOptions } from "../Telemetry.ts"
import type { TelemetryConfigError } from "../TelemetryConfig.ts"
import * as IdGenerator from "../tracing/IdGenerator.ts"

/** What the program under test did. */
export class TestTelemetry extends Context.Service<TestTelemetry, {
  /**
   * The ended spans that were selected for export, in the order of their ends. Each was checked against the `SpanData`
   * Schema; one that does not fit is a defect.
   */
  readonly spans: Effect.Effect<ReadonlyArray<SpanData.SpanData>>
  /** The only ended span called `name`; a defect when there is none or several. */
  readonly span: (name: string) => Effect.Effect<SpanData.SpanData>
  /** Lines that the library wrote about itself. */
  readonly diagnostics: Effect.Effect<ReadonlyArray<string>>
  /** Forgets spans and lines. */
  readonly reset: Effect.Effect<void>
}>()("effect-telemetry/testing/TestTelemetry") {}

/** Options of {@link layer}. */
export interface TestTelemetryOptions extends Omit<TelemetryLayerOptions, "exporters" | "tracesExporters"> {
  /** Seed of the span ids. Default 1: the same program makes the same ids. */
  readonly seed?: number | undefined
}

const isSpanData = Schema.is(SpanData.SpanData)

/**
 * The telemetry layer with memory in the place of exporters.
 *
 * **Details**
 *
 * The pipeline is the real one. Only the surroundings differ: ids come from a seed, nothing is read from the environment
 * or detected, redaction is off unless asked for, and diagnostics are kept instead of written.
 */
export const layer = (
  options?: TestTelemetryOptions
): Layer.Layer<TestTelemetry | Telemetry, TelemetryConfigError> =>
  Layer.unwrap(Effect.sync(() => {
    let spans: Array<SpanData.SpanData> = []
    let lines: Array<string> = []
    const { processors = [], seed = 1, ...rest } = options ?? {}

    const record: Effect.Effect<SpanProcessorShape> = Effect.map(TracesLedger, (ledger) => {
      const account = ledger.account("memory")
      return {
        name: "memory",
        accounts: [account],
        flush: Effect.void,
        onEnd(span, next) {
          if (isSampled(span)) {
            spans.push(SpanData.fromReadable(span))
            account.exported++
          } else {
            account.sampledOut++
          }
          next.emit(span)
        }
      }
    })

    const checked = Effect.sync(() => {
      for (const span of spans) {
        if (!isSpanData(span)) {
          throw new Error(`the span ${(span as SpanData.SpanData).name} does not fit the SpanData Schema`)
        }
      }
      return spans.slice()
    })

    const test = Layer.succeed(TestTelemetry, {
      spans: checked,
      span: (name) =>
        Effect.map(checked, (all) => {
          const found = all.filter((span) => span.name === name)
          if (found.length === 1) return found[0]!
          const names = all.map((span) => span.name).join(", ")
          throw new Error(`expected one span called ${name}, found ${found.length} among: ${names || "no spans"}`)
        }),
      diagnostics: Effect.sync(() => lines.slice()),
      reset: Effect.sync(() => {
        spans = []
        lines = []
      })
    })

    const telemetry = TelemetryLayer({
      env: {},
      detectors: ["none"],
      redact: false,
      serviceName: "test",
      ...rest,
      tracesExporters: ["none"],
      processors: [...processors, record]
    }).pipe(
      Layer.provide(Layer.succeed(IdGenerator.IdGenerator, IdGenerator.seeded(seed))),
      Layer.provide(Layer.succeed(
        Diagnostics.Diagnostics,
        Diagnostics.make({ level: "debug", write: (line) => lines.push(line) })
      ))
    )
    return Layer.merge(test, telemetry)
  }))

/** The ended spans, as {@link TestTelemetry} has them. */
export const spans: Effect.Effect<ReadonlyArray<SpanData.SpanData>, never, TestTelemetry> = Effect.flatMap(
  TestTelemetry,
  (test) => test.spans
)

/** The only ended span called `name`. */
export const span = (name: string): Effect.Effect<SpanData.SpanData, never, TestTelemetry> =>
  Effect.flatMap(TestTelemetry, (test) => test.span(name))

/** The parent of `child` among `all`, if it has ended. */
export const parentOf = (
  all: ReadonlyArray<SpanData.SpanData>,
  child: SpanData.SpanData
): Option.Option<SpanData.SpanData> =>
  Option.fromUndefinedOr(all.find((span) => span.spanId === child.parentSpanId && span.traceId === child.traceId))
