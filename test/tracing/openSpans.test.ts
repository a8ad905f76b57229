/** Spans that are open: which are remembered, in which order, and what becomes of them when everything ends. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type * as Tracer from "effect/Tracer"
import { TestClock } from "effect/testing"
import { Diagnostics } from "../../src/diagnostics/Diagnostics.ts"
import * as InMemorySpanExporter from "../../src/exporters/InMemorySpanExporter.ts"
import { Telemetry, TelemetryLayer, type TelemetryLayerOptions } from "../../src/Telemetry.ts"
import { OpenSpans } from "../../src/tracing/openSpans.ts"
import type { Span } from "../../src/tracing/Span.ts"
import { collected } from "../delivery/support.ts"

const limit = 4096

/** As much of a span as the list looks at. */
const member = (): Span => ({ newerOpen: undefined, olderOpen: undefined }) as Span

const Step = Schema.Union([
  Schema.Struct({ does: Schema.Literal("add") }),
  Schema.Struct({
    does: Schema.Literals(["removeOld", "removeNew", "removeAgain"]),
    at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 }))
  })
])
const steps = Schema.Array(Step).check(Schema.isMaxLength(40))

describe("the list of open spans", () => {
  for (const [what, before] of [["when it is short", 0], ["when it is full", limit - 3]] as const) {
    it.prop(
      `holds what was added and not removed, the newest first, ${what}`,
      [steps],
      ([steps]) => {
        const list = new OpenSpans()
        const model: Array<Span> = []
        const gone: Array<Span> = []
        const add = (): void => {
          const span = member()
          list.add(span)
          model.push(span)
          if (model.length > limit) gone.push(model.shift()!)
        }
        for (let i = 0; i < before; i++) add()
        for (const step of steps) {
          if (step.does === "add") add()
          else if (step.does === "removeAgain") {
            const span = gone.at(step.at)
            if (span !== undefined) list.remove(span)
          } else {
            const index = step.does === "removeOld" ? step.at : model.length - 1 - step.at
            const [span] = index >= 0 ? model.splice(index, 1) : []
            if (span === undefined) continue
            list.remove(span)
            gone.push(span)
          }
        }
        const held = list.list()
        assert.strictEqual(held.length, model.length)
        assert.isTrue(held.every((span, i) => span === model[model.length - 1 - i]))
        // What was removed holds nothing of the others in memory.
        assert.isTrue(gone.every((span) => span.newerOpen === undefined && span.olderOpen === undefined))
      },
      { arbitrary: { runs: 100 } }
    )
  }
})

const setUp = Effect.fnUntraced(function*(options?: TelemetryLayerOptions) {
  const memory = InMemorySpanExporter.makeUnsafe()
  const { diagnostics, lines } = collected()
  const scope = yield* Scope.make()
  const layer = TelemetryLayer({
    env: {},
    detectors: ["none"],
    selfMetrics: false,
    exporters: [memory.exporter],
    batch: { maxQueueSize: 10_000 },
    ...options
  })
  const context = yield* Layer.buildWithScope(layer, scope).pipe(Effect.provideService(Diagnostics, diagnostics))
  const telemetry = yield* Effect.provideContext(Telemetry, context)
  const close = Effect.gen(function*() {
    yield* Effect.forkChild(Scope.close(scope, Exit.void))
    yield* TestClock.adjust("1 minute")
  })
  const start = (name: string, parent?: Tracer.Span) =>
    Effect.provideContext(Effect.makeSpan(name, parent === undefined ? { root: true } : { parent }), context)
  return { memory, telemetry, close, start, lines }
})

describe("open spans at the end", () => {
  it.effect("are ended, children before their parents, each with the reason", () =>
    Effect.gen(function*() {
      const { close, memory, start, telemetry } = yield* setUp()
      const a = yield* start("a")
      const b = yield* start("b", a)
      const c = yield* start("c", b)
      const d = yield* start("d", a)
      c.end(1_000n, Exit.void)
      yield* TestClock.adjust("5 seconds")
      yield* close
      const spans = yield* memory.spans
      assert.deepStrictEqual(spans.map(({ name }) => name), ["c", "d", "b", "a"])
      assert.deepStrictEqual(spans.map(({ attributes }) => attributes["effect.span.interrupted"]), [
        undefined,
        "shutdown",
        "shutdown",
        "shutdown"
      ])
      assert.isTrue(spans.slice(1).every(({ endTimeUnixNano }) => endTimeUnixNano === 5_000_000_000n))
      assert.deepStrictEqual(spans.map(({ status }) => status.code), ["UNSET", "UNSET", "UNSET", "UNSET"])
      // Their owner does not know: its own end comes to nothing.
      for (const span of [a, b, d]) span.end(6_000_000_000n, Exit.fail("late"))
      const ledger = yield* telemetry.ledger
      assert.deepInclude(ledger, { created: 4, open: 0 })
      assert.deepInclude(ledger.destinations[0], { exported: 4, dropped: {}, unaccounted: 0 })
    }))

  it.effect("are the newest 4,096: older ones can still be ended, and every one is counted", () =>
    Effect.gen(function*() {
      const { close, lines, memory, start, telemetry } = yield* setUp()
      const spans: Array<Tracer.Span> = []
      for (let i = 0; i < limit + 3; i++) spans.push(yield* start(`span ${i}`))
      assert.deepInclude(yield* telemetry.ledger, { created: limit + 3, open: limit + 3 })
      // One of those that were forgotten ends in time.
      spans[1]!.end(1_000n, Exit.void)
      yield* close
      const exported = yield* memory.spans
      assert.strictEqual(exported.length, limit + 1)
      assert.deepStrictEqual(exported.slice(0, 2).map(({ name }) => name), ["span 1", `span ${limit + 2}`])
      assert.strictEqual(exported.at(-1)!.name, "span 3")
      assert.notProperty(exported[0]!.attributes, "effect.span.interrupted")
      const before = yield* telemetry.ledger
      assert.strictEqual(before.open, 2)
      assert.deepInclude(before.destinations[0], { exported: limit + 1, dropped: {}, unaccounted: 0 })
      // The others end too late.
      for (const span of spans) span.end(2_000n, Exit.void)
      const after = yield* telemetry.ledger
      assert.strictEqual(after.open, 0)
      assert.deepInclude(after.destinations[0], { exported: limit + 1, dropped: { shutdown: 2 }, unaccounted: 0 })
      assert.deepStrictEqual(lines, [])
    }))

  it.effect("are not forgotten for the sake of any number that have ended", () =>
    Effect.gen(function*() {
      const { close, memory, start } = yield* setUp()
      yield* start("first")
      for (let i = 0; i < limit; i++) (yield* start("short")).end(1_000n, Exit.void)
      yield* close
      const last = (yield* memory.spans).at(-1)!
      assert.deepStrictEqual([last.name, last.attributes["effect.span.interrupted"]], ["first", "shutdown"])
    }))

  it.effect("with as many attributes as they may have are ended without the reason, which is counted", () =>
    Effect.gen(function*() {
      const { close, memory, start } = yield* setUp({ spanLimits: { attributeCountLimit: 2 } })
      const span = yield* start("full")
      for (const key of ["a", "b", "c"]) span.attribute(key, 1)
      yield* close
      const [full] = yield* memory.spans
      assert.deepStrictEqual({ ...full!.attributes }, { a: 1, b: 1 })
      assert.strictEqual(full!.droppedAttributesCount, 2)
    }))
})
