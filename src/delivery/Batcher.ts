/**
 * Gathers items into batches and exports them in the background: bounded, in order, each batch accounted for.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import type { Account, DropReason, RejectReason } from "../diagnostics/Ledger.ts"
import { sleepUnref } from "../internal/clock.ts"
import { type Batch, BatchQueue, type Entry } from "./BatchQueue.ts"
import { ShutdownDeadline } from "./ShutdownDeadline.ts"

/** What became of the items of one batch. A shortfall against the batch's count is booked as `export_error`. */
export interface BatchResult {
  readonly exported: number
  readonly rejected?: { readonly [Reason in RejectReason]?: number } | undefined
  readonly dropped?: { readonly [Reason in DropReason]?: number } | undefined
}

/** A batch that could not be exported at all: booked under `reason`. */
export interface BatchFailure {
  readonly reason: DropReason
  readonly message: string
}

/** The tunable part of {@link BatcherOptions}. */
export interface BatcherLimits {
  /** Most items held, those in flight included; further ones are dropped as `queue_full`. Default 2048. */
  readonly maxQueueSize?: number | undefined
  /** Most bytes held, those in flight included; further items are dropped as `queue_full`. Default 32 MiB. */
  readonly maxQueueBytes?: number | undefined
  /** Most items of one batch. Default 512, and never more than `maxQueueSize`. */
  readonly maxExportBatchSize?: number | undefined
  /** Most bytes of a batch of more than one item. Default 4 MiB. */
  readonly maxBatchBytes?: number | undefined
  /** How long the first item of a batch waits for more. Default 5 seconds. */
  readonly scheduleDelay?: Duration.Input | undefined
  /**
   * How long one export may take beyond `retryAge`. Zero means no bound. Default 30 seconds.
   */
  readonly exportTimeout?: Duration.Input | undefined
  /** How long closing the scope may take, all included. Default 3 seconds. */
  readonly shutdownTimeout?: Duration.Input | undefined
  /** Most exports at a time. Default 1. */
  readonly concurrency?: number | undefined
}

/** Options of {@link make}. */
export interface BatcherOptions<Item, B extends Batch<Item>> extends BatcherLimits {
  /** The destination, used in diagnostics. */
  readonly name: string
  readonly account: Account
  readonly makeBatch: () => B
  /** Delivers one batch. Called once for each batch, in order. */
  readonly export: (batch: B) => Effect.Effect<BatchResult, BatchFailure>
  /** How long `export` may take for retries by its own rules. Default none. */
  readonly retryAge?: Duration.Input | undefined
}

/** A running batcher. */
export interface Batcher<in Item> {
  /** Takes an item, or books why not. Synchronous, constant in time; never throws. */
  readonly offer: (item: Item) => void
  /**
   * Completes when every item offered before, those in flight included, has been delivered or given up. It keeps the
   * process alive as long as it waits, and it waits as long as the exporter tries.
   */
  readonly flush: Effect.Effect<void>
}

/**
 * Starts a batcher that lives as long as the scope.
 *
 * **Details**
 *
 * A batch is sealed when it holds `maxExportBatchSize` items or `maxBatchBytes`, or `scheduleDelay` after its first item.
 * One worker fiber starts the exports; it is woken once when a batch gets its first item and once when it is full, and
 * sleeps otherwise. Nothing of it keeps the process alive. Exports run without tracing, so that they cannot feed
 * themselves.
 *
 * `exportTimeout` guards against an exporter that hangs. An exporter with retries of its own declares `retryAge`, the
 * time it may hold a batch on purpose, and the guard counts from the end of it: an outage shorter than the retry age
 * costs nothing. With an exporter that does not retry this is `OTEL_BSP_EXPORT_TIMEOUT` as the specification has it. An
 * export that runs into it is interrupted, booked as `export_timeout`, and not waited for.
 *
 * When the scope closes, further items are booked as `shutdown`; what was there is exported within `shutdownTimeout` (or
 * what is left of {@link ShutdownDeadline}), and the rest is interrupted and booked as `shutdown_timeout`.
 *
 * **Gotchas**
 *
 * Items offered faster than the event loop turns, as in one synchronous loop, can only be queued: beyond `maxQueueSize`
 * they are dropped.
 */
export const make = Effect.fnUntraced(function*<Item, B extends Batch<Item>>(
  options: BatcherOptions<Item, B>
): Effect.fn.Return<Batcher<Item>, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const diagnostics = yield* Diagnostics
  const shutdownDeadline = yield* ShutdownDeadline
  const { account, name } = options
  const maxQueueSize = atLeast1(options.maxQueueSize ?? 2048)
  const maxExportBatchSize = Math.min(atLeast1(options.maxExportBatchSize ?? 512), maxQueueSize)
  const concurrency = atLeast1(options.concurrency ?? 1)
  const scheduleDelay = nanos(options.scheduleDelay ?? 5_000)
  const shutdownTimeout = nanos(options.shutdownTimeout ?? 3_000)
  const guard = toMillis(options.exportTimeout ?? 30_000)
  const exportTimeout = guard > 0 ? guard + toMillis(options.retryAge ?? 0) : Infinity

  const now = (): bigint => clock.monotonicTimeNanosUnsafe()
  const queue = new BatchQueue<Item, B>(
    {
      maxQueueSize,
      maxExportBatchSize,
      maxQueueBytes: atLeast1(options.maxQueueBytes ?? 32 * 1024 * 1024),
      maxBatchBytes: atLeast1(options.maxBatchBytes ?? 4 * 1024 * 1024)
    },
    options.makeBatch,
    now
  )
  const running = new Map<Entry<B>, ReadonlyArray<Fiber.Fiber<unknown>>>()
  const waiting = new Set<{ readonly sequence: number; left: number; readonly done: () => void }>()
  let isClosed = false
  let hasOverflowed = false

  // The worker sleeps in `wake`; a call while it is awake makes it look once more before it sleeps again.
  let wake: (() => void) | undefined
  let hasSignal = false
  const signal = (): void => {
    if (wake === undefined) hasSignal = true
    else wake()
  }
  const awaitSignal = Effect.callback<void>((resume) => {
    if (hasSignal) {
      hasSignal = false
      return resume(Effect.void)
    }
    wake = () => {
      wake = undefined
      // Yields first: what follows must not run on the stack of the one who offers.
      resume(Effect.yieldNow)
    }
    return Effect.sync(() => {
      wake = undefined
    })
  })

  const drop = (reason: DropReason, error?: unknown): void => {
    account.drop(reason)
    if (reason === "shutdown" || (reason === "queue_full" && hasOverflowed)) return
    if (reason === "queue_full") hasOverflowed = true
    diagnostics.report("warn", `queue.${name}.${reason}`, `${name}: ${dropText(reason, maxQueueSize, error)}`)
  }

  const offer = (item: Item): void => {
    if (isClosed) return drop("shutdown")
    const { current, count } = queue
    let reason: DropReason | undefined
    try {
      reason = queue.offer(item)
    } catch (error) {
      reason = "unserializable"
      return drop(reason, error)
    } finally {
      account.queued += queue.count - count
      // A batch began, or one was sealed and can start.
      if (queue.current !== current || queue.sealed.length > 0) {
        if (running.size < concurrency) signal()
      }
    }
    if (reason !== undefined) drop(reason)
  }

  // Told after the books are straight: who writes the lines may read the ledger.
  let losses: Array<{ readonly reason: DropReason; readonly message: string }> = []
  const lose = (reason: DropReason, count: number, detail: string): void => {
    account.drop(reason, count)
    if (count > 0) account.lastFailure = detail
    if (count > 0) losses.push({ reason, message: `${name}: ${count} items lost (${reason}): ${detail}` })
  }
  const reportLosses = (): void => {
    const told = losses
    losses = []
    for (const { message, reason } of told) diagnostics.report("error", `export.${name}.${reason}`, message)
  }

  const settle = (entry: Entry<B>, book: () => void): void => {
    const fibers = running.get(entry)
    if (fibers === undefined) return
    running.delete(entry)
    account.queued -= entry.count
    queue.release(entry)
    book()
    hasOverflowed = false
    reportLosses()
    for (const fiber of fibers) fiber.interruptUnsafe()
    for (const waiter of waiting) {
      if (entry.sequence <= waiter.sequence && --waiter.left === 0) waiter.done()
    }
    signal()
  }

  const bookResult = (count: number, result: BatchResult): void => {
    // An exporter that answers for more than it was given must not unbalance the ledger.
    let left = count
    const take = (wanted: number | undefined): number => {
      const taken = Math.max(0, Math.min(left, Math.trunc(wanted ?? 0) || 0))
      left -= taken
      return taken
    }
    account.lastFailure = result.exported > 0 ? undefined : "the destination refused everything"
    account.exported += take(result.exported)
    for (const reason in result.rejected) {
      account.reject(reason as RejectReason, take(result.rejected[reason as RejectReason]))
    }
    for (const reason in result.dropped) {
      lose(reason as DropReason, take(result.dropped[reason as DropReason]), "given up by the exporter")
    }
    lose("export_error", left, "the exporter did not say what became of them")
  }

  const bookExit = (count: number, exit: Exit.Exit<BatchResult, BatchFailure>): void => {
    if (Exit.isSuccess(exit)) return bookResult(count, exit.value)
    const error = Cause.findErrorOption(exit.cause)
    if (error._tag === "Some") lose(error.value.reason, count, error.value.message)
    else lose("export_error", count, firstDefect(exit.cause))
  }

  const start = Effect.fnUntraced(function*(entry: Entry<B>) {
    const fibers: Array<Fiber.Fiber<unknown>> = []
    running.set(entry, fibers)
    const work = Effect.onExit(
      Effect.suspend(() => options.export(entry.batch)),
      (exit) =>
        Effect.sync(() => {
          settle(entry, () => bookExit(entry.count, exit))
          entry.batch.release?.()
        })
    )
    const expire = Effect.sync(() =>
      settle(entry, () => lose("export_timeout", entry.count, `no result in ${exportTimeout / 1_000} s`))
    )
    // Detached: a fiber that does not let itself be interrupted must not hold up the worker or the scope.
    fibers.push(yield* Effect.forkDetach(Effect.exit(work), { startImmediately: true }))
    if (Number.isFinite(exportTimeout) && running.has(entry)) {
      fibers.push(yield* Effect.forkDetach(Effect.andThen(sleepUnref(exportTimeout), expire)))
    }
  })

  const work = Effect.gen(function*() {
    while (true) {
      while (running.size < concurrency && queue.sealed.length > 0) yield* start(queue.take()!)
      // With every slot taken the current batch may as well grow: the next free slot comes with a signal.
      if (running.size >= concurrency || queue.current === undefined) {
        yield* awaitSignal
        continue
      }
      const left = queue.current.since + scheduleDelay - now()
      if (left <= 0n) queue.seal()
      else yield* Effect.raceFirst(awaitSignal, sleepUnref(Math.ceil(Number(left) / 1e6)))
    }
  })

  const flush = Effect.callback<void>((resume) => {
    queue.seal()
    const left = queue.sealed.length + running.size
    if (left === 0) return resume(Effect.void)
    // Timers of the library hold no process; someone who waits for a flush does.
    const hold = setInterval(() => {}, 0x7fffffff)
    const waiter = {
      sequence: queue.lastSequence,
      left,
      done: () => {
        clearInterval(hold)
        waiting.delete(waiter)
        resume(Effect.yieldNow)
      }
    }
    waiting.add(waiter)
    signal()
    return Effect.sync(() => {
      clearInterval(hold)
      waiting.delete(waiter)
    })
  })

  const worker = yield* Effect.forkDetach(Effect.provideService(work, References.TracerEnabled, false))

  yield* Effect.addFinalizer(Effect.fnUntraced(function*() {
    isClosed = true
    const shared = shutdownDeadline.at === undefined ? shutdownTimeout : shutdownDeadline.at - now()
    const left = shared < shutdownTimeout ? shared : shutdownTimeout
    if (queue.count > 0 && left > 0n) yield* Effect.raceFirst(flush, Effect.sleep(Math.ceil(Number(left) / 1e6)))
    worker.interruptUnsafe()
    queue.seal()
    let abandoned = 0
    for (let entry = queue.take(); entry !== undefined; entry = queue.take()) running.set(entry, [])
    for (const entry of running.keys()) {
      abandoned += entry.count
      settle(entry, () => account.drop("shutdown_timeout", entry.count))
    }
    if (abandoned > 0) {
      const message = `${name}: ${abandoned} items lost (shutdown_timeout): not delivered before the deadline`
      diagnostics.report("error", `export.${name}.shutdown_timeout`, message)
    }
  }))

  return { offer, flush }
})

const toMillis = (input: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(input))
// Beyond any process lifetime, and still a safe duration.
const nanos = (input: Duration.Input): bigint => BigInt(Math.round(Math.min(toMillis(input), 1e12) * 1e6))
const atLeast1 = (value: number): number => value >= 1 ? Math.floor(value) : 1

const dropText = (reason: DropReason, maxQueueSize: number, error: unknown): string =>
  reason === "queue_full"
    ? `the queue is full (${maxQueueSize} items, or its bytes), new items are dropped`
    : reason === "oversize"
    ? "an item is larger than the whole queue, and was dropped"
    : `an item could not be encoded, and was dropped${error instanceof Error ? `: ${error.message}` : ""}`

const firstDefect = (cause: Cause.Cause<unknown>): string => {
  const defect = Cause.squash(cause)
  return defect instanceof Error ? `${defect.name}: ${defect.message}` : "the exporter failed without an error"
}
