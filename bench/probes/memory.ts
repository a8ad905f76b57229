/** What a process holds, once everything that can go has gone. */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose-gc")
// What the engine compiles, and what it notes for that, would be weighed with the queue: several times the queue's noise.
for (const flag of ["--no-opt", "--no-sparkplug", "--no-lazy-feedback-allocation"]) setFlagsFromString(flag)
const collect = runInNewContext("gc") as () => void

export const heldBytes = (): number => {
  collect()
  collect()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

/** Bytes that each of `size` spans adds to a queue that does not drain, as `make` makes them. */
export const heldByEach = async (size: number, make: (count: number) => Promise<void>): Promise<number> => {
  // The second half: what the caches take does not depend on the queue.
  await make(size / 2)
  const before = heldBytes()
  await make(size / 2)
  return (heldBytes() - before) / (size / 2)
}

/** Spans that come first, so that what is made once is not weighed; too few to leave memory that is used again. */
export const first = 32
