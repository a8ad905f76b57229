/** Parts of the telemetry that plain TypeScript gives as layers. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { InMemoryExporter, trace, TraceContext } from "../../src/promise/index.ts"
import * as TailSampler from "../../src/processors/TailSampler.ts"
import * as DecisionLog from "../../src/sampling/DecisionLog.ts"
import * as Sampling from "../../src/sampling/Sampling.ts"

describe("services of initialize", () => {
  it("sample head and tail, and tell a log that the program holds", async () => {
    const log = Effect.runSync(DecisionLog.make())
    const memory = new InMemoryExporter()
    await TraceContext.initialize({
      env: {},
      exporters: [memory],
      services: TailSampler.layerFollowing().pipe(
        Layer.provideMerge(Sampling.layer({
          version: "plain",
          head: {
            ruleBased: {
              rules: [{ id: "health", when: { field: "name", glob: "health*" }, sampler: "always_off" }],
              otherwise: "always_on"
            }
          },
          tail: { rules: [{ id: "fine", when: { errorCount: { lt: 1 } }, drop: true }] }
        })),
        Layer.provideMerge(Layer.succeed(DecisionLog.DecisionLog, log))
      )
    })
    trace("healthz", () => {})
    trace("fine", () => {})
    try {
      trace("broken", () => {
        throw new Error("no")
      })
    } catch {
      // Its span is what this is about.
    }
    await TraceContext.flush()
    assert.deepStrictEqual(memory.getSpans().map(({ name }) => name), ["broken"])
    await TraceContext.shutdown()
    const decisions = Effect.runSync(log.recent).map(({ configVersion, decision, ruleId, stage }) =>
      `${stage} ${decision} ${ruleId ?? "-"} ${configVersion}`
    )
    assert.deepStrictEqual(decisions, [
      "head drop health plain",
      "head keep - plain",
      "head keep - plain",
      "tail drop fine plain",
      "tail keep default plain"
    ])
  })

  it("that cannot be had reject initialize", async () => {
    const error = await TraceContext.initialize({ env: {}, services: Sampling.layer({ head: { traceIdRatio: 7 } }) })
      .then(() => undefined, (error: Error) => error)
    assert.include(error?.message, "head.traceIdRatio is 7")
    await TraceContext.shutdown()
  })
})
