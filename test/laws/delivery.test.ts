/**
 * Conservation on the whole way to a destination: batcher, exporter, delivery and gate, against a destination that does
 * what the generator says and counts for itself what arrived.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { Transport } from "../../src/delivery/Transport.ts"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import { judge } from "../delivery/faults.ts"
import { seeded } from "../delivery/spool/fakeDisk.ts"
import { actions, between, faults, limits, protocol, retry, url } from "./programs.ts"
import { signals } from "./signals.ts"

const Program = Schema.Struct({
  // Closing is rare, because everything after it is the same.
  actions: actions(["flush", "flush", "flush", "abandonedFlush", "abandonedFlush", "close"]),
  faults,
  seed: between(0, 1e9),
  limits: Schema.Struct({ ...limits, maxBatchBytes: between(2_000, 30_000) }),
  exporter: Schema.Struct({
    protocol,
    maxRequestBytes: between(500, 30_000),
    timeout: between(0, 12_000),
    retry: Schema.Struct({ ...retry, maxAge: between(0, 120_000) })
  })
})

/** What the destination told in one export: items that it took, and items that it refused. */
interface Told {
  answered: number
  refused: number
  requests: number
}
const CurrentExport = Context.Reference<Told | undefined>("test/CurrentExport", { defaultValue: () => undefined })

for (const signal of signals) {
  describe(`conservation on the way to a destination, ${signal.name}`, () => {
    it.effect.prop(
      "holds at every moment and after closing, within the bounds, and the destination agrees",
      [Program],
      ([{ actions, exporter, faults, limits, seed }]) =>
        Effect.gen(function*() {
          let made = 0
          let isClosed = false
          // Collected: what is thrown within an export or a report would be caught by the library.
          const broken: Array<string> = []
          const must = (holds: boolean, what: string): void => {
            if (!holds) broken.push(what)
          }
          const running = new Set<Told>()
          const server = judge({
            faults,
            signal: signal.signal,
            idsIn: signal.idsIn,
            onRequest: ({ body }, ids) => {
              must(body.byteLength <= exporter.maxRequestBytes, `a request of ${body.byteLength} bytes`)
              must(ids.length >= 1 && ids.length <= limits.maxExportBatchSize, `a request of ${ids.length} items`)
              must(server.active <= limits.concurrency, `${server.active} requests at once`)
              hold()
            },
            onAnswered: (accepted, refused) =>
              Effect.map(CurrentExport, (current) => {
                current!.answered += accepted
                current!.refused += refused
                current!.requests++
              })
          })
          const tracked = <A, E>(exporting: Effect.Effect<A, E>): Effect.Effect<A, E> =>
            Effect.suspend(() => {
              const current = { answered: 0, refused: 0, requests: 0 }
              running.add(current)
              return Effect.onExit(Effect.provideService(exporting, CurrentExport, current), (exit) =>
                Effect.sync(() => {
                  running.delete(current)
                  if (Exit.isSuccess(exit)) return
                  // What is given up is booked part by part.
                  if (Exit.hasInterrupts(exit)) return
                  must(current.answered + current.refused === 0, "failed after an answer")
                }))
            })
          const scope = yield* Scope.make()
          const random = seeded(seed)
          const pipeline = yield* signal.open(limits, { ...exporter, url }, tracked).pipe(
            Scope.provide(scope),
            Effect.provideService(Transport, server.transport),
            Effect.provideService(Random.Random, { nextDoubleUnsafe: random, nextIntUnsafe: () => 0 }),
            Effect.provideService(Diagnostics.Diagnostics, Diagnostics.make({ level: "debug", write: () => hold() }))
          )
          const { account } = pipeline
          const hold = (): void => {
            must(account.accounted === made, `accounted ${account.accounted} of ${made}`)
            must(account.queued >= 0 && account.queued <= limits.maxQueueSize, `queued ${account.queued}`)
            must(account.inFlight >= 0 && account.inFlight <= account.queued, `in flight ${account.inFlight}`)
            if (isClosed) return
            const held = pipeline.heldBytes()
            must(held <= limits.maxQueueBytes, `${held} bytes held of ${limits.maxQueueBytes}`)
          }
          /** What the destination says; only where nothing is between its answer and the books. */
          const agree = (): void => {
            hold()
            const lost = account.rejectedTotal + account.droppedTotal
            // A batch that was split is booked when its last part has an answer.
            const unbooked = { answered: 0, refused: 0 }
            for (const { answered, refused } of running) {
              unbooked.answered += answered
              unbooked.refused += refused
            }
            must(
              account.exported === server.answered - unbooked.answered,
              `exported ${account.exported}, accepted ${server.answered}, not booked ${unbooked.answered}`
            )
            must(
              account.rejectedTotal === server.refused - unbooked.refused,
              `rejected ${account.rejectedTotal}, refused ${server.refused}, not booked ${unbooked.refused}`
            )
            const missing = made - server.accepted.size
            must(missing <= lost + account.queued, `${missing} missing, ${lost} lost, ${account.queued} queued`)
            must(
              lost + account.queued - missing <= server.unanswered + unbooked.answered,
              `${lost} lost, ${account.queued} queued, but ${missing} missing and ${server.unanswered} unanswered`
            )
            let arrivals = 0
            for (const times of server.accepted.values()) arrivals += times
            must(arrivals - server.accepted.size <= server.unanswered, "twice, though each answer came")
          }
          const settle = Effect.suspend(() => TestClock.adjust(0))
          const fibers: Array<Fiber.Fiber<void>> = []
          for (const step of actions) {
            if (step.action === "make") {
              for (let i = 0; i < step.count; i++) {
                const full = account.queued === 0 && !isClosed ? account.dropped.queue_full ?? 0 : undefined
                pipeline.offer(++made, (i * 37) % (step.size + 1))
                must(full === undefined || (account.dropped.queue_full ?? 0) === full, "no room in an empty queue")
                hold()
              }
            } else if (step.action === "wait") {
              yield* TestClock.adjust(step.millis)
            } else if (step.action === "flush") {
              fibers.push(yield* Effect.forkChild(pipeline.flush))
            } else if (step.action === "abandonedFlush") {
              const fiber = yield* Effect.forkChild(pipeline.flush)
              yield* settle
              yield* Fiber.interrupt(fiber)
            } else {
              isClosed = true
              fibers.push(yield* Effect.forkChild(Scope.close(scope, Exit.void)))
            }
            yield* settle
            agree()
          }
          isClosed = true
          const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
          yield* TestClock.adjust(limits.shutdownTimeout)
          must(closing.pollUnsafe() !== undefined, "not closed at the deadline")
          yield* TestClock.adjust("1 hour")
          yield* Fiber.joinAll([closing, ...fibers])
          agree()
          must(account.queued === 0, `queued ${account.queued} at the end`)
          must(server.active === 0, "a request is under way after the end")
          assert.strictEqual(broken.join("\n"), "")
        }),
      { timeout: 120_000, arbitrary: { runs: 400, size: 30 } }
    )
  })
}
