/** Tests of telemetry: spans in memory, and expectations that say in words what is different. */
import { Clock, Effect } from "effect"
import { Trace } from "effect-telemetry"
import {
  ended,
  expectSequence,
  expectTree,
  matchTree,
  SpanTree,
  started,
  TestTelemetry
} from "effect-telemetry/testing"

/** The program under test. */
const checkout = Effect.gen(function*() {
  yield* Effect.all([
    Effect.sleep("10 millis").pipe(Trace.span("reserve", { attributes: { sku: "tent" } })),
    Effect.sleep("30 millis").pipe(Trace.span("reserve", { attributes: { sku: "rope" } }))
  ], { concurrency: "unbounded" })
  yield* Effect.fail(new Error("card declined")).pipe(Effect.withSpan("pay"), Effect.ignore)
}).pipe(Effect.withSpan("checkout"))

// With `@effect/vitest` this is the body of an `it.effect`, which provides the layer and a clock of its own.
const test = Effect.gen(function*() {
  const before = yield* Clock.currentTimeMillis
  yield* checkout
  const spans = yield* TestTelemetry.spans
  console.log(`${spans.length} spans in ${(yield* Clock.currentTimeMillis) - before} ms`)
  console.log(SpanTree.print(SpanTree.fromSpans(spans)))

  // Of the tree: what is left out is not asked, and siblings may come in any order.
  expectTree(spans, {
    name: "checkout",
    status: "UNSET",
    children: [
      { name: "reserve", attributes: { sku: "rope" } },
      { name: "reserve", attributes: { sku: "tent" } },
      { name: "pay", status: { code: "ERROR", message: /declined/ }, events: ["exception"], children: [] }
    ]
  })
  console.log("\nThe tree is as expected.")

  // Of the order: these moments, one after the other, among others.
  expectSequence(spans, [started("checkout"), ended("reserve"), started("pay"), ended("pay", "ERROR")])
  console.log("The sequence is as expected.\n")

  // A mismatch is explained.
  console.log(
    matchTree(spans, { name: "checkout", children: [{ name: "reserve" }, { name: "pay", status: "UNSET" }] })
      ?.message
  )
})

await Effect.runPromise(test.pipe(Effect.provide(TestTelemetry.layer())))
