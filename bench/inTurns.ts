/** Figures of two or three processes that take turns, so that a slow moment of the machine meets all alike. */
import { type Probing, startProbe } from "./processes.ts"

/** What was measured, sample by sample. */
export interface Sampled {
  readonly ours: ReadonlyArray<number>
  readonly peer: ReadonlyArray<number>
}

/** Who takes turns, and how often. */
export interface Turns {
  /** Probes, by the names of their modules. */
  readonly ours: string
  readonly peer: string
  /** Measured in the same rounds, and taken off both. */
  readonly baseline?: string
  readonly size: number
  /** Fresh processes, this many times: what the engine makes of a program differs from one process to the next. */
  readonly generations: number
  /** Rounds of each generation before those that count. */
  readonly warmUp: number
  /** Rounds of each generation. */
  readonly rounds: number
}

const generation = async (turns: Turns, own: Array<number>, theirs: Array<number>): Promise<void> => {
  const probes: Array<Probing> = []
  const start = async (name: string): Promise<Probing> => {
    const probe = await startProbe(name)
    probes.push(probe)
    return probe
  }
  try {
    const ours = await start(turns.ours)
    const peer = await start(turns.peer)
    const baseline = turns.baseline === undefined ? undefined : await start(turns.baseline)
    for (let round = 0; round < turns.warmUp + turns.rounds; round++) {
      const before = await baseline?.sample(turns.size) ?? 0
      const first = await ours.sample(turns.size) - before
      const second = await peer.sample(turns.size) - before
      if (round < turns.warmUp) continue
      own.push(first)
      theirs.push(second)
    }
  } finally {
    for (const probe of probes) probe.stop()
  }
}

export const inTurns = (turns: Turns) => async (): Promise<Sampled> => {
  const ours: Array<number> = []
  const peer: Array<number> = []
  for (let i = 0; i < turns.generations; i++) await generation(turns, ours, peer)
  return { ours, peer }
}
