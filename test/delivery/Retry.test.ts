import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Retry from "../../src/delivery/Retry.ts"
import { TransportError } from "../../src/delivery/Transport.ts"

const policy = Retry.policy()
const unit = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 0.999999 }))

describe("Retry", () => {
  it("repeats exactly 429, 502, 503 and 504", () => {
    const retryable = Array.from({ length: 500 }, (_, i) => i + 100).filter(Retry.isRetryableStatus)
    assert.deepStrictEqual(retryable, [429, 502, 503, 504])
  })

  it("repeats where no answer came that could be final", () => {
    const retryable = (["connect", "timeout", "tls", "response"] as const)
      .filter((reason) => Retry.isRetryableError(new TransportError({ reason, detail: "" })))
    assert.deepStrictEqual(retryable, ["connect", "timeout", "tls"])
  })

  it("takes for a matter of configuration what credentials, address, proxy or redirect are the cause of", () => {
    const statuses = Array.from({ length: 500 }, (_, i) => i + 100).filter(Retry.isConfigurationStatus)
    assert.deepStrictEqual(statuses.filter((status) => status >= 400), [401, 403, 404, 405, 407])
    assert.include(statuses, 307)
    assert.notInclude(statuses, 304)
    assert.isFalse(statuses.some(Retry.isRetryableStatus))
  })

  it.prop("probes what is down within [1 s, 1 minute), later and later", {
    attempt: Schema.Int.check(Schema.isBetween({ minimum: 4, maximum: 2000 })),
    random: unit
  }, ({ attempt, random }) => {
    const pause = Retry.probeMillis(policy, attempt, random)
    assert.isTrue(pause >= 1_000 && pause < 60_000, `${pause}`)
    assert.isTrue(pause <= Retry.probeMillis(policy, attempt + 1, random))
  })

  it.prop("probes slowly what refuses everything", { random: unit }, ({ random }) => {
    const pause = Retry.slowProbeMillis(policy, random)
    assert.isTrue(pause >= 48_000 && pause < 72_000, `${pause}`)
  })

  it.prop("backs off within [0, min(30 s, 1 s * 2^n))", {
    attempt: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2000 })),
    random: unit
  }, ({ attempt, random }) => {
    const delay = Retry.backoffMillis(policy, attempt, random)
    const bound = Math.min(30_000, 1_000 * 2 ** attempt)
    assert.isTrue(delay >= 0 && delay < bound, `${delay}`)
    assert.strictEqual(delay, random * bound)
  })

  it.prop("obeys Retry-After up to ten minutes and adds at most a fifth", {
    asked: Schema.Finite,
    random: unit
  }, ({ asked, random }) => {
    const wait = Retry.gateMillis(policy, asked, random)
    const cut = Math.min(Math.max(asked, 0), 600_000)
    assert.isTrue(wait >= cut && wait <= cut * 1.2, `${wait}`)
  })

  const now = Date.UTC(2026, 10, 22, 12, 0, 0)
  const cases: ReadonlyArray<[string | undefined, number | undefined]> = [
    [undefined, undefined],
    ["", undefined],
    ["0", 0],
    ["30", 30_000],
    [" 30 ", 30_000],
    ["-1", undefined],
    ["1.5", undefined],
    ["1e3", undefined],
    ["soon", undefined],
    ["999999999999999", 999_999_999_999_999_000],
    ["9999999999999999999999", undefined],
    ["Sun, 22 Nov 2026 12:00:45 GMT", 45_000],
    ["Sunday, 22-Nov-26 12:00:45 GMT", 45_000],
    ["Sun Nov 22 12:00:45 2026", 45_000],
    ["Sun, 22 Nov 2026 11:00:00 GMT", 0],
    ["Sun, 99 Foo 2026 11:00:00 GMT", undefined],
    ["2026-11-22T12:00:45Z", undefined],
    ["2027", 2_027_000]
  ]
  for (const [text, expected] of cases) {
    it(`reads Retry-After ${JSON.stringify(text)}`, () => {
      assert.strictEqual(Retry.parseRetryAfter(text, now), expected)
    })
  }

  it.prop("reads any text without throwing, and never a negative delay", { text: Schema.String }, ({ text }) => {
    const delay = Retry.parseRetryAfter(text, now)
    assert.isTrue(delay === undefined || delay >= 0)
  })
})
