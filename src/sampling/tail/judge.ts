/** Asks the policy, then the budget, about traces whose time has come. */
import type { Diagnostics } from "../../diagnostics/Diagnostics.ts"
import { describeError } from "../../internal/describeError.ts"
import * as TailPolicy from "../TailPolicy.ts"
import * as Threshold from "../Threshold.ts"
import { keptProbability, passing, rank, roundedUp } from "./budget.ts"
import { type Candidate, FlushBudget } from "./flushBudget.ts"
import type { HeldTrace } from "./heldTrace.ts"

/** Who decided about a trace: a rule alone, the budget, a rule under stress, or the need for room. */
export type Stage = "tail" | "budget" | "stress" | "evict"

/** What a judge is made of. */
export interface JudgeOptions {
  readonly policy: () => TailPolicy.TailPolicy
  readonly evaluate: ((view: TailPolicy.TraceView) => TailPolicy.Verdict | undefined) | undefined
  readonly flushInterval: number
  readonly deferredWeight: number
  readonly diagnostics: Diagnostics
}

/** Told what becomes of a trace. */
export interface Docket {
  /** Whether it wants to know the threshold of what is not kept, too. */
  readonly wantsThresholds: boolean
  /** It is kept or not, as R compares with the threshold. */
  readonly decided: (trace: HeldTrace, isKept: boolean, stage: Stage, threshold: Threshold.Threshold) => void
  /** The budget is in debt: it will be asked again. */
  readonly postponed: (trace: HeldTrace) => void
}

interface Competitor extends Candidate {
  readonly trace: HeldTrace
  /** What it has passed already. */
  readonly threshold: Threshold.Threshold
}

/** Whether `a` is the lower threshold. */
export const isBelow = (a: Threshold.Threshold, b: Threshold.Threshold): boolean =>
  a.hi < b.hi || (a.hi === b.hi && a.lo < b.lo)

const higher = (a: Threshold.Threshold, b: Threshold.Threshold): Threshold.Threshold => isBelow(a, b) ? b : a

/** Decides by a policy that may be exchanged at any time. */
export class Judge {
  readonly #options: JudgeOptions
  #compiled: TailPolicy.CompiledPolicy
  /** The policy that the compiled one was made from, or that could not be compiled. */
  #seen: TailPolicy.TailPolicy
  #budget: FlushBudget | undefined

  constructor(options: JudgeOptions, now: number) {
    this.#options = options
    this.#seen = options.policy()
    this.#compiled = TailPolicy.compile(this.#seen)
    this.#budget = this.#makeBudget(now)
  }

  #makeBudget(now: number): FlushBudget | undefined {
    const { budget } = this.#compiled.policy
    return budget === undefined ? undefined : new FlushBudget(
      { perSecond: budget.perSecond, shares: budget.shares ?? {}, intervalMillis: this.#options.flushInterval },
      now
    )
  }

  get compiled(): TailPolicy.CompiledPolicy {
    return this.#compiled
  }

  get isDryRun(): boolean {
    return this.#compiled.policy.dryRun === true
  }

  /** What was kept beyond the budget and is still to be made up for. */
  get debt(): number {
    return this.#budget?.debt ?? 0
  }

  /** Takes over a new policy; whether there was one. Debts stay. */
  refresh(now: number): boolean {
    const { diagnostics, policy } = this.#options
    const latest = policy()
    if (latest === this.#seen) return false
    this.#seen = latest
    try {
      this.#compiled = TailPolicy.compile(latest)
    } catch (error) {
      diagnostics.report("error", "sampling.tail.policy", `a tail policy is not used: ${describeError(error)}`)
      return false
    }
    const before = this.#budget
    this.#budget = this.#makeBudget(now)
    if (before !== undefined) this.#budget?.inherit(before)
    return true
  }

  /** What a trace takes of the budget. */
  costOf(trace: HeldTrace): number {
    const unit = this.#compiled.policy.budget?.unit
    return unit === "traces" ? 1 : unit === "bytes" ? trace.bytes : trace.spans.length
  }

  /** Books a span of a kept trace that came late. */
  charge(bytes: number): void {
    const unit = this.#compiled.policy.budget?.unit
    if (unit !== "traces") this.#budget?.charge(unit === "bytes" ? bytes : 1)
  }

  /** Decides about `traces`, which compete with one another. */
  decide(traces: ReadonlyArray<HeldTrace>, now: number, isForced: boolean, isStressed: boolean, docket: Docket): void {
    const competitors: Array<Competitor> = []
    for (const trace of traces) {
      const competitor = this.#judge(trace, isStressed, docket)
      if (competitor !== undefined) competitors.push(competitor)
    }
    const factor = isStressed ? this.#compiled.policy.stressFactor ?? 0.5 : 1
    const outcomes = this.#budget?.settle(competitors, now, isForced, factor)
    for (let i = 0; i < competitors.length; i++) {
      const cut = outcomes === undefined ? Infinity : outcomes[i]
      if (cut === undefined) docket.postponed(competitors[i]!.trace)
      else conclude(competitors[i]!, cut, isStressed, docket)
    }
  }

  #judge(trace: HeldTrace, isStressed: boolean, docket: Docket): Competitor | undefined {
    const verdict = this.evaluate(trace, isStressed)
    trace.verdict = verdict
    let threshold: Threshold.Threshold = { hi: trace.thresholdHi, lo: trace.thresholdLo }
    if (verdict.drop) {
      docket.decided(trace, false, "tail", Threshold.never)
      return undefined
    }
    if (verdict.probability < 1) {
      threshold = higher(threshold, roundedUp(passing(threshold) * verdict.probability))
      if (!Threshold.keeps(threshold, trace.randomnessHi, trace.randomnessLo)) {
        docket.decided(trace, false, "tail", threshold)
        return undefined
      }
    }
    return {
      trace,
      threshold,
      rank: rank(trace.randomnessHi, trace.randomnessLo) / passing(threshold),
      weight: verdict.weight,
      always: verdict.always,
      class: verdict.class,
      cost: this.costOf(trace)
    }
  }

  /** What the policy says about a trace. */
  evaluate(trace: HeldTrace, isStressed: boolean): TailPolicy.CompiledVerdict {
    const verdict = this.#ask(trace, isStressed)
    const { deferredWeight } = this.#options
    return trace.isRaised && !verdict.drop && !verdict.always && verdict.weight < deferredWeight
      ? { ...verdict, class: "deferred", weight: deferredWeight, probability: 1 }
      : verdict
  }

  #ask(trace: HeldTrace, isStressed: boolean): TailPolicy.CompiledVerdict {
    const { diagnostics, evaluate } = this.#options
    if (evaluate !== undefined && !isStressed) {
      try {
        const verdict = evaluate(trace)
        if (verdict !== undefined) return TailPolicy.complete(verdict)
      } catch (error) {
        diagnostics.report("error", "sampling.tail.evaluate", `a tail policy failed: ${describeError(error)}`)
      }
    }
    return this.#compiled.evaluate(trace, isStressed)
  }
}

// The budget has spoken. What is kept is tested against the very threshold that it will carry.
const conclude = (competitor: Competitor, cut: number, isStressed: boolean, docket: Docket): void => {
  const { rank, threshold, trace, weight } = competitor
  const isBelowCut = rank / weight < cut
  const final = cut * weight < 1 && (isBelowCut || docket.wantsThresholds)
    ? higher(threshold, roundedUp(keptProbability(passing(threshold), weight, cut)))
    : threshold
  const isKept = isBelowCut && Threshold.keeps(final, trace.randomnessHi, trace.randomnessLo)
  const stage = trace.trigger === "evict" ? "evict" : isStressed ? "stress" : cut === Infinity ? "tail" : "budget"
  docket.decided(trace, isKept, stage, final)
}
