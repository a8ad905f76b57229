/** What the runner, the children and the server of the fault matrix say to each other. */

import type { plans } from "../../test/integration/lookups.ts"

/** How names are looked up in a child; its collector is then `collector.test`. */
export type PlanName = keyof typeof plans

/** How a process leaves after its spans. */
export type Leaving = "return" | "process.exit" | "throw" | "reject" | "wait"

/** What happens to a child that makes `a` and `b`. */
export interface Incident {
  /** Seconds after `a` ended. */
  readonly at: number
  /** Holds the event loop, without using CPU, for so many seconds; or moves the wall clock by so many. */
  readonly what: "block" | "jump"
  readonly seconds: number
}

/** What a child does. Times are seconds. */
export type Scenario =
  | {
    readonly kind: "pair"
    /** Closes after so many seconds. */
    readonly life: number
    readonly incidents?: ReadonlyArray<Incident> | undefined
    /** What `a` carries: 400 KB of text, or values that cannot be written down. */
    readonly cargo?: "large" | "hostile" | undefined
    /** Makes `across` as well, open from half a second before the incident to half a second after it. */
    readonly across?: boolean | undefined
  }
  /** Makes `count` spans and closes at once. */
  | { readonly kind: "close"; readonly count: number }
  /** Makes `count` spans in one tick, lives on for `life`, and closes. */
  | { readonly kind: "burst"; readonly count: number; readonly life: number }
  /** Makes `rate` spans a second for `life`, and closes. */
  | { readonly kind: "flood"; readonly rate: number; readonly life: number }
  /** Makes `count` spans and leaves without closing anything by itself. */
  | { readonly kind: "leave"; readonly count: number; readonly way: Leaving }
  /** Makes nothing: delivers what the process before it left on disk. */
  | { readonly kind: "successor"; readonly life: number }

/** How a contender is set up. */
export interface Setup {
  readonly contender: string
  /** The base URL of the collector, without a slash at its end. */
  readonly endpoint: string
  /** The name of the service, unless the row is about its absence. */
  readonly serviceName: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** A directory, for contenders that take one. */
  readonly spool: string | undefined
  readonly lookup: PlanName | undefined
  readonly scenario: Scenario
}

/** Counters of our ledger, all destinations together. */
export interface Books {
  readonly exported: number
  readonly queued: number
  readonly spooled: number
  /** Rejected and dropped, by reason. */
  readonly lost: Readonly<Record<string, number>>
  /** Most spans that were unaccounted for at any look; zero where the books balance. */
  readonly unaccounted: number
}

/** What a child says, a line of JSON each. `at` is in seconds of the machine's monotonic clock. */
export type Said =
  | { readonly tag: "started" }
  | { readonly tag: "ended"; readonly name: string; readonly at: number }
  /** `count` spans are made, and a signal may come. */
  | { readonly tag: "made"; readonly count: number; readonly at: number }
  /** The shutdown begins. */
  | { readonly tag: "closing"; readonly at: number }
  | { readonly tag: "cost"; readonly cost: Cost }
  | { readonly tag: "books"; readonly books: Books }

/** What telemetry and the spans took from the host, from the start of telemetry to the end of the shutdown. */
export interface Cost {
  readonly cpuSeconds: number
  /** Bytes, most that were seen. */
  readonly rss: number
  readonly heap: number
  /** Longest stall of the event loop, in seconds; stalls that the row makes itself are in it. */
  readonly stall: number
  /** How long the shutdown took, in seconds. */
  readonly shutdown: number
}

/** One request as the server saw it. */
export interface Arrival {
  /** Seconds of the machine's monotonic clock, when the request was read whole. */
  readonly at: number
  /** Whether the server took the spans. */
  readonly taken: boolean
  /** Name of each span, and how long it was, in seconds; empty where the body could not be read. */
  readonly spans: ReadonlyArray<readonly [name: string, seconds: number]>
}

/** What a stage of the server saw. */
export interface StageLog {
  readonly connections: number
  /** Requests whose head came. */
  readonly requests: number
  readonly arrivals: ReadonlyArray<Arrival>
  /** Requests at the address that a redirect leads to, and whether the configured header came along. */
  readonly redirected: number
  readonly leaked: boolean
}

/** What the runner asks of the server. */
export type Ask =
  | { readonly id: number; readonly tag: "open"; readonly fault: string }
  /** From now on the stage answers as a collector does. */
  | { readonly id: number; readonly tag: "heal"; readonly stage: number }
  | { readonly id: number; readonly tag: "log"; readonly stage: number }
  | { readonly id: number; readonly tag: "close"; readonly stage: number }

/** What the server answers; `id` is that of the question. */
export interface Answer {
  readonly id: number
  readonly error?: string
  readonly stage?: number
  readonly endpoint?: string
  readonly log?: StageLog
}

/** Seconds of the machine's monotonic clock, the same in each process. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e9
