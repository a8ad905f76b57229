/** How long single calls of `end` take, at the 99.9th percentile: what a request waits when it is unlucky. */
import { createHistogram } from "node:perf_hooks"
import { turn } from "./Probe.ts"

/** Microseconds. */
export const endTime = async (
  size: number,
  start: (i: number) => { readonly end: () => void }
): Promise<number> => {
  const histogram = createHistogram()
  for (let i = 0; i < size; i++) {
    const span = start(i)
    const before = process.hrtime.bigint()
    span.end()
    histogram.record(Number(process.hrtime.bigint() - before) + 1)
    if (i % 32 === 31) await turn()
  }
  return histogram.percentile(99.9) / 1000
}
