/** One measurement that a process of its own makes, over and over. */
export interface Probe {
  /** One round, at a size where the probe has one (spans, attributes, depth, fibers); answers in the probe's unit. */
  readonly sample: (size: number) => Promise<number>
}

/** What a probe's process says. */
export type ProbeAnswer =
  | { readonly tag: "ready" }
  | { readonly tag: "sampled"; readonly value: number }
  | { readonly tag: "failed"; readonly reason: string }

/** Nanoseconds of CPU (user and system, of the whole process) for each of `count` operations. */
export const cpuNanos = async (count: number, run: () => Promise<unknown>): Promise<number> => {
  const before = process.cpuUsage()
  await run()
  const { system, user } = process.cpuUsage(before)
  return (user + system) * 1000 / count
}

/** A turn of the event loop. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
