/** The longest that anything waits for the event loop after a burst, while the telemetry deals with it. */
import { turn } from "./Probe.ts"

const watchedMillis = 300

/** Milliseconds. What the program itself takes to make the spans is not counted. */
export const longestStall = async (makeAll: () => void): Promise<number> => {
  makeAll()
  let longest = 0
  let last = performance.now()
  const end = last + watchedMillis
  while (last < end) {
    await turn()
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  return longest
}
