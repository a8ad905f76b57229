import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import * as InMemorySpanExporter from "../../src/exporters/InMemorySpanExporter.ts"
import { adjustedCount } from "../../src/sampling/Threshold.ts"
import * as DecisionLog from "../../src/sampling/DecisionLog.ts"
import * as DryRun from "../../src/sampling/DryRun.ts"
import * as OtTraceState from "../../src/sampling/OtTraceState.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import { Telemetry, TelemetryLayer } from "../../src/Telemetry.ts"

const spansOf = <A, E>(sampler: Sampler.SamplerShape, program: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    yield* program
    yield* (yield* Telemetry).flush()
    const spans = yield* (yield* InMemorySpanExporter.InMemorySpans).spans
    return { spans, decisions: yield* (yield* DecisionLog.DecisionLog).recent }
  }).pipe(
    Effect.provide(
      TelemetryLayer({ env: {}, shutdownOn: [] }).pipe(
        Layer.provide(Sampler.layer(sampler)),
        Layer.provideMerge(InMemorySpanExporter.layer()),
        Layer.provideMerge(DecisionLog.layer())
      )
    )
  )

const trace = Effect.void.pipe(Effect.withSpan("child"), Effect.withSpan("root"))

const remote = (sampled: boolean) =>
  Tracer.externalSpan({ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", sampled })

describe("DryRun", () => {
  it.effect("keeps everything, and marks local roots with what would have been", () =>
    Effect.gen(function*() {
      const sampler = DryRun.sampler(Sampler.parentBased({ root: Sampler.probability(0.5) }))
      const { decisions, spans } = yield* spansOf(sampler, Effect.repeat(trace, { times: 199 }))
      assert.strictEqual(spans.length, 400)
      let dropped = 0
      for (const span of spans) {
        if (span.name === "child") {
          assert.isFalse(DryRun.attribute in span.attributes)
          continue
        }
        const expected = span.traceId.slice(-14) >= "80000000000000" ? "keep" : "drop"
        if (expected === "drop") dropped++
        assert.isTrue(span.attributes[DryRun.attribute])
        assert.strictEqual(span.attributes[DryRun.decisionAttribute], expected)
        assert.strictEqual(span.attributes[DryRun.thresholdAttribute], "8")
        // Nothing was lost, so each span stands for itself alone.
        assert.strictEqual(adjustedCount(OtTraceState.read(span.traceState).threshold ?? { hi: 0, lo: 0 }), 1)
      }
      assert.strictEqual(decisions.filter(({ decision }) => decision === "drop").length, dropped)
      assert.isTrue(decisions.every(({ isDryRun }) => isDryRun))
    }))

  it.effect("what another service dropped stays dropped, unless the sampler would keep it", () =>
    Effect.gen(function*() {
      const child = Effect.void.pipe(Effect.withSpan("segment", { parent: remote(false) }))
      const followed = yield* spansOf(DryRun.sampler(Sampler.parentBased()), child)
      assert.strictEqual(followed.spans.length, 0)
      const kept = yield* spansOf(DryRun.sampler(Sampler.alwaysOn), child)
      assert.strictEqual(kept.spans[0]?.attributes[DryRun.decisionAttribute], "keep")
    }))

  it.effect("a span that nothing would keep has no threshold to show", () =>
    Effect.gen(function*() {
      const { spans } = yield* spansOf(DryRun.sampler(Sampler.alwaysOff), trace)
      const root = spans.find(({ name }) => name === "root")
      assert.strictEqual(root?.attributes[DryRun.decisionAttribute], "drop")
      assert.isFalse(DryRun.thresholdAttribute in root!.attributes)
    }))

  it.effect("the randomness that the trace states counts, not its id", () =>
    Effect.sync(() => {
      const decide = (rv: string) =>
        DryRun.sampler(Sampler.probability(0.5)).decide({
          name: "span",
          kind: "server",
          traceId: "0af7651916cd43dd8448eb211c80319c",
          attributes: {},
          links: [],
          parent: { traceFlags: 1, traceState: `ot=rv:${rv}`, isRemote: true }
        }).attributes?.[DryRun.decisionAttribute]
      assert.strictEqual(decide("ffffffffffffff"), "keep")
      assert.strictEqual(decide("00000000000000"), "drop")
    }))

  it("an unreliable threshold is compared with fresh randomness, as it would have been", () => {
    const quarter: Sampler.SamplerShape = {
      description: "unknown",
      decide: () => ({ threshold: { hi: 0xc000000, lo: 0 }, reliable: false })
    }
    const sampler = DryRun.sampler(quarter)
    const decisions = Array.from({ length: 400 }, () =>
      sampler.decide({
        name: "span",
        kind: "server",
        traceId: "0af7651916cd43dd8448eb211c80319c",
        attributes: {},
        links: [],
        parent: undefined
      }))
    const kept = decisions.filter(({ attributes, dryRun }) => {
      assert.strictEqual(attributes?.[DryRun.decisionAttribute], dryRun?.isKept ? "keep" : "drop")
      return dryRun?.isKept
    })
    // The trace's own randomness would answer all alike. Of 400 fresh ones, chance gives neither none nor all.
    assert.isAbove(kept.length, 0)
    assert.isBelow(kept.length, 400)
  })

  it("passes on the rule and the attributes of the tried sampler", () => {
    const named: Sampler.SamplerShape = {
      description: "named",
      decide: () => ({ ...Sampler.alwaysOff.decide(input), ruleId: "checkout", attributes: { tier: "gold" } })
    }
    const input: Sampler.SamplingInput = {
      name: "span",
      kind: "server",
      traceId: "0af7651916cd43dd8448eb211c80319c",
      attributes: {},
      links: [],
      parent: undefined
    }
    assert.deepStrictEqual(DryRun.sampler(named).decide(input).attributes, {
      tier: "gold",
      [DryRun.attribute]: true,
      [DryRun.decisionAttribute]: "drop",
      [DryRun.ruleAttribute]: "checkout"
    })
    assert.strictEqual(DryRun.sampler(named).description, "DryRun{named}")
  })
})
