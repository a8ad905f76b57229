import { spanCount } from "./encodedSpans.ts"
import type { Probe } from "./Probe.ts"

/** Nanoseconds for each span, the median of `size` batches; spans are made outside of what is timed. */
export const encodeTime = <Span>(make: () => Array<Span>, encode: (spans: Array<Span>) => unknown): Probe => ({
  sample: async (size) => {
    const times: Array<number> = []
    for (let i = 0; i < size; i++) {
      const spans = make()
      const before = performance.now()
      encode(spans)
      times.push((performance.now() - before) * 1e6 / spanCount)
    }
    return times.toSorted((a, b) => a - b)[size >> 1]!
  }
})
