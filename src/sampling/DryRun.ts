/**
 * Tries a sampler on real traffic without losing anything: what it would drop is kept, and marked.
 */
import { randomWord } from "../internal/random.ts"
import * as OtTraceState from "./OtTraceState.ts"
import * as Sampler from "./Sampler.ts"
import * as Threshold from "./Threshold.ts"

/** `true` on the root of a process's part of a trace: nothing was dropped. */
export const attribute = "sampling.dry_run"

/** Beside it, what the sampler would have done: `"keep"` or `"drop"`. */
export const decisionAttribute = "sampling.head.decision"

/** Beside it, the threshold that the sampler chose, as `th` has it. Left out where the sampler keeps nothing. */
export const thresholdAttribute = "sampling.head.threshold"

/** Beside it, the rule that decided. */
export const ruleAttribute = "sampling.head.rule"

const isLower = (a: Threshold.Threshold, b: Threshold.Threshold): boolean =>
  a.hi < b.hi || (a.hi === b.hi && a.lo < b.lo)

const wouldKeep = (input: Sampler.SamplingInput, { reliable, threshold }: Sampler.SamplingDecision): boolean => {
  // As the tracer does it: the trace's randomness may have been used before.
  if (!reliable) return Threshold.keeps(threshold, randomWord() & 0x0fffffff, randomWord() & 0x0fffffff)
  const explicit = input.parent === undefined ? undefined : OtTraceState.read(input.parent.traceState).randomness
  const randomness = explicit ?? Threshold.fromHex(input.traceId.slice(18))
  return randomness !== undefined && Threshold.keeps(threshold, randomness.hi, randomness.lo)
}

/**
 * A sampler that keeps what `baseline` keeps, and what `sampler` keeps, and marks what `sampler` would have done.
 *
 * **Details**
 *
 * The marks stand on local roots: spans without a parent, or with a parent elsewhere. Their children follow them. The
 * `baseline` is what would be done without the tried sampler, by default `Sampler.parentBased()`, which keeps every trace
 * that another service did not drop before. The threshold that is written is the one that was really used, so that the
 * counts of what arrives stay right.
 */
export const sampler = (
  sampler: Sampler.SamplerShape,
  options?: { readonly baseline?: Sampler.SamplerShape | undefined }
): Sampler.SamplerShape => {
  const baseline = options?.baseline ?? Sampler.parentBased()
  return {
    description: `DryRun{${sampler.description}}`,
    get configVersion() {
      return sampler.configVersion
    },
    decide(input) {
      const real = baseline.decide(input)
      if (input.parent !== undefined && !input.parent.isRemote) return real
      const tried = sampler.decide(input)
      const { hi, lo } = tried.threshold
      const isKept = wouldKeep(input, tried)
      const used = isLower(tried.threshold, real.threshold) ? tried : real
      return {
        ...used,
        record: real.record === true || tried.record === true,
        attributes: {
          ...used.attributes,
          ...tried.attributes,
          [attribute]: true,
          [decisionAttribute]: isKept ? "keep" : "drop",
          ...hi >= Threshold.never.hi ? {} : { [thresholdAttribute]: Threshold.toHex({ hi, lo }) },
          ...tried.ruleId === undefined ? {} : { [ruleAttribute]: tried.ruleId }
        },
        dryRun: { ...tried, isKept }
      }
    }
  }
}
