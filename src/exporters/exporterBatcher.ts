/** The batcher in front of an exporter, whatever signal it takes. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Batcher from "../delivery/Batcher.ts"
import type { Batch } from "../delivery/BatchQueue.ts"
import type { Account, ComponentInfo, SignalLedger } from "../diagnostics/Ledger.ts"
import type { BatchSpool, ExportError, ExportResult } from "./SpanExporter.ts"

/** What exporters of all signals are. */
interface BatchExporter<B> {
  readonly name: string
  readonly makeBatch: () => B
  readonly export: (batch: B) => Effect.Effect<ExportResult, ExportError>
  readonly giveUp?: ((batch: B) => ExportResult | undefined) | undefined
  readonly retryAge?: Duration.Input | undefined
  readonly failing?: (() => string | undefined) | undefined
  readonly check?: Effect.Effect<string | undefined> | undefined
  readonly component?: ComponentInfo | undefined
  readonly spool?: BatchSpool<B> | undefined
}

/** Opens the account of `exporter` in `ledger`, and gathers what is offered into its batches, until the scope closes. */
export const exporterBatcher = Effect.fnUntraced(function*<Item, B extends Batch<Item>>(
  exporter: BatchExporter<B>,
  ledger: SignalLedger,
  limits: Batcher.BatcherLimits | undefined
): Effect.fn.Return<Batcher.Batcher<Item> & { readonly account: Account }, never, Scope.Scope> {
  const account = ledger.account(exporter.name)
  account.trouble = exporter.failing
  account.check = exporter.check
  account.component = exporter.component ?? {}
  exporter.spool?.attach(account)
  const { flush, offer } = yield* Batcher.make<Item, B>({
    ...limits,
    name: exporter.name,
    account,
    makeBatch: exporter.makeBatch,
    export: exporter.export,
    giveUp: exporter.giveUp,
    retryAge: exporter.retryAge,
    spill: exporter.spool
  })
  return {
    account,
    offer,
    flush: exporter.spool === undefined ? flush : Effect.andThen(flush, exporter.spool.drain)
  }
})
