/** What the main process and a child say to each other. */
import type { LoopDelay } from "./loopDelay.ts"
import type { Load, Setup } from "./programs/Load.ts"

/** Runs one phase: open, run the load, close. */
export interface Job extends Setup {
  readonly load: Load
  /** Whether to sample the event loop, which costs CPU. */
  readonly sampleLoop: boolean
}

/** What one phase took, from the first span to the end of the shutdown. */
export interface Measured {
  readonly cpuUserMicros: number
  readonly cpuSystemMicros: number
  readonly wallMillis: number
  readonly spans: number
  /** Spans that the contender itself says it did not deliver, where it can say so. */
  readonly countedLost: number | undefined
  readonly loop: LoopDelay | undefined
  /** Peak resident bytes of the process so far. */
  readonly peakRss: number
  readonly sum: number
}

export type Answer =
  | { readonly tag: "ready" }
  | { readonly tag: "unavailable"; readonly reason: string }
  | { readonly tag: "failed"; readonly reason: string }
  | { readonly tag: "measured"; readonly measured: Measured }
