import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { AsyncLocalStorage } from "node:async_hooks"
import * as Batcher from "../../src/delivery/Batcher.ts"
import { ShutdownDeadline } from "../../src/delivery/ShutdownDeadline.ts"
import { Diagnostics } from "../../src/diagnostics/Diagnostics.ts"
import { Account } from "../../src/diagnostics/Ledger.ts"
import { collected } from "./support.ts"

/** Items are numbers, and weigh `weight` bytes each. */
class NumberBatch {
  readonly items: Array<number> = []
  readonly weight: (item: number) => number
  bytes = 0
  refusal: "full" | "unserializable" | undefined = undefined
  constructor(weight: (item: number) => number) {
    this.weight = weight
  }
  get count() {
    return this.items.length
  }
  add(item: number, maxBytes: number): boolean {
    const size = this.weight(item)
    if (Number.isNaN(size)) throw new Error("no weight")
    this.refusal = size < 0 ? "unserializable" : this.bytes + size > maxBytes ? "full" : undefined
    if (this.refusal !== undefined) return false
    this.items.push(item)
    this.bytes += size
    return true
  }
}

type Reply = Effect.Effect<Batcher.BatchResult, Batcher.BatchFailure>

const setUp = Effect.fnUntraced(function*(
  limits?: Batcher.BatcherLimits,
  given?: {
    readonly weight?: (item: number) => number
    readonly reply?: (items: ReadonlyArray<number>) => Reply
    readonly retryAge?: number
    readonly spill?: Batcher.BatchSpill<NumberBatch>
    readonly giveUp?: (batch: NumberBatch) => Batcher.BatchResult | undefined
  }
) {
  const account = new Account("numbers")
  const { diagnostics, lines } = collected()
  const batches: Array<ReadonlyArray<number>> = []
  const scope = yield* Scope.make()
  const reply = given?.reply ?? ((items) => Effect.succeed({ exported: items.length }))
  let offered = 0
  const batcher = yield* Batcher.make<number, NumberBatch>({
    ...limits,
    name: "numbers",
    account,
    retryAge: given?.retryAge,
    spill: given?.spill,
    giveUp: given?.giveUp,
    makeBatch: () => new NumberBatch(given?.weight ?? (() => 1)),
    export: (batch) => {
      batches.push(batch.items)
      return reply(batch.items)
    }
  }).pipe(Scope.provide(scope), Effect.provideService(Diagnostics, diagnostics))
  const offer = (...items: ReadonlyArray<number>) => {
    for (const item of items) {
      batcher.offer(item)
      offered++
      assert.strictEqual(account.accounted, offered)
    }
  }
  return {
    account,
    batches,
    lines,
    offer,
    flush: batcher.flush,
    close: Scope.close(scope, Exit.void),
    conserved: () => assert.strictEqual(account.accounted, offered)
  }
})

const upTo = (count: number): Array<number> => Array.from({ length: count }, (_, i) => i)
const seconds = (count: number) => TestClock.adjust(count * 1000)

describe("Batcher", () => {
  it.effect("seals a batch by size, without waiting", () =>
    Effect.gen(function*() {
      const { account, batches, close, offer } = yield* setUp({ maxExportBatchSize: 3 })
      offer(...upTo(7))
      yield* seconds(0)
      assert.deepStrictEqual(batches, [[0, 1, 2], [3, 4, 5]])
      assert.strictEqual(account.queued, 1)
      yield* close
      assert.deepStrictEqual(batches, [[0, 1, 2], [3, 4, 5], [6]])
      assert.strictEqual(account.exported, 7)
    }))

  it.effect("seals a batch by bytes, and gives a large item one of its own", () =>
    Effect.gen(function*() {
      const { batches, close, offer } = yield* setUp({ maxBatchBytes: 100 }, { weight: (item) => item })
      offer(60, 40, 30, 30, 250, 10)
      yield* close
      assert.deepStrictEqual(batches, [[60, 40], [30, 30], [250], [10]])
    }))

  it.effect("seals a batch when its first item has waited long enough", () =>
    Effect.gen(function*() {
      const { batches, offer } = yield* setUp({ scheduleDelay: "5 seconds" })
      offer(1)
      yield* seconds(4)
      offer(2)
      assert.deepStrictEqual(batches, [])
      yield* seconds(1)
      assert.deepStrictEqual(batches, [[1, 2]])
      yield* seconds(60)
      offer(3)
      yield* seconds(4.999)
      assert.strictEqual(batches.length, 1)
      yield* seconds(0.001)
      assert.deepStrictEqual(batches, [[1, 2], [3]])
    }))

  it.effect("counts the delay from the first item even where the exporter was busy", () =>
    Effect.gen(function*() {
      const { batches, offer } = yield* setUp({ maxExportBatchSize: 2 }, {
        reply: (items) => Effect.as(Effect.sleep("8 seconds"), { exported: items.length })
      })
      offer(1, 2)
      yield* seconds(1)
      offer(3)
      yield* seconds(6.9)
      assert.deepStrictEqual(batches, [[1, 2]])
      yield* seconds(0.1)
      assert.deepStrictEqual(batches, [[1, 2], [3]])
    }))

  it.effect("lets the current batch grow while every slot is taken", () =>
    Effect.gen(function*() {
      const { batches, offer } = yield* setUp({ maxExportBatchSize: 10, scheduleDelay: "1 second" }, {
        reply: (items) => Effect.as(Effect.sleep("20 seconds"), { exported: items.length })
      })
      offer(0)
      yield* seconds(1)
      for (const item of [1, 2, 3]) {
        offer(item)
        yield* seconds(5)
      }
      yield* seconds(10)
      assert.deepStrictEqual(batches, [[0], [1, 2, 3]])
    }))

  it.effect("exports nothing on the stack of the one who offers", () =>
    Effect.gen(function*() {
      const { batches, offer } = yield* setUp({ maxExportBatchSize: 1 })
      yield* seconds(1)
      offer(1)
      assert.deepStrictEqual(batches, [])
      yield* Effect.yieldNow
      yield* seconds(0)
      assert.deepStrictEqual(batches, [[1]])
    }))

  it.effect("exports outside the async-local values of the one who offers", () =>
    Effect.gen(function*() {
      const storage = new AsyncLocalStorage<string>()
      const seen: Array<string | undefined> = []
      const { offer } = yield* setUp({ maxExportBatchSize: 2 }, {
        reply: (items) =>
          Effect.sync(() => {
            seen.push(storage.getStore())
            return { exported: items.length }
          })
      })
      storage.run("a request", () => offer(0, 1, 2))
      yield* Effect.yieldNow
      yield* seconds(60)
      assert.deepStrictEqual(seen, [undefined, undefined])
    }))

  it.effect("drops the newest item when the queue is full, those in flight included", () =>
    Effect.gen(function*() {
      const { account, batches, close, lines, offer } = yield* setUp({ maxQueueSize: 4, maxExportBatchSize: 2 }, {
        reply: (items) => Effect.as(Effect.sleep("1 second"), { exported: items.length })
      })
      offer(...upTo(4))
      yield* seconds(0)
      offer(4, 5)
      assert.deepStrictEqual(account.dropped, { queue_full: 2 })
      assert.strictEqual(lines.length, 1)
      assert.include(lines[0], "queue is full")
      yield* seconds(1)
      offer(6)
      const closing = yield* Effect.forkChild(close)
      yield* seconds(3)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(batches, [[0, 1], [2, 3], [6]])
      assert.strictEqual(account.exported, 5)
    }))

  it.effect("holds no more than its bytes, those in flight included", () =>
    Effect.gen(function*() {
      const { account, offer } = yield* setUp({ maxQueueBytes: 100, maxBatchBytes: 40 }, {
        weight: (item) => item,
        reply: () => Effect.never
      })
      offer(30, 30)
      yield* seconds(10)
      offer(30, 20, 10, 0)
      assert.deepStrictEqual(account.dropped, { queue_full: 1 })
      assert.strictEqual(account.queued, 5)
      offer(101)
      assert.deepStrictEqual(account.dropped, { queue_full: 2 })
    }))

  it.effect("has its room back when a batch is settled", () =>
    Effect.gen(function*() {
      const { account, offer } = yield* setUp({ maxQueueBytes: 100, maxQueueSize: 3, scheduleDelay: "1 second" }, {
        weight: (item) => item,
        reply: (items) =>
          items[0] === 50 ? Effect.fail({ reason: "export_error", message: "no" }) : Effect.succeed({ exported: 3 })
      })
      for (const items of [[40, 30, 30], [50, 25, 25], [100], [1, 1, 98]]) {
        offer(...items)
        yield* seconds(1)
        assert.strictEqual(account.queued, 0)
      }
      assert.deepStrictEqual([account.exported, account.dropped], [7, { export_error: 3 }])
    }))

  it.effect("drops an item larger than the whole queue, and one that cannot be encoded", () =>
    Effect.gen(function*() {
      const { account, batches, close, lines, offer } = yield* setUp({ maxQueueBytes: 100 }, { weight: (item) => item })
      offer(101, -1, Number.NaN, 1, -1, Number.NaN)
      assert.deepStrictEqual(account.dropped, { oversize: 1, unserializable: 4 })
      assert.strictEqual(lines.length, 2)
      yield* close
      assert.deepStrictEqual(batches, [[1]])
    }))

  it.effect("takes a burst of 100 000 without a fiber", () =>
    Effect.gen(function*() {
      const { account, close, offer } = yield* setUp({ maxQueueSize: 50_000 })
      offer(...upTo(100_000))
      assert.strictEqual(account.queued, 50_000)
      assert.deepStrictEqual(account.dropped, { queue_full: 50_000 })
      yield* close
      assert.strictEqual(account.exported, 50_000)
    }))

  it.effect("exports one batch at a time", () =>
    Effect.gen(function*() {
      let active = 0
      let most = 0
      const { close, offer } = yield* setUp({ maxExportBatchSize: 1 }, {
        reply: (items) =>
          Effect.gen(function*() {
            most = Math.max(most, ++active)
            yield* Effect.yieldNow
            active--
            return { exported: items.length }
          })
      })
      offer(...upTo(20))
      yield* close
      assert.strictEqual(most, 1)
    }))

  it.effect("exports as many at a time as it is told", () =>
    Effect.gen(function*() {
      const { batches, offer } = yield* setUp({ maxExportBatchSize: 1, concurrency: 3 }, { reply: () => Effect.never })
      offer(...upTo(20))
      yield* seconds(1)
      assert.strictEqual(batches.length, 3)
    }))

  describe("a failed batch is booked, and the next one flows", () => {
    const failures: ReadonlyArray<[string, Reply, Partial<Account["dropped"]>]> = [
      ["an error", Effect.fail({ reason: "retry_exhausted", message: "no" }), { retry_exhausted: 2 }],
      ["a defect", Effect.die(new Error("bug")), { export_error: 2 }],
      ["an interruption of its own", Effect.interrupt, { export_error: 2 }],
      ["a shortfall", Effect.succeed({ exported: 1 }), { export_error: 1 }]
    ]
    for (const [name, reply, dropped] of failures) {
      it.effect(name, () =>
        Effect.gen(function*() {
          const { account, close, conserved, lines, offer } = yield* setUp({ maxExportBatchSize: 2 }, {
            reply: (items) => items[0] === 0 ? reply : Effect.succeed({ exported: items.length })
          })
          offer(...upTo(4))
          yield* close
          assert.deepStrictEqual(account.dropped, dropped)
          conserved()
          assert.strictEqual(lines.length, 1)
        }))
    }

    it.live("a batch that throws when it is made ahead, or sealed", () =>
      Effect.gen(function*() {
        const account = new Account("numbers")
        let made = 0
        const exported: Array<number> = []
        const batcher = yield* Batcher.make<number, NumberBatch & { readonly seal: () => void }>({
          name: "numbers",
          account,
          maxExportBatchSize: 2,
          makeBatch: () => {
            if (++made % 2 === 0) throw new Error("not made")
            return Object.assign(new NumberBatch(() => 1), {
              seal: () => {
                throw new Error("not sealed")
              }
            })
          },
          export: (batch) => {
            exported.push(...batch.items)
            return Effect.succeed({ exported: batch.count })
          }
        }).pipe(Effect.provideService(Diagnostics, collected().diagnostics))
        for (let i = 0; i < 20; i++) {
          batcher.offer(i)
          yield* Effect.sleep("3 millis")
        }
        yield* batcher.flush
        const dropped = account.dropped.unserializable ?? 0
        assert.strictEqual(exported.length + dropped, 20)
        assert.isAbove(exported.length, 0)
        assert.strictEqual(account.accounted, 20)
      }).pipe(Effect.scoped))

    it.effect("an export that throws", () =>
      Effect.gen(function*() {
        const { account, close, conserved, offer } = yield* setUp({ maxExportBatchSize: 2 }, {
          reply: (items) => {
            if (items[0] === 0) throw new Error("bug")
            return Effect.succeed({ exported: items.length })
          }
        })
        offer(...upTo(4))
        yield* close
        assert.deepStrictEqual([account.exported, account.dropped], [2, { export_error: 2 }])
        conserved()
      }))

    it.effect("an export that answers for too many", () =>
      Effect.gen(function*() {
        const { account, close, conserved, offer } = yield* setUp({}, {
          reply: () =>
            Effect.succeed({
              exported: 2,
              rejected: { partial_rejected: 2, permanent_status: -5 },
              dropped: { oversize: 9 }
            })
        })
        offer(...upTo(5))
        yield* close
        assert.deepStrictEqual([account.exported, account.rejected, account.dropped], [2, { partial_rejected: 2 }, {
          oversize: 1
        }])
        conserved()
      }))
  })

  describe("export timeout", () => {
    it.effect("bounds an exporter that hangs", () =>
      Effect.gen(function*() {
        let interrupted = 0
        const { account, batches, offer } = yield* setUp({ maxExportBatchSize: 1, exportTimeout: "30 seconds" }, {
          reply: (items) =>
            items[0] === 0
              ? Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
              : Effect.succeed({ exported: 1 })
        })
        offer(0, 1)
        yield* seconds(29)
        assert.deepStrictEqual(batches, [[0]])
        yield* seconds(1)
        assert.deepStrictEqual(batches, [[0], [1]])
        assert.deepStrictEqual([account.exported, account.dropped, interrupted], [1, { export_timeout: 1 }, 1])
      }))

    it.effect("does not wait for an exporter that cannot be interrupted", () =>
      Effect.gen(function*() {
        const { account, offer } = yield* setUp({ maxExportBatchSize: 1, exportTimeout: "30 seconds" }, {
          reply: (items) => items[0] === 0 ? Effect.uninterruptible(Effect.never) : Effect.succeed({ exported: 1 })
        })
        offer(0, 1)
        yield* seconds(30)
        assert.deepStrictEqual([account.exported, account.dropped], [1, { export_timeout: 1 }])
      }))

    it.effect("ignores a result that comes too late", () =>
      Effect.gen(function*() {
        const { account, conserved, offer } = yield* setUp({ maxExportBatchSize: 1, exportTimeout: "1 second" }, {
          reply: () => Effect.uninterruptible(Effect.as(Effect.sleep("2 seconds"), { exported: 1 }))
        })
        offer(0)
        yield* seconds(5)
        assert.deepStrictEqual([account.exported, account.dropped], [0, { export_timeout: 1 }])
        conserved()
      }))

    it.effect("leaves the exporter its retry age", () =>
      Effect.gen(function*() {
        const { account, offer } = yield* setUp({ exportTimeout: "30 seconds" }, {
          retryAge: 300_000,
          reply: (items) => Effect.as(Effect.sleep("329 seconds"), { exported: items.length })
        })
        offer(0)
        yield* seconds(5 + 329)
        assert.deepStrictEqual([account.exported, account.dropped], [1, {}])
      }))

    it.effect("of zero is none", () =>
      Effect.gen(function*() {
        const { account, offer } = yield* setUp({ exportTimeout: 0 }, {
          reply: (items) => Effect.as(Effect.sleep("10 hours"), { exported: items.length })
        })
        offer(0)
        yield* TestClock.adjust("11 hours")
        assert.strictEqual(account.exported, 1)
      }))
  })

  describe("flush", () => {
    it.effect("waits for everything offered before, in flight included", () =>
      Effect.gen(function*() {
        const { account, flush, offer } = yield* setUp({ maxExportBatchSize: 2 }, {
          reply: (items) => Effect.as(Effect.sleep("1 second"), { exported: items.length })
        })
        offer(0, 1)
        yield* seconds(0.5)
        offer(2, 3, 4)
        const exported: Array<number> = []
        const all = yield* Effect.forEach(
          [1, 2, 3],
          () => Effect.forkChild(Effect.andThen(flush, Effect.sync(() => exported.push(account.exported))))
        )
        yield* seconds(2.4)
        assert.deepStrictEqual(exported, [])
        yield* seconds(0.1)
        yield* Fiber.joinAll(all)
        assert.deepStrictEqual(exported, [5, 5, 5])
      }))

    it.effect("does not wait for what is offered later", () =>
      Effect.gen(function*() {
        const { batches, flush, offer } = yield* setUp({}, {
          reply: (items) => items[0] === 9 ? Effect.never : Effect.succeed({ exported: items.length })
        })
        offer(1)
        const fiber = yield* Effect.forkChild(flush, { startImmediately: true })
        offer(9)
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(batches, [[1]])
      }))

    it.effect("returns at once when there is nothing", () =>
      Effect.gen(function*() {
        const { flush } = yield* setUp()
        yield* flush
      }))

    it.effect("completes when the batch fails", () =>
      Effect.gen(function*() {
        const { flush, offer } = yield* setUp({}, { reply: () => Effect.die("bug") })
        offer(1)
        yield* flush
      }))

    it.effect("can be interrupted", () =>
      Effect.gen(function*() {
        const { account, flush, offer } = yield* setUp({}, {
          reply: (items) => Effect.as(Effect.sleep("1 second"), { exported: items.length })
        })
        offer(1)
        const fiber = yield* Effect.forkChild(flush)
        yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        yield* seconds(1)
        assert.strictEqual(account.exported, 1)
      }))
  })

  describe("shutdown", () => {
    it.effect("delivers what is there", () =>
      Effect.gen(function*() {
        const { account, close, offer } = yield* setUp()
        offer(...upTo(1000))
        yield* close
        assert.strictEqual(account.exported, 1000)
        offer(1000)
        assert.deepStrictEqual(account.dropped, { shutdown: 1 })
      }))

    it.effect("takes no longer than it may, and books the rest", () =>
      Effect.gen(function*() {
        let interrupted = 0
        const { account, close, conserved, lines, offer } = yield* setUp({ maxExportBatchSize: 2 }, {
          reply: (items) =>
            items[0] === 0
              ? Effect.succeed({ exported: 2 })
              : Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
        })
        offer(...upTo(9))
        const fiber = yield* Effect.forkChild(close)
        yield* seconds(2.9)
        assert.isUndefined(fiber.pollUnsafe())
        yield* seconds(0.1)
        yield* Fiber.join(fiber)
        assert.deepStrictEqual([account.exported, account.dropped], [2, { shutdown_timeout: 7 }])
        assert.strictEqual(interrupted, 1)
        assert.deepStrictEqual(lines.map((line) => line.includes("7 items lost (shutdown_timeout)")), [true])
        conserved()
      }))

    it.effect("ends the flushes that wait", () =>
      Effect.gen(function*() {
        const { close, flush, offer } = yield* setUp({}, { reply: () => Effect.never })
        offer(1)
        const waiting = yield* Effect.forkChild(flush)
        const closing = yield* Effect.forkChild(close)
        yield* seconds(3)
        yield* Fiber.joinAll([waiting, closing])
      }))

    it.effect("shares one deadline where there is one", () =>
      Effect.gen(function*() {
        const deadline: ShutdownDeadline = { at: undefined }
        const [first, second] = yield* Effect.all([
          setUp({}, { reply: () => Effect.never }),
          setUp({}, { reply: () => Effect.never })
        ]).pipe(Effect.provideService(ShutdownDeadline, deadline))
        first.offer(1)
        second.offer(1)
        deadline.at = 2_000_000_000n
        const fiber = yield* Effect.forkChild(Effect.andThen(first.close, second.close))
        yield* seconds(2)
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(first.account.dropped, { shutdown_timeout: 1 })
        assert.deepStrictEqual(second.account.dropped, { shutdown_timeout: 1 })
      }))
  })

  it.effect("exports without tracing", () =>
    Effect.gen(function*() {
      const { close, lines, offer } = yield* setUp({}, {
        reply: (items) =>
          Effect.gen(function*() {
            assert.isFalse(yield* References.TracerEnabled)
            return { exported: items.length }
          })
      })
      offer(1)
      yield* close
      assert.deepStrictEqual(lines, [])
    }))

  describe("with a second place", () => {
    const secondPlace = () => {
      const written: Array<ReadonlyArray<number>> = []
      const spill: Batcher.BatchSpill<NumberBatch> = {
        mode: "overflow",
        write: ({ items }) => {
          written.push([...items])
          return true
        }
      }
      return { spill, written }
    }

    it.effect("drops nothing although everything in memory is being exported", () =>
      Effect.gen(function*() {
        const { spill, written } = secondPlace()
        const { account, offer } = yield* setUp({ maxQueueSize: 2, concurrency: 2, scheduleDelay: 0 }, {
          spill,
          reply: () => Effect.never
        })
        offer(1)
        yield* seconds(0)
        offer(2)
        yield* seconds(0)
        assert.strictEqual(account.inFlight, 2)
        offer(3, 4)
        assert.deepStrictEqual(written, [[3], [4]])
        assert.deepInclude(account, { queued: 2, spooled: 2, droppedTotal: 0 })
      }))

    it.effect("books a batch that is given up as far as its parts have an outcome", () =>
      Effect.gen(function*() {
        const { spill, written } = secondPlace()
        const parts = { exported: 2, rejected: { permanent_status: 1 }, spooled: 3 }
        const { account, close, offer } = yield* setUp({ exportTimeout: "1 second", maxExportBatchSize: 7 }, {
          spill,
          reply: () => Effect.never,
          giveUp: ({ items }) => items[0] === 0 ? parts : undefined
        })
        offer(...upTo(7))
        yield* seconds(1)
        assert.deepInclude(account, { queued: 0, exported: 2, rejectedTotal: 1, spooled: 3 })
        assert.deepStrictEqual(account.dropped, { export_timeout: 1 })
        assert.deepStrictEqual(written, [], "the exporter has put away what could be")
        offer(7)
        yield* Effect.forkChild(close)
        yield* seconds(5)
        assert.deepStrictEqual(written, [[7]])
        assert.deepInclude(account, { queued: 0, spooled: 4, droppedTotal: 1 })
      }))
  })
})
