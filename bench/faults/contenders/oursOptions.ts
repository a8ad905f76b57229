import type { SignalSnapshot } from "effect-telemetry/diagnostics/Ledger"
import type { Books, Setup } from "../protocol.ts"

/** The defaults of effect-telemetry, and what a row asks for. */
export const oursOptions = (setup: Setup, spool: { readonly mode?: "always" } = {}) => ({
  ...(setup.serviceName === undefined ? {} : { serviceName: setup.serviceName }),
  otlp: { endpoint: setup.endpoint, headers: setup.headers },
  ...(setup.spool === undefined ? {} : { spool: { directory: setup.spool, minFreeBytes: 0, ...spool } })
})

/** A ledger in short. */
export const booksOf = ({ destinations }: SignalSnapshot): Books => {
  const lost: Record<string, number> = {}
  const books = { exported: 0, queued: 0, spooled: 0, unaccounted: 0 }
  for (const { dropped, exported, queued, rejected, spooled, unaccounted } of destinations) {
    books.exported += exported
    books.queued += queued
    books.spooled += spooled
    books.unaccounted = Math.max(books.unaccounted, Math.abs(unaccounted))
    for (const [reason, count] of [...Object.entries(dropped), ...Object.entries(rejected)]) {
      lost[reason] = (lost[reason] ?? 0) + count
    }
  }
  return { ...books, lost }
}
