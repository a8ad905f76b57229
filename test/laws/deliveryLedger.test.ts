/**
 * Conservation through the batcher: at every moment, whatever the exporter does, every item offered is exported,
 * rejected, dropped with a reason, or still queued.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import * as Batcher from "../../src/delivery/Batcher.ts"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import { Account } from "../../src/diagnostics/Ledger.ts"

class Bytes {
  count = 0
  bytes = 10
  readonly items: Array<number> = []
  refusal: "full" | "unserializable" | undefined = undefined
  add(item: number, maxBytes: number): boolean {
    if (item % 97 === 96) throw new Error("throws")
    this.refusal = item % 89 === 88 ? "unserializable" : this.bytes + item > maxBytes ? "full" : undefined
    if (this.refusal !== undefined) return false
    this.items.push(item)
    this.count++
    this.bytes += item
    return true
  }
}

const small = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
const size = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))

const Reply = Schema.Struct({
  kind: Schema.Literals(["ok", "part", "fail", "die", "throw", "interrupt", "hang", "stuck", "greedy"]),
  millis: small(4_000)
})

const Action = Schema.Union([
  Schema.Struct({ action: Schema.Literal("offer"), sizes: Schema.Array(small(300)) }),
  Schema.Struct({ action: Schema.Literal("wait"), millis: small(20_000) }),
  Schema.Struct({ action: Schema.Literal("flush") }),
  Schema.Struct({ action: Schema.Literal("abandonedFlush") }),
  Schema.Struct({ action: Schema.Literal("close") })
])

const Program = Schema.Struct({
  actions: Schema.Array(Action).check(Schema.isMaxLength(12)),
  replies: Schema.Array(Reply).check(Schema.isMaxLength(12)),
  limits: Schema.Struct({
    maxQueueSize: size(60),
    maxExportBatchSize: size(20),
    maxQueueBytes: size(3_000),
    maxBatchBytes: size(1_000),
    scheduleDelay: small(6_000),
    exportTimeout: small(3_000),
    concurrency: size(3)
  })
})

const reply = (
  step: typeof Reply.Type | undefined,
  count: number
): Effect.Effect<Batcher.BatchResult, Batcher.BatchFailure> => {
  const result = (): Effect.Effect<Batcher.BatchResult, Batcher.BatchFailure> => {
    switch (step?.kind) {
      case "part":
        return Effect.succeed({ exported: count >> 1, rejected: { partial_rejected: 1 }, dropped: { oversize: 1 } })
      case "fail":
        return Effect.fail({ reason: "retry_exhausted", message: "no" })
      case "die":
        return Effect.die(new Error("bug"))
      case "throw":
        throw new Error("bug")
      case "interrupt":
        return Effect.interrupt
      case "hang":
        return Effect.never
      case "stuck":
        return Effect.uninterruptible(Effect.never)
      case "greedy":
        return Effect.succeed({ exported: count + 5, rejected: { permanent_status: 7 } })
      default:
        return Effect.succeed({ exported: count })
    }
  }
  return step === undefined || step.millis < 1000
    ? result()
    : Effect.andThen(Effect.sleep(step.millis), Effect.suspend(result))
}

describe("conservation in the batcher", () => {
  it.effect.prop(
    "holds at every moment and after closing, within the bounds",
    [Program],
    ([{ actions, limits, replies }]) =>
      Effect.gen(function*() {
        const account = new Account("law")
        let offered = 0
        let active = 0
        let heldBytes = 0
        const scripts = [...replies]
        // Collected, because the batcher would catch what is thrown within an export or a report.
        const broken: Array<string> = []
        const must = (holds: boolean, what: string): void => {
          if (!holds) broken.push(what)
        }
        const hold = (): void => {
          must(account.accounted === offered, `accounted ${account.accounted} of ${offered}`)
          must(account.queued >= 0 && account.queued <= limits.maxQueueSize, `queued ${account.queued}`)
        }
        const scope = yield* Scope.make()
        const batcher = yield* Batcher.make<number, Bytes>({
          ...limits,
          name: "law",
          account,
          makeBatch: () => new Bytes(),
          export: (batch) =>
            Effect.suspend(() => {
              hold()
              must(batch.count >= 1 && batch.count <= limits.maxExportBatchSize, `batch of ${batch.count}`)
              must(batch.count === 1 || batch.bytes <= limits.maxBatchBytes, `batch of ${batch.bytes} bytes`)
              heldBytes += batch.bytes
              must(heldBytes <= limits.maxQueueBytes, `held ${heldBytes}`)
              const step = scripts.shift()
              // An abandoned export no longer counts: only those that give way can be counted here.
              if (step?.kind === "stuck") heldBytes -= batch.bytes
              const counted = step?.kind !== "stuck"
              if (counted) must(++active <= limits.concurrency, `${active} at once`)
              return Effect.onExit(Effect.suspend(() => reply(step, batch.count)), () =>
                Effect.sync(() => {
                  if (!counted) return
                  active--
                  heldBytes -= batch.bytes
                }))
            })
        }).pipe(
          Scope.provide(scope),
          Effect.provideService(Diagnostics.Diagnostics, Diagnostics.make({ level: "debug", write: hold }))
        )
        const fibers: Array<Fiber.Fiber<void>> = []
        const settle = Effect.suspend(() => TestClock.adjust(0))
        for (const step of actions) {
          if (step.action === "offer") {
            for (const item of step.sizes) {
              offered++
              batcher.offer(item)
              hold()
            }
          } else if (step.action === "wait") {
            yield* TestClock.adjust(step.millis)
          } else if (step.action === "flush") {
            fibers.push(yield* Effect.forkChild(batcher.flush))
          } else if (step.action === "abandonedFlush") {
            const fiber = yield* Effect.forkChild(batcher.flush)
            yield* settle
            yield* Fiber.interrupt(fiber)
          } else {
            fibers.push(yield* Effect.forkChild(Scope.close(scope, Exit.void)))
          }
          yield* settle
          hold()
        }
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
        yield* TestClock.adjust("3 seconds")
        yield* Fiber.join(closing)
        // Whoever waited for a flush has been let go.
        yield* Fiber.joinAll(fibers)
        hold()
        must(account.queued === 0, `queued ${account.queued} at the end`)
        assert.deepStrictEqual(broken, [])
      }),
    { arbitrary: { runs: 300 } }
  )
})
