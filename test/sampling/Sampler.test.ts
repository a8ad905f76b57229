import { assert, describe, it } from "@effect/vitest"
import * as OtTraceState from "../../src/sampling/OtTraceState.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"

const input = (parent?: Partial<Sampler.SamplingParent>): Sampler.SamplingInput => ({
  name: "span",
  kind: "internal",
  traceId: "0af7651916cd43dd8448eb211c80319c",
  attributes: {},
  links: [],
  parent: parent === undefined ? undefined : { traceFlags: 0, traceState: "", isRemote: false, ...parent }
})

describe("Sampler", () => {
  it("parentBased takes each of its five branches", () => {
    const named = (description: string): Sampler.SamplerShape => ({
      description,
      decide: () => ({ threshold: Threshold.always, reliable: true, ruleId: description })
    })
    const sampler = Sampler.parentBased({
      root: named("root"),
      remoteParentSampled: named("remoteSampled"),
      remoteParentNotSampled: named("remoteNotSampled"),
      localParentSampled: named("localSampled"),
      localParentNotSampled: named("localNotSampled")
    })
    assert.strictEqual(sampler.description, "ParentBased{root:root}")
    assert.strictEqual(sampler.decide(input()).ruleId, "root")
    assert.strictEqual(sampler.decide(input({ traceFlags: 1, isRemote: true })).ruleId, "remoteSampled")
    assert.strictEqual(sampler.decide(input({ traceFlags: 2, isRemote: true })).ruleId, "remoteNotSampled")
    assert.strictEqual(sampler.decide(input({ traceFlags: 3 })).ruleId, "localSampled")
    assert.strictEqual(sampler.decide(input({ traceFlags: 0 })).ruleId, "localNotSampled")
  })

  it("parentBased follows a sampled parent's threshold, and says when there is none", () => {
    const sampler = Sampler.parentBased()
    assert.deepStrictEqual(sampler.decide(input({ traceFlags: 1, traceState: "ot=th:c" })), {
      threshold: Threshold.fromHex("c")!,
      reliable: true
    })
    assert.deepStrictEqual(sampler.decide(input({ traceFlags: 1 })), { threshold: Threshold.always, reliable: false })
    assert.deepStrictEqual(sampler.decide(input({ traceFlags: 0, traceState: "ot=th:c" })).threshold, Threshold.never)
    assert.deepStrictEqual(sampler.decide(input()).threshold, Threshold.always)
  })

  it("what looks at the parent alone answers without an input as it does with one", () => {
    const blind: Sampler.SamplerShape = { description: "blind", decide: () => Sampler.alwaysOn.decide(input()) }
    const samplers = [
      Sampler.alwaysOn,
      Sampler.alwaysOff,
      Sampler.probability(0.25),
      Sampler.parentThreshold,
      Sampler.parentBased(),
      Sampler.parentBased({ root: Sampler.probability(0.5), remoteParentSampled: Sampler.alwaysOff }),
      Sampler.alwaysRecord(Sampler.parentBased({ root: Sampler.alwaysOff }))
    ]
    const parents = [undefined, {}, { traceFlags: 1 }, { traceFlags: 1, isRemote: true }, {
      traceFlags: 1,
      traceState: "ot=th:c"
    }, { isRemote: true }]
    for (const sampler of samplers) {
      for (const parent of parents) {
        const asked = input(parent)
        assert.deepStrictEqual(sampler.decideByParent?.(asked.parent), sampler.decide(asked), sampler.description)
      }
    }
    for (const branch of ["root", "remoteParentSampled", "localParentNotSampled"] as const) {
      const parent = branch === "root"
        ? undefined
        : {
          traceFlags: branch === "remoteParentSampled" ? 1 : 0,
          traceState: "",
          isRemote: branch.startsWith("remote")
        }
      const sampler = Sampler.parentBased({ [branch]: blind })
      assert.isUndefined(sampler.decideByParent?.(parent))
      assert.deepStrictEqual(sampler.decide({ ...input(), parent }), blind.decide(input()))
    }
    assert.isUndefined(Sampler.alwaysRecord(blind).decideByParent?.(undefined))
  })

  it("alwaysRecord records what the other sampler drops and changes nothing else", () => {
    const decision = Sampler.alwaysRecord(Sampler.alwaysOff).decide(input())
    assert.strictEqual(decision.record, true)
    assert.deepStrictEqual(decision.threshold, Threshold.never)
  })
})

describe("OtTraceState", () => {
  it("reads th and rv beside other members and sub-keys", () => {
    assert.deepStrictEqual(OtTraceState.read("a=b,ot=xx:1;th:8;rv:0000000000000f,c=d"), {
      threshold: Threshold.fromHex("8")!,
      randomness: Threshold.fromHex("0000000000000f")!,
      hasThreshold: true
    })
    assert.deepStrictEqual(OtTraceState.read("rot=th:8").threshold, undefined)
    assert.deepStrictEqual(OtTraceState.read("ot=th:XYZ;rv:12"), {
      threshold: undefined,
      randomness: undefined,
      hasThreshold: true
    })
    assert.deepStrictEqual(OtTraceState.read(`ot=th:8;x:${"a".repeat(256)}`).threshold, undefined)
  })

  it("sets and removes th, keeping the rest and moving the member to the front", () => {
    const half = Threshold.fromHex("8")!
    assert.strictEqual(OtTraceState.withThreshold("", half), "ot=th:8")
    assert.strictEqual(
      OtTraceState.withThreshold("a=b, ot=rv:0000000000000f;th:c", half),
      "ot=th:8;rv:0000000000000f,a=b"
    )
    assert.strictEqual(OtTraceState.withThreshold("a=b,ot=th:c", undefined), "a=b")
    assert.strictEqual(OtTraceState.withThreshold("ot=th:c;rv:0000000000000f", undefined), "ot=rv:0000000000000f")
    const full = Array.from({ length: 32 }, (_, i) => `k${i}=v`).join(",")
    assert.strictEqual(OtTraceState.withThreshold(full, half).split(",").length, 32)
  })
})
