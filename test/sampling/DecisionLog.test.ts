import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import * as InMemorySpanExporter from "../../src/exporters/InMemorySpanExporter.ts"
import * as DecisionLog from "../../src/sampling/DecisionLog.ts"
import * as RuleSampler from "../../src/sampling/RuleSampler.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import { Telemetry, TelemetryLayer } from "../../src/Telemetry.ts"

const record = (index: number, given?: Partial<DecisionLog.DecisionRecord>): DecisionLog.DecisionRecord => ({
  traceId: (index + 1).toString(16).padStart(32, "0"),
  rootSpanId: (index + 1).toString(16).padStart(16, "0"),
  decision: "keep",
  stage: "tail",
  randomness: "00000000000000",
  isReliable: true,
  cost: 1,
  isComplete: true,
  isDryRun: false,
  ...given
})

const head = (given?: Partial<DecisionLog.HeadDecision>): DecisionLog.HeadDecision => ({
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  randomness: { hi: 0x8eb211c, lo: 0x80319c },
  parentTraceState: "",
  decision: { threshold: Threshold.fromHex("8")!, reliable: true },
  keep: true,
  sampler: Sampler.alwaysOn,
  ...given
})

const decode = Schema.decodeUnknownSync(DecisionLog.DecisionRecord)

describe("DecisionLog", () => {
  it.effect("keeps the newest, oldest first", () =>
    Effect.gen(function*() {
      const log = yield* DecisionLog.make({ capacity: 3 })
      for (let i = 0; i < 5; i++) log.record(record(i))
      assert.deepStrictEqual(yield* log.recent, [record(2), record(3), record(4)])
    }))

  it.effect("counts every decision, also of those that gave way", () =>
    Effect.gen(function*() {
      const log = yield* DecisionLog.make({ capacity: 1 })
      log.record(record(0, { ruleId: "errors" }))
      log.record(record(1, { ruleId: "errors" }))
      log.record(record(2, { decision: "drop", stage: "budget" }))
      assert.deepStrictEqual(yield* log.counts, [
        { stage: "tail", decision: "keep", ruleId: "errors", isDryRun: false, count: 2 },
        { stage: "budget", decision: "drop", ruleId: undefined, isDryRun: false, count: 1 }
      ])
    }))

  it.effect("counts into the metric registry, dry runs apart", () =>
    Effect.gen(function*() {
      const log = yield* DecisionLog.make()
      const silent = yield* DecisionLog.make({ metrics: false })
      for (const given of [{}, {}, { ruleId: "errors" }, { isDryRun: true, decision: "drop" as const }]) {
        log.record(record(0, given))
        silent.record(record(0, given))
      }
      const found = (yield* Metric.snapshot)
        .filter(({ id }) => id === "effect_telemetry.sampling.decisions")
        .map(({ attributes, state }) => [attributes, (state as { readonly count: number }).count])
      assert.sameDeepMembers(found, [
        [{ "sampling.stage": "tail", "sampling.decision": "keep" }, 2],
        [{ "sampling.stage": "tail", "sampling.decision": "keep", "sampling.rule": "errors" }, 1],
        [{ "sampling.stage": "tail", "sampling.decision": "drop", "sampling.dry_run": "true" }, 1]
      ])
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("bounds the rules that it counts by name", () =>
    Effect.gen(function*() {
      const log = yield* DecisionLog.make()
      for (let i = 0; i < 3_000; i++) log.record(record(i, { ruleId: `rule ${i}` }))
      const counts = yield* log.counts
      assert.strictEqual(counts.length, 1_001)
      assert.strictEqual(counts.find(({ ruleId }) => ruleId === DecisionLog.otherRules)?.count, 2_000)
      assert.strictEqual(counts.reduce((sum, { count }) => sum + count, 0), 3_000)
    }))

  it.effect("streams decisions from now on", () =>
    Effect.gen(function*() {
      const log = yield* DecisionLog.make()
      log.record(record(0))
      const reader = yield* log.changes.pipe(Stream.take(2), Stream.runCollect, Effect.forkScoped)
      yield* Effect.yieldNow
      log.record(record(1))
      log.record(record(2))
      assert.deepStrictEqual(yield* Fiber.join(reader), [record(1), record(2)])
    }))

  it.effect("a reader that does not read holds back nobody", () =>
    Effect.gen(function*() {
      const log = yield* DecisionLog.make({ capacity: 2 })
      yield* log.changes.pipe(Stream.runForEach(() => Effect.never), Effect.forkScoped)
      yield* Effect.yieldNow
      for (let i = 0; i < 100; i++) log.record(record(i))
      assert.deepStrictEqual(yield* log.recent, [record(98), record(99)])
    }))

  it("a head decision as a record says what it rests on", () => {
    const kept = DecisionLog.fromHead(head({ parentTraceState: "ot=th:4" }))
    assert.deepStrictEqual(decode(kept), kept)
    assert.deepStrictEqual(kept, {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      rootSpanId: "b7ad6b7169203331",
      decision: "keep",
      stage: "head",
      randomness: "8eb211c080319c",
      thresholdUpstream: "4",
      thresholdHead: "8",
      threshold: "8",
      adjustedCount: 2,
      isReliable: true,
      cost: 1,
      isComplete: false,
      isDryRun: false
    })
  })

  it("a weight that is unknown, or of what is dropped, is not said", () => {
    const unknown = DecisionLog.fromHead(head({ decision: { threshold: Threshold.always, reliable: false } }))
    assert.isUndefined(unknown.adjustedCount)
    const dropped = DecisionLog.fromHead(
      head({ decision: { threshold: Threshold.never, reliable: true }, keep: false })
    )
    assert.strictEqual(dropped.decision, "drop")
    assert.isUndefined(dropped.adjustedCount)
    assert.isUndefined(dropped.threshold)
    const recorded = { threshold: Threshold.never, reliable: true, record: true }
    assert.strictEqual(DecisionLog.fromHead(head({ decision: recorded, keep: false })).decision, "recordOnly")
  })

  it("a dry run is explained by what would have been", () => {
    const explained = DecisionLog.fromHead(head({
      decision: {
        threshold: Threshold.always,
        reliable: true,
        dryRun: { threshold: Threshold.fromHex("c")!, reliable: true, ruleId: "quarter", isKept: false }
      }
    }))
    assert.strictEqual(explained.decision, "drop")
    assert.strictEqual(explained.threshold, "c")
    assert.strictEqual(explained.ruleId, "quarter")
    assert.isTrue(explained.isDryRun)
  })

  const telemetry = (sampler: Sampler.SamplerShape) =>
    TelemetryLayer({ env: {}, shutdownOn: [] }).pipe(
      Layer.provideMerge(InMemorySpanExporter.layer()),
      Layer.provideMerge(DecisionLog.layer()),
      Layer.provide(Sampler.layer(sampler))
    )

  it.effect("the tracer tells each local root, and no other span", () =>
    Effect.gen(function*() {
      const remote = Tracer.externalSpan({
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: "b7ad6b7169203331",
        sampled: true
      })
      yield* Effect.void.pipe(Effect.withSpan("child"), Effect.withSpan("root"))
      yield* Effect.void.pipe(Effect.withSpan("child"), Effect.withSpan("segment", { parent: remote }))
      const log = yield* DecisionLog.DecisionLog
      const recent = yield* log.recent
      assert.strictEqual(recent.length, 2)
      for (const entry of recent) assert.deepStrictEqual(decode(entry), entry)
      assert.strictEqual(recent[0]?.adjustedCount, 1)
      assert.strictEqual(recent[1]?.traceId, remote.traceId)
      assert.strictEqual(recent[1]?.randomness, "48eb211c80319c")
      assert.isFalse(recent[1]?.isReliable)
    }).pipe(Effect.provide(telemetry(Sampler.parentBased()))))

  it.effect("what the tracer tells is what it did", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 200; i++) yield* Effect.void.pipe(Effect.withSpan("root"))
      const log = yield* DecisionLog.DecisionLog
      const recent = yield* log.recent
      assert.strictEqual(recent.length, 200)
      for (const { decision, randomness, traceId } of recent) {
        assert.strictEqual(randomness, traceId.slice(-14))
        assert.strictEqual(decision, randomness >= "80000000000000" ? "keep" : "drop")
      }
    }).pipe(Effect.provide(telemetry(Sampler.probability(0.5)))))

  it.effect("a local root says which rule kept it, and what is below does not", () =>
    Effect.gen(function*() {
      const remote = Tracer.externalSpan({
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: "b7ad6b7169203331",
        sampled: true
      })
      yield* Effect.void.pipe(Effect.withSpan("child"), Effect.withSpan("root"))
      yield* Effect.void.pipe(Effect.withSpan("child"), Effect.withSpan("root", { parent: remote }))
      yield* (yield* Telemetry).flush()
      const spans = yield* (yield* InMemorySpanExporter.InMemorySpans).spans
      const rules = spans.map(({ attributes, name }) => `${name} ${attributes["sampling.rule"]}`)
      assert.deepStrictEqual(rules, ["child undefined", "root all", "child undefined", "root all"])
    }).pipe(Effect.provide(telemetry(RuleSampler.make([{ id: "all", sampler: Sampler.alwaysOn }])))))
})
