import { assert, describe, it } from "@effect/vitest"
import { Recurrence } from "../../../src/sampling/adaptive/recurrence.ts"

describe("Recurrence", () => {
  it("knows what it saw, and takes few others for it", () => {
    const recurrence = new Recurrence(10_000, 600)
    for (let i = 0; i < 5_000; i++) recurrence.seen(`GET /orders/${i}`, 0)
    for (let i = 0; i < 5_000; i++) assert.isTrue(recurrence.seen(`GET /orders/${i}`, 1))
    let mistaken = 0
    for (let i = 0; i < 5_000; i++) if (recurrence.seen(`GET /users/${i}`, 1)) mistaken++
    assert.isBelow(mistaken, 100)
  })

  it("remembers for one to two generations, by age and by number", () => {
    const recurrence = new Recurrence(1_000, 10)
    recurrence.seen("a", 0)
    assert.isTrue(recurrence.seen("a", 11))
    assert.isTrue(recurrence.seen("a", 22))
    assert.isFalse(recurrence.seen("a", 60) && recurrence.seen("b", 60))
    recurrence.seen("c", 61)
    for (let i = 0; i < 2_500; i++) recurrence.seen(`key ${i}`, 62)
    assert.isFalse(recurrence.seen("c", 62))
  })

  it("takes 75 KB for what 50 new keys per second are in ten minutes", () =>
    assert.isBelow(new Recurrence(30_000, 600).size, 76_000))
})
