import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { ReadableSpan } from "../../src/model/ReadableSpan.ts"
import * as OtlpDecoder from "../../src/otlp/OtlpDecoder.ts"
import * as OtlpJson from "../../src/otlp/OtlpJson.ts"
import * as OtlpProtobuf from "../../src/otlp/OtlpProtobuf.ts"
import { make } from "./spans.ts"

const attributeList = (i: number): ReadableSpan["attributeList"] => [
  "http.request.method",
  "GET",
  "http.route",
  "/orders/:id",
  "url.full",
  `https://shop.example.com/orders/${i}`,
  "http.response.status_code",
  200,
  "user.id",
  `user-${i}`,
  "order.total",
  i + 0.5
]

for (const module of [OtlpProtobuf, OtlpJson]) {
  const { contentType, makeSpanBatch } = module.encoder
  const decode = (body: Uint8Array) => Result.getOrThrow(OtlpDecoder.decode(contentType, body))

  describe(`a batch of ${contentType}`, () => {
    it("is empty before the first span", () => {
      const batch = makeSpanBatch()
      assert.strictEqual(batch.count, 0)
      assert.isAtMost(batch.bytes, 1024)
      assert.strictEqual(batch.toBody().length, 0)
      assert.isUndefined(batch.split())
    })

    it("holds at most 1.3 bytes of memory for each encoded byte", () => {
      for (const count of [512, 700, 1000, 4096]) {
        const batch = makeSpanBatch()
        for (let i = 0; i < count; i++) batch.add(make({ attributeList: attributeList(i) }), Infinity)
        assert.isAtMost(batch.bytes, batch.toBody().length * 1.3)
      }
    })

    it("holds little more than one large span", () => {
      const batch = makeSpanBatch()
      assert.isTrue(batch.add(make({ attributeList: ["k", "x".repeat(1_000_000)] }), Infinity))
      assert.isAtMost(batch.bytes, 1_010_000)
      assert.isTrue(batch.add(make({ attributeList: ["k", "x".repeat(50_000)] }), Infinity))
      assert.isTrue(batch.add(make(), Infinity))
      assert.deepStrictEqual(decode(batch.toBody()).map((span) => String(span.attributes.k ?? "").length), [
        1_000_000,
        50_000,
        0
      ])
    })

    it("gives back what is unused when it is sealed, and stays what it was", () => {
      const scopes = [{ name: "one" }, { name: "two" }]
      for (const count of [1, 2, 30]) {
        const batch = makeSpanBatch()
        for (let i = 0; i < count; i++) {
          batch.add(make({ name: `span ${i}`, scope: scopes[i & 1]!, attributeList: attributeList(i) }), Infinity)
        }
        const body = batch.toBody()
        batch.seal()
        assert.isAtMost(batch.bytes, body.length * 1.3 + count * 192 + 1200)
        assert.deepStrictEqual(batch.toBody(), body)
        const halves = batch.split()
        if (count > 1) {
          const names = halves!.flatMap((half) => decode(half.toBody()).map((span) => span.name))
          assert.deepStrictEqual(names.sort(), decode(body).map((span) => span.name).sort())
        }
      }
    })

    it("takes the memory of a batch that was released, and never that of one that was not", () => {
      const open: Array<{ readonly batch: ReturnType<typeof makeSpanBatch>; readonly values: Array<string> }> = []
      const verify = ({ batch, values }: (typeof open)[number]): void => {
        const spans = values.length === 0 ? [] : decode(batch.toBody())
        assert.deepStrictEqual(spans.map((span) => span.attributes.k), values)
      }
      let state = 7
      const random = (below: number): number => (state = Math.imul(state, 1_103_515_245) + 12_345 >>> 0) % below
      for (let step = 0; step < 400; step++) {
        if (open.length < 6) open.push({ batch: makeSpanBatch(), values: [] })
        const one = open[random(open.length)]!
        for (let i = random(20); i >= 0; i--) {
          const value = `${step} ${i} ${"v".repeat(random(3) === 0 ? random(40_000) : random(600))}`
          // Refused where it does not fit, which must not touch the others either.
          if (one.batch.add(make({ attributeList: ["k", value] }), 200_000)) one.values.push(value)
        }
        if (random(3) === 0) {
          one.batch.seal()
          for (const each of open) verify(each)
          one.batch.release()
          open.splice(open.indexOf(one), 1)
        }
      }
    })

    it("writes its body into memory at hand, when that is large enough", () => {
      const batch = makeSpanBatch()
      batch.add(make({ name: "here" }), Infinity)
      const body = batch.toBody()
      const large = new Uint8Array(body.length + 100).fill(255)
      const reused = batch.toBody(large)
      assert.strictEqual(reused.buffer, large.buffer)
      assert.deepStrictEqual(new Uint8Array(reused), new Uint8Array(body))
      assert.notStrictEqual(batch.toBody(new Uint8Array(10)).length, 10)
    })

    it("fills the bytes it is given", () => {
      const maxBytes = 100_000
      const batch = makeSpanBatch()
      while (batch.add(make({ attributeList: attributeList(batch.count) }), maxBytes));
      assert.isAtMost(batch.bytes, maxBytes)
      assert.isAtLeast(batch.toBody().length, maxBytes * 0.8)
    })

    it("refuses a span of hostile parts without throwing, and goes on", () => {
      const batch = makeSpanBatch()
      assert.isTrue(batch.add(make({ name: "first" }), Infinity))
      const before = batch.bytes
      const circular: Array<unknown> = []
      circular.push(circular)
      const hostile: ReadonlyArray<Partial<Record<keyof ReadableSpan, unknown>>> = [
        { startTimeUnixNano: 12 },
        { name: undefined },
        { name: 1 },
        { attributeList: [1, 2] },
        { traceState: 1 },
        { eventList: null },
        { attributeList: ["k", circular] },
        {
          attributeList: ["k", {
            get k() {
              throw new Error("no")
            }
          }]
        },
        { scope: { name: 1 } },
        { resource: null }
      ]
      for (const fields of hostile) {
        assert.isFalse(batch.add(make(fields as Partial<ReadableSpan>), 10_000_000))
        assert.strictEqual(batch.bytes, before)
      }
      assert.strictEqual(batch.refusal, "unserializable")
      assert.isTrue(batch.add(make({ name: "second" }), Infinity))
      assert.isUndefined(batch.refusal)
      assert.deepStrictEqual(decode(batch.toBody()).map((span) => span.name), ["first", "second"])
    })

    it("keeps spans of alternating scopes together, in order", () => {
      const scopes = [{ name: "one" }, { name: "two" }, { name: "one" }]
      const batch = makeSpanBatch()
      for (let i = 0; i < 300; i++) batch.add(make({ name: `span ${i}`, scope: scopes[i % 3]! }), Infinity)
      const spans = decode(batch.toBody())
      assert.deepStrictEqual(
        spans.map((span) => span.name),
        [0, 1, 2].flatMap((scope) => Array.from({ length: 100 }, (_, i) => `span ${i * 3 + scope}`))
      )
      // Equal scopes that are not the same object stay apart.
      assert.strictEqual(new Set(spans.map((span) => span.scope)).size, 3)
    })

    it("writes the same for a text that is cached and one that is not", () => {
      const encoder = module.make()
      const encode = (value: string, i: number): string => {
        const batch = encoder.makeSpanBatch()
        const name = i % 2 === 0 ? "steady" : `name ${i} ${"n".repeat(i % 300)}`
        batch.add(make({ name, attributeList: ["a", value, `key ${i % 1500}`, value, "a.b", i] }), Infinity)
        const [span] = decode(batch.toBody())
        assert.strictEqual(span!.name, name)
        assert.strictEqual(span!.attributes["a.b"], i)
        assert.strictEqual(span!.attributes[`key ${i % 1500}`], value)
        return span!.attributes.a as string
      }
      // Phases of few and of many values, beyond all bounds of the cache.
      for (let i = 0; i < 6000; i++) {
        const value = (i >>> 9) % 2 === 0 ? `value ${i % 7}` : `é ${i}`
        assert.strictEqual(encode(value, i), value)
      }
    })
  })
}
