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

/** Opens the outbox of a destination until the scope closes; `undefined` where the disk cannot be used. */
export const openOutbox = Effect.fnUntraced(function*(
  options: OutboxOptions
): Effect.fn.Return<BatchSpool<OtlpSpanBatch> | undefined, never, Scope.Scope> {
  const { accepted, delivery, encoder, refused } = options
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

  /** Decides by an answer: done, to be tried again later, or to be tried record by record. */
  const settle = (records: ReadonlyArray<SpooledRecord>, response: TransportResponse): number => {
    const { status } = response
    if (status >= 200 && status < 300) {
      book(records, accepted(response, itemsOf(records)))
      wanted = Math.min(limit, wanted * 2)
      return 0
    }
    if (isConfiguration(status)) {
      // Said once in a while, and nothing is given up: with the right credentials the same bytes are taken.
      refused(response, itemsOf(records))
      queue.release(records)
      delivery.leaveAlone()
      return idle
    }
    if (records.length > 1) {
      queue.release(records)
      wanted = 1
      return 0
    }
    book(records, refused(response, itemsOf(records)))
    return 0
  }

  /** Sends one group; answers how long to wait before the next, in milliseconds. */
  const step: Effect.Effect<number> = Effect.suspend(() => {
    if (account === undefined) return Effect.succeed(idle)
    const pause = delivery.pauseMillis()
    if (pause > 0) return Effect.succeed(Math.ceil(pause))
    const records = queue.take(wanted)
    if (records.length === 0) return Effect.succeed(idle)
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
          return Math.max(1, Math.ceil(delivery.pauseMillis()))
        }
      }),
      Effect.onExit((exit) =>
        Effect.sync(() => {
          isSending = false
          if (Exit.isFailure(exit)) queue.release(records)
        })
      )
    )
  })

  const isIdle = (): boolean => !isSending && (!queue.hasPending() || delivery.pauseMillis() > 0)
  const woken = Effect.callback<void>((resume) => {
    wake = () => resume(Effect.void)
  })
  const rest = (millis: number): Effect.Effect<void> => {
    if (isIdle()) waiting.forEach((done) => done())
    if (millis === 0) return Effect.yieldNow
    // What is written wakes the sender, but not from a pause that the destination wants.
    return delivery.pauseMillis() > 0 ? sleepUnref(millis) : Effect.raceFirst(sleepUnref(millis), woken)
  }
  // A defect must not end the sender: what is on disk would wait for the next process.
  const turn = Effect.catchDefect(Effect.flatMap(step, rest), () => sleepUnref(idle))
  yield* Effect.forkScoped(Effect.withTracerEnabled(Effect.forever(turn), false))

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

/** Whether a change of the configuration, here or there, would have the same request accepted. */
export const isConfiguration = (status: number): boolean => status === 401 || status === 403 || status === 404

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
