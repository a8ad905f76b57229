import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import * as BatchSpanProcessor from "../../src/processors/BatchSpanProcessor.ts"
import * as SimpleSpanProcessor from "../../src/processors/SimpleSpanProcessor.ts"
import { compose } from "../../src/processors/SpanProcessor.ts"
import { readable } from "../exporters/spans.ts"
import { setUp } from "./exporting.ts"

// What both processors that feed an exporter have in common.
const kinds = [
  ["BatchSpanProcessor", BatchSpanProcessor.layer()],
  ["SimpleSpanProcessor", SimpleSpanProcessor.layer()]
] as const

for (const [kind, layer] of kinds) {
  describe(kind, () => {
    it.effect("exports sampled spans, books the others, and forwards all", () =>
      Effect.gen(function*() {
        const { batches, close, end, forwarded, ledger, processor } = yield* setUp(layer)
        end(processor, "a")
        end(processor, "b", 0)
        end(processor, "c", 3)
        end(processor, "d", 2)
        yield* processor.flush
        assert.deepStrictEqual(batches.flat(), ["a", "c"])
        assert.deepStrictEqual(forwarded, ["a", "b", "c", "d"])
        assert.strictEqual(ledger.accounts.length, 1)
        assert.deepStrictEqual([...processor.accounts], ledger.accounts)
        const [account] = ledger.accounts
        assert.deepStrictEqual([account!.destination, account!.exported, account!.sampledOut], ["names", 2, 2])
        yield* close
      }))

    it.effect("takes the span as it is when it ends", () =>
      Effect.gen(function*() {
        const { batches, close, processor } = yield* setUp(layer)
        const span = readable({ name: "before" })
        processor.onEnd(span, {
          emit: (forwarded) => forwarded.name = "after",
          drop: () => {},
          hold() {},
          sampledOut() {}
        })
        yield* close
        assert.deepStrictEqual(batches.flat(), ["before"])
      }))

    it.effect("survives a failing exporter", () =>
      Effect.gen(function*() {
        const { close, end, forwarded, ledger, lines, processor } = yield* setUp(layer, () =>
          Effect.die(new Error("bug")))
        end(processor, "a")
        yield* processor.flush
        end(processor, "b")
        yield* close
        assert.deepStrictEqual(ledger.accounts[0]!.dropped, { export_error: 2 })
        assert.deepStrictEqual(forwarded, ["a", "b"])
        assert.strictEqual(lines.length, 1)
      }))

    it.effect("keeps its books within a chain of processors", () =>
      Effect.gen(function*() {
        const first = yield* setUp(layer)
        const second = yield* setUp(layer)
        const chain = compose([first.processor, second.processor], first.diagnostics)
        first.end(chain, "a")
        yield* chain.flush
        assert.deepStrictEqual([first.batches.flat(), second.batches.flat()], [["a"], ["a"]])
        yield* first.close
        yield* second.close
      }))
  })
}

describe("BatchSpanProcessor", () => {
  it.effect("exports together what ended within the delay", () =>
    Effect.gen(function*() {
      const { batches, end, processor } = yield* setUp(BatchSpanProcessor.layer({ scheduleDelay: "2 seconds" }))
      for (const name of ["a", "b", "c"]) end(processor, name)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(batches, [["a", "b", "c"]])
    }))
})
