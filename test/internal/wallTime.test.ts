import { assert, describe, it, vi } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { wallTime } from "../../src/internal/wallTime.ts"

// `defaultValue()` makes another one with each call; this is the one that programs are given.
const clock = Context.get(Context.empty(), Clock.Clock)
const millis = (nanos: bigint) => Number(nanos / 1_000n) / 1_000

describe("wallTime", () => {
  it("agrees with the clock behind it, and never runs backwards", () => {
    const now = wallTime(clock)
    let last = 0n
    for (let i = 0; i < 100_000; i++) {
      const time = now()
      assert.isTrue(time >= last)
      last = time
    }
    const before = clock.currentTimeNanosUnsafe()
    const between = now()
    const after = clock.currentTimeNanosUnsafe()
    assert.isTrue(millis(between - before) > -0.1 && millis(after - between) > -0.1, `${before} ${between} ${after}`)
  })

  it("seldom reads the wall clock", () => {
    const now = wallTime(clock)
    const reads = vi.spyOn(Date, "now")
    try {
      for (let i = 0; i < 1_000; i++) now()
      assert.isBelow(reads.mock.calls.length, 100)
    } finally {
      reads.mockRestore()
    }
  })

  it("follows the wall clock when it is set", async () => {
    const now = wallTime(clock)
    now()
    const real = Date.now
    const set = vi.spyOn(Date, "now").mockImplementation(() => real() + 3_600_000)
    try {
      await new Promise((resolve) => setTimeout(resolve, 110))
      assert.isTrue(millis(now()) - real() > 3_599_000)
    } finally {
      set.mockRestore()
    }
    // Effect's own clock, too, finds back only when it is read.
    clock.currentTimeNanosUnsafe()
  })

  it.effect("obeys another clock", () =>
    Effect.gen(function*() {
      const test = yield* Clock.Clock
      assert.strictEqual(wallTime(test)(), test.currentTimeNanosUnsafe())
    }))
})
