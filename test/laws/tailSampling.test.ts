import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import type { ReadableSpan } from "../../src/model/ReadableSpan.ts"
import type * as TailSampler from "../../src/processors/TailSampler.ts"
import type { TailPolicy } from "../../src/sampling/TailPolicy.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import { setUp, spanOf } from "../processors/tailing.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** What happens to one of four traces, in any order. */
const Step = Schema.Union([
  Schema.Struct({ do: Schema.Literal("start"), trace: between(0, 3) }),
  Schema.Struct({ do: Schema.Literal("end"), trace: between(0, 3), nth: between(0, 5), isError: Schema.Boolean }),
  Schema.Struct({ do: Schema.Literal("tick"), millis: Schema.Literals([1, 90, 100, 1000, 2500, 31_000]) }),
  Schema.Struct({ do: Schema.Literals(["flush", "swap", "decideAll"]) })
])

const Fraction = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 0.999 }))
const Root = Schema.Literals(["none", "remote", "remoteTh", "recorded"])

const Settings = Schema.Struct({
  r: Schema.Tuple([Fraction, Fraction, Fraction, Fraction]),
  // Where the parent of each trace's first span is.
  roots: Schema.Tuple([Root, Root, Root, Root]),
  perSecond: Schema.Literals([0.5, 2, 1000]),
  unit: Schema.Literals(["spans", "bytes", "traces"]),
  always: Schema.Boolean,
  recorded: Schema.Boolean,
  settle: Schema.Literals([0, 300]),
  maxSpans: Schema.Literals([1, 4, 1000]),
  maxTraces: Schema.Literals([1, 2, 1000]),
  spanLimit: Schema.Literals([2, 5, 1000]),
  pressed: Schema.Boolean
})

const policies = (settings: typeof Settings.Type): ReadonlyArray<TailPolicy> => [
  {
    rules: [
      { id: "error", when: { errorCount: { ge: 1 } }, weight: 20, always: settings.always },
      {
        id: "large",
        when: { and: [{ spanCount: { gt: 3 } }, { not: { root: { field: "name", eq: "x" } } }] },
        drop: true
      }
    ],
    budget: { perSecond: settings.perSecond, unit: settings.unit, shares: { error: 0.5 } }
  },
  { rules: [{ id: "half", when: { everySpan: { field: "status", ne: "ERROR" } }, probability: 0.5 }] }
]

const run = Effect.fnUntraced(function*(
  steps: ReadonlyArray<typeof Step.Type>,
  settings: typeof Settings.Type,
  more?: TailSampler.Options
) {
  const scope = yield* Scope.make()
  const [first, second] = policies(settings)
  const tail = yield* Scope.provide(
    setUp({
      policy: first!,
      settle: settings.settle,
      maxSpans: settings.maxSpans,
      maxTraces: settings.maxTraces,
      spanLimit: settings.spanLimit,
      stress: { memory: () => settings.pressed ? 0.95 : 0 },
      ...more
    }),
    scope
  )
  const made: Array<ReadableSpan> = []
  const open: Array<Array<ReadableSpan>> = [[], [], [], []]
  const isBegun = [false, false, false, false]
  let id = 0
  const start = (trace: number): void => {
    const root = isBegun[trace] ? undefined : settings.roots[trace]!
    isBegun[trace] = true
    const span = tail.start({
      trace,
      id: ++id,
      r: settings.r[trace]!,
      ...root === undefined
        ? { parent: 1000 }
        : root === "remote" || root === "remoteTh"
        ? { parent: 9, remote: true }
        : {},
      traceFlags: settings.roots[trace] === "recorded" ? 2 : 3,
      // Whatever passes such a threshold has enough randomness for it.
      traceState: settings.roots[trace] === "remoteTh" && settings.r[trace]! >= 0.5 ? "ot=th:8" : ""
    })
    made.push(span)
    open[trace]!.push(span)
  }
  const check = Effect.gen(function*() {
    tail.check()
    const { held } = yield* tail.tail.stats
    assert.isAtMost(held.spans, settings.maxSpans)
    assert.isAtMost(held.traces, settings.maxTraces)
    assert.strictEqual(tail.account.queued, held.spans)
    assert.isTrue(held.bytes >= 0)
  })
  for (const step of steps) {
    if (step.do === "start") start(step.trace)
    else if (step.do === "end") {
      const spans = open[step.trace]!
      const [span] = spans.splice(step.nth % Math.max(1, spans.length), 1)
      if (span !== undefined) {
        if (step.isError) span.statusCode = "ERROR"
        tail.end(span)
      }
    } else if (step.do === "tick") yield* TestClock.adjust(step.millis)
    else if (step.do === "flush") yield* tail.tail.processor.flush
    else if (step.do === "swap") {
      yield* SubscriptionRef.update(tail.tail.config, (now) => now === first ? second! : first!)
    } else tail.tail.decideAll()
    yield* check
  }
  for (const spans of open) for (const span of spans) tail.end(span)
  yield* TestClock.adjust("100 seconds")
  yield* check
  yield* Scope.close(scope, Exit.void)
  yield* check
  assert.strictEqual(tail.account.queued, 0)
  assert.strictEqual(tail.failures(), 0)
  return { made, arrived: tail.arrived }
})

/** Each trace has one verdict: all of its spans arrive, with one threshold that their randomness passes, or none does. */
const verdicts = (
  made: ReadonlyArray<ReadableSpan>,
  arrived: ReadonlyArray<{ traceId: string; spanId: string; th: string | undefined }>
) => {
  const ids = new Set(made.map((span) => span.traceId))
  for (const traceId of ids) {
    const there = arrived.filter((span) => span.traceId === traceId)
    const all = made.filter((span) => span.traceId === traceId)
    assert.isTrue(there.length === 0 || there.length === all.length, `${there.length} of ${all.length} of one trace`)
    assert.strictEqual(new Set(there.map((span) => span.spanId)).size, there.length)
    assert.isAtMost(new Set(there.map((span) => span.th)).size, 1, "one threshold")
    for (const { th } of there) {
      if (th === undefined) continue
      const { traceId2, traceId3 } = all[0]!
      const [hi, lo] = [Threshold.randomnessHi(traceId2, traceId3), Threshold.randomnessLo(traceId3)]
      assert.isTrue(Threshold.keeps(Threshold.fromHex(th)!, hi, lo), `th:${th} is the test that was used`)
    }
  }
}

describe("tail sampling", () => {
  it.effect.prop(
    "gives each trace one verdict, keeps its bounds and its books, and decides everything, in whatever order spans come",
    { steps: Schema.Array(Step).check(Schema.isMaxLength(60)), settings: Settings },
    ({ settings, steps }) =>
      Effect.gen(function*() {
        const { arrived, made } = yield* run(steps, settings)
        verdicts(made, arrived)
      }),
    { timeout: 120_000, arbitrary: { runs: 500, size: 60 } }
  )

  it.effect("would give two verdicts if decisions were forgotten: the law can tell", () =>
    Effect.gen(function*() {
      const settings: typeof Settings.Type = {
        r: [0.1, 0.2, 0.3, 0.4],
        roots: ["none", "none", "none", "none"],
        perSecond: 1000,
        unit: "spans",
        always: false,
        recorded: false,
        settle: 0,
        maxSpans: 1000,
        maxTraces: 1000,
        spanLimit: 1000,
        pressed: false
      }
      const whole = [0, 1, 2, 3].flatMap((trace): ReadonlyArray<typeof Step.Type> => [
        ...Array.from({ length: 5 }, () => ({ do: "start", trace }) as const),
        ...Array.from({ length: 4 }, () => ({ do: "end", trace, nth: 1, isError: false }) as const)
      ])
      const steps: ReadonlyArray<typeof Step.Type> = [
        ...whole,
        { do: "tick", millis: 31_000 },
        { do: "tick", millis: 2500 },
        { do: "end", trace: 0, nth: 0, isError: true }
      ]
      const right = yield* run(steps, settings)
      verdicts(right.made, right.arrived)
      const wrong = yield* run(steps, settings, { droppedCacheSize: 1 })
      assert.throws(() => verdicts(wrong.made, wrong.arrived), /1 of 5 of one trace/)
    }))

  it.effect("never loses an error while budget remains, under any pressure for room", () =>
    Effect.gen(function*() {
      for (let seed = 1; seed <= 20; seed++) {
        const perSecond = seed % 2 === 0 ? 200 : 700
        let state = seed
        const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
        const tail = yield* setUp({
          policy: {
            rules: [{ id: "error", when: { errorCount: { ge: 1 } }, always: true }],
            budget: { perSecond }
          },
          maxSpans: 30,
          maxTraces: 15
        })
        let failed = 0
        const made: Array<ReadableSpan> = []
        const open: Array<ReadableSpan> = []
        for (let i = 0; i < 300; i++) {
          const r = next()
          const isError = next() < 0.1
          const span = tail.start({ trace: i, id: i + 1, r, status: isError ? "ERROR" : "OK" })
          if (isError) failed++
          made.push(span)
          open.push(span)
          if (open.length > 10) tail.end(open.splice(Math.floor(next() * open.length), 1)[0]!)
        }
        for (const span of open) tail.end(span)
        yield* TestClock.adjust("60 seconds")
        // Nothing else is lost where all fit into what one second has, stress taken off.
        const { length } = tail.arrived
        assert.isTrue(perSecond === 700 ? length === 300 : length >= 100 && length < 300, `${length} of 300`)
        const errors = made.filter((span) => span.statusCode === "ERROR").map((span) => span.spanId)
        const there = new Set(tail.arrived.map((span) => span.spanId))
        const found = errors.filter((spanId) => there.has(spanId)).length
        assert.isTrue(perSecond === 700 ? found === failed : found >= failed / 2, `${found} of ${failed} errors`)
        assert.isAbove(failed, 0)
      }
    }))

  it("spans of the harness have the randomness that they say", () => {
    const { traceId2, traceId3 } = spanOf({ r: 0.75 })
    assert.deepStrictEqual([Threshold.randomnessHi(traceId2, traceId3), Threshold.randomnessLo(traceId3)], [
      0xc000000,
      0
    ])
  })
})
