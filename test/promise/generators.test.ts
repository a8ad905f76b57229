import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { setTimeout as sleep } from "node:timers/promises"
import type { SpanData } from "../../src/model/SpanData.ts"
import { getCurrentSpan, trace, TraceContext, traced, withBaggage } from "../../src/promise/index.ts"
import { record } from "./support.ts"

const here = (): string | undefined => getCurrentSpan()?.name

describe("before initialize", () => {
  it("a generator is the function's own", async () => {
    const own = function*() {
      yield 1
    }
    assert.isTrue(own.prototype.isPrototypeOf(traced(own)()))
    assert.deepStrictEqual([...trace("g", own)], [1])
    const values: Array<number> = []
    for await (
      const value of trace("g", async function*() {
        yield 1
      })
    ) values.push(value)
    assert.deepStrictEqual(values, [1])
  })
})

describe("a generator", () => {
  let spans: () => Promise<ReadonlyArray<SpanData>>
  beforeEach(async () => {
    spans = await record()
  })
  afterEach(() => TraceContext.shutdown())

  const count = traced("count", function*(to: number): Generator<number, string, string | undefined> {
    const heard: Array<string | undefined> = [here()]
    try {
      for (let i = 0; i < to; i++) heard.push(yield i, here())
      return heard.join()
    } finally {
      getCurrentSpan()?.addEvent("closed")
    }
  })

  it("is one span, from the first step to the end; the consumer is not in it", async () => {
    const outside = trace("consumer", () => {
      const steps = count(2)
      assert.deepStrictEqual(steps.next("ignored"), { done: false, value: 0 })
      const outside = here()
      assert.deepStrictEqual(steps.next("a"), { done: false, value: 1 })
      assert.deepStrictEqual(steps.next("b"), { done: true, value: "count,a,count,b,count" })
      assert.isUndefined(steps.next("c").value)
      return outside
    })
    assert.strictEqual(outside, "consumer")
    const [span, consumer] = await spans()
    assert.strictEqual(span!.name, "count")
    assert.strictEqual(span!.parentSpanId, consumer!.spanId)
    assert.strictEqual(span!.status.code, "UNSET")
    assert.deepStrictEqual(span!.events.map(({ name }) => name), ["closed"])
    assert.lengthOf(await spans(), 2)
  })

  it("ends when the consumer breaks off, after its `finally`", async () => {
    for (const value of count(10)) if (value === 1) break
    const [span] = await spans()
    assert.strictEqual(span!.status.code, "UNSET")
    assert.deepStrictEqual(span!.events.map(({ name }) => name), ["closed"])
  })

  it("stays open while `finally` yields", async () => {
    const steps = trace("stubborn", function*() {
      try {
        yield 1
      } finally {
        yield 2
      }
    })
    steps.next()
    assert.deepStrictEqual(steps.return(undefined as never), { done: false, value: 2 })
    assert.lengthOf(await spans(), 0)
    assert.isTrue(steps.next().done)
    assert.lengthOf(await spans(), 1)
  })

  it("records what the body throws, and what is thrown into it and not caught", async () => {
    const steps = trace("caught", function*() {
      try {
        yield 1
      } catch (error) {
        yield (error as Error).message
      }
      throw new RangeError("own")
    })
    steps.next()
    assert.strictEqual(steps.throw(new Error("given")).value, "given")
    assert.throws(() => steps.next(), RangeError, "own")
    const other = count(3)
    other.next("")
    assert.throws(() => other.throw(new TypeError("passed on")), TypeError)
    const [own, given] = await spans()
    assert.deepStrictEqual(own!.status, { code: "ERROR", message: "own" })
    assert.deepStrictEqual(given!.status, { code: "ERROR", message: "passed on" })
  })

  it("that never runs has no span", async () => {
    count(1)
    const steps = count(1)
    assert.deepStrictEqual(steps.return("early"), { done: true, value: "early" })
    assert.isTrue(steps.next("").done)
    assert.throws(() => count(1).throw(new Error("early")), "early")
    assert.lengthOf(await spans(), 0)
    assert.strictEqual((await TraceContext.ledger())!.created, 0)
  })

  it("belongs to where it was made, and takes the baggage from there", async () => {
    const steps = trace("maker", () => withBaggage({ tenant: "blue" }, () => count(1)))
    trace("consumer", () => [...steps])
    const [maker, span] = await spans()
    assert.strictEqual(span!.parentSpanId, maker!.spanId)
    const baggage = withBaggage({ tenant: "red" }, () =>
      trace("g", function*(span) {
        yield span.baggage?.get("tenant")?.value
      }))
    assert.deepStrictEqual([...baggage], ["red"])
    const root = withBaggage({ tenant: "red" }, () => trace("root", function*() {}))
    trace("consumer", () => [...root])
    assert.isUndefined((await spans()).find(({ name }) => name === "root")!.parentSpanId)
  })

  it("that steps itself gets a TypeError, and goes on", async () => {
    const steps: Generator<string> = trace("self", function*() {
      try {
        steps.next()
      } catch (error) {
        yield (error as Error).name
      }
      yield here() ?? "nowhere"
    })
    assert.deepStrictEqual([...steps], ["TypeError", "self"])
    assert.strictEqual((await spans())[0]!.status.code, "UNSET")
  })

  it("keeps this, arguments, name, own properties and what the objects inherit", async () => {
    class Shop {
      readonly currency = "EUR"
    }
    const own = function*(this: Shop, ...prices: ReadonlyArray<number>) {
      for (const price of prices) yield `${price} ${this.currency}`
    }
    const prices = traced(
      "prices",
      { attributes: (...all) => ({ count: all.length }) },
      Object.assign(own, { kept: 1 })
    )
    assert.deepStrictEqual([...prices.call(new Shop(), 1, 2)], ["1 EUR", "2 EUR"])
    assert.strictEqual(prices.name, "own")
    assert.strictEqual(prices.kept, 1)
    assert.isTrue(own.prototype.isPrototypeOf(prices.call(new Shop())))
    assert.strictEqual(String(prices.call(new Shop())), "[object Generator]")
    assert.strictEqual((await spans())[0]!.attributes["count"], 2)
    assert.deepStrictEqual([...traced("bound", own.bind(new Shop()) as (price: number) => Generator<string>)(3)], [
      "3 EUR"
    ])
  })
})

describe("an async generator", () => {
  let spans: () => Promise<ReadonlyArray<SpanData>>
  beforeEach(async () => {
    spans = await record()
  })
  afterEach(() => TraceContext.shutdown())

  const pages = traced("pages", async function*(to: number): AsyncGenerator<string, string, string | undefined> {
    try {
      for (let i = 0; i < to; i++) {
        await trace(`load ${i}`, () => sleep(1))
        const heard = yield `${i} in ${here()}`
        if (heard === "stop") return `stopped in ${here()}`
        await sleep(1)
      }
      return `done in ${here()}`
    } finally {
      await sleep(1)
      getCurrentSpan()?.addEvent("closed")
    }
  })

  it("runs in its span, after each await and each step; the consumer does not", async () => {
    const seen: Array<string | undefined> = []
    await trace("consumer", async () => {
      const steps = pages(2)
      for (let step = await steps.next("");; step = await steps.next("go on")) {
        seen.push(step.value, here())
        await sleep(1)
        seen.push(here())
        if (step.done) break
      }
    })
    assert.deepStrictEqual(seen, [
      "0 in pages",
      "consumer",
      "consumer",
      "1 in pages",
      "consumer",
      "consumer",
      "done in pages",
      "consumer",
      "consumer"
    ])
    const all = await spans()
    assert.deepStrictEqual(all.map(({ name }) => name), ["load 0", "load 1", "pages", "consumer"])
    const [first, second, span, consumer] = all
    assert.strictEqual(first!.parentSpanId, span!.spanId)
    assert.strictEqual(second!.parentSpanId, span!.spanId)
    assert.strictEqual(span!.parentSpanId, consumer!.spanId)
    assert.deepStrictEqual(span!.events.map(({ name }) => name), ["closed"])
  })

  it("ends when the consumer breaks off, and by `return`", async () => {
    for await (const _ of pages(9)) break
    const steps = pages(9)
    await steps.next("")
    assert.deepStrictEqual(await steps.return("enough"), { done: true, value: "enough" })
    const all = (await spans()).filter(({ name }) => name === "pages")
    assert.deepStrictEqual(all.map(({ events, status }) => [events.length, status.code]), [[1, "UNSET"], [1, "UNSET"]])
  })

  it("records what it rejects with, arguments that cannot be taken apart included", async () => {
    const failing = traced("failing", async function*({ at }: { readonly at: number }) {
      for (let i = 0;; i++) {
        if (i === at) throw new RangeError(`at ${i}`)
        yield i
      }
    })
    const messageOf = (promise: Promise<unknown>) => promise.then(String, (error: Error) => error.message)
    assert.strictEqual(await messageOf(failing({ at: 0 }).next()), "at 0")
    assert.include(await messageOf(failing(undefined as never).next()), "undefined")
    assert.deepStrictEqual((await spans()).map(({ status }) => status.code), ["ERROR", "ERROR"])
  })

  it("takes steps that do not wait for each other in order", async () => {
    const steps = pages(2)
    const all = await Promise.all([steps.next(""), steps.next(""), steps.next(""), steps.next("")])
    assert.deepStrictEqual(all.map(({ value }) => value), ["0 in pages", "1 in pages", "done in pages", undefined])
    assert.lengthOf((await spans()).filter(({ name }) => name === "pages"), 1)
  })

  it("that never runs has no span", async () => {
    const steps = pages(1)
    assert.deepStrictEqual(await steps.return("early"), { done: true, value: "early" })
    assert.isTrue((await steps.next("")).done)
    assert.lengthOf(await spans(), 0)
  })
})
