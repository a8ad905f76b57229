/**
 * Items on their way to an OTLP endpoint by way of the disk: batches that could not be delivered at once are written to
 * the spool, and a fiber of its own sends them, oldest first, as soon as the destination answers. Where everything is
 * written first, what is fresh does not wait for the backlog.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { Delivery } from "../delivery/Delivery.ts"
import { ShutdownDeadline } from "../delivery/ShutdownDeadline.ts"
import { Suppressed } from "../delivery/suppressed.ts"
import type { Spool, SpooledRecord, SpoolLoss } from "../delivery/Spool.ts"
import type { TransportResponse } from "../delivery/Transport.ts"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import type { Account, RejectReason } from "../diagnostics/Ledger.ts"
import { isConfigurationStatus } from "../delivery/Retry.ts"
import { sleepUnref } from "../internal/clock.ts"
import type { OtlpBodies, OtlpPayload } from "../otlp/OtlpEncoder.ts"
import type { OtlpSignalName } from "../otlp/OtlpResponse.ts"
import type { AnswerReader } from "./otlpAnswer.ts"
import type { BatchSpool, ExportResult } from "./SpanExporter.ts"

export interface OutboxOptions extends AnswerReader {
  readonly spool: Spool["Service"]
  readonly signal: OtlpSignalName
  readonly bodies: OtlpBodies
  readonly delivery: Delivery
  readonly url: string
  /** Largest request body, in bytes. */
  readonly maxRequestBytes: number
}

/** Bodies of several batches go into one request of about this size. */
const requestBytes = 512 * 1024
const idle = 1_000
/** How long after its start a request that has no answer yet is no suspect any more, should the process end. */
const suspicion = 50
/** Below this the envelope outweighs the items, and a server that refuses it refuses everything. */
const minLimit = 64 * 1024
/** While there are fresh records, one request of so many is of the backlog. */
const backlogTurn = 5

/** Records that were refused as if the configuration was wrong, until another request tells whether it is. */
interface Parked {
  readonly records: ReadonlyArray<SpooledRecord>
  readonly response: TransportResponse
}

/** Batches on disk, and copies of what is refused. */
export interface Outbox extends BatchSpool<OtlpPayload> {
  /** Keeps a copy of what the destination refuses for good; answers, once, what is to be said of it. */
  readonly quarantine: (body: Uint8Array, status: number) => string
}

/** Opens the outbox of a destination until the scope closes; `undefined` where the disk cannot be used. */
export const openOutbox = Effect.fnUntraced(function*(
  options: OutboxOptions
): Effect.fn.Return<Outbox | undefined, never, Scope.Scope> {
  const { accepted, bodies, delivery, postponed, refused, signal } = options
  const { name } = delivery
  const diagnostics = yield* Diagnostics
  const clock = yield* Clock.Clock
  const deadline = yield* ShutdownDeadline
  let account: Account | undefined
  const queue = yield* options.spool.open({
    signal,
    destination: `${bodies.contentType} ${withoutUser(options.url)}`,
    extension: bodies.contentType === "application/json" ? "json" : "pb",
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
          `${name}: ${items} spooled items lost: ${lossText[reason]}${reason === "poison" ? sayFolder() : ""}`
        )
      }
    }
  })
  if (queue === undefined) return undefined

  let isFolderKnown = false
  const sayFolder = (): string => {
    if (isFolderKnown) return ""
    isFolderKnown = true
    return ` (copies go to ${queue.rejected})`
  }
  /** Batches that are on disk: whoever asks again is told so, and nothing is written twice. */
  const written = new WeakSet<OtlpPayload>()
  const quarantine = (body: Uint8Array, status: number): string => queue.quarantine(body, status) ? sayFolder() : ""

  /** Most bytes of a request; less once the destination has refused as much. */
  let limit = Math.min(requestBytes, options.maxRequestBytes)
  /** Most bytes of the next request: small after a refusal, so that one bad record harms no other. */
  let wanted = limit
  let wake: () => void = () => {}
  let isSending = false
  let parked: Parked | undefined
  /** Records that were refused as if the configuration was wrong, just before another was accepted. */
  const suspects = new Set<string>()
  /** What was written and is still in memory, to be sent before the backlog. */
  const fresh: Array<SpooledRecord> = []
  let freshBytes = 0
  const maxFreshBytes = Math.min(limit, queue.maxBytes / 8)
  let turns = 0
  const waiting = new Set<() => void>()

  const book = (records: ReadonlyArray<SpooledRecord>, result: ExportResult): void => {
    queue.finish(records)
    if (suspects.size > 0) records.forEach((record) => suspects.delete(keyOf(record)))
    account!.spooled -= itemsOf(records)
    account!.exported += result.exported
    if (result.exported > 0) account!.lastFailure = undefined
    for (const reason in result.rejected) {
      account!.reject(reason as RejectReason, result.rejected[reason as RejectReason] ?? 0)
    }
  }

  /** The destination refuses it for good. */
  const reject = (record: SpooledRecord, response: TransportResponse): void =>
    book([record], refused(response, record.items, quarantine(record.payload, response.status)))

  const release = (): void => {
    if (parked !== undefined) queue.release(parked.records)
    parked = undefined
  }

  const hasWork = (): boolean => fresh.length > 0 || queue.hasPending()

  /** Makes what is fresh a part of the backlog: it is on disk, and need not take memory while nothing is delivered. */
  const age = (): void => {
    queue.release(fresh.splice(0))
    freshBytes = 0
  }

  /** The records of the next request. */
  const next = (): ReadonlyArray<SpooledRecord> => {
    if (fresh.length === 0 || (++turns % backlogTurn === 0 && queue.hasPending())) return queue.take(wanted)
    let count = 0
    let bytes = 0
    while (count < fresh.length && (count === 0 || bytes + fresh[count]!.payload.length <= limit)) {
      bytes += fresh[count++]!.payload.length
    }
    const records = fresh.splice(0, count)
    freshBytes -= bytes
    queue.begin(records)
    return records
  }

  /** Decides by an answer: done, to be tried again later, or to be tried record by record. */
  const settle = (records: ReadonlyArray<SpooledRecord>, response: TransportResponse, isFresh: boolean): void => {
    const { status } = response
    if (status >= 200 && status < 300) {
      book(records, accepted(response, itemsOf(records)))
      if (!isFresh) wanted = Math.min(limit, wanted * 2)
      if (parked !== undefined) acquit(parked)
      return
    }
    if (isConfigurationStatus(status)) {
      // With the right credentials the same bytes are taken, so nothing is given up. But a guard on the way may refuse
      // one request for what is in it: the next one tells.
      if (parked === undefined && hasWork()) {
        parked = { records, response }
        return
      }
      postponed(response, itemsOf(records))
      queue.release(records)
      release()
      // Of several that are all there is, each is asked for alone.
      if (records.length > 1) wanted = 1
      return
    }
    settleRefusal(records, response)
  }

  /** What was refused as if the configuration was wrong, while the request after it was accepted. */
  const acquit = ({ records, response }: Parked): void => {
    parked = undefined
    const [record] = records
    if (records.length === 1 && !suspects.has(keyOf(record!))) {
      // The configuration may have been put right between the two: it has a second chance.
      suspects.add(keyOf(record!))
      queue.release(records)
      return
    }
    suspects.delete(keyOf(record!))
    settleRefusal(records, response)
  }

  /** One of several may be the reason: then each is sent alone. */
  const settleRefusal = (records: ReadonlyArray<SpooledRecord>, response: TransportResponse): void => {
    const isTooLarge = response.status === 413
    if (isTooLarge) limit = Math.max(minLimit, Math.min(limit, bytesOf(records) >>> 1))
    if (records.length === 1) {
      if (!isTooLarge || !split(records[0]!)) reject(records[0]!, response)
      return
    }
    queue.release(records)
    wanted = 1
  }

  /** Puts two records in the place of one. They are written before it is given up, and given out after that. */
  const split = (record: SpooledRecord): boolean => {
    const parts = bodies.split(record.payload)
    if (parts === undefined) return false
    const halves = parts.map(({ body, count }) => queue.writeOut(body, count))
    const written = halves.filter((half) => half !== undefined)
    const isWhole = written.length === halves.length
    if (isWhole) queue.release(written)
    else queue.finish(written)
    if (isWhole) queue.finish([record])
    return isWhole
  }

  /** What no request has room for, since it was written as it came, is taken apart, and what cannot be is given up. */
  const fit = (record: SpooledRecord): Effect.Effect<void> =>
    Effect.sync(() => {
      if (split(record)) return
      queue.finish([record])
      account!.spooled -= record.items
      account!.drop("oversize", record.items)
      diagnostics.report(
        "error",
        `spool.${name}.oversize`,
        `${name}: ${record.items} spooled items lost: they take more than the ${options.maxRequestBytes} bytes of a request`
      )
    })

  const attempt = (): Effect.Effect<void> => {
    const before = fresh.length
    const records = next()
    const isFresh = fresh.length < before
    if (records.length === 0) {
      if (parked === undefined) return Effect.void
      postponed(parked.response, itemsOf(parked.records))
      release()
      return Effect.void
    }
    if (records.length === 1 && records[0]!.payload.length > options.maxRequestBytes) return fit(records[0]!)
    isSending = true
    const { contentType } = bodies
    const send = Effect.suspend(() => {
      const body = bodies.merge(records.map(({ payload }) => payload))
      return delivery.sendOnce({ url: options.url, contentType, body })
    })
    const clear = Effect.andThen(sleepUnref(suspicion), Effect.sync(() => queue.clear(records)))
    return Effect.raceFirst(send, Effect.andThen(clear, Effect.never)).pipe(
      Effect.match({
        onSuccess: (response) => settle(records, response, isFresh),
        onFailure: () => {
          queue.release(records)
          release()
          age()
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

  const isIdle = (): boolean => !isSending && parked === undefined && (!hasWork() || delivery.isPaused(options.url))
  const tidy = Effect.sync(() => queue.tidy())
  const woken = Effect.callback<void>((resume) => {
    wake = () => resume(Effect.void)
  })
  const turn = Effect.suspend(() => {
    if (isIdle()) waiting.forEach((done) => done())
    if (account === undefined || (parked === undefined && !hasWork())) {
      return Effect.raceFirst(Effect.andThen(sleepUnref(idle), tidy), woken)
    }
    return delivery.isPaused(options.url) ? delivery.whenOpen(options.url) : Effect.andThen(attempt(), Effect.yieldNow)
  })
  // A defect must not end the sender: what is on disk would wait for the next process.
  const loop = Effect.forever(Effect.catchDefect(turn, () => sleepUnref(idle)))
  const sender = yield* Effect.forkDetach(
    loop.pipe(Effect.withTracerEnabled(false), Effect.provideService(Suppressed, true))
  )
  // Not waited for: a transport that does not let itself be interrupted must not hold up the scope.
  yield* Effect.addFinalizer(() => Effect.sync(() => sender.interruptUnsafe()))

  const drain = Effect.callback<void>((resume) => {
    queue.hurry()
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

  const put = (body: Uint8Array, items: number): boolean => {
    if (queue.mode === "overflow" || delivery.isPaused(options.url) || freshBytes + body.length > maxFreshBytes) {
      return queue.write(body, items)
    }
    const record = queue.writeOut(body, items)
    if (record === undefined) return false
    fresh.push(record)
    freshBytes += body.length
    return true
  }

  return {
    mode: queue.mode,
    attach: (to) => {
      account = to
      to.survives = queue.survives
      wake()
    },
    write: (batch) => {
      if (written.has(batch)) return true
      let body: Uint8Array
      try {
        body = batch.toBody()
      } catch {
        return false
      }
      if (!put(body, batch.count)) return false
      written.add(batch)
      wake()
      return true
    },
    drain: Effect.andThen(drain, Effect.suspend(() => queue.items() > 0 ? queue.sync : tidy)),
    quarantine
  }
})

const keyOf = ({ segment, sequence }: SpooledRecord): string => `${segment.folder} ${segment.name} ${sequence}`

const bytesOf = (records: ReadonlyArray<SpooledRecord>): number =>
  records.reduce((sum, { payload }) => sum + payload.length, 0)

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
