/**
 * Against OpenTelemetry JavaScript's composite sampler: the same traces are kept, what it reads and writes is read and
 * written alike, and what it gets wrong is held against ours. Each check of the latter kind must refuse what it does.
 */
import { assert, describe, it } from "@effect/vitest"
import { ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api"
import { TraceState } from "@opentelemetry/core"
import {
  type ComposableSampler,
  createComposableParentThresholdSampler,
  createComposableProbabilitySampler,
  createCompositeSampler
} from "@opentelemetry/sampler-composite"
import { isSampled } from "../../src/model/ReadableSpan.ts"
import * as OtTraceState from "../../src/sampling/OtTraceState.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import { seeded } from "../../src/tracing/IdGenerator.ts"
import { randomnessOf, type Remote, starter, traceIdOf } from "../sampling/starter.ts"

interface Verdict {
  readonly kept: boolean
  readonly traceState: string
}

type Decide = (remote: Remote | undefined, traceId: string) => Verdict

/** What OpenTelemetry JavaScript makes of a span. */
const theirs = (composable: ComposableSampler): Decide => {
  const sampler = createCompositeSampler(composable)
  return (remote, traceId) => {
    const context = remote === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, {
      traceId,
      spanId: "b7ad6b7169203331",
      traceFlags: remote.sampled === false ? 0 : 1,
      isRemote: true,
      ...remote.traceState === undefined ? {} : { traceState: new TraceState(remote.traceState) }
    })
    const { decision, traceState } = sampler.shouldSample(context, traceId, "span", SpanKind.INTERNAL, {}, [])
    return { kept: decision === 2, traceState: traceState?.serialize() ?? "" }
  }
}

/** What our tracer makes of it. */
const ours = (sampler: Sampler.SamplerShape): Decide => (remote, traceId) => {
  let words: ReadonlyArray<number> = []
  for (let i = 0; i < 4; i++) words = [...words, Number.parseInt(traceId.slice(i * 8, i * 8 + 8), 16)]
  const ids = {
    ...seeded(1),
    writeTraceId: (target: Int32Array) => words.forEach((word, index) => target[index] = word)
  }
  const { root, under } = starter(sampler, ids)
  const span = remote === undefined ? root() : under({ ...remote, traceId })
  return { kept: isSampled(span), traceState: span.traceState }
}

const traceIds = (count: number): ReadonlyArray<string> => {
  const ids = seeded(20_261_125)
  const words = new Int32Array(4)
  return Array.from({ length: count }, () => {
    ids.writeTraceId(words)
    return Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("")
  })
}

describe("OpenTelemetry JavaScript's composite sampler and ours", () => {
  const all = traceIds(100_000)

  for (const probability of [1 / 3, 0.1, 1e-3]) {
    it(`keep the same traces of 100,000 with a probability of ${probability}`, () => {
      const their = theirs(createComposableProbabilitySampler(probability))
      const exact = Threshold.fromProbability(probability, 14)
      const usual = Threshold.fromProbability(probability)
      let differs = 0
      for (const traceId of all) {
        const { hi, lo } = randomnessOf(traceId)
        const { kept } = their(undefined, traceId)
        assert.strictEqual(Threshold.keeps(exact, hi, lo), kept)
        if (Threshold.keeps(usual, hi, lo) !== kept) differs++
      }
      // Four digits keep what 14 do, but for one trace in 65,536 of those kept.
      assert.isAtMost(differs, 5)
    })
  }

  it("the tracer keeps those traces too, and writes the threshold by which it did", () => {
    const our = ours(Sampler.probability(0.1, { precision: 14 }))
    const their = theirs(createComposableProbabilitySampler(0.1))
    for (const traceId of all.slice(0, 2_000)) {
      assert.deepStrictEqual(our(undefined, traceId), their(undefined, traceId))
    }
  })

  it("follow a parent's threshold and sampled flag alike, where they agree with each other", () => {
    const our = ours(Sampler.parentBased({ root: Sampler.alwaysOff }))
    const their = theirs(createComposableParentThresholdSampler(createComposableProbabilitySampler(0)))
    const states = ["ot=th:8", "ot=th:0", "ot=th:8;rv:ffffffffffffff,a=b", "a=b", "ot=rv:00000000000000", "ot=x:y"]
    for (const traceState of states) {
      const remote = { traceState, sampled: true }
      assert.deepStrictEqual(our(remote, traceIdOf(0xfffffff, 1)), their(remote, traceIdOf(0xfffffff, 1)), traceState)
    }
  })
})

// What `tracestate.test.ts` of OpenTelemetry JavaScript puts in and expects out.
const roundTrips: ReadonlyArray<readonly [before: string, after: string]> = [
  ["a", "a"],
  ["#", "#"],
  ["rv:1234567890abcd", "rv:1234567890abcd"],
  ["rv:01020304050607", "rv:01020304050607"],
  ["rv:1234567890abcde", ""],
  ["th:1234567890abcd", "th:1234567890abcd"],
  ["th:10000000000000", "th:1"],
  ["th:1234500000000", "th:12345"],
  ["th:0", "th:0"],
  ["th:100000000000000", ""],
  ["th:1234567890abcde", ""],
  [
    `a:${"X".repeat(214)};rv:1234567890abcd;th:1234567890abcd;x:3`,
    `th:1234567890abcd;rv:1234567890abcd;a:${"X".repeat(214)};x:3`
  ],
  ["th:x", ""],
  ...Array.from({ length: 14 }, (_, zeros) => [`th:1${"0".repeat(zeros)}`, "th:1"] as const),
  ["th:10000000000001", "th:10000000000001"],
  ["th:10000000000010", "th:1000000000001"],
  ["rv:x", ""],
  ["rv:100000000000000", ""],
  ["rv:10000000000000", "rv:10000000000000"],
  ["rv:1000000000000", ""]
]

describe("the ot member", () => {
  const rewrite = (value: string): string => {
    const header = `ot=${value}`
    return OtTraceState.withThreshold(`${header} `, OtTraceState.read(header).threshold).replace(/^ot=/, "")
  }

  for (const [before, after] of roundTrips) {
    it(`${before.slice(0, 40)} is written as ${after.slice(0, 40)}`, () => assert.strictEqual(rewrite(before), after))
  }

  it("has 256 characters at most: th and rv stay, what has no room goes", () => {
    const half = Threshold.fromHex("8")!
    const rv = "rv:0123456789abcd"
    const full = `x:${"y".repeat(230)};${rv};z:1`
    assert.strictEqual(full.length, 254)
    const written = OtTraceState.withThreshold(`ot=${full},a=b`, half)
    assert.strictEqual(written, `ot=th:8;${rv};x:${"y".repeat(230)},a=b`)
    assert.isAtMost(written.indexOf(",") - 3, 256)
    assert.deepStrictEqual(OtTraceState.read(written).threshold, half)
    const longest = (y: number) => OtTraceState.withThreshold(`ot=x:${"y".repeat(y)};${rv}`, half).length - 3
    assert.strictEqual(longest(231), 256)
    assert.strictEqual(longest(232), `th:8;${rv}`.length)
  })

  it("that is longer says nothing, and is not passed on where a threshold is taken away", () => {
    const long = `a=b,ot=th:8;x:${"y".repeat(256)}`
    assert.deepStrictEqual(OtTraceState.read(long), {
      threshold: undefined,
      randomness: undefined,
      hasThreshold: true
    })
    assert.strictEqual(OtTraceState.withThreshold(long, undefined), "a=b")
  })
})

/** Each throws where a tracer does what it must not. */
const checks = {
  "a dropped child has no th, which would be honoured downstream": (decide: Decide) => {
    const { kept, traceState } = decide({ traceState: "ot=th:8,a=b" }, traceIdOf(0x9000000, 0))
    assert.isFalse(kept)
    assert.isFalse(OtTraceState.read(traceState).hasThreshold)
  },
  "a threshold that is not reliable is compared with a fresh random number": (decide: Decide) => {
    const verdicts = new Set<boolean>()
    for (let i = 0; i < 1_000; i++) verdicts.add(decide({ traceState: "a=b" }, traceIdOf(0xfffffff, 0)).kept)
    assert.strictEqual(verdicts.size, 2)
  },
  "a th has four significant digits": (decide: Decide) => {
    assert.strictEqual(decide(undefined, traceIdOf(0xfffffff, 0)).traceState, "ot=th:e666")
  },
  "a sampler's tracestate reaches a root": (decide: Decide) => {
    assert.include(decide(undefined, traceIdOf(0xfffffff, 0)).traceState, "vendor=1")
  },
  "a parent that is sampled against its own th is followed, with a weight that is not known": (decide: Decide) => {
    const { kept, traceState } = decide({ traceState: "ot=th:f" }, traceIdOf(0, 0))
    assert.isTrue(kept)
    assert.isFalse(OtTraceState.read(traceState).hasThreshold)
  }
}

const half = Threshold.fromHex("8")!

const cases: Record<keyof typeof checks, readonly [ours: Sampler.SamplerShape, theirs: ComposableSampler]> = {
  "a dropped child has no th, which would be honoured downstream": [
    Sampler.probability(0.25),
    createComposableProbabilitySampler(0.25)
  ],
  "a threshold that is not reliable is compared with a fresh random number": [
    { description: "unknown", decide: () => ({ threshold: half, reliable: false }) },
    { getSamplingIntent: () => ({ threshold: 1n << 55n, thresholdReliable: false }) }
  ],
  "a th has four significant digits": [Sampler.probability(0.1), createComposableProbabilitySampler(0.1)],
  "a sampler's tracestate reaches a root": [
    { description: "vendor", decide: () => ({ threshold: half, reliable: true, traceState: "vendor=1" }) },
    {
      getSamplingIntent: () => ({
        threshold: 1n << 55n,
        thresholdReliable: true,
        updateTraceState: (state) => (state ?? new TraceState()).set("vendor", "1")
      })
    }
  ],
  "a parent that is sampled against its own th is followed, with a weight that is not known": [
    Sampler.parentBased({ root: Sampler.alwaysOff }),
    createComposableParentThresholdSampler(createComposableProbabilitySampler(0))
  ]
}

describe("what OpenTelemetry JavaScript's composite sampler gets wrong", () => {
  for (const [name, check] of Object.entries(checks)) {
    const [our, their] = cases[name as keyof typeof checks]
    it(name, () => check(ours(our)))
    it(`${name}: the check refuses what it does (0.222.0)`, () => assert.throws(() => check(theirs(their))))
  }
})
