/** What the parent of a local root says about its sampling. */
import { isSampled } from "../../model/ReadableSpan.ts"
import * as OtTraceState from "../OtTraceState.ts"
import * as Sampler from "../Sampler.ts"
import * as Threshold from "../Threshold.ts"

/** Whether this span's process has decided about its trace already. */
export const isDecided = (parent: Sampler.SamplingParent | undefined): parent is Sampler.SamplingParent =>
  parent !== undefined && !parent.isRemote

/** The parent's decision. */
export const follow = (parent: Sampler.SamplingParent): Sampler.SamplingDecision =>
  Sampler.parentThreshold.decideByParent!(parent)!

/**
 * The probability with which a span under this parent got here, by the randomness of its trace: 1 without a sampled
 * parent; `undefined` where a sampled parent does not say.
 */
export const arrivalProbability = (parent: Sampler.SamplingParent | undefined): number | undefined => {
  if (parent === undefined || !isSampled(parent)) return 1
  const { threshold } = OtTraceState.read(parent.traceState)
  return threshold === undefined ? undefined : Threshold.toProbability(threshold)
}
