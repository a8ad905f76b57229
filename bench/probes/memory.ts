/** What a process holds, once everything that can go has gone. */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

export const heldBytes = (): number => {
  collect()
  collect()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

/** Bytes that each of `size` spans adds to a queue that does not drain, as `make` makes them. */
export const heldByEach = async (size: number, make: (count: number) => Promise<void>): Promise<number> => {
  // The second half: what the engine compiles and the caches take does not depend on the queue.
  await make(size / 2)
  const before = heldBytes()
  await make(size / 2)
  return (heldBytes() - before) / (size / 2)
}

/** Spans that come first, so that what is made once is not weighed; too few to leave memory that is used again. */
export const first = 32
