/** The program of the growth curves: what spans add to the same program without them. */
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { TelemetryLayer } from "effect-telemetry"
import * as Trace from "effect-telemetry/tracing/Trace"
import { everyday } from "../programs/everyday.ts"
import { encodingOnly } from "./nullExporter.ts"
import { cpuNanos, type Probe } from "./Probe.ts"

export type Span = (
  self: Effect.Effect<number>,
  name: string,
  attributes?: Record<string, unknown>
) => Effect.Effect<number>

const traced: Span = (self, name, attributes) => Trace.span(self, name, { attributes })
const untraced: Span = (self) => self

/** Fewer spans than this make no time that could be told from the clock's own steps. */
const leastSpans = 20_000

/** Nanoseconds of CPU that each span adds; `spansOf` says how many spans `program` makes. */
export const growthProbe = (
  program: (size: number, span: Span) => Effect.Effect<unknown>,
  spansOf: (size: number) => number
): Probe => {
  const runtime = ManagedRuntime.make(TelemetryLayer(encodingOnly))
  let begun: Promise<void> | undefined
  return {
    sample: async (size) => {
      await (begun ??= runtime.runPromise(everyday))
      const times = Math.max(1, Math.ceil(leastSpans / spansOf(size)))
      const spans = times * spansOf(size)
      const run = (span: Span) => runtime.runPromise(Effect.repeat(program(size, span), { times: times - 1 }))
      const without = await cpuNanos(spans, () => run(untraced))
      return await cpuNanos(spans, () => run(traced)) - without
    }
  }
}

/** `count` effects one after the other, with a turn of the event loop after every few. */
export const inTurn = (count: number, make: (i: number) => Effect.Effect<number>): Effect.Effect<number> =>
  Effect.gen(function*() {
    let sum = 0
    for (let i = 0; i < count; i++) {
      sum += yield* make(i)
      if (i % 32 === 31) yield* Effect.yieldNow
    }
    return sum
  })
