/**
 * Gathers items into batches and exports them in the background: bounded, in order, each batch accounted for.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import type { Account, DropReason, RejectReason } from "../diagnostics/Ledger.ts"
import { Alarm } from "../internal/Alarm.ts"
import { refreshable } from "../internal/refreshable.ts"
import { asyncScope } from "../internal/asyncScope.ts"
import { type Batch, BatchQueue, type Entry } from "./BatchQueue.ts"
import { ProcessExit } from "./ProcessExit.ts"
import { ShutdownDeadline } from "./ShutdownDeadline.ts"
import { Suppressed } from "./suppressed.ts"

/** What became of the items of one batch. A shortfall against the batch's count is booked as `export_error`. */
export interface BatchResult {
  readonly exported: number
  readonly rejected?: { readonly [Reason in RejectReason]?: number } | undefined
  readonly dropped?: { readonly [Reason in DropReason]?: number } | undefined
  /** Items that are in the second place now, by the exporter's own doing. */
  readonly spooled?: number | undefined
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
  /**
   * Told that an export is given up: what became of the batch, where parts of it have had their outcome already or were
   * put away now. What that leaves out is lost. Default: the batch is as it was.
   */
  readonly giveUp?: ((batch: B) => BatchResult | undefined) | undefined
  /** How long `export` may take for retries by its own rules. Default none. */
  readonly retryAge?: Duration.Input | undefined
  /** Where batches go that are too many, could not be exported, or are left at the end. Default nowhere. */
  readonly spill?: BatchSpill<B> | undefined
}

/** A second place for batches, which is slower and does not end with the process. */
export interface BatchSpill<in B> {
  /** Whether every batch goes there, or only what has no place in memory. */
  readonly mode: "overflow" | "always"
  /** Takes a batch, synchronously; `false` when it cannot. */
  readonly write: (batch: B) => boolean
}

/** An export under way. */
interface Running {
  /** When the export began; `undefined` of a batch that is settled without one. */
  readonly since: bigint | undefined
  /** When it has taken too long. */
  readonly until: bigint | undefined
  fiber: Fiber.Fiber<BatchResult, BatchFailure> | undefined
}

/** Of a batch that is settled without an export. */
const unexported: Running = { since: undefined, until: undefined, fiber: undefined }

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
 * Each batch is exported by a fiber of its own, started by the scheduler and never by the one who offers; nothing runs
 * in between, and nothing keeps the process alive. Exports run without tracing, so that they cannot feed themselves.
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
  const maxQueueBytes = atLeast1(options.maxQueueBytes ?? 32 * 1024 * 1024)
  const concurrency = atLeast1(options.concurrency ?? 1)
  const scheduleDelay = nanos(options.scheduleDelay ?? 5_000)
  const shutdownTimeout = nanos(options.shutdownTimeout ?? 3_000)
  const guard = toMillis(options.exportTimeout ?? 30_000)
  const exportTimeout = nanos(guard + toMillis(options.retryAge ?? 0))
  const hasTimeout = guard > 0 && exportTimeout < longest

  const now = (): bigint => clock.monotonicTimeNanosUnsafe()
  const queue = new BatchQueue<Item, B>(
    {
      maxQueueSize,
      maxExportBatchSize,
      maxQueueBytes,
      maxBatchBytes: atLeast1(options.maxBatchBytes ?? 4 * 1024 * 1024)
    },
    options.makeBatch,
    now
  )
  account.capacity = maxQueueSize
  const running = new Map<Entry<B>, Running>()
  const waiting = new Set<{ readonly sequence: number; left: number; readonly done: () => void }>()
  let isClosed = false
  let hasOverflowed = false

  const context = (yield* Effect.context<never>()).pipe(
    Context.add(References.TracerEnabled, false),
    Context.add(Suppressed, true)
  )
  const fork = Effect.runForkWith(context)
  const detached = asyncScope()
  const dispatcher = Context.get(context, Scheduler.Scheduler).makeDispatcher()
  let isScheduled = false

  /** Looks for work, later: what is found must not run on the stack of the one who offers. */
  const schedule = (): void => {
    if (isScheduled) return
    isScheduled = true
    detached(() => dispatcher.scheduleTask(work, 0))
  }

  /** The same for the one who offers, who has less time. */
  const nudge = (): void => isScheduled ? undefined : nudged === undefined ? schedule() : nudged.ask()

  const work = (): void => {
    const until = look()
    isScheduled = false
    queue.prepare()
    if (until !== undefined) delay.set(until)
  }

  const { spill } = options
  /** Whether each turn of the event loop ends with everything in the second place, as long as that takes it. */
  const isWriteAhead = spill?.mode === "always"
  let isSpillBroken = false
  const isCrowded = (): boolean => queue.count * 2 > maxQueueSize || queue.bytes * 2 > maxQueueBytes

  /** Whether the second place has a batch now that was to be lost. */
  const rescue = ({ batch, count }: { readonly batch: B; readonly count: number }): boolean => {
    let isWritten = false
    try {
      isWritten = spill !== undefined && spill.write(batch)
    } catch {
      // It is as if it was full.
    }
    isSpillBroken = !isWritten
    if (!isWritten) return false
    account.spooled += count
    return true
  }

  /** Moves one item to the second place, where everything in memory is being exported and nothing else can be moved. */
  const rescueItem = (item: Item): boolean => {
    try {
      const batch = options.makeBatch()
      const isThere = batch.add(item, maxQueueBytes) && rescue({ batch, count: 1 })
      batch.release?.()
      return isThere
    } catch {
      return false
    }
  }

  /** Moves sealed batches to the second place: all of them, or until there is room. */
  const relieve = (isUrgent: boolean): void => {
    while (queue.sealed.length > 0 && (isUrgent || isWriteAhead || isCrowded())) {
      const entry = queue.sealed[0]!
      if (!rescue(entry)) return
      queue.take()
      running.set(entry, unexported)
      settle(entry, () => {})
      entry.batch.release?.()
    }
  }

  /** Starts what can be started; answers when the current batch will have waited long enough. */
  const look = (): bigint | undefined => {
    if (isWriteAhead && !isSpillBroken) queue.seal()
    if (spill !== undefined) relieve(false)
    while (running.size < concurrency) {
      const entry = queue.take()
      if (entry !== undefined) {
        start(entry)
        continue
      }
      if (queue.current === undefined) return undefined
      const until = queue.current.since + scheduleDelay
      if (until > now()) return until
      queue.seal()
      if (isWriteAhead) relieve(false)
    }
    // With every slot taken the current batch may as well grow: the next free slot looks again.
    return undefined
  }

  const nudged = refreshable(context, work)
  const delay = new Alarm({ context, clock, detached, ring: look })
  const timeout = new Alarm({ context, clock, detached, ring: () => expire() })

  const drop = (reason: DropReason, error?: unknown): void => {
    account.drop(reason)
    if (reason === "shutdown" || (reason === "queue_full" && hasOverflowed)) return
    if (reason === "queue_full") hasOverflowed = true
    diagnostics.report("warn", `queue.${name}.${reason}`, `${name}: ${dropText(reason, maxQueueSize, error)}`)
  }

  const take = (item: Item): DropReason | undefined => {
    const { current, count } = queue
    try {
      return queue.offer(item)
    } catch (error) {
      drop("unserializable", error)
      return undefined
    } finally {
      account.queued += queue.count - count
      if (isWriteAhead && !isSpillBroken) schedule()
      else if (running.size < concurrency) {
        if (queue.sealed.length > 0) nudge()
        else if (queue.current !== undefined && queue.current !== current) {
          delay.set(queue.current.since + scheduleDelay)
        }
      }
    }
  }

  const offer = (item: Item): void => {
    if (isClosed) return drop("shutdown")
    let reason = take(item)
    if (reason === "queue_full" && spill !== undefined) {
      queue.seal()
      relieve(true)
      reason = take(item)
      if (reason === "queue_full" && rescueItem(item)) return
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
  /** Items that were given up at the end and not told yet: that is one line for all of them. */
  let abandoned = 0
  const reportLosses = (): void => {
    const told = losses
    losses = []
    for (const { message, reason } of told) diagnostics.report("error", `export.${name}.${reason}`, message)
  }

  const settle = (entry: Entry<B>, book: () => void): void => {
    const run = running.get(entry)
    if (!running.delete(entry)) return
    if (run?.since !== undefined) {
      account.inFlight -= entry.count
      account.durations.record(Number(now() - run.since) / 1e9)
    }
    account.queued -= entry.count
    queue.release(entry)
    book()
    hasOverflowed = false
    reportLosses()
    for (const waiter of waiting) {
      if (entry.sequence <= waiter.sequence && --waiter.left === 0) waiter.done()
    }
    if (queue.count > 0) schedule()
  }

  /** Books what a result says; answers how many of `count` it says nothing of. */
  const bookParts = (count: number, result: BatchResult): number => {
    // An exporter that answers for more than it was given must not unbalance the ledger.
    let left = count
    const take = (wanted: number | undefined): number => {
      const taken = Math.max(0, Math.min(left, Math.trunc(wanted ?? 0) || 0))
      left -= taken
      return taken
    }
    account.lastFailure = result.exported > 0 ? undefined : "the destination refused everything"
    account.exported += take(result.exported)
    account.spooled += take(result.spooled)
    for (const reason in result.rejected) {
      account.reject(reason as RejectReason, take(result.rejected[reason as RejectReason]))
    }
    for (const reason in result.dropped) {
      lose(reason as DropReason, take(result.dropped[reason as DropReason]), "given up by the exporter")
    }
    return left
  }

  /** What the exporter says of a batch that it is not to go on with. */
  const partsOf = (batch: B): BatchResult | undefined => {
    try {
      return options.giveUp?.(batch)
    } catch {
      return undefined
    }
  }

  /** Books an export without a result: what nobody has put away is handed to `lost`. */
  const bookGivenUp = (entry: Entry<B>, lost: (count: number) => void): void => {
    const parts = partsOf(entry.batch)
    const left = parts === undefined ? (rescue(entry) ? 0 : entry.count) : bookParts(entry.count, parts)
    if (left > 0) lost(left)
  }

  const bookExit = (entry: Entry<B>, exit: Exit.Exit<BatchResult, BatchFailure>): void => {
    const { count } = entry
    if (Exit.isSuccess(exit)) {
      return lose("export_error", bookParts(count, exit.value), "the exporter did not say what became of them")
    }
    const error = Cause.findErrorOption(exit.cause)
    if (error._tag === "None") {
      const why = firstDefect(exit.cause)
      const parts = partsOf(entry.batch)
      return lose("export_error", parts === undefined ? count : bookParts(count, parts), why)
    }
    const { message, reason } = error.value
    if (mayHelpLater(reason) && rescue(entry)) {
      account.lastFailure = message
      return
    }
    const isEnd = isClosed || shutdownDeadline.at !== undefined
    if (reason !== "shutdown_timeout" || !isEnd) return lose(reason, count, message)
    account.drop(reason, count)
    account.lastFailure = message
    abandoned += count
  }

  // A fiber of its own: one that does not let itself be interrupted must hold up neither the others nor the scope.
  const start = (entry: Entry<B>): void => {
    const since = now()
    const until = hasTimeout ? since + exportTimeout : undefined
    const run: Running = { since, until, fiber: undefined }
    running.set(entry, run)
    account.inFlight += entry.count
    if (until !== undefined) timeout.set(until)
    const fiber = fork(Effect.suspend(() => options.export(entry.batch)))
    run.fiber = fiber
    fiber.addObserver((exit) => {
      settle(entry, () => bookExit(entry, exit))
      entry.batch.release?.()
    })
  }

  const giveUp = (entry: Entry<B>, lost: (count: number) => void): void => {
    const fiber = running.get(entry)?.fiber
    settle(entry, () => bookGivenUp(entry, lost))
    fiber?.interruptUnsafe()
  }

  /** Gives up what has run too long; answers when the next will have. */
  const expire = (): bigint | undefined => {
    const time = now()
    let next: bigint | undefined
    for (const [entry, { until }] of running) {
      if (until === undefined) continue
      if (until <= time) {
        giveUp(entry, (count) => lose("export_timeout", count, `no result in ${Number(exportTimeout) / 1e9} s`))
      } else if (next === undefined || until < next) next = until
    }
    return next
  }

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
    schedule()
    return Effect.sync(() => {
      clearInterval(hold)
      waiting.delete(waiter)
    })
  })

  /** Settles everything that is left, oldest first. */
  const end = (lost: (count: number) => void): void => {
    queue.seal()
    const left = [...running.keys()]
    for (let entry = queue.take(); entry !== undefined; entry = queue.take()) {
      running.set(entry, unexported)
      left.push(entry)
    }
    for (const entry of left.sort((a, b) => a.sequence - b.sequence)) giveUp(entry, lost)
  }

  /** Keeps what can be kept without waiting, and says what could not. */
  const abandon = (reason: "shutdown" | "shutdown_timeout", why: string): void => {
    isClosed = true
    end((count) => {
      abandoned += count
      account.drop(reason, count)
    })
    if (abandoned === 0) return
    diagnostics.report("error", `export.${name}.${reason}`, `${name}: ${abandoned} items lost (${reason}): ${why}`)
    abandoned = 0
  }

  // The scope may never be closed.
  const takeBack = (yield* ProcessExit).add(() => abandon("shutdown", "the process ended before they were delivered"))
  yield* Effect.addFinalizer(() => Effect.sync(takeBack))

  yield* Effect.addFinalizer(Effect.fnUntraced(function*() {
    isClosed = true
    const shared = shutdownDeadline.at === undefined ? shutdownTimeout : shutdownDeadline.at - now()
    const left = shared < shutdownTimeout ? shared : shutdownTimeout
    if (queue.count > 0 && left > 0n) yield* Effect.raceFirst(flush, Effect.sleep(Math.ceil(Number(left) / 1e6)))
    nudged?.stop()
    delay.stop()
    timeout.stop()
    abandon("shutdown_timeout", "not delivered before the deadline")
  }))

  return { offer, flush }
})

const toMillis = (input: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(input))
// Beyond any process lifetime, and still a safe duration.
const longest = 1_000_000_000_000_000_000n
const nanos = (input: Duration.Input): bigint => BigInt(Math.round(Math.min(toMillis(input), 1e12) * 1e6))
/** Whether what failed so may succeed another time. */
export const mayHelpLater = (reason: DropReason): boolean =>
  reason === "retry_exhausted" || reason === "export_timeout" || reason === "export_error"

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
