import type { PlanName, Scenario } from "../protocol.ts"

/** What shall have become of a span: it arrives; or it arrives or is counted as lost; or it is counted as lost. */
export type Fate = "arrives" | "accounted" | "counted"

/** What is asked of effect-telemetry in a row, beside balanced books, a shutdown in time, and a host that lives on. */
export interface Wanted {
  readonly a?: Fate
  readonly b?: Fate
  /** Of all the spans that are made. */
  readonly all?: Fate
  /** Bounds on requests, first and last included. */
  readonly requests?: readonly [least: number, most: number]
  /** Most times that a span may arrive more than once. Default 0. */
  readonly duplicates?: number
  /** Seconds from its end to the arrival of `a` or `b`, at least and at most. */
  readonly aAfter?: readonly [least: number, most: number]
  readonly bAfter?: readonly [least: number, most: number]
  /** Whether a line of diagnostics tells of the trouble. */
  readonly told?: boolean
  /** Most bytes of resident memory above the healthy row's. */
  readonly rssAbove?: number
  /** How long the span `across` took, in seconds. */
  readonly across?: readonly [least: number, most: number]
}

export interface Row {
  readonly id: string
  readonly group: "connection" | "answers" | "host" | "leaving"
  /** What happens, for the table. */
  readonly title: string
  readonly fault: string
  readonly scenario: Scenario
  readonly contenders: ReadonlyArray<string>
  /** What is asked, for the table. */
  readonly asks: string
  readonly wanted: Wanted
  /** Where it is something else with a spool. Arrivals after a restart count. */
  readonly wantedWithSpool?: Wanted
  /** Where it is something else for one contender. */
  readonly wantedOf?: Readonly<Record<string, Wanted>>
  /** Runs while nothing else does: its cost is a figure. */
  readonly alone?: boolean
  /** Seconds after the end of `a` at which the server begins to answer as a collector does. */
  readonly heals?: number
  /** Seconds after the end of `a` at which the process is suspended, and for how long. */
  readonly suspends?: readonly [at: number, seconds: number]
  /** Sent a second after the spans were made. */
  readonly signal?: "SIGTERM" | "SIGKILL"
  readonly lookup?: PlanName
  readonly headers?: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string>>
  /** Of the process that comes after. */
  readonly successorEnvironment?: Readonly<Record<string, string>>
  /** Default `true`. */
  readonly named?: boolean
}

const plain: ReadonlyArray<string> = ["ours", "otel", "effect"]

/** Ours without and with a spool, and the rivals. */
export const withSpool: ReadonlyArray<string> = ["ours", "oursSpool", "otel", "effect"]

/** A row with one span `a`, and another one, `b`, six seconds later. */
export const pair = (
  id: string,
  group: Row["group"],
  title: string,
  fault: string,
  asks: string,
  wanted: Wanted,
  rest: Partial<Omit<Row, "scenario">> & { readonly scenario?: Partial<Scenario & { readonly kind: "pair" }> } = {}
): Row => ({
  id,
  group,
  title,
  fault,
  asks,
  wanted,
  contenders: plain,
  ...rest,
  scenario: { kind: "pair", life: 18, ...rest.scenario }
})

/** Both spans arrive. */
export const both: Wanted = { a: "arrives", b: "arrives" }
