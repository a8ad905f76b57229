import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import type { SignalSnapshot } from "../../src/diagnostics/Ledger.ts"
import * as SpanDataBatch from "../../src/exporters/SpanDataBatch.ts"
import * as SpanExporter from "../../src/exporters/SpanExporter.ts"
import * as FilterSpanProcessor from "../../src/processors/FilterSpanProcessor.ts"
import * as SpanProcessor from "../../src/processors/SpanProcessor.ts"
import * as TailSampler from "../../src/processors/TailSampler.ts"
import { Telemetry, TelemetryLayer } from "../../src/Telemetry.ts"
import * as Trace from "../../src/tracing/Trace.ts"

/** What a program does, chosen by the property's generator. */
type Step =
  | { readonly do: "span" | "effectSpan" | "fork" | "race" | "timeout" | "root"; readonly inner: ReadonlyArray<Step> }
  | { readonly do: "fail" | "die" | "interrupt" | "yield" | "tick" | "flush" | "event" }

const Leaf = Schema.Struct({ do: Schema.Literals(["fail", "die", "interrupt", "yield", "tick", "flush", "event"]) })
const branch = (inner: Schema.Codec<Step>) =>
  Schema.Struct({
    do: Schema.Literals(["span", "effectSpan", "fork", "race", "timeout", "root"]),
    inner: Schema.Array(inner).check(Schema.isMaxLength(4))
  })
const Step1 = Schema.Union([Leaf, branch(Leaf as never)]) as unknown as Schema.Codec<Step>
const Step2 = Schema.Union([Leaf, branch(Step1)]) as unknown as Schema.Codec<Step>
const Step3 = Schema.Union([Leaf, branch(Step2)]) as unknown as Schema.Codec<Step>
const Program = Schema.Array(Step3).check(Schema.isMaxLength(8))

const Faults = Schema.Struct({
  sampler: Schema.Literals(["always_on", "always_off", "half"]),
  record: Schema.Boolean,
  filter: Schema.Boolean,
  brokenProcessor: Schema.Boolean,
  exporters: Schema.Array(Schema.Literals(["good", "fails", "dies", "hangs", "partial", "lies", "throwsOnAdd"])).check(
    Schema.isMaxLength(3)
  ),
  maxQueueSize: Schema.Literals([1, 3, 100]),
  // Traces are held, all of them for long or as few as can be.
  tail: Schema.Literals(["none", "wide", "tight", "dry"])
})

const tailOf = (kind: string) => {
  const rules = [
    { id: "error", when: { errorCount: { ge: 1 } }, weight: 20 },
    { id: "effects", when: { anySpan: { field: "name" as const, glob: "effect*" } }, drop: true }
  ]
  return TailSampler.layer(
    kind === "tight"
      ? { policy: { rules, budget: { perSecond: 2 } }, maxSpans: 2, maxTraces: 2, spanLimit: 3 }
      : { policy: { rules, budget: { perSecond: 3 }, dryRun: kind === "dry" }, settle: "500 millis" }
  )
}

const balanced = (ledger: SignalSnapshot): void => {
  for (const account of ledger.destinations) {
    assert.strictEqual(account.unaccounted, 0, `${account.destination}: ${JSON.stringify(ledger)}`)
  }
}

const run = (steps: ReadonlyArray<Step>): Effect.Effect<void, unknown, Telemetry> =>
  Effect.forEach(steps, (step, index): Effect.Effect<unknown, unknown, Telemetry> => {
    const inner = "inner" in step ? run(step.inner) : Effect.void
    const check = Effect.flatMap(Telemetry, (telemetry) => Effect.map(telemetry.ledger, balanced))
    const action = (): Effect.Effect<unknown, unknown, Telemetry> => {
      switch (step.do) {
        case "span":
          return Trace.span(inner, `span${index}`, { attributes: { index } })
        case "effectSpan":
          return Effect.withSpan(inner, `effect${index}`)
        case "root":
          return Trace.root(inner, "root")
        case "fork":
          return Effect.forkChild(Trace.span(inner, "forked"))
        case "race":
          return Effect.raceFirst(
            Trace.span(Effect.andThen(inner, Effect.yieldNow), "left"),
            Trace.span(Effect.never, "right")
          )
        case "timeout":
          return Effect.gen(function*() {
            const fiber = yield* Effect.forkChild(
              Effect.timeout(Trace.span(Effect.andThen(inner, Effect.never), "timed"), "1 second")
            )
            yield* TestClock.adjust("1 second")
            yield* Fiber.await(fiber)
          })
        case "fail":
          return Effect.fail(new Error("expected"))
        case "die":
          return Effect.die("defect")
        case "interrupt":
          return Effect.interrupt
        case "yield":
          return Effect.yieldNow
        case "tick":
          return TestClock.adjust("6 seconds")
        case "flush":
          return Effect.gen(function*() {
            // A hanging exporter holds a flush for as long as it is given.
            const fiber = yield* Effect.forkChild(
              Effect.flatMap(Telemetry, ({ flush }) => flush({ within: "1 second" }))
            )
            yield* TestClock.adjust("1 second")
            void fiber
          })
        case "event":
          return Trace.event("event")
      }
    }
    return Effect.andThen(Effect.andThen(check, Effect.suspend(action)), check)
  }, { discard: true })

const exporterOf = (kind: string, arrived: Array<number>, index: number): SpanExporter.SpanExporterShape => {
  const fail = new SpanExporter.ExportError({ destination: kind, reason: "retry_exhausted", detail: "test" })
  return SpanExporter.make({
    name: `${kind}${index}`,
    makeBatch: () => {
      const batch = SpanDataBatch.make()
      if (kind === "throwsOnAdd") {
        batch.add = () => {
          throw new Error("cannot be encoded")
        }
      }
      return batch
    },
    export: (batch) => {
      arrived[index] = (arrived[index] ?? 0) + batch.count
      switch (kind) {
        case "fails":
          return Effect.fail(fail)
        case "dies":
          return Effect.die("broken exporter")
        case "hangs":
          return Effect.never
        case "partial":
          return Effect.succeed({ exported: batch.count - 1, rejected: { partial_rejected: 1 } })
        case "lies":
          return Effect.succeed({ exported: batch.count * 2, dropped: { oversize: 5 } })
        default:
          return Effect.succeed({ exported: batch.count })
      }
    }
  })
}

describe("conservation", () => {
  it.effect.prop(
    "created = open + sampled out + exported + rejected + dropped + queued, at every step and under every fault",
    { program: Program, faults: Faults },
    ({ faults, program }) =>
      Effect.gen(function*() {
        const arrived: Array<number> = []
        let final: Effect.Effect<SignalSnapshot> | undefined
        const layer = TelemetryLayer({
          env: {},
          detectors: ["none"],
          shutdownTimeout: 0,
          sampler: faults.sampler === "half" ? { traceIdRatio: 0.5 } : faults.sampler,
          batch: { maxQueueSize: faults.maxQueueSize, maxExportBatchSize: 2 },
          exporters: faults.exporters.map((kind, index) => exporterOf(kind, arrived, index)),
          processors: [
            ...faults.brokenProcessor
              ? [SpanProcessor.make({
                name: "broken",
                onEnd: () => {
                  throw new Error("broken processor")
                }
              })]
              : [],
            ...faults.filter ? [FilterSpanProcessor.make({ drop: { name: { prefix: "span" } } })] : []
          ]
        }).pipe(
          faults.tail === "none" ? (layer) => layer : Layer.provide(Layer.orDie(tailOf(faults.tail))),
          Layer.provide(Layer.succeed(Diagnostics.Diagnostics, Diagnostics.make({ level: "none" })))
        )
        yield* Effect.exit(Effect.provide(
          Effect.gen(function*() {
            const telemetry = yield* Telemetry
            final = telemetry.ledger
            yield* Effect.exit(Effect.scoped(run(program)))
          }),
          layer
        ))
        const ledger = yield* final!
        balanced(ledger)
        for (const [index, account] of ledger.destinations.entries()) {
          assert.strictEqual(account.queued, 0)
          if (account.destination.startsWith("good")) assert.strictEqual(account.exported, arrived[index] ?? 0)
        }
      }),
    { timeout: 60_000 }
  )
})
