/** How long a run takes: `quick` ends within a minute on an idle machine, `full` is for figures that are kept. */

export type ModeName = "quick" | "full"

export interface Mode {
  readonly name: ModeName
  /** Fresh processes for everyone, this many times. */
  readonly generations: number
  /** Rounds of each generation that are measured. */
  readonly rounds: number
  /** Rounds before them that are not: the engine goes on compiling for the first 100,000 spans or so. */
  readonly warmups: number
  readonly requests: number
  /** Whether effects that were built once are measured too. */
  readonly prebuilt: boolean
  /** Rounds of the paced phase in each generation, and how long each is. */
  readonly pacedRounds: number
  readonly pacedMillis: number
}

/** Spans per second of the paced phase. */
export const pacedSpansPerSecond = 20_000

/** Spans of the burst. */
export const burstSpans = 10_000

export const modes: Readonly<Record<ModeName, Mode>> = {
  quick: {
    name: "quick",
    generations: 1,
    rounds: 6,
    warmups: 5,
    requests: 5_000,
    prebuilt: false,
    pacedRounds: 1,
    pacedMillis: 800
  },
  full: {
    name: "full",
    generations: 3,
    rounds: 12,
    warmups: 4,
    requests: 10_000,
    prebuilt: true,
    pacedRounds: 2,
    pacedMillis: 3_000
  }
}
