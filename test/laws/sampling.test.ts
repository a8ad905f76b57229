import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { isSampled } from "../../src/model/ReadableSpan.ts"
import * as OtTraceState from "../../src/sampling/OtTraceState.ts"
import * as RuleSampler from "../../src/sampling/RuleSampler.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import { randomnessOf, starter, traceIdOf } from "../sampling/starter.ts"

const Half = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0xfffffff }))
const Hex = Schema.String.check(Schema.isPattern(/^[0-9a-f]{1,14}$/))
const Probability = Schema.Union([
  Schema.Literals([0, 1, 2 ** -56, 1 / 3, 0.5, 1 - 2 ** -53]),
  Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
])

/** Decisions of every kind: some kept, all, none, reliable and not. */
const Answer = Schema.Struct({
  threshold: Schema.Union([
    Schema.Literals(["always", "never", "same"]),
    Schema.Struct({ hi: Half, lo: Half })
  ]),
  reliable: Schema.Boolean
})

const answering = ({ reliable, threshold }: typeof Answer.Type): Sampler.SamplerShape => ({
  description: "answer",
  decide: () => ({
    reliable,
    threshold: threshold === "always"
      ? Threshold.always
      : threshold === "never"
      ? Threshold.never
      : threshold === "same"
      ? Threshold.fromHex("8")!
      : threshold
  })
})

/** A header as a stranger may send it. */
const header = Arbitrary.map(
  Arbitrary.array(
    Arbitrary.schema(Schema.Union([
      Schema.Literals(["ot=", "th:", "rv:", ";", ",", " ", "a=b", "th:8", "th:C", "th:", "rv:0123456789abcd", "x:y"]),
      Schema.Literals(["th:80000000000000", "th:800000000000000", "rv:00000000000000", `x:${"y".repeat(240)}`]),
      Hex
    ])),
    { maxLength: 12 }
  ),
  (parts) => parts.join("")
)

const input: Sampler.SamplingInput = {
  name: "span",
  kind: "internal",
  parent: undefined,
  traceId: traceIdOf(1, 2),
  attributes: {},
  links: []
}

/** What a decision means: how much is kept, and whether that is known; nothing kept is known. */
const meaning = (sampler: Sampler.SamplerShape) => {
  const { reliable, threshold } = sampler.decide(input)
  return [threshold.hi, threshold.lo, reliable || threshold.hi >= Threshold.never.hi]
}

type Combine = (...samplers: ReadonlyArray<Sampler.SamplerShape>) => Sampler.SamplerShape

/** Throws where a way of combining breaks a law of a semilattice. */
const checkLaws = (
  combine: Combine,
  unit: Sampler.SamplerShape,
  [a, b, c]: readonly [Sampler.SamplerShape, Sampler.SamplerShape, Sampler.SamplerShape]
): void => {
  assert.deepStrictEqual(meaning(combine(a, b)), meaning(combine(b, a)), "commutative")
  assert.deepStrictEqual(meaning(combine(combine(a, b), c)), meaning(combine(a, combine(b, c))), "associative")
  assert.deepStrictEqual(meaning(combine(a, b, c)), meaning(combine(combine(a, b), c)), "several are as two by two")
  assert.deepStrictEqual(meaning(combine(a, a)), meaning(combine(a)), "idempotent")
  assert.deepStrictEqual(meaning(combine(a, unit)), meaning(combine(a)), "a unit")
  assert.deepStrictEqual(meaning(combine(unit, a)), meaning(combine(a)), "a unit")
  assert.deepStrictEqual(meaning(combine()), meaning(unit), "of nothing")
}

const low = answering({ threshold: { hi: 1, lo: 0 }, reliable: true })
const high = answering({ threshold: { hi: 9, lo: 0 }, reliable: true })
const unknown = answering({ threshold: "always", reliable: false })

describe("the algebra of samplers", () => {
  it.prop("anyOf is a semilattice whose unit is alwaysOff", [Answer, Answer, Answer], ([a, b, c]) => {
    checkLaws(Sampler.anyOf, Sampler.alwaysOff, [answering(a), answering(b), answering(c)])
  })

  it.prop("allOf is a semilattice whose unit is alwaysOn", [Answer, Answer, Answer], ([a, b, c]) => {
    checkLaws(Sampler.allOf, Sampler.alwaysOn, [answering(a), answering(b), answering(c)])
  })

  it("the laws notice a combination that is none", () => {
    const three = [low, high, unknown] as const
    const first: Combine = (a) => a ?? Sampler.alwaysOff
    // The probability of any of two that are independent; ours are not.
    const independent: Combine = (...all) =>
      Sampler.probability(
        1 - all.reduce((none, one) => none * (1 - Threshold.toProbability(one.decide(input).threshold)), 1),
        { precision: 14 }
      )
    const reliableAsTheFirst: Combine = (...all) => {
      const decision = Sampler.allOf(...all).decide(input)
      return { description: "wrong", decide: () => ({ ...decision, reliable: all[0]?.decide(input).reliable ?? true }) }
    }
    assert.throws(() => checkLaws(first, Sampler.alwaysOff, three))
    assert.throws(() => checkLaws(independent, Sampler.alwaysOff, [Sampler.probability(0.5), high, unknown]))
    assert.throws(() => checkLaws(reliableAsTheFirst, Sampler.alwaysOn, [unknown, high, low]))
    assert.throws(() => checkLaws(Sampler.anyOf, Sampler.alwaysOn, three))
  })

  it.prop("anyOf keeps what any keeps, allOf what all keep", [Answer, Answer, Half, Half], ([a, b, hi, lo]) => {
    const samplers = [answering(a), answering(b)]
    const keeps = (sampler: Sampler.SamplerShape) => Threshold.keeps(sampler.decide(input).threshold, hi, lo)
    assert.strictEqual(keeps(Sampler.anyOf(...samplers)), samplers.some(keeps))
    assert.strictEqual(keeps(Sampler.allOf(...samplers)), samplers.every(keeps))
  })
})

/** Throws where a smaller probability keeps what a larger one drops. */
const checkNesting = (
  fromProbability: (probability: number) => Threshold.Threshold,
  a: number,
  b: number,
  hi: number,
  lo: number
): void => {
  const small = fromProbability(Math.min(a, b))
  const large = fromProbability(Math.max(a, b))
  if (Threshold.keeps(small, hi, lo)) assert.isTrue(Threshold.keeps(large, hi, lo), "nested")
}

describe("thresholds", () => {
  it.prop("a smaller probability keeps a part of what a larger one keeps", [Probability, Probability, Half, Half], ([
    a,
    b,
    hi,
    lo
  ]) => {
    for (const precision of [1, 3, 4, 5, 14]) {
      checkNesting((probability) => Threshold.fromProbability(probability, precision), a, b, hi, lo)
    }
  })

  it("the law of nesting notices thresholds that are not comparable", () => {
    // As of samplers that hash the id with their own rate.
    const scattered = (probability: number) => ({ hi: (probability * 2 ** 40) % 2 ** 28, lo: 0 })
    assert.throws(() => {
      for (let i = 1; i < 100; i++) checkNesting(scattered, i / 100, (i + 1) / 100, 0x8000000, 0)
    })
  })

  // The same by integers of any size, which the hot path cannot afford.
  const reference = (probability: number, precision: number): bigint | undefined => {
    if (!(probability >= 2 ** -56)) return undefined
    if (probability >= 1) return 0n
    const exponent = (x: number): number => {
      let e = Math.floor(Math.log2(x)) + 1
      if (x >= 2 ** e) e++
      if (x < 2 ** (e - 1)) e--
      return e
    }
    const digits = Math.min(
      14,
      precision + Math.max(Math.trunc(-exponent(probability) / 4), Math.trunc(-exponent(1 - probability) / 4))
    )
    const shift = BigInt(4 * (14 - digits))
    const exact = (1n << 56n) - BigInt(Math.round(probability * 2 ** 56))
    const rounded = shift === 0n ? exact : ((exact + (1n << (shift - 1n))) >> shift) << shift
    return rounded >= 1n << 56n ? undefined : rounded
  }

  const Precision = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 14 }))
  const Tiny = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 2 ** -40 }))

  it.prop("two halves compute what one large integer does", [Schema.Union([Probability, Tiny]), Precision], ([
    probability,
    precision
  ]) => {
    const { hi, lo } = Threshold.fromProbability(probability, precision)
    const expected = reference(probability, precision)
    if (expected === undefined) assert.deepStrictEqual({ hi, lo }, Threshold.never)
    else {
      assert.strictEqual((BigInt(hi) << 28n) | BigInt(lo), expected)
      assert.strictEqual(Threshold.toProbability({ hi, lo }), Number((1n << 56n) - expected) / 2 ** 56)
      assert.strictEqual(Threshold.toHex({ hi, lo }), expected.toString(16).padStart(14, "0").replace(/(?!^)0+$/, ""))
    }
  })

  it.prop("a text of digits is the number that it writes", [Hex], ([text]) => {
    const { hi, lo } = Threshold.fromHex(text)!
    assert.strictEqual((BigInt(hi) << 28n) | BigInt(lo), BigInt(`0x${text.padEnd(14, "0")}`))
  })
})

describe("a span that starts", () => {
  const samplers = (p: number): ReadonlyArray<Sampler.SamplerShape> => {
    const some = Sampler.probability(p)
    return [
      Sampler.alwaysOn,
      Sampler.alwaysOff,
      some,
      Sampler.composite(some),
      Sampler.composite(Sampler.alwaysOn),
      Sampler.parentBased({ root: some }),
      Sampler.parentBased({ remoteParentNotSampled: some }),
      Sampler.anyOf(Sampler.parentBased({ root: some }), some),
      Sampler.allOf(Sampler.parentBased({ root: some }), some),
      Sampler.alwaysRecord(some),
      Sampler.annotate(some, { a: 1 }),
      RuleSampler.make([{ when: { field: "parent", eq: "remote" }, sampler: Sampler.parentThreshold }], {
        otherwise: some
      })
    ]
  }

  /** Throws where a span's `th` says something else than what was done to it. */
  const checkThreshold = (
    span: { readonly traceFlags: number; readonly traceState: string; readonly traceId: string },
    decision: Sampler.SamplingDecision
  ): void => {
    const member = OtTraceState.read(span.traceState)
    const randomness = member.randomness ?? randomnessOf(span.traceId)
    if (!isSampled(span) || !decision.reliable) assert.isFalse(member.hasThreshold, "th of a weight that is not known")
    if (member.threshold !== undefined) {
      assert.isTrue(Threshold.keeps(member.threshold, randomness.hi, randomness.lo), "R >= th")
      assert.deepStrictEqual(member.threshold, decision.threshold, "th is T")
    }
    if (decision.reliable) {
      const keeps = Threshold.keeps(decision.threshold, randomness.hi, randomness.lo)
      assert.strictEqual(isSampled(span), keeps, "kept if and only if R >= T")
      if (keeps && Threshold.isSelective(decision.threshold)) assert.isDefined(member.threshold, "th is written")
    }
  }

  /** A sampler that remembers what it said. */
  const remembering = (sampler: Sampler.SamplerShape) => {
    const said: Array<Sampler.SamplingDecision> = []
    const spy: Sampler.SamplerShape = {
      description: "spy",
      decide(input) {
        const decision = sampler.decide(input)
        said.push(decision)
        return decision
      }
    }
    return { spy, last: () => said[said.length - 1]! }
  }

  it.prop("has a th where it is kept and its weight known, and that is what it was compared with", [
    Probability,
    header,
    Schema.Boolean,
    Half,
    Half
  ], ([p, traceState, sampled, hi, lo]) => {
    for (const sampler of samplers(p)) {
      const { last, spy } = remembering(sampler)
      const { child, root, under } = starter(spy)
      const remote = under({ traceId: traceIdOf(hi, lo), traceState, sampled })
      checkThreshold(remote, last())
      checkThreshold(child(remote), last())
      const first = root()
      checkThreshold(first, last())
      checkThreshold(child(first), last())
    }
  })

  it("that law notices a th that is stale, wrong or missing", () => {
    const kept = { threshold: Threshold.fromHex("8")!, reliable: true }
    const span = { traceId: traceIdOf(0xfffffff, 0), traceFlags: 1, traceState: "ot=th:8" }
    checkThreshold(span, kept)
    const wrong: ReadonlyArray<readonly [typeof span, Sampler.SamplingDecision]> = [
      // A dropped child that keeps its parent's th.
      [{ ...span, traceFlags: 0 }, { threshold: Threshold.never, reliable: true }],
      [span, { ...kept, reliable: false }],
      [{ ...span, traceState: "" }, kept],
      [{ ...span, traceState: "ot=th:c" }, kept],
      [{ ...span, traceFlags: 0, traceState: "" }, kept],
      [{ ...span, traceId: traceIdOf(0, 0) }, kept],
      [{ ...span, traceFlags: 0, traceState: "ot=th:C" }, { threshold: Threshold.never, reliable: true }]
    ]
    for (const [changed, decision] of wrong) assert.throws(() => checkThreshold(changed, decision))
  })

  it.prop("keeps rv, and whatever else its parent's tracestate says", [Half, Half, Probability, Schema.Boolean], ([
    hi,
    lo,
    p,
    sampled
  ]) => {
    const rv = OtTraceState.ofRandomness(hi, lo).slice(3)
    for (const sampler of samplers(p)) {
      const span = starter(sampler).under({ traceState: `a=b,ot=th:8;${rv};x:y,c=d`, sampled })
      assert.deepStrictEqual(OtTraceState.read(span.traceState).randomness, { hi, lo })
      const members = span.traceState.split(",")
      assert.deepStrictEqual(members.filter((member) => !member.startsWith("ot=")), ["a=b", "c=d"])
      assert.include(span.traceState, "x:y")
    }
  })

  it.prop("the threshold never falls on the way down, whoever samples there", [
    Schema.Array(Probability).check(Schema.isMinLength(1), Schema.isMaxLength(5)),
    Half,
    Half
  ], ([probabilities, hi, lo]) => {
    let traceState = ""
    let threshold = Threshold.always
    for (const [index, p] of probabilities.entries()) {
      const stage = index === 0
        ? Sampler.composite(Sampler.probability(p))
        : Sampler.allOf(Sampler.parentThreshold, Sampler.probability(p))
      const span = starter(stage).under({ traceId: traceIdOf(hi, lo), traceState })
      if (!isSampled(span)) return
      const next = OtTraceState.read(span.traceState).threshold!
      assert.isAtLeast(Threshold.compare(next, threshold), 0)
      assert.isAtLeast(Threshold.compare(next, Threshold.fromProbability(p)), 0)
      threshold = next
      traceState = span.traceState
    }
  })

  it("no sampler reads the trace id before its threshold is fixed", () => {
    const reads = (sampler: Sampler.SamplerShape): number => {
      let count = 0
      const spying: Sampler.SamplerShape = {
        description: "spy",
        decide: (input) =>
          sampler.decide(
            new Proxy(input, {
              get(target, key) {
                if (key === "traceId" || key === "links") count++
                return Reflect.get(target, key, target)
              }
            })
          )
      }
      const { root, under } = starter(spying)
      root()
      under({ traceState: "ot=th:8" })
      under({ sampled: false })
      return count
    }
    for (const sampler of samplers(0.5)) assert.strictEqual(reads(sampler), 0, sampler.description)
    assert.strictEqual(
      reads({
        description: "by the trace id",
        decide: ({ traceId }) => (traceId > "8" ? Sampler.alwaysOn : Sampler.alwaysOff).decide(input)
      }),
      3
    )
  })
})
