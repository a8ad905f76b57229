import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { vi } from "vitest"
import type * as Buffers from "../../src/internal/buffers.ts"
import type * as Module from "../../src/internal/byteWriter.ts"

const load = async (native: boolean): Promise<typeof Module & typeof Buffers> => {
  vi.resetModules()
  if (!native) vi.stubGlobal("Buffer", undefined)
  const modules = {
    ...await import("../../src/internal/byteWriter.ts"),
    ...await import("../../src/internal/buffers.ts")
  }
  vi.unstubAllGlobals()
  return modules
}

/** Base 128, least significant group first, by the book. */
const varint = (value: bigint): Array<number> => {
  const out: Array<number> = []
  for (let rest = BigInt.asUintN(64, value);; rest >>= 7n) {
    if (rest < 0x80n) return [...out, Number(rest)]
    out.push(Number(rest & 0x7fn) | 0x80)
  }
}

const utf8 = (text: string): Array<number> => [...new TextEncoder().encode(text)]

const texts = [
  "",
  "short",
  "exactly twenty chars",
  "more than twenty ascii characters",
  "é",
  "short é \ud800",
  "more than twenty characters with é and \udfff inside",
  "\ud83d\ude00".repeat(40),
  "x".repeat(127),
  "é".repeat(64),
  "漢".repeat(5000),
  "x".repeat(20_000)
]

for (const native of [true, false]) {
  describe(native ? "ByteWriter" : "ByteWriter without Buffer", async () => {
    const { allocate, ByteWriter, chunkSize, recordTooLarge, utf8Length, varintSize } = await load(native)

    it("writes text as UTF-8, with or without its length, at any fill of the buffer", () => {
      for (const text of texts) {
        assert.strictEqual(utf8Length(text), utf8(text).length)
        for (const offset of [0, 1, 900, 1023]) {
          const writer = new ByteWriter(allocate(0))
          for (let i = 0; i < offset; i++) writer.byte(i)
          writer.delimitedUtf8(text)
          assert.strictEqual(writer.utf8(text), utf8(text).length)
          writer.byte(7)
          const expected = [...varint(BigInt(utf8(text).length)), ...utf8(text), ...utf8(text), 7]
          assert.deepStrictEqual([...writer.toBytes().subarray(offset)], expected)
        }
      }
    })

    it.prop("writes any text as UTF-8", { text: Schema.String }, ({ text }) => {
      const writer = new ByteWriter(allocate(0))
      writer.delimitedUtf8(text)
      assert.deepStrictEqual([...writer.toBytes()], [...varint(BigInt(utf8(text).length)), ...utf8(text)])
    })

    it.prop("writes varints", {
      number: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
      bigint: Arbitrary.schema(
        Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: -(2n ** 63n), maximum: 2n ** 64n - 1n }))
      )
    }, ({ bigint, number }) => {
      const writer = new ByteWriter(allocate(0))
      writer.varint(number)
      assert.strictEqual(writer.pos, varintSize(number))
      writer.varintBigInt(bigint)
      assert.deepStrictEqual([...writer.toBytes()], [...varint(BigInt(number)), ...varint(bigint)])
    })

    it("writes varints at the edges of each size", () => {
      for (let bits = 0n; bits <= 64n; bits++) {
        for (const value of [2n ** bits - 1n, 2n ** bits, -(2n ** bits)]) {
          const writer = new ByteWriter(allocate(0))
          writer.varintBigInt(value)
          assert.deepStrictEqual([...writer.toBytes()], varint(value))
          const number = Number(value)
          if (number < 0 || !Number.isSafeInteger(number)) continue
          writer.pos = 0
          writer.varint(number)
          assert.deepStrictEqual([...writer.toBytes()], varint(value))
        }
      }
    })

    it("puts the length of nested parts in front of them, also while the buffer grows", () => {
      for (const size of [0, 1, 127, 128, 16_383, 16_384, 70_000]) {
        const writer = new ByteWriter(allocate(0))
        writer.byte(1)
        const outer = writer.begin()
        const inner = writer.begin()
        for (let i = 0; i < size; i++) writer.byte(9)
        writer.end(inner)
        writer.end(outer)
        writer.byte(2)
        const part = [...varint(BigInt(size)), ...new Array<number>(size).fill(9)]
        assert.deepStrictEqual([...writer.toBytes()], [1, ...varint(BigInt(part.length)), ...part, 2])
      }
    })

    it("moves only the record that does not fit, and leaves the buffer before it alone", () => {
      const writer = new ByteWriter(allocate(0))
      for (let i = 0; i < chunkSize - 20; i++) writer.byte(5)
      const before = writer.bytes
      writer.mark = writer.pos
      writer.byte(1)
      const begun = writer.begin()
      for (let i = 0; i < 100; i++) writer.byte(6)
      writer.end(begun)
      assert.notStrictEqual(writer.bytes, before)
      assert.strictEqual(writer.mark, 0)
      assert.deepStrictEqual([...writer.toBytes()], [1, 100, ...new Array<number>(100).fill(6)])
      assert.isTrue(before.subarray(0, chunkSize - 20).every((byte) => byte === 5))
      assert.strictEqual(writer.capacity, before.length + writer.bytes.length)
      writer.trim()
      assert.strictEqual(writer.bytes.length, 102)
      assert.strictEqual(writer.capacity, before.length + 102)
    })

    it("gives up on a record beyond the limit before it reserves the memory", () => {
      const writer = new ByteWriter(allocate(0))
      writer.limit = 10_000
      let thrown: unknown
      try {
        writer.utf8("x".repeat(1_000_000))
      } catch (error) {
        thrown = error
      }
      assert.strictEqual(thrown, recordTooLarge)
      assert.isAtMost(writer.capacity, 10_000)
    })
  })
}
