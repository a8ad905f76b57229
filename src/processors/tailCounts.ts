/** What a tail sampler has decided, in numbers. */
import type { Stage } from "../sampling/tail/judge.ts"
import type { RuleCount, TailStats } from "./tailService.ts"

const maxRules = 1000
/** Under this name the counts of rules beyond the first 1,000 are added up. */
export const otherRules = "__other__"

/** Counts of one rule and stage. */
type Entry = { -readonly [K in keyof RuleCount]: RuleCount[K] }

/** Counters since the start. */
export class TailCounts {
  lateKept = 0
  lateDropped = 0
  evicted = 0
  forgotten = 0
  #tracesKept = 0
  #tracesDropped = 0
  #spansKept = 0
  #spansDropped = 0
  readonly #byRule = new Map<string, Array<Entry>>()

  /** Counts a decision about a trace of so many spans. */
  decided(ruleId: string, stage: Stage, isKept: boolean, spans: number): void {
    const entry = this.#entry(ruleId, stage)
    if (isKept) {
      entry.kept++
      this.#tracesKept++
      this.#spansKept += spans
    } else {
      entry.dropped++
      this.#tracesDropped++
      this.#spansDropped += spans
    }
  }

  #entry(given: string, stage: Stage): Entry {
    let ruleId = given
    let entries = this.#byRule.get(ruleId)
    if (entries === undefined && this.#byRule.size >= maxRules) entries = this.#byRule.get(ruleId = otherRules)
    if (entries === undefined) this.#byRule.set(ruleId, entries = [])
    for (const entry of entries) if (entry.stage === stage) return entry
    const entry: Entry = { ruleId, stage, kept: 0, dropped: 0 }
    entries.push(entry)
    return entry
  }

  /** Everything counted, with what is known elsewhere. */
  stats(now: Pick<TailStats, "held" | "debt" | "stress" | "cacheBytes">): TailStats {
    return {
      ...now,
      tracesKept: this.#tracesKept,
      tracesDropped: this.#tracesDropped,
      spansKept: this.#spansKept,
      spansDropped: this.#spansDropped,
      byRule: [...this.#byRule.values()].flatMap((entries) => entries.map((entry) => ({ ...entry }))),
      late: { kept: this.lateKept, dropped: this.lateDropped },
      evicted: this.evicted,
      forgotten: this.forgotten
    }
  }
}
