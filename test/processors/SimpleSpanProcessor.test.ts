import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import * as SimpleSpanProcessor from "../../src/processors/SimpleSpanProcessor.ts"
import { setUp } from "./exporting.ts"

describe("SimpleSpanProcessor", () => {
  it.effect("exports each span by itself, at once, and never two at a time", () =>
    Effect.gen(function*() {
      let active = 0
      let most = 0
      const { batches, close, end, processor } = yield* setUp(SimpleSpanProcessor.layer(), () =>
        Effect.gen(function*() {
          most = Math.max(most, ++active)
          yield* Effect.sleep("100 millis")
          active--
          return { exported: 1 }
        }))
      for (const name of ["a", "b", "c"]) end(processor, name)
      yield* TestClock.adjust("150 millis")
      assert.deepStrictEqual(batches, [["a"], ["b"]])
      const flushing = yield* Effect.forkChild(processor.flush)
      yield* TestClock.adjust("149 millis")
      assert.isUndefined(flushing.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(flushing)
      assert.deepStrictEqual([batches, most], [[["a"], ["b"], ["c"]], 1])
      yield* close
    }))

  it.effect("holds a bounded number of spans", () =>
    Effect.gen(function*() {
      const { end, ledger, processor } = yield* setUp(
        SimpleSpanProcessor.layer({ maxQueueSize: 2 }),
        () => Effect.never
      )
      for (const name of ["a", "b", "c"]) end(processor, name)
      assert.deepStrictEqual([ledger.accounts[0]!.queued, ledger.accounts[0]!.dropped], [2, { queue_full: 1 }])
    }))
})
