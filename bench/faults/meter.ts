/** What telemetry takes from its host. */
import { monitorEventLoopDelay } from "node:perf_hooks"
import type { Cost } from "./protocol.ts"

const resolution = 10
const memoryEvery = 200

/** Measures from now on; the answer is called around the shutdown, and says what it all took. */
export const start = (): (close: () => Promise<void>) => Promise<Cost> => {
  const cpu = process.cpuUsage()
  const delay = monitorEventLoopDelay({ resolution })
  delay.enable()
  let heap = 0
  const look = (): void => {
    heap = Math.max(heap, process.memoryUsage().heapUsed)
  }
  look()
  const timer = setInterval(look, memoryEvery)
  timer.unref()
  return async (close) => {
    look()
    const began = performance.now()
    await close()
    const shutdown = (performance.now() - began) / 1_000
    const used = process.cpuUsage(cpu)
    look()
    clearInterval(timer)
    delay.disable()
    return {
      cpuSeconds: (used.user + used.system) / 1e6,
      rss: process.resourceUsage().maxRSS * 1_024,
      heap,
      stall: Math.max(0, delay.max / 1e9 - resolution / 1_000),
      shutdown
    }
  }
}
