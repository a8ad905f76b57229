import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as TailSampler from "../../src/processors/TailSampler.ts"
import { TelemetryLayer } from "../../src/Telemetry.ts"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

const megabytes = (): number => {
  collect()
  collect()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / 2 ** 20
}

/** Traces with one ended child each, whose roots nobody ever ends. */
const abandoned = (count: number) =>
  Effect.gen(function*() {
    for (let i = 0; i < count; i++) {
      const parent = yield* Effect.makeSpan("root", { root: true })
      const child = yield* Effect.makeSpan("child", { parent, attributes: { id: i, text: `a text of its own ${i}` } })
      child.end(1n, yield* Effect.exit(i % 50 === 0 ? Effect.fail("no") : Effect.void))
    }
  })

describe("the memory of a tail sampler", () => {
  it.effect("is what it is allowed to take, however many traces never end", () =>
    Effect.gen(function*() {
      const before = megabytes()
      yield* abandoned(20_000)
      const { held } = yield* (yield* TailSampler.TailSampler).stats
      const once = megabytes() - before
      yield* abandoned(40_000)
      const growth = megabytes() - before - once
      assert.isAtMost(held.bytes, 4 * 2 ** 20)
      assert.isAbove(held.bytes, 3 * 2 ** 20)
      // The spans, a root for each, what is remembered of decided traces, and the tracer's own list of open spans.
      assert.isBelow(once, 16, `${once} MB`)
      assert.isBelow(growth, 2, `${growth} MB`)
    }).pipe(Effect.provide(
      TelemetryLayer({ env: {}, detectors: ["none"], tracesExporters: ["none"] }).pipe(
        Layer.provideMerge(TailSampler.layer({ maxBytes: 4 * 2 ** 20 }))
      )
    )))
})
