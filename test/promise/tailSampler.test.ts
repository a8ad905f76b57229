import { assert, describe, it } from "@effect/vitest"
import * as TailSampler from "../../src/processors/TailSampler.ts"
import { InMemoryExporter, trace, TraceContext } from "../../src/promise/index.ts"

const policy = {
  rules: [{ id: "error", when: { errorCount: { ge: 1 } } }, { id: "rest", drop: true }]
}

describe("the facade with a tail sampler", () => {
  it("exports the traces that the policy wants, and decides at the end about what is held", async () => {
    const memory = new InMemoryExporter()
    await TraceContext.initialize({
      env: {},
      detectors: ["none"],
      exporters: [memory],
      services: TailSampler.layer({ policy })
    })
    await trace("good", async () => {})
    await trace("bad", async () => {
      await trace("inner", async () => {})
      throw new Error("no")
    }).catch(() => {})
    await TraceContext.shutdown()
    assert.deepStrictEqual(memory.getSpans().map(({ name }) => name), ["inner", "bad"])
  })

  it("says which option cannot be taken", async () => {
    let failure: unknown
    try {
      await TraceContext.initialize({ env: {}, services: TailSampler.layer({ maxSpans: 0 }) })
    } catch (error) {
      failure = error
    }
    assert.match(String(failure), /maxSpans is 0/)
    await TraceContext.shutdown()
  })
})
