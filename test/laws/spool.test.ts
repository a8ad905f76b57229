/**
 * Nothing is lost that was made: the whole way to a destination by way of a disk, over several layers that follow each
 * other in one directory, against a destination that does what the generator says.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ShutdownDeadline } from "../../src/delivery/ShutdownDeadline.ts"
import * as Spool from "../../src/delivery/Spool.ts"
import { Transport } from "../../src/delivery/Transport.ts"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import { judge } from "../delivery/faults.ts"
import { seeded } from "../delivery/spool/fakeDisk.ts"
import { actions, between, faults, limits, protocol, retry, url } from "./programs.ts"
import { type Pipeline, signals } from "./signals.ts"

const Program = Schema.Struct({
  actions: actions(["flush", "flush", "abandonedFlush", "reopen"]),
  faults,
  seed: between(0, 1e9),
  limits: Schema.Struct(limits),
  exporter: Schema.Struct({
    protocol,
    // Larger than any batch: what goes to the disk whole is sent whole.
    maxRequestBytes: between(50_000, 100_000),
    timeout: between(1, 12_000),
    retry: Schema.Struct(retry)
  }),
  spool: Schema.Struct({
    mode: Schema.Literals(["overflow", "always"]),
    maxBytes: Schema.Literals([20_000, 1e8]),
    isFull: Schema.Literals([false, false, false, true])
  })
})

/** A layer of the program's, until it closes. */
interface Generation {
  readonly pipeline: Pipeline
  readonly scope: Scope.Closeable
  readonly deadline: ShutdownDeadline
  made: number
  isClosed: boolean
}

for (const signal of signals) {
  describe(`conservation by way of a disk, ${signal.name}`, () => {
    it.effect.prop(
      "holds at every moment, and in the end every item is at the destination or counted with a reason",
      [Program],
      ([{ actions, exporter, faults, limits, seed, spool }]) =>
        Effect.gen(function*() {
          const directory = mkdtempSync(join(tmpdir(), "spool-law-"))
          yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(directory, { recursive: true, force: true })))
          const random = seeded(seed)
          const broken: Array<string> = []
          const must = (holds: boolean, what: string): void => {
            if (!holds) broken.push(what)
          }
          let made = 0
          const hasRoom = !spool.isFull && spool.maxBytes > 1e6
          const server = judge({
            faults,
            signal: signal.signal,
            idsIn: signal.idsIn,
            onRequest: ({ body }) => {
              must(body.byteLength <= exporter.maxRequestBytes, `a request of ${body.byteLength} bytes`)
              // The spool has a sender of its own.
              must(server.active <= limits.concurrency + 1, `${server.active} requests at once`)
            }
          })

          const generations: Array<Generation> = []
          const open = Effect.gen(function*() {
            const scope = yield* Scope.make()
            const deadline: ShutdownDeadline = { at: undefined }
            const pipeline = yield* signal.open(limits, { ...exporter, url }).pipe(
              Scope.provide(scope),
              Effect.provideService(Transport, server.transport),
              Effect.provideService(
                Spool.Spool,
                Spool.make({ ...spool, directory, minFreeBytes: spool.isFull ? 2 ** 60 : 0 })
              ),
              Effect.provideService(ShutdownDeadline, deadline),
              Effect.provideService(Random.Random, { nextDoubleUnsafe: random, nextIntUnsafe: () => 0 }),
              Effect.provideService(Diagnostics.Diagnostics, Diagnostics.make({ level: "none" }))
            )
            const generation: Generation = { pipeline, scope, deadline, made: 0, isClosed: false }
            generations.push(generation)
            return generation
          })
          const close = (generation: Generation) =>
            Effect.gen(function*() {
              const { account } = generation.pipeline
              generation.isClosed = true
              const now = yield* Effect.clockWith((clock) => Effect.succeed(clock.monotonicTimeNanosUnsafe()))
              generation.deadline.at = now + BigInt(limits.shutdownTimeout) * 1_000_000n
              const closing = yield* Effect.forkChild(Scope.close(generation.scope, Exit.void))
              yield* TestClock.adjust(limits.shutdownTimeout)
              must(closing.pollUnsafe() !== undefined, "not closed at the deadline")
              yield* TestClock.adjust("1 second")
              yield* Fiber.join(closing)
              must(account.queued === 0, `queued ${account.queued} after closing`)
              must(server.active === 0, "a request is under way after closing")
            })
          /** Items on the disk, known or not. */
          const kept = (): number =>
            generations.reduce((sum, { pipeline: { account } }) => sum + account.spooled - account.recovered, 0)
          const hold = (): void => {
            let lost = 0
            let rescued = 0
            let exported = 0
            /** What the layers before left on the disk. */
            let left = 0
            for (const [index, { isClosed, made, pipeline }] of generations.entries()) {
              const { account } = pipeline
              must(account.accounted === made, `accounted ${account.accounted} of ${made} in layer ${index}`)
              must(account.queued >= 0 && account.queued <= limits.maxQueueSize, `queued ${account.queued}`)
              must(account.spooled >= 0, `spooled ${account.spooled}`)
              lost += account.rejectedTotal + account.droppedTotal
              must(!hasRoom || account.droppedTotal === 0, `dropped, with room: ${JSON.stringify(account.dropped)}`)
              exported += account.exported
              // A layer knows what it found once it has read it.
              must(account.recovered <= left, `recovered ${account.recovered} of ${left}`)
              left += account.spooled - account.recovered
              if (isClosed) continue
              rescued = account.queued + left
              must(pipeline.heldBytes() <= limits.maxQueueBytes, `${pipeline.heldBytes()} bytes held`)
            }
            must(
              made === exported + lost + rescued,
              `${made} made, ${exported} exported, ${lost} lost, ${rescued} kept`
            )
            must(exported <= server.answered, `exported ${exported}, accepted ${server.answered}`)
            const missing = made - server.accepted.size
            must(missing <= lost + rescued, `${missing} missing, ${lost} lost, ${rescued} kept`)
          }
          const settle = Effect.suspend(() => TestClock.adjust(0))

          let current = yield* open
          yield* settle
          for (const step of actions) {
            const { pipeline } = current
            if (step.action === "make") {
              for (let i = 0; i < step.count; i++) {
                current.made++
                pipeline.offer(++made, (i * 37) % (step.size + 1))
              }
            } else if (step.action === "wait") {
              yield* TestClock.adjust(step.millis)
            } else if (step.action === "flush") {
              yield* Effect.forkChild(pipeline.flush)
            } else if (step.action === "abandonedFlush") {
              const fiber = yield* Effect.forkChild(pipeline.flush)
              yield* settle
              yield* Fiber.interrupt(fiber)
            } else {
              yield* close(current)
              current = yield* open
            }
            yield* settle
            hold()
          }
          // The last layer finds a destination that takes everything, and has more time than any pause lasts.
          yield* close(current)
          server.heal()
          current = yield* open
          yield* TestClock.adjust("2 minutes")
          hold()
          must(kept() === 0, `${kept()} still spooled`)
          yield* close(current)
          let arrivals = 0
          for (const times of server.accepted.values()) arrivals += times
          // A batch in parts may be given up after some of them were accepted, and goes to the disk whole.
          const isWhole = faults.every(({ kind }) => kind !== "413")
          must(!isWhole || arrivals - server.accepted.size <= server.unanswered, "twice, though each answer came")
          assert.strictEqual(broken.slice(0, 9).join("\n"), "")
        }).pipe(Effect.scoped),
      { timeout: 300_000, arbitrary: { runs: 80, size: 30 } }
    )
  })
}
