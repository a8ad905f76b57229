/** Functions around which the facade and OpenTelemetry JS put a span, and the probe that calls them. */
import { cpuNanos, type Probe, turn } from "./Probe.ts"

/** What a call does beside its span. */
export const work = (i: number): number => i & 7

/** The same, of an asynchronous function. */
export const asyncWork = async (i: number): Promise<number> => i & 7

/** Calls `call` `size` times, each waited for where it is asynchronous, then `flush`. */
export const callProbe = (
  call: (i: number) => number | Promise<number>,
  flush: () => Promise<unknown>,
  start?: () => Promise<unknown>
): Probe => ({
  sample: async (size) => {
    await start?.()
    return cpuNanos(size, async () => {
      let sum = 0
      for (let i = 0; i < size; i++) {
        const result = call(i)
        sum += typeof result === "number" ? result : await result
        if (i % 32 === 31) await turn()
      }
      await flush()
      return sum
    })
  }
})
