import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as InMemorySpanExporter from "../../src/exporters/InMemorySpanExporter.ts"
import * as TailSampler from "../../src/processors/TailSampler.ts"
import * as DecisionLog from "../../src/sampling/DecisionLog.ts"
import * as OtTraceState from "../../src/sampling/OtTraceState.ts"
import * as Sampling from "../../src/sampling/Sampling.ts"
import type { SamplingConfig } from "../../src/sampling/SamplingConfig.ts"
import { adjustedCount, always } from "../../src/sampling/Threshold.ts"
import { Telemetry, TelemetryLayer } from "../../src/Telemetry.ts"
import * as IdGenerator from "../../src/tracing/IdGenerator.ts"
import * as Trace from "../../src/tracing/Trace.ts"

describe("TailSampler.layerFollowing", () => {
  it.effect("decides by the policy of the configuration that is in force, and tells its version", () =>
    Effect.gen(function*() {
      const dropping = (version: string, dryRun?: boolean): SamplingConfig => ({
        version,
        head: "always_on",
        tail: { rules: [{ id: "fine", when: { errorCount: { lt: 1 } }, drop: true }] },
        ...dryRun === undefined ? {} : { dryRun }
      })
      const ref = yield* SubscriptionRef.make<SamplingConfig>({ version: "all", head: "always_on" })
      const telemetry = TelemetryLayer({ env: {}, detectors: ["none"] }).pipe(
        Layer.provideMerge(InMemorySpanExporter.layer()),
        Layer.provide(TailSampler.layerFollowing()),
        Layer.provideMerge(Sampling.layerRef(ref)),
        Layer.provideMerge(DecisionLog.layer())
      )
      yield* Effect.gen(function*() {
        const sampling = yield* Sampling.Sampling
        const memory = yield* InMemorySpanExporter.InMemorySpans
        const log = yield* DecisionLog.DecisionLog
        const exported = Effect.gen(function*() {
          yield* Trace.span(Effect.void, "fine")
          yield* Effect.exit(Trace.span(Effect.fail("no"), "broken"))
          yield* (yield* Telemetry).flush()
          const spans = yield* memory.spans
          yield* memory.reset
          return spans
        })
        const follow = (config: SamplingConfig) => Effect.andThen(SubscriptionRef.set(ref, config), sampling.refresh)
        const names = Effect.map(exported, (spans) => spans.map(({ name }) => name).sort())

        assert.deepStrictEqual(yield* names, ["broken", "fine"])
        yield* follow(dropping("errors"))
        assert.deepStrictEqual(yield* names, ["broken"])
        const last = (yield* log.recent).filter(({ stage }) => stage !== "head").at(-1)
        assert.strictEqual(last?.configVersion, "errors")

        yield* follow(dropping("trial", true))
        const marked = (yield* exported).find(({ name }) => name === "fine")
        assert.deepInclude(marked?.attributes, {
          "sampling.dry_run": true,
          "sampling.head.decision": "keep",
          "sampling.decision": "drop",
          "sampling.rule": "fine"
        })
        yield* follow({ version: "all again", head: "always_on" })
        assert.deepStrictEqual(yield* names, ["broken", "fine"])
      }).pipe(Effect.provide(telemetry))
    }))

  it.effect("knows what the head records beyond what it selects, before and after a reload", () =>
    Effect.gen(function*() {
      const tail = { rules: [{ id: "all" }] }
      const half = { parentBased: { root: { probability: 0.5 } } }
      const ref = yield* SubscriptionRef.make<SamplingConfig>({ head: { composite: { alwaysRecord: half } }, tail })
      const telemetry = TelemetryLayer({ env: {}, detectors: ["none"] }).pipe(
        Layer.provideMerge(InMemorySpanExporter.layer()),
        Layer.provide(TailSampler.layerFollowing()),
        Layer.provideMerge(Sampling.layerRef(ref)),
        Layer.provide(Layer.succeed(IdGenerator.IdGenerator, IdGenerator.seeded(1)))
      )
      yield* Effect.gen(function*() {
        const memory = yield* InMemorySpanExporter.InMemorySpans
        const counted = Effect.gen(function*() {
          yield* Effect.repeat(Trace.span(Effect.void, "span"), { times: 99 })
          yield* (yield* Telemetry).flush()
          const spans = yield* memory.spans
          yield* memory.reset
          const weights = spans.map(({ traceState }) =>
            adjustedCount(OtTraceState.read(traceState).threshold ?? always)
          )
          return { spans: spans.length, weights: [...new Set(weights)] }
        })
        // Nothing was lost: each stands for itself, whatever the head had selected.
        assert.deepStrictEqual(yield* counted, { spans: 100, weights: [1] })
        yield* SubscriptionRef.set(ref, { head: half, tail })
        yield* (yield* Sampling.Sampling).refresh
        const { spans, weights } = yield* counted
        assert.deepStrictEqual(weights, [2])
        assert.approximately(2 * spans, 100, 40)
      }).pipe(Effect.provide(telemetry))
    }))
})
