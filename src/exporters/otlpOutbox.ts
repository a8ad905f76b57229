/**
 * Spans on their way to an OTLP endpoint by way of the disk: batches that could not be delivered at once are written to
 * the spool, and a fiber of its own sends them, oldest first, as soon as the destination answers.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { Delivery } from "../delivery/Delivery.ts"
import { ShutdownDeadline } from "../delivery/ShutdownDeadline.ts"
import type { Spool, SpooledRecord, SpoolLoss } from "../delivery/Spool.ts"
import type { TransportResponse } from "../delivery/Transport.ts"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import type { Account, RejectReason } from "../diagnostics/Ledger.ts"
import { isConfigurationStatus } from "../delivery/Retry.ts"
import { sleepUnref } from "../internal/clock.ts"
import type { OtlpEncoder, OtlpSpanBatch } from "../otlp/OtlpEncoder.ts"
import type { AnswerReader } from "./otlpAnswer.ts"
import type { BatchSpool, ExportResult } from "./SpanExporter.ts"

export interface OutboxOptions extends AnswerReader {
  readonly spool: Spool["Service"]
  readonly encoder: OtlpEncoder
  readonly delivery: Delivery
  readonly url: string
  /** Largest request body, in bytes. */
  readonly maxRequestBytes: number
}

/** Bodies of several batches go into one request of about this size. */
const requestBytes = 512 * 1024
const idle = 1_000

/** Records that were refused as if the configuration was wrong, until another request tells whether it is. */
interface Parked {
  readonly records: ReadonlyArray<SpooledRecord>
  readonly response: TransportResponse
}

/** Opens the outbox of a destination until the scope closes; `undefined` where the disk cannot be used. */
export const openOutbox = Effect.fnUntraced(function*(
  options: OutboxOptions
): Effect.fn.Return<BatchSpool<OtlpSpanBatch> | undefined, never, Scope.Scope> {
  const { accepted, delivery, encoder, postponed, refused } = options
  const { name } = delivery
  const diagnostics = yield* Diagnostics
  const clock = yield* Clock.Clock
  const deadline = yield* ShutdownDeadline
  let account: Account | undefined
  const queue = yield* options.spool.open({
    signal: "traces",
    destination: `${encoder.contentType} ${withoutUser(options.url)}`,
    books: {
      recovered: (items) => {
        if (account === undefined) return
        account.recovered += items
        account.spooled += items
      },
      lost: (reason, items) => {
        if (account === undefined || items === 0) return
        account.spooled -= items
        account.drop(reason, items)
        diagnostics.report(
          "error",
          `spool.${name}.${reason}`,
          `${name}: ${items} spooled items lost: ${lossText[reason]}`
        )
      }
    }
  })
  if (queue === undefined) return undefined

  const limit = Math.min(requestBytes, options.maxRequestBytes)
  /** Most bytes of the next request: small after a refusal, so that one bad record harms no other. */
  let wanted = limit
  let wake: () => void = () => {}
  let isSending = false
  let parked: Parked | undefined
  const waiting = new Set<() => void>()

  const book = (records: ReadonlyArray<SpooledRecord>, result: ExportResult): void => {
    queue.finish(records)
    account!.spooled -= itemsOf(records)
    account!.exported += result.exported
    if (result.exported > 0) account!.lastFailure = undefined
    for (const reason in result.rejected) {
      account!.reject(reason as RejectReason, result.rejected[reason as RejectReason] ?? 0)
    }
  }

  /** The destination refuses these for good. */
  const reject = (records: ReadonlyArray<SpooledRecord>, response: TransportResponse): void =>
    book(records, refused(response, itemsOf(records)))

  const release = (): void => {
    if (parked !== undefined) queue.release(parked.records)
    parked = undefined
  }

  /** Decides by an answer: done, to be tried again later, or to be tried record by record. */
  const settle = (records: ReadonlyArray<SpooledRecord>, response: TransportResponse): void => {
    const { status } = response
    if (status >= 200 && status < 300) {
      book(records, accepted(response, itemsOf(records)))
      wanted = Math.min(limit, wanted * 2)
      if (parked !== undefined) acquit(parked)
      return
    }
    if (isConfigurationStatus(status)) {
      // With the right credentials the same bytes are taken, so nothing is given up. But a guard on the way may refuse
      // one request for what is in it: the next one tells.
      if (parked === undefined && queue.hasPending()) {
        parked = { records, response }
        return
      }
      postponed(response, itemsOf(records))
      queue.release(records)
      release()
      return
    }
    if (records.length > 1) {
      queue.release(records)
      wanted = 1
      return
    }
    reject(records, response)
  }

  /** What was refused as if the configuration was wrong, while the request after it was accepted. */
  const acquit = ({ records, response }: Parked): void => {
    parked = undefined
    if (records.length === 1) return reject(records, response)
    queue.release(records)
    wanted = 1
  }

  const attempt = (): Effect.Effect<void> => {
    const records = queue.take(wanted)
    if (records.length === 0) {
      if (parked === undefined) return Effect.void
      postponed(parked.response, itemsOf(parked.records))
      release()
      return Effect.void
    }
    isSending = true
    const { contentType } = encoder
    return Effect.suspend(() => {
      const body = encoder.merge(records.map(({ payload }) => payload))
      return delivery.sendOnce({ url: options.url, contentType, body })
    }).pipe(
      Effect.match({
        onSuccess: (response) => settle(records, response),
        onFailure: () => {
          queue.release(records)
          release()
        }
      }),
      Effect.onExit((exit) =>
        Effect.sync(() => {
          isSending = false
          if (Exit.isFailure(exit)) queue.release(records)
        })
      )
    )
  }

  const isIdle = (): boolean => !isSending && parked === undefined && (!queue.hasPending() || delivery.isPaused())
  const woken = Effect.callback<void>((resume) => {
    wake = () => resume(Effect.void)
  })
  const turn = Effect.suspend(() => {
    if (isIdle()) waiting.forEach((done) => done())
    if (account === undefined || (parked === undefined && !queue.hasPending())) {
      return Effect.raceFirst(sleepUnref(idle), woken)
    }
    return delivery.isPaused() ? delivery.whenOpen : Effect.andThen(attempt(), Effect.yieldNow)
  })
  // A defect must not end the sender: what is on disk would wait for the next process.
  const loop = Effect.forever(Effect.catchDefect(turn, () => sleepUnref(idle)))
  yield* Effect.forkScoped(Effect.withTracerEnabled(loop, false))

  const drain = Effect.callback<void>((resume) => {
    if (isIdle()) return resume(Effect.void)
    const hold = setInterval(() => {}, 0x7fffffff)
    const stop = (): void => {
      clearInterval(hold)
      waiting.delete(done)
    }
    const done = (): void => {
      stop()
      resume(Effect.void)
    }
    waiting.add(done)
    wake()
    return Effect.sync(stop)
  })

  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      const left = deadline.at === undefined ? 0 : Number(deadline.at - clock.monotonicTimeNanosUnsafe()) / 1e6
      return left > 0 ? Effect.raceFirst(drain, Effect.sleep(Math.floor(left))) : Effect.void
    })
  )

  return {
    mode: queue.mode,
    attach: (to) => {
      account = to
      wake()
    },
    write: (batch) => {
      let body: Uint8Array
      try {
        body = batch.toBody()
      } catch {
        return false
      }
      const isWritten = queue.write(body, batch.count)
      if (isWritten) wake()
      return isWritten
    },
    drain
  }
})

const itemsOf = (records: ReadonlyArray<SpooledRecord>): number => records.reduce((sum, { items }) => sum + items, 0)

const withoutUser = (url: string): string => {
  if (!URL.canParse(url)) return url
  const parsed = new URL(url)
  parsed.username = ""
  parsed.password = ""
  return parsed.href
}

const lossText: { readonly [Reason in SpoolLoss]: string } = {
  spool_full: "the spool is full, the oldest gave way",
  expired: "older than the spool keeps them",
  corrupt: "damaged on disk",
  poison: "the process ended three times while it sent them",
  disk_error: "the files are gone",
  taken_over: "another process took the files over, and sends them"
}
