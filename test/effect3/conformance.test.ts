/** The same program on Effect 3 and on Effect 4 gives the same spans. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect4 from "effect"
import * as Effect3 from "effect-3"
import { InMemorySpanExporter, TelemetryLayer } from "effect-telemetry"
import { Effect3Telemetry } from "effect-telemetry/effect-3"
import type { SpanData } from "effect-telemetry/model/SpanData"

/** What both lines have under the same name, as far as the programs here use it. */
type Line = Readonly<Record<"Effect" | "Cause" | "Data" | "Fiber" | "Option" | "Duration" | "Redacted", any>>

type Program = (line: Line) => any

const programs: Readonly<Record<string, Program>> = {
  "a success": ({ Effect }) => Effect.succeed(1),
  "a tree": ({ Effect }) =>
    Effect.all([
      Effect.void.pipe(Effect.withSpan("a", { kind: "client", attributes: { n: 1, list: ["x", "y"] } })),
      Effect.void.pipe(Effect.withSpan("b", { kind: "producer" }), Effect.withSpan("c", { kind: "consumer" }))
    ], { concurrency: 2 }),
  "a root within": ({ Effect }) => Effect.void.pipe(Effect.withSpan("root", { root: true })),
  "annotations and attributes": ({ Duration, Effect, Option, Redacted }) =>
    Effect.annotateCurrentSpan({
      text: "a",
      flag: true,
      some: Option.some("b"),
      none: Option.none(),
      long: Duration.seconds(2),
      hidden: Redacted.make("secret"),
      nested: { a: [1, 2] }
    }).pipe(Effect.andThen(Effect.annotateSpans(Effect.withSpan(Effect.void, "below"), "key", "value"))),
  "a log line": ({ Effect }) => Effect.log("hello"),
  "a failure with a string": ({ Effect }) => Effect.fail("no"),
  "a failure with an error": ({ Effect }) => Effect.fail(new TypeError("no")),
  "a tagged failure": ({ Data, Effect }) => {
    const OutOfStock = Data.TaggedError("OutOfStock")
    return Effect.fail(new OutOfStock({ sku: "A1", left: 0 }))
  },
  "a defect": ({ Effect }) => Effect.die(new RangeError("bad")),
  "a defect that is thrown": ({ Effect }) =>
    Effect.sync(() => {
      throw new RangeError("thrown")
    }),
  "a failure that is caught": ({ Effect }) =>
    Effect.fail(new Error("no")).pipe(Effect.withSpan("inner"), Effect.ignore),
  "an interruption": ({ Effect }) => Effect.interrupt,
  "a race": ({ Effect }) =>
    Effect.race(Effect.withSpan(Effect.never, "loser"), Effect.withSpan(Effect.sleep(1), "winner")),
  "a timeout": ({ Effect }) => Effect.never.pipe(Effect.withSpan("slow"), Effect.timeoutOption(1)),
  "failures at once": ({ Effect }) => Effect.all([Effect.fail(new Error("one")), Effect.never], { concurrency: 2 }),
  "a failure and a failing finalizer": ({ Effect }) =>
    Effect.ensuring(Effect.fail(new Error("first")), Effect.die(new Error("second")))
}

const collect = async (run: (exporters: never) => Promise<unknown>): Promise<ReadonlyArray<SpanData>> => {
  const memory = InMemorySpanExporter.makeUnsafe()
  await run([memory.exporter] as never)
  return Effect4.Effect.runPromise(memory.spans) as Promise<ReadonlyArray<SpanData>>
}

const on3 = (program: Program) =>
  collect(async (exporters) => {
    const telemetry = await Effect3Telemetry.start({ exporters, env: {} })
    const { Effect, Layer, Tracer } = Effect3
    await (program(Effect3 as unknown as Line) as Effect3.Effect.Effect<unknown>).pipe(
      Effect.withSpan("program"),
      Effect.provide(Layer.setTracer(Tracer.make(telemetry.tracer))),
      Effect.runPromiseExit
    )
    await telemetry.shutdown()
  })

const on4 = (program: Program) =>
  collect((exporters) => {
    const { Effect } = Effect4
    return (program(Effect4 as unknown as Line) as Effect4.Effect.Effect<unknown>).pipe(
      Effect.withSpan("program"),
      Effect.provide(TelemetryLayer({ exporters, env: {} })),
      Effect.runPromiseExit
    )
  })

// Where a line says a thing of its own accord.
const ownOfEffect = new Set(["code.stacktrace", "effect.fiberId", "exception.stacktrace"])

const attributesOf = (attributes: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(attributes).filter(([key]) => !ownOfEffect.has(key)).sort(([a], [b]) => a < b ? -1 : 1)
  )

/** Everything that a program decides about its spans, without ids and times. */
const told = (spans: ReadonlyArray<SpanData>): ReadonlyArray<unknown> =>
  spans.map((span) => ({
    name: span.name,
    kind: span.kind,
    parent: spans.find(({ spanId }) => spanId === span.parentSpanId)?.name,
    isSameTrace: span.traceId === spans.find(({ name }) => name === "program")?.traceId,
    flags: span.traceFlags,
    status: span.status,
    attributes: attributesOf(span.attributes),
    events: span.events.map(({ attributes, name }) => ({ name, attributes: attributesOf(attributes) })),
    dropped: span.droppedAttributesCount
  })).sort((a, b) => a.name < b.name ? -1 : 1)

describe("a program on Effect 3 and on Effect 4", () => {
  for (const [name, program] of Object.entries(programs)) {
    it(name, async () => {
      const [three, four] = [await on3(program), await on4(program)]
      assert.isNotEmpty(three)
      assert.deepStrictEqual(told(three), told(four))
    })
  }
})
