/**
 * What is worth keeping of whole traces, as data: rules over what is known of a trace when it ends, and a budget.
 *
 * **Details**
 *
 * Rules are asked in order, and the first that holds decides into which class a trace falls, with which weight it competes
 * for the budget, or that it is kept or dropped at once. A condition over spans says of which: of any, of every one, or of
 * the local root. A trace to which no rule applies is of the class `default`, with weight 1.
 *
 * **Example** (Errors, slow checkouts, a tenth of the health checks, and 500 spans a second)
 *
 * ```ts
 * import { TailPolicy } from "effect-telemetry"
 *
 * export const policy: TailPolicy.TailPolicy = {
 *   rules: [
 *     { id: "health", when: { root: { attribute: "url.path", glob: "/health*" } }, probability: 0.1 },
 *     { id: "errors", when: { errorCount: { ge: 1 } }, always: true },
 *     {
 *       id: "slow-checkout",
 *       when: { and: [{ root: { field: "name", glob: "*checkout*" } }, { traceDuration: { ge: "2 seconds" } }] },
 *       class: "slow",
 *       weight: 10
 *     }
 *   ],
 *   budget: { perSecond: 500, shares: { slow: 0.25 } }
 * }
 * ```
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { ReadableSpan } from "../model/ReadableSpan.ts"
import * as Predicate from "./Predicate.ts"

/** What is known of the spans of one trace in this process. Valid while a policy is asked. */
export interface TraceView {
  /** 32 lowercase hexadecimal digits. */
  readonly traceId: string
  /** The spans that have ended, in the order of their ends. */
  readonly spans: ReadonlyArray<ReadableSpan>
  readonly errorCount: number
  /** From the first start to the last end. */
  readonly durationNanos: number
  /** The span whose parent is elsewhere, or nowhere. It may still be open. `undefined` where it was not seen. */
  readonly root: ReadableSpan | undefined
  /** What the spans take in memory, estimated. */
  readonly bytes: number
  /** Whether every span that has started has ended. */
  readonly isComplete: boolean
  /** Which of the span conditions of a policy some span has met: bit i for `CompiledPolicy.marks[i]`. */
  readonly marks: number
}

/** Bounds of a number. Everything stated must hold; at least one is stated. */
export interface Range<Bound = number> {
  readonly lt?: Bound | undefined
  readonly le?: Bound | undefined
  readonly gt?: Bound | undefined
  readonly ge?: Bound | undefined
}

/** A question about one trace. */
export type Condition =
  | { readonly anySpan: Predicate.Predicate }
  | { readonly everySpan: Predicate.Predicate }
  | { readonly root: Predicate.Predicate }
  /** From the first start to the last end: milliseconds, or a duration as in `"2 seconds"`. */
  | { readonly traceDuration: Range<number | string> }
  | { readonly spanCount: Range }
  /** Spans with status `ERROR`. */
  | { readonly errorCount: Range }
  | { readonly and: ReadonlyArray<Condition> }
  | { readonly or: ReadonlyArray<Condition> }
  | { readonly not: Condition }

/** What becomes of the traces to which it applies. */
export interface Rule {
  /** Names the rule: `sampling.rule` on the local root, and in counters. */
  readonly id: string
  /** Default: every trace. */
  readonly when?: Condition | undefined
  /** The class in which the trace competes. Default: the id. */
  readonly class?: string | undefined
  /**
   * A trace of weight 10 is kept with ten times the probability of one of weight 1, where not all can be. Default 1; from
   * 0.001 to 1,000,000.
   */
  readonly weight?: number | undefined
  /**
   * Kept before anything else is: all of them as long as they alone do not exceed the budget, else a fair share of them.
   * Default `false`.
   */
  readonly always?: boolean | undefined
  /** Not kept. Default `false`. */
  readonly drop?: boolean | undefined
  /** At most this fraction is kept, before the budget is asked. Default 1. */
  readonly probability?: number | undefined
  /** Applies under stress too, when other rules are not asked. Default: whether it is `always`. */
  readonly underStress?: boolean | undefined
}

/** How much may be kept. */
export interface Budget {
  /** Units for each second. */
  readonly perSecond: number
  /** What is counted. Default `"spans"`. Bytes are estimates of memory. */
  readonly unit?: "spans" | "bytes" | "traces" | undefined
  /**
   * Which fraction of the budget a class can count on; what it does not need is for others. All other classes share the
   * rest. The sum is at most 1.
   */
  readonly shares?: Readonly<Record<string, number>> | undefined
}

/** A tail policy as data. */
export interface TailPolicy {
  /** Stands in decision records. */
  readonly version?: string | undefined
  readonly rules: ReadonlyArray<Rule>
  /** Default: all that no rule drops is kept. */
  readonly budget?: Budget | undefined
  /** Under stress the budget is multiplied by this. Default 0.5. */
  readonly stressFactor?: number | undefined
  /** Everything goes on as it came; the local root says what would have been. Default `false`. */
  readonly dryRun?: boolean | undefined
}

/** What a policy says about one trace. */
export interface Verdict {
  readonly ruleId: string
  readonly class?: string | undefined
  readonly weight?: number | undefined
  readonly always?: boolean | undefined
  readonly drop?: boolean | undefined
  readonly probability?: number | undefined
}

/** Errors first, then what takes over two seconds, within 1,000 spans a second. */
export const defaultPolicy: TailPolicy = {
  rules: [
    { id: "error", when: { errorCount: { ge: 1 } }, always: true },
    { id: "slow", when: { traceDuration: { ge: "2 seconds" } }, weight: 10 }
  ],
  budget: { perSecond: 1000 }
}

const heads = ["anySpan", "everySpan", "root", "traceDuration", "spanCount", "errorCount", "and", "or", "not"] as const
const bounds = ["lt", "le", "gt", "ge"] as const
const maxDepth = 16
/** Most conditions over spans in one policy. */
export const maxMarks = 31

interface Loose {
  readonly anySpan?: Predicate.Predicate | undefined
  readonly everySpan?: Predicate.Predicate | undefined
  readonly root?: Predicate.Predicate | undefined
  readonly traceDuration?: Range<number | string> | undefined
  readonly spanCount?: Range | undefined
  readonly errorCount?: Range | undefined
  readonly and?: ReadonlyArray<Loose> | undefined
  readonly or?: ReadonlyArray<Loose> | undefined
  readonly not?: Loose | undefined
}

const millisOf = (input: number | string): number | undefined =>
  Option.getOrUndefined(Option.map(Duration.fromInput(input as Duration.Input), Duration.toMillis))

const childrenOf = (node: Loose): ReadonlyArray<Loose> =>
  node.and ?? node.or ?? (node.not === undefined ? [] : [node.not])

const depthOf = (node: Loose): number => 1 + Math.max(0, ...childrenOf(node).map(depthOf))

const marksOf = (node: Loose): number =>
  (node.anySpan === undefined && node.everySpan === undefined ? 0 : 1) +
  childrenOf(node).reduce((sum, child) => sum + marksOf(child), 0)

const Bounds = <Bound extends Schema.Codec<number | string> | Schema.Codec<number>>(bound: Bound) =>
  Schema.Struct({
    lt: Schema.optional(bound),
    le: Schema.optional(bound),
    gt: Schema.optional(bound),
    ge: Schema.optional(bound)
  }).check(Schema.makeFilter((range) =>
    bounds.some((name) => range[name] !== undefined) ? undefined : `expected at least one of ${bounds.join(", ")}`
  ))

const Count = Bounds(Schema.Finite)
const DurationBound = Schema.Union([
  Schema.Finite,
  Schema.String.check(Schema.isMaxLength(64))
]).check(
  Schema.makeFilter((value) => millisOf(value) === undefined ? "expected milliseconds or a duration" : undefined)
)

// One Struct with a check, and no union: what is wrong is then named by its own path.
const Node: Schema.Codec<Loose> = Schema.Struct({
  anySpan: Schema.optional(Predicate.Predicate),
  everySpan: Schema.optional(Predicate.Predicate),
  root: Schema.optional(Predicate.Predicate),
  traceDuration: Schema.optional(Bounds(DurationBound)),
  spanCount: Schema.optional(Count),
  errorCount: Schema.optional(Count),
  and: Schema.optional(Schema.Array(Schema.suspend((): Schema.Codec<Loose> => Node))),
  or: Schema.optional(Schema.Array(Schema.suspend((): Schema.Codec<Loose> => Node))),
  not: Schema.optional(Schema.suspend((): Schema.Codec<Loose> => Node))
}).check(Schema.makeFilter((node) =>
  heads.filter((head) => node[head] !== undefined).length === 1
    ? undefined
    : `expected one of ${heads.join(", ")}, and one only`
)) as Schema.Codec<Loose>

/** The Schema of {@link Condition}: nested 16 deep at most. */
export const Condition: Schema.Codec<Condition> = Node.check(
  Schema.makeFilter((node) => depthOf(node) <= maxDepth ? undefined : `expected at most ${maxDepth} levels`)
) as Schema.Codec<unknown> as Schema.Codec<Condition>

const Name = Schema.NonEmptyString.check(Schema.isMaxLength(128))
const Fraction = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

/** The Schema of {@link Rule}. */
export const Rule: Schema.Codec<Rule> = Schema.Struct({
  id: Name,
  when: Schema.optional(Condition),
  class: Schema.optional(Name),
  weight: Schema.optional(Schema.Finite.check(Schema.isBetween({ minimum: 0.001, maximum: 1e6 }))),
  always: Schema.optional(Schema.Boolean),
  drop: Schema.optional(Schema.Boolean),
  probability: Schema.optional(Fraction),
  underStress: Schema.optional(Schema.Boolean)
}).check(Schema.makeFilter((rule) =>
  rule.drop === true && (rule.always === true || rule.underStress === true)
    ? "expected drop without always and underStress"
    : undefined
))

/** The Schema of {@link Budget}. */
export const Budget: Schema.Codec<Budget> = Schema.Struct({
  perSecond: Schema.Finite.check(Schema.isGreaterThan(0)),
  unit: Schema.optional(Schema.Literals(["spans", "bytes", "traces"])),
  shares: Schema.optional(
    Schema.Record(Name, Fraction).check(
      Schema.makeFilter((shares) =>
        Object.values(shares).reduce((sum, share) => sum + share, 0) <= 1 + 1e-9
          ? undefined
          : "expected shares that add up to at most 1"
      )
    )
  )
})

/** The Schema of {@link TailPolicy}: 1,000 rules at most, of different ids, with 31 conditions over spans together. */
export const TailPolicy: Schema.Codec<TailPolicy> = Schema.Struct({
  version: Schema.optional(Name),
  rules: Schema.Array(Rule).check(
    Schema.isMaxLength(1000),
    Schema.makeFilter((rules) =>
      new Set(rules.map((rule) => rule.id)).size === rules.length ? undefined : "expected different ids"
    ),
    Schema.makeFilter((rules) =>
      rules.reduce((sum, { when }) => sum + (when === undefined ? 0 : marksOf(when as Loose)), 0) <= maxMarks
        ? undefined
        : `expected at most ${maxMarks} of anySpan and everySpan`
    )
  ),
  budget: Schema.optional(Budget),
  stressFactor: Schema.optional(Fraction.check(Schema.isGreaterThan(0))),
  dryRun: Schema.optional(Schema.Boolean)
}).annotate({ identifier: "TailPolicy" })

/** A verdict with nothing left out. */
export interface CompiledVerdict {
  readonly ruleId: string
  readonly class: string
  readonly weight: number
  readonly always: boolean
  readonly drop: boolean
  readonly probability: number
}

/** A policy as functions. */
export interface CompiledPolicy {
  readonly policy: TailPolicy
  /** Tests of single spans. `TraceView.marks` has bit i once one span has passed `marks[i]`. */
  readonly marks: ReadonlyArray<(subject: Predicate.Subject) => boolean>
  /** The verdict of the first rule that applies; under stress only of those that apply there too. */
  readonly evaluate: (view: TraceView, isStressed: boolean) => CompiledVerdict
}

/** A verdict with its defaults; what is no number in its range counts as left out. */
export const complete = (verdict: Verdict): CompiledVerdict => ({
  ruleId: verdict.ruleId,
  class: verdict.class ?? verdict.ruleId,
  weight: verdict.weight !== undefined && verdict.weight > 0 ? Math.min(Math.max(verdict.weight, 0.001), 1e6) : 1,
  always: verdict.always === true,
  drop: verdict.drop === true,
  probability: verdict.probability !== undefined && verdict.probability >= 0 ? Math.min(1, verdict.probability) : 1
})

const otherwise: CompiledVerdict = complete({ ruleId: "default" })

type Test = (view: TraceView) => boolean

const within = <Bound>(
  range: Range<Bound>,
  toNumber: (bound: Bound) => number,
  read: (view: TraceView) => number
): Test => {
  const { ge, gt, le, lt } = range
  const atLeast = ge === undefined ? -Infinity : toNumber(ge)
  const above = gt === undefined ? -Infinity : toNumber(gt)
  const atMost = le === undefined ? Infinity : toNumber(le)
  const below = lt === undefined ? Infinity : toNumber(lt)
  return (view) => {
    const value = read(view)
    return value >= atLeast && value > above && value <= atMost && value < below
  }
}

const same = (bound: number): number => bound

const compileCondition = (condition: Condition, marks: Array<(subject: Predicate.Subject) => boolean>): Test => {
  const node = condition as Loose
  if (node.anySpan !== undefined || node.everySpan !== undefined) {
    const matches = Predicate.compile((node.anySpan ?? node.everySpan)!)
    const bit = 1 << marks.length
    if (marks.length >= maxMarks) throw new TypeError(`expected at most ${maxMarks} of anySpan and everySpan`)
    if (node.anySpan !== undefined) {
      marks.push(matches)
      return (view) => (view.marks & bit) !== 0
    }
    marks.push((subject) => !matches(subject))
    return (view) => (view.marks & bit) === 0
  }
  if (node.root !== undefined) {
    const matches = Predicate.compile(node.root)
    return (view) => view.root !== undefined && matches(Predicate.fromReadable(view.root))
  }
  if (node.traceDuration !== undefined) {
    return within(node.traceDuration, (bound) => (millisOf(bound) ?? NaN) * 1e6, (view) => view.durationNanos)
  }
  if (node.spanCount !== undefined) return within(node.spanCount, same, (view) => view.spans.length)
  if (node.errorCount !== undefined) return within(node.errorCount, same, (view) => view.errorCount)
  if (node.not !== undefined) {
    const inner = compileCondition(node.not as Condition, marks)
    return (view) => !inner(view)
  }
  const isAll = node.and !== undefined
  const parts = (node.and ?? node.or ?? []).map((part) => compileCondition(part as Condition, marks))
  return (view) => {
    for (let i = 0; i < parts.length; i++) if (parts[i]!(view) !== isAll) return !isAll
    return isAll
  }
}

/**
 * The policy as functions.
 *
 * **Gotchas**
 *
 * Throws a `TypeError` for what its Schema refuses.
 */
export const compile = (policy: TailPolicy): CompiledPolicy => {
  const marks: Array<(subject: Predicate.Subject) => boolean> = []
  const rules = policy.rules.map((rule) => ({
    test: rule.when === undefined ? undefined : compileCondition(rule.when, marks),
    verdict: complete({ ...rule, ruleId: rule.id }),
    isAskedUnderStress: rule.drop === true || (rule.underStress ?? rule.always) === true
  }))
  return {
    policy,
    marks,
    evaluate(view, isStressed) {
      for (let i = 0; i < rules.length; i++) {
        const { isAskedUnderStress, test, verdict } = rules[i]!
        if (isStressed && !isAskedUnderStress) continue
        if (test === undefined || test(view)) return verdict
      }
      return otherwise
    }
  }
}
