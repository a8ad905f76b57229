/** What a program is asked to do, and what it says afterwards. */

/** The spans of one phase. */
export interface Load {
  /**
   * - `calls`: requests one after the other, each effect and each attribute made for its call
   * - `prebuilt`: the same, with effects that were built once (Effect programs only)
   * - `paced`: `requests` spread over `millis` at an even rate, as an open loop
   * - `burst`: every request in one turn of the event loop
   */
  readonly kind: "calls" | "prebuilt" | "paced" | "burst"
  readonly requests: number
  /** For `paced`. */
  readonly millis: number
}

/** Requests between two turns of the event loop, in `calls` and `prebuilt`: exports run while spans are made. */
export const requestsPerTurn = 8

/** Where a contender sends, and how it is set up. */
export interface Setup {
  /** The base URL of the receiver, without a slash at its end. */
  readonly endpoint: string
  /** `delivering`: with the settings that a contender needs to deliver everything. `defaults`: as it comes. */
  readonly settings: "delivering" | "defaults"
}

/** A contender that runs. */
export interface Running {
  /** Makes the spans; answers with a sum over the results, so that nothing can be optimised away. */
  readonly run: (load: Load) => Promise<number>
  /** Flushes and shuts down, as the contender's documentation says. */
  readonly close: () => Promise<void>
  /** After `close`: how many spans it says it did not deliver, where it can say so. */
  readonly countedLost?: (() => number) | undefined
}

/** A contender as its module exports it. */
export interface Contender {
  readonly open: (setup: Setup) => Promise<Running>
}
