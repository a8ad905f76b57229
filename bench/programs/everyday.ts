/**
 * A little of everything that a program of some size does with Effect, done before anything is measured.
 *
 * A program that knows five kinds of effects is one in which the engine specialises Effect's own code for those five.
 * Whoever adds a sixth, as every tracer that exports does, then pays for all spans of the program; in a real program
 * nobody does. The no-op tracer would be measured in a world that no user lives in.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"

class Clash extends Data.TaggedError("Clash")<{ readonly id: number }> {}

class Repository extends Context.Service<Repository, { readonly find: (id: number) => Effect.Effect<number, Clash> }>()(
  "bench/Repository"
) {}

class Region extends Context.Reference<string>("bench/Region", { defaultValue: () => "eu" }) {}

const Order = Schema.Struct({ id: Schema.Number, tags: Schema.Array(Schema.String) })

const repository = Layer.effect(
  Repository,
  Effect.acquireRelease(
    Effect.sync(() => ({ find: (id: number) => id % 5 === 0 ? Effect.fail(new Clash({ id })) : Effect.succeed(id) })),
    () => Effect.void
  )
)

const failing = (i: number) =>
  Effect.gen(function*() {
    const { find } = yield* Repository
    const found = yield* find(i).pipe(
      Effect.catchTag("Clash", ({ id }) => Effect.succeed(id + 1)),
      Effect.onExit(() => Effect.void),
      Effect.ensuring(Effect.void),
      Effect.tap((id) => Effect.sync(() => id)),
      Effect.mapError((error) => error)
    )
    const missing = yield* Effect.result(find(i - i % 5))
    const caught = yield* Effect.exit(Effect.suspend(() => Effect.die(new Error("defect"))))
    const option = yield* Effect.option(Effect.fail("no"))
    return found + (missing._tag === "Failure" ? 1 : 0) + (caught._tag === "Failure" ? 1 : 0) +
      (Option.isSome(option) ? 1 : 0)
  })

const waiting = Effect.gen(function*() {
  yield* Effect.promise(() => Promise.resolve())
  yield* Effect.tryPromise(() => Promise.reject(new Error("refused"))).pipe(Effect.ignore)
  yield* Effect.callback<number>((resume) => {
    setImmediate(() => resume(Effect.succeed(1)))
  })
  yield* Effect.sleep(Duration.millis(0))
  yield* Effect.yieldNow
  yield* Effect.timeoutOption(Effect.never, Duration.millis(0))
  return yield* Effect.retry(Effect.fail("again"), Schedule.recurs(2)).pipe(Effect.orElseSucceed(() => "given up"))
})

const together = Effect.gen(function*() {
  const fiber = yield* Effect.forkChild(Effect.succeed(1))
  yield* Fiber.join(fiber)
  yield* Effect.all([Effect.succeed(1), Effect.yieldNow, Effect.sync(() => 2)], { concurrency: 2 })
  yield* Effect.forEach([1, 2, 3], (n) => Effect.succeed(n * 2), { concurrency: "unbounded" })
  yield* Effect.race(Effect.yieldNow, Effect.never)
  const semaphore = yield* Semaphore.make(1)
  yield* semaphore.withPermits(1)(Effect.void)
  const deferred = yield* Deferred.make<number>()
  yield* Deferred.succeed(deferred, 1)
  yield* Deferred.await(deferred)
  const set = yield* FiberSet.make<number>()
  yield* FiberSet.run(set, Effect.succeed(1))
  const waiter = yield* Effect.forkChild(Effect.never)
  yield* Fiber.interrupt(waiter)
})

const passing = Effect.gen(function*() {
  const queue = yield* Queue.unbounded<number>()
  yield* Queue.offerAll(queue, [1, 2, 3])
  yield* Queue.take(queue)
  const topic = yield* PubSub.unbounded<number>()
  yield* PubSub.publish(topic, 1)
  const ref = yield* Ref.make(0)
  yield* Ref.update(ref, (n) => n + 1)
  const sum = yield* Stream.runFold(
    Stream.make(1, 2, 3).pipe(Stream.map((n) => n + 1), Stream.mapEffect((n) => Effect.succeed(n))),
    () => 0,
    (a, b) => a + b
  )
  yield* Schema.decodeUnknownEffect(Order)({ id: sum, tags: ["a"] })
  yield* Effect.logDebug("not shown")
})

const scoped = Effect.gen(function*() {
  yield* Effect.acquireUseRelease(Effect.succeed(1), (n) => Effect.succeed(n), () => Effect.void)
  yield* Effect.addFinalizer(() => Effect.void)
  yield* Effect.uninterruptibleMask((restore) => restore(Effect.void))
  yield* Effect.provideService(Region, Region, "us")
  return yield* Effect.provide(Repository, repository)
})

/** Runs it often enough for the engine to have seen it. */
export const everyday: Effect.Effect<void> = Effect.gen(function*() {
  for (let i = 0; i < 200; i++) {
    yield* failing(i)
    yield* waiting
    yield* together
    yield* passing
    yield* scoped
  }
}).pipe(Effect.scoped, Effect.provide(repository), Effect.orDie)
