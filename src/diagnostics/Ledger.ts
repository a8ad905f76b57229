/**
 * Every item accounted for: what was created is exported, rejected, dropped with a reason, sampled out, or still here.
 *
 * **Details**
 *
 * A `SignalLedger` counts what the program made. Each destination (an exporter) has an `Account`. For every account,
 * at any moment:
 *
 * `created + recovered = open + sampledOut + account.sampledOut + exported + rejected + dropped + queued + spooled`
 */

import type * as Effect from "effect/Effect"

/** Why an item was given up before a destination answered. */
export type DropReason =
  | "filtered"
  | "processor_error"
  | "queue_full"
  | "unserializable"
  | "oversize"
  | "retry_exhausted"
  | "export_error"
  | "export_timeout"
  | "shutdown"
  | "shutdown_timeout"
  | "disk_error"
  | "spool_full"
  | "expired"
  | "corrupt"
  | "poison"
  | "taken_over"

/** Why a destination refused an item. */
export type RejectReason = "permanent_status" | "partial_rejected"

type Counts<Reason extends string> = { [K in Reason]?: number }

const total = (counts: Counts<string>): number => {
  let sum = 0
  for (const reason in counts) sum += counts[reason] ?? 0
  return sum
}

/** What an exporter says about itself, in the terms of OpenTelemetry's self-observability. */
export interface ComponentInfo {
  /** `otel.component.type`. */
  readonly type?: string | undefined
  readonly serverAddress?: string | undefined
  readonly serverPort?: number | undefined
}

/** Upper bounds of the buckets of {@link Durations}, in seconds. */
export const durationBounds: ReadonlyArray<number> = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** A histogram of durations. */
export class Durations {
  count = 0
  /** Seconds. */
  sum = 0
  min = Infinity
  max = -Infinity
  /** One more than there are bounds: the last counts what is beyond all of them. */
  readonly buckets: Array<number> = Array.from({ length: durationBounds.length + 1 }, () => 0)

  record(seconds: number): void {
    this.count++
    this.sum += seconds
    if (seconds < this.min) this.min = seconds
    if (seconds > this.max) this.max = seconds
    let index = 0
    while (index < durationBounds.length && seconds > durationBounds[index]!) index++
    this.buckets[index]!++
  }
}

/** What became of the items meant for one destination. */
export class Account {
  /** The destination, as in `otlp` or `console`. */
  readonly destination: string
  exported = 0
  /** Items a sampler recorded but did not select for export. */
  sampledOut = 0
  /** Items in memory: in a batch, in the queue, or in flight. */
  queued = 0
  /** Those of the queued items that are being exported. */
  inFlight = 0
  /** Most items in memory; unknown where nothing bounds them. */
  capacity: number | undefined = undefined
  /** How long exports took. */
  readonly durations = new Durations()
  /** Items on disk. */
  spooled = 0
  /** What items on disk survive for certain: the end of the process, or that of the power. */
  survives: (() => "process" | "power") | undefined = undefined
  /** Items that another process left on disk, and this one has taken over. */
  recovered = 0
  /** What went wrong with the last export, `undefined` while exports succeed. */
  lastFailure: string | undefined = undefined
  /** Asks the exporter for a trouble that no export has failed of yet: a destination that is being tried again. */
  trouble: (() => string | undefined) | undefined = undefined
  /** Asks the destination whether it accepts data, and answers why not. */
  check: Effect.Effect<string | undefined> | undefined = undefined
  /** What kind of exporter this is, as in `otlp_http_exporter`, and where it sends. */
  component: ComponentInfo = {}
  readonly rejected: Counts<RejectReason> = {}
  readonly dropped: Counts<DropReason> = {}

  constructor(destination: string) {
    this.destination = destination
  }

  /** What goes wrong now, `undefined` while items arrive. */
  get failing(): string | undefined {
    return this.trouble?.() ?? this.lastFailure
  }

  drop(reason: DropReason, count = 1): void {
    if (count > 0) this.dropped[reason] = (this.dropped[reason] ?? this.first(reason)) + count
  }

  reject(reason: RejectReason, count = 1): void {
    if (count > 0) this.rejected[reason] = (this.rejected[reason] ?? this.first(reason)) + count
  }

  /** Told when a reason is counted for the first time. */
  onReason: ((reason: DropReason | RejectReason) => void) | undefined = undefined

  private first(reason: DropReason | RejectReason): 0 {
    this.onReason?.(reason)
    return 0
  }

  get rejectedTotal(): number {
    return total(this.rejected)
  }

  get droppedTotal(): number {
    return total(this.dropped)
  }

  /** Everything of this process that this account has answered for, including what is still queued or on disk. */
  get accounted(): number {
    return this.exported + this.sampledOut + this.rejectedTotal + this.droppedTotal + this.queued + this.spooled -
      this.recovered
  }
}

/** The counters of one signal: what was made, what is open, and one account for each destination. */
export class SignalLedger {
  created = 0
  /** Started and not ended. */
  open = 0
  /** Never recorded, by decision of the sampler. */
  sampledOut = 0
  /** Those of the created that were recorded, but not for export. */
  recordOnly = 0
  readonly accounts: Array<Account> = []

  account(destination: string): Account {
    const account = new Account(destination)
    this.accounts.push(account)
    return account
  }

  /** `created` minus what `account` and the sampler answer for; zero unless something was lost without a reason. */
  unaccounted(account: Account): number {
    return this.created - this.open - this.sampledOut - account.accounted
  }
}

/** One destination's counters, frozen. */
export interface AccountSnapshot {
  readonly destination: string
  readonly exported: number
  readonly sampledOut: number
  readonly queued: number
  readonly inFlight: number
  readonly spooled: number
  readonly recovered: number
  readonly rejected: Readonly<Counts<RejectReason>>
  readonly dropped: Readonly<Counts<DropReason>>
  readonly unaccounted: number
}

/** One signal's counters, frozen. */
export interface SignalSnapshot {
  readonly created: number
  readonly open: number
  readonly sampledOut: number
  readonly destinations: ReadonlyArray<AccountSnapshot>
}

/** Copies a signal's counters. */
export const snapshot = (ledger: SignalLedger): SignalSnapshot => ({
  created: ledger.created,
  open: ledger.open,
  sampledOut: ledger.sampledOut,
  destinations: ledger.accounts.map((account) => ({
    destination: account.destination,
    exported: account.exported,
    sampledOut: account.sampledOut,
    queued: account.queued,
    inFlight: account.inFlight,
    spooled: account.spooled,
    recovered: account.recovered,
    rejected: { ...account.rejected },
    dropped: { ...account.dropped },
    unaccounted: ledger.unaccounted(account)
  }))
})
