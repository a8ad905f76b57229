/** Whether a run is clearly worse than the kept one. */
import type { Results } from "./results.ts"

/** How much a cost may grow, relative to the rivals' in the same run, before it counts as a regression. */
const tolerance = 1.35

/** Bytes hardly vary: instance ids and the filling of batches only. */
const bytesTolerance = 1.05

/** The regressions of `now`, in words; none is good. */
export const regressions = (now: Results, kept: Results): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const [id, before] of Object.entries(kept.contenders)) {
    if (before.role !== "ours") continue
    const after = now.contenders[id]
    if (after === undefined) {
      found.push(`${before.name}: did not run`)
      continue
    }
    const [was, is] = [kept.ratios[id], now.ratios[id]]
    // Beyond the tolerance, and beyond what the rounds of either run vary by.
    if (was !== undefined && is !== undefined && is.median > was.median * tolerance && is.low > was.high) {
      found.push(
        `${before.name}: CPU per span is ${is.median.toFixed(3)} of the rivals', was ${was.median.toFixed(3)} (${
          (is.median / was.median).toFixed(2)
        } times)`
      )
    }
    if (after.losses.lost > 0) found.push(`${before.name}: ${after.losses.lost} spans did not arrive`)
    for (const phase of ["paced", "burst"] as const) {
      const { counted, lost, made } = after[phase].losses
      const losses = before[phase].losses
      if (lost / made > losses.lost / losses.made) {
        found.push(`${before.name}: lost ${lost} of ${made} spans (${phase})`)
      }
      if (counted !== undefined && counted !== lost) {
        found.push(`${before.name}: lost ${lost} spans and counted ${counted} (${phase})`)
      }
    }
    if ((after.bytesPerSpan ?? 0) > (before.bytesPerSpan ?? Infinity) * bytesTolerance) {
      found.push(
        `${before.name}: ${after.bytesPerSpan!.toFixed(0)} bytes per span, was ${before.bytesPerSpan!.toFixed(0)}`
      )
    }
  }
  return found
}
