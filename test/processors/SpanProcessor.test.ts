import { assert, describe, it } from "@effect/vitest"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import { Account } from "../../src/diagnostics/Ledger.ts"
import type { ReadableSpan } from "../../src/model/ReadableSpan.ts"
import * as SpanProcessor from "../../src/processors/SpanProcessor.ts"
import { readable } from "../exporters/spans.ts"

const outside: SpanProcessor.SpanSink = { emit() {}, drop() {}, hold() {}, sampledOut() {} }

const setUp = (onEnd: SpanProcessor.SpanProcessorShape["onEnd"]) => {
  const account = new Account("test")
  const seen: Array<string> = []
  const diagnostics = Diagnostics.make({ write: () => {} })
  const destination: SpanProcessor.SpanProcessorShape = {
    ...SpanProcessor.make({ name: "destination", onEnd: (span) => void seen.push(span.name) }),
    accounts: [account]
  }
  const chain = SpanProcessor.compose([SpanProcessor.make({ name: "tested", onEnd }), destination], diagnostics)
  return {
    account,
    seen,
    end: (name: string) => chain.onEnd(readable({ name }), outside),
    failures: () => diagnostics.counts.get("processor.tested") ?? 0
  }
}

describe("compose", () => {
  it("passes a span on, once, when a processor throws before it decided", () => {
    const { end, failures, seen } = setUp(() => {
      throw new Error("bug")
    })
    end("a")
    assert.deepStrictEqual([seen, failures()], [["a"], 1])
  })

  it("passes nothing on again when a processor throws after it emitted, or dropped", () => {
    const emitting = setUp((span, next) => {
      next.emit(span)
      throw new Error("bug")
    })
    emitting.end("a")
    assert.deepStrictEqual([emitting.seen, emitting.failures()], [["a"], 1])

    const dropping = setUp((_span, next) => {
      next.drop("filtered", 1)
      throw new Error("bug")
    })
    dropping.end("a")
    assert.deepStrictEqual([dropping.seen, dropping.account.dropped], [[], { filtered: 1 }])
  })

  it("tells the span at hand from others that are emitted with it", () => {
    const kept: Array<ReadableSpan> = []
    const { end, seen } = setUp((span, next) => {
      if (span.name === "kept") return void kept.push(span)
      next.emit(span)
      for (const other of kept.splice(0)) next.emit(other)
      if (span.name === "bad") throw new Error("bug")
    })
    for (const name of ["kept", "bad", "kept", "good"]) end(name)
    assert.deepStrictEqual(seen, ["bad", "kept", "good", "kept"])
  })

  it("tells the span at hand from one that ends while it is handled", () => {
    const { end, seen } = setUp((span, next) => {
      if (span.name === "outer") {
        end("inner")
        throw new Error("bug")
      }
      next.emit(span)
    })
    end("outer")
    assert.deepStrictEqual(seen, ["inner", "outer"])
  })

  it("keeps spans if one of its processors may", () => {
    const diagnostics = Diagnostics.make({ write: () => {} })
    const brief = SpanProcessor.make({ name: "brief", keepsSpans: false, onEnd: (span, next) => next.emit(span) })
    const unknown = SpanProcessor.make({ name: "unknown", onEnd: (span, next) => next.emit(span) })
    assert.isFalse(SpanProcessor.compose([brief, brief], diagnostics).keepsSpans)
    assert.isTrue(SpanProcessor.compose([brief, unknown], diagnostics).keepsSpans)
  })
})
