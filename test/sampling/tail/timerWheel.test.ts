import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { type Timed, TimerWheel } from "../../../src/sampling/tail/timerWheel.ts"

class Item implements Timed<Item> {
  readonly name: number
  dueAt = 0
  slot = -1
  nextTimed: Item | undefined = undefined
  previousTimed: Item | undefined = undefined
  constructor(name: number) {
    this.name = name
  }
}

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

describe("TimerWheel", () => {
  it.prop(
    "rings each deadline once, never early, and at most 100 ms after it when woken as it asks",
    {
      steps: Schema.Array(Schema.Union([
        Schema.Struct({ do: Schema.Literal("set"), item: between(0, 9), in: between(0, 200_000) }),
        Schema.Struct({ do: Schema.Literal("remove"), item: between(0, 9) }),
        Schema.Struct({ do: Schema.Literal("wait"), millis: between(0, 70_000) })
      ])).check(Schema.isMaxLength(60))
    },
    ({ steps }) => {
      const wheel = new TimerWheel<Item>()
      const items = Array.from({ length: 10 }, (_, name) => new Item(name))
      const due = new Map<number, number>()
      let now = 123_456
      const ring = (at: number) =>
        wheel.advance(at, (item) => {
          const deadline = due.get(item.name)
          assert.isDefined(deadline, "rings once")
          assert.isTrue(deadline! <= at, "not early")
          assert.isTrue(at - deadline! <= 100, "not late")
          due.delete(item.name)
        })
      const waitUntil = (end: number) => {
        for (let rounds = 0;; rounds++) {
          assert.isBelow(rounds, 10_000, "asks to be woken without end")
          const { next } = wheel
          if (next === undefined || next > end) break
          now = Math.max(now, next)
          ring(now)
        }
        now = end
      }
      for (const step of steps) {
        if (step.do === "set") {
          due.set(step.item, now + step.in)
          wheel.set(items[step.item]!, now + step.in, now)
        } else if (step.do === "remove") {
          due.delete(step.item)
          wheel.remove(items[step.item]!)
        } else waitUntil(now + step.millis)
        assert.strictEqual(wheel.size, due.size)
      }
      waitUntil(now + 300_000)
      assert.strictEqual(due.size, 0)
    },
    { arbitrary: { runs: 300, size: 60 } }
  )
})
