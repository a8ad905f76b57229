import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { AsyncLocalStorage } from "node:async_hooks"
import { Alarm } from "../../src/internal/Alarm.ts"
import { asyncScope } from "../../src/internal/asyncScope.ts"

const second = 1_000_000_000n

const setUp = Effect.fnUntraced(function*(next: () => bigint | undefined = () => undefined) {
  const clock = yield* Clock.Clock
  const context = yield* Effect.context<never>()
  const began = clock.monotonicTimeNanosUnsafe()
  const rung: Array<number> = []
  const alarm = new Alarm({
    context,
    clock,
    detached: asyncScope(),
    ring: () => {
      rung.push(Number(clock.monotonicTimeNanosUnsafe() - began) / 1e9)
      return next()
    }
  })
  return { alarm, rung, at: (seconds: number) => began + BigInt(Math.round(seconds * 1e9)), clock }
})

describe("Alarm", () => {
  it.effect("rings once, at its time", () =>
    Effect.gen(function*() {
      const { alarm, at, rung } = yield* setUp()
      alarm.set(at(5))
      yield* TestClock.adjust("4999 millis")
      assert.deepStrictEqual(rung, [])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(rung, [5])
    }))

  it.effect("an earlier time moves it forward, a later one is left to `ring`", () =>
    Effect.gen(function*() {
      const { alarm, at, rung } = yield* setUp()
      alarm.set(at(5))
      alarm.set(at(9))
      alarm.set(at(2))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(rung, [2])
    }))

  it.effect("rings again when `ring` says so, and when it is set anew", () =>
    Effect.gen(function*() {
      let left = 2
      let last = 0n
      const { alarm, at, rung } = yield* setUp(() => left-- > 0 ? (last += 10n * second) : undefined)
      last = at(5)
      alarm.set(last)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(rung, [5, 15, 25])
      alarm.set(at(70))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(rung, [5, 15, 25, 70])
    }))

  it.effect("does not ring once it is stopped, and can be set again", () =>
    Effect.gen(function*() {
      const { alarm, at, rung } = yield* setUp()
      alarm.set(at(1))
      alarm.stop()
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(rung, [])
      alarm.set(at(6))
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(rung, [6])
    }))

  it.live("by the clock of the machine, too, and outside the async-local values of whoever set it", () =>
    Effect.gen(function*() {
      const storage = new AsyncLocalStorage<string>()
      let seen: string | undefined = "nothing yet"
      const { alarm, clock, rung } = yield* setUp(() => {
        seen = storage.getStore()
        return undefined
      })
      storage.run("a request", () => alarm.set(clock.monotonicTimeNanosUnsafe() + 1_000_000n))
      yield* Effect.repeat(Effect.sleep(1), { until: () => rung.length > 0 }).pipe(Effect.timeout("10 seconds"))
      assert.isUndefined(seen)
    }))
})
