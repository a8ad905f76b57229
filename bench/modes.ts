/** How long a run takes: `quick` ends within a minute on an idle machine, `full` is for figures that are kept. */

export type ModeName = "quick" | "full"

export interface Mode {
  readonly name: ModeName
  /** Fresh processes for everyone, this many times. */
  readonly generations: number
  /** Rounds of each generation that are measured. */
  readonly rounds: number
  /**
   * How long each runs before that, in turns. The engine goes on compiling for the first 100,000 spans or so, and what
   * runs once for a request of 512 spans is compiled last.
   */
  readonly warmupMillis: number
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
    rounds: 5,
    warmupMillis: 1_350,
    requests: 5_000,
    prebuilt: false,
    pacedRounds: 1,
    pacedMillis: 800
  },
  full: {
    name: "full",
    generations: 3,
    rounds: 12,
    warmupMillis: 10_000,
    requests: 10_000,
    prebuilt: true,
    pacedRounds: 2,
    pacedMillis: 3_000
  }
}
