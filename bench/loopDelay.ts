/**
 * How long work waits for the event loop.
 *
 * A task is taken to arrive every 100 µs; its delay is the time until the next turn of the loop. A stall of 20 ms thus
 * counts for each of the 200 tasks that would have waited in it, as `perf_hooks.monitorEventLoopDelay` (one sample per
 * millisecond, none during a stall) does not count it. The loop is kept turning, so a core of its own is needed.
 */
import { createHistogram } from "node:perf_hooks"

const arrivalsEveryMillis = 0.1
const memoryEveryMillis = 10

export interface LoopDelay {
  readonly p50: number
  readonly p999: number
  readonly max: number
  /** Most bytes of heap and external memory seen. */
  readonly peakHeap: number
}

/** Samples until the returned function is called. Delays are milliseconds. */
export const start = (): () => LoopDelay => {
  const histogram = createHistogram()
  let arrival = performance.now()
  let memoryAt = arrival
  let peakHeap = 0
  let running = true
  const look = () => {
    const usage = process.memoryUsage()
    peakHeap = Math.max(peakHeap, usage.heapUsed + usage.external)
  }
  const serve = (now: number) => {
    for (; arrival <= now; arrival += arrivalsEveryMillis) {
      histogram.record(Math.max(1, Math.round((now - arrival) * 1e6)))
    }
  }
  const turn = () => {
    const now = performance.now()
    serve(now)
    if (now >= memoryAt) {
      look()
      memoryAt = now + memoryEveryMillis
    }
    if (running) setImmediate(turn)
  }
  setImmediate(turn)
  return () => {
    running = false
    // A phase may end within the turn that it began in.
    serve(performance.now())
    look()
    const millis = (nanos: number) => nanos / 1e6
    return {
      p50: millis(histogram.percentile(50)),
      p999: millis(histogram.percentile(99.9)),
      max: millis(histogram.max),
      peakHeap
    }
  }
}
