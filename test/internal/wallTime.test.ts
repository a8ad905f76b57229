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
    const { now } = wallTime(clock)
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
    const { now } = wallTime(clock)
    const reads = vi.spyOn(Date, "now")
    try {
      for (let i = 0; i < 1_000; i++) now()
      assert.isBelow(reads.mock.calls.length, 100)
    } finally {
      reads.mockRestore()
    }
  })

  it("follows the wall clock when it is set", async () => {
    const { now } = wallTime(clock)
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

  for (const hours of [1, -1]) {
    it(`knows how long something took while the wall clock was set by ${hours} hours`, async () => {
      const { endOf, now } = wallTime(clock)
      const before = now()
      const real = Date.now
      const set = vi.spyOn(Date, "now").mockImplementation(() => real() + hours * 3_600_000)
      try {
        await new Promise((resolve) => setTimeout(resolve, 150))
        const after = clock.currentTimeNanosUnsafe()
        const took = millis(endOf(before, after) - before)
        assert.isTrue(took > 100 && took < 60_000, String(took))
        // What began afterwards is as it is, however long it takes.
        const fresh = now()
        assert.strictEqual(endOf(fresh, fresh + 5_000_000_000n), fresh + 5_000_000_000n)
      } finally {
        set.mockRestore()
        clock.currentTimeNanosUnsafe()
      }
    })
  }

  it("leaves alone what took long", () => {
    const { endOf, now } = wallTime(clock)
    const end = now()
    assert.strictEqual(endOf(end - 7_200_000_000_000n, end), end)
    assert.strictEqual(endOf(end, end - 5n), end - 5n)
  })

  it.effect("obeys another clock", () =>
    Effect.gen(function*() {
      const test = yield* Clock.Clock
      assert.strictEqual(wallTime(test).now(), test.currentTimeNanosUnsafe())
    }))
})
