import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import {
  ExponentialHistogram,
  indexOf,
  lowerBound,
  midpoint,
  relativeError
} from "../../src/metrics/ExponentialHistogram.ts"

const options = { arbitrary: { runs: 200, size: 60 } }

/** Doubles of every exponent, and not only of those near one, in which a random generator prefers to live. */
const Wide = Schema.Struct({
  mantissa: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 20 })),
  exponent: Schema.Int.check(Schema.isBetween({ minimum: -1074, maximum: 1022 })),
  isNegative: Schema.Boolean
})
const toDouble = ({ exponent, isNegative, mantissa }: typeof Wide.Type): number => {
  const value = mantissa === 0 ? 0 : (1 + mantissa / 2 ** 21) * 2 ** exponent
  return isNegative ? -value : value
}
const Integer = Schema.Int.check(Schema.isBetween({ minimum: -1_000_000, maximum: 1_000_000 }))
const size = Schema.Int.check(Schema.isBetween({ minimum: 2, maximum: 200 }))

const of = (values: ReadonlyArray<number>, maxSize?: number): ExponentialHistogram => {
  const histogram = new ExponentialHistogram({ maxSize })
  for (const value of values) histogram.record(value)
  return histogram
}

const merged = (...parts: ReadonlyArray<ExponentialHistogram>): ExponentialHistogram => {
  const whole = new ExponentialHistogram({ maxSize: parts[0]!.maxSize })
  for (const part of parts) whole.merge(part)
  return whole
}

const show = (histogram: ExponentialHistogram): object => ({
  scale: histogram.scale,
  count: histogram.count,
  sum: histogram.sum,
  min: histogram.min,
  max: histogram.max,
  zeroCount: histogram.zeroCount,
  positive: bucketsOf(histogram.positive),
  negative: bucketsOf(histogram.negative)
})

const bucketsOf = (buckets: ExponentialHistogram["positive"]): ReadonlyArray<readonly [number, number]> =>
  buckets.toArray().map((count, i) => [buckets.low + i, count] as const).filter(([, count]) => count > 0)

const sum = (counts: ReadonlyArray<number>): number => counts.reduce((a, b) => a + b, 0)

describe("ExponentialHistogram", () => {
  it.prop("counts every value once, in no more buckets than allowed, whatever the scale becomes", {
    values: Schema.Array(Wide),
    size
  }, ({ size, values }) => {
    const numbers = values.map(toDouble)
    const histogram = of(numbers, size)
    const positive = histogram.positive.toArray()
    const negative = histogram.negative.toArray()
    assert.strictEqual(histogram.count, numbers.length)
    assert.strictEqual(sum(positive), numbers.filter((value) => value > 0).length)
    assert.strictEqual(sum(negative), numbers.filter((value) => value < 0).length)
    assert.strictEqual(histogram.zeroCount, numbers.filter((value) => value === 0).length)
    assert.isAtMost(positive.length, size)
    assert.isAtMost(negative.length, size)
  }, options)

  it.prop("a value lies between the bounds of its bucket", {
    value: Wide,
    scale: Schema.Int.check(Schema.isBetween({ minimum: -10, maximum: 20 }))
  }, ({ scale, value }) => {
    const number = Math.abs(toDouble(value))
    if (number === 0) return
    const index = indexOf(number, scale)
    // The bounds themselves are rounded.
    const slack = 1 + 1e-12
    assert.isAtMost(lowerBound(index, scale), number * slack)
    assert.isAtLeast(lowerBound(index + 1, scale) * slack, number)
  }, options)

  it("upper bounds are inclusive, exactly so at every power of two", () => {
    for (let exponent = -1074; exponent <= 1023; exponent++) {
      for (const scale of [-10, -1, 0, 1, 5, 20]) {
        const index = indexOf(2 ** exponent, scale)
        const expected = scale > 0 ? exponent * 2 ** scale - 1 : Math.floor((exponent - 1) / 2 ** -scale)
        assert.strictEqual(index, expected, `2^${exponent} at scale ${scale}`)
      }
    }
  })

  it.prop("every quantile is within the relative error of the scale", {
    values: Schema.NonEmptyArray(Wide),
    q: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
  }, ({ q, values }) => {
    const numbers = values.map(toDouble).sort((a, b) => a - b)
    const histogram = of(numbers)
    const exact = numbers[Math.max(1, Math.ceil(q * numbers.length)) - 1]!
    const error = Math.abs(histogram.quantile(q) - exact)
    // Below the normal doubles a step is no longer small beside the value.
    assert.isAtMost(error, Math.abs(exact) * (relativeError(histogram.scale) + 1e-9) + Number.MIN_VALUE)
  }, options)

  it("distributions that are hard on it keep the bound", () => {
    const hard: ReadonlyArray<readonly [string, ReadonlyArray<number>]> = [
      ["growing by a step of one bucket", Array.from({ length: 5_000 }, (_, i) => 1.0001 ** i)],
      ["from both ends inwards", Array.from({ length: 200 }, (_, i) => i % 2 === 0 ? 2 ** i : 2 ** -i)],
      ["powers of two", Array.from({ length: 1_000 }, (_, i) => 2 ** (i - 500))],
      ["the neighbours of powers of two", Array.from({ length: 500 }, (_, i) => 2 ** (i - 250) * (1 + 2 ** -52))],
      ["all doubles there are", [Number.MIN_VALUE, Number.MAX_VALUE, 1]]
    ]
    for (const [name, values] of hard) {
      const sorted = [...values].sort((a, b) => a - b)
      const histogram = of(values)
      for (let i = 0; i <= 100; i++) {
        const exact = sorted[Math.max(1, Math.ceil(i / 100 * sorted.length)) - 1]!
        const bound = exact * (relativeError(histogram.scale) + 1e-9)
        assert.isAtMost(Math.abs(histogram.quantile(i / 100) - exact), bound + Number.MIN_VALUE, `${name}, ${i} %`)
      }
    }
    // 11 ms to 10 s in 160 buckets: scale 4, an error of 2.2 %.
    assert.strictEqual(of([0.011, 10]).scale, 4)
    assert.closeTo(relativeError(4), 0.0217, 0.0001)
  })

  it.prop("merging is associative and commutative, and the same as recording everything in one", {
    a: Schema.Array(Integer),
    b: Schema.Array(Integer),
    c: Schema.Array(Integer),
    size
  }, ({ a, b, c, size }) => {
    const parts = [of(a, size), of(b, size), of(c, size)] as const
    const left = show(merged(merged(parts[0], parts[1]), parts[2]))
    assert.deepStrictEqual(show(merged(parts[0], merged(parts[1], parts[2]))), left)
    assert.deepStrictEqual(show(merged(parts[2], parts[0], parts[1])), left)
    assert.deepStrictEqual(show(of([...a, ...b, ...c], size)), left)
  }, options)

  it.prop("lowering the scale loses no count", {
    values: Schema.Array(Integer),
    by: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 25 }))
  }, ({ by, values }) => {
    const histogram = of(values)
    const before = sum(histogram.positive.toArray()) + sum(histogram.negative.toArray())
    histogram.downscale(by)
    assert.strictEqual(sum(histogram.positive.toArray()) + sum(histogram.negative.toArray()), before)
  }, options)

  it("leaves out what is no measurement", () => {
    const histogram = of([NaN, Infinity, -Infinity, 1])
    assert.strictEqual(histogram.count, 1)
    assert.strictEqual(histogram.sum, 1)
    assert.isNaN(of([]).quantile(0.5))
    assert.closeTo(midpoint(indexOf(100, 20), 20), 100, 0.0001)
  })
})
