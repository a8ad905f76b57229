import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Tracer from "effect/Tracer"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as SpanProcessor from "../../src/processors/SpanProcessor.ts"
import { TelemetryLayer } from "../../src/Telemetry.ts"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

const heldBytes = (): number => {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

const generations = 200
const weight = 100_000

/** A chain of ended spans under one that is still open. */
const chain = Effect.gen(function*() {
  const now = yield* Clock.currentTimeNanos
  let parent: Tracer.Span = yield* Effect.makeSpan("root", { root: true })
  for (let i = 0; i < generations; i++) {
    const child: Tracer.Span = yield* Effect.makeSpan("child", { parent, attributes: { i } })
    // A text of its own: the engine shares repeated ones.
    child.attribute("heavy", Buffer.alloc(weight, 97 + i % 26).toString("latin1"))
    child.event("heavy", now, { text: Buffer.alloc(weight, 97 + i % 26).toString("latin1") })
    parent.end(now, Exit.void)
    parent = child
  }
  return parent
})

const heldByChain = Effect.gen(function*() {
  const before = heldBytes()
  const live = yield* chain
  const held = heldBytes() - before
  return { live, held }
})

describe("memory", () => {
  it.effect("a live child does not keep what its ancestors held", () =>
    Effect.gen(function*() {
      const { held, live } = yield* heldByChain
      assert.isTrue(held < 3 * weight * 2, `${held} bytes are held`)
      assert.strictEqual(live.attributes.get("i"), generations - 1)
    }).pipe(Effect.provide(TelemetryLayer({ tracesExporters: ["none"] }))))

  it.effect("a processor that may keep spans has them whole", () => {
    const kept: Array<number> = []
    let look = () => {}
    const keeper = SpanProcessor.make({
      name: "keeper",
      onEnd: (span, next) => {
        look = () => kept.push(span.attributeList.length)
        next.emit(span)
      }
    })
    return Effect.gen(function*() {
      const { held } = yield* heldByChain
      assert.isTrue(held > generations * weight, `${held} bytes are held`)
      look()
      assert.deepStrictEqual(kept, [4])
    }).pipe(Effect.provide(TelemetryLayer({ tracesExporters: ["none"], processors: [keeper] })))
  })
})
