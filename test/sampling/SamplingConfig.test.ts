import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as SamplingConfig from "../../src/sampling/SamplingConfig.ts"

const reasonOf = (input: unknown): string => {
  const result = SamplingConfig.decode(input, "sampling.json")
  return Result.isFailure(result) ? result.failure.message : "taken"
}

describe("SamplingConfig", () => {
  it("takes what it should", () => {
    for (
      const input of [
        { head: "always_on" },
        { version: "2026-11", head: { parentBased: { root: { traceIdRatio: 0.1 } } }, dryRun: true },
        SamplingConfig.defaultSamplingConfig
      ]
    ) assert.deepStrictEqual(SamplingConfig.decode(input), Result.succeed(input as SamplingConfig.SamplingConfig))
  })

  it("says in one line where it is wrong, what is there, and what is expected", () => {
    const of = "sampling configuration of sampling.json: "
    assert.strictEqual(reasonOf({}), `${of}head is missing`)
    assert.strictEqual(reasonOf({ head: "always_on", dry_run: true }), `${of}dry_run is not known`)
    assert.strictEqual(reasonOf({ head: "always_on", dryRun: "yes" }), `${of}dryRun is "yes", expected boolean`)
    assert.strictEqual(
      reasonOf({ head: { traceIdRatio: 2 } }),
      `${of}head.traceIdRatio is 2, expected a value between 0 and 1`
    )
    assert.strictEqual(reasonOf({ head: { ratio: 0.5 } }), `${of}head.ratio is not known`)
    assert.strictEqual(reasonOf({ head: { parentBased: {} } }), `${of}head.parentBased.root is missing`)
    assert.strictEqual(
      reasonOf({ head: { parentBased: { root: { traceIdRatio: "a tenth" } } } }),
      `${of}head.parentBased.root.traceIdRatio is "a tenth", expected number`
    )
    assert.strictEqual(
      reasonOf({ head: { parentBased: { root: "always_on", remote: "always_on" } } }),
      `${of}head.parentBased.remote is not known`
    )
    assert.include(reasonOf({ head: "sometimes" }), `${of}head is "sometimes", expected `)
    assert.strictEqual(
      reasonOf({ head: { adaptive: {} } }),
      `${of}head.adaptive is {}, expected tracesPerSecond or spansPerSecond, and one only`
    )
    assert.strictEqual(
      reasonOf({ head: "always_on", tail: { rules: [], budget: { perSecond: 0 } } }),
      `${of}tail.budget.perSecond is 0, expected a value greater than 0`
    )
    assert.include(reasonOf([]), `${of}the configuration is [], expected `)
  })

  it("shortens what is long, and names what has no text", () => {
    assert.include(reasonOf({ head: { traceIdRatio: "x".repeat(1_000) } }), `${"x".repeat(79)}…`)
    assert.include(reasonOf(undefined), "the configuration is undefined")
    assert.include(reasonOf({ head: 7n }), "head is 7n")
  })

  it("says why a text is no configuration", () => {
    const reason = (text: string) =>
      Result.match(SamplingConfig.decodeText(text, "here"), { onFailure: (e) => e.reason, onSuccess: () => "taken" })
    assert.strictEqual(reason(" \n"), "it is empty")
    assert.include(reason("{ head: 1 }"), "it is no JSON: ")
    assert.strictEqual(reason(`{"head":"always_on"}`), "taken")
    assert.strictEqual(reason(`{}`), "head is missing")
  })

  it("no beginning of a text is taken for the whole", () => {
    const text = JSON.stringify({ head: { parentBased: { root: { traceIdRatio: 0.25 } } }, version: "1" })
    for (let length = 0; length < text.length; length++) {
      assert.isTrue(Result.isFailure(SamplingConfig.decodeText(text.slice(0, length), "here")))
    }
  })

  it("whatever stands in whichever place, says one short line or takes it", () => {
    const whole = {
      version: "1",
      dryRun: false,
      head: {
        ruleBased: {
          rules: [
            {
              id: "a",
              when: { and: [{ field: "name", eq: "a" }, { not: { attribute: "x", gt: 1 } }] },
              sampler: "always_on"
            },
            { sampler: { anyOf: [{ probability: { ratio: 0.5, precision: 3 } }, "always_off"] } },
            { sampler: { rateLimit: { tracesPerSecond: 5, sampler: { traceIdRatio: 0.5 } } } },
            { sampler: { adaptive: { tracesPerSecond: 5, key: [{ field: "name" }], burst: "1 second" } } }
          ],
          otherwise: { parentBased: { root: { annotate: { sampler: "always_on", attributes: { a: 1 } } } } }
        }
      },
      tail: {
        rules: [{ id: "slow", when: { traceDuration: { ge: "1 second" } }, weight: 2 }],
        budget: { perSecond: 10, shares: { slow: 0.5 } }
      }
    }
    const odd = [null, true, -1, Infinity, "", "x".repeat(5_000), "line\nbreak", [], {}, { a: 1 }, [[]], "always_on"]
    const variants = (value: unknown): ReadonlyArray<unknown> => {
      const here: Array<unknown> = [...odd]
      if (Array.isArray(value)) {
        value.forEach((inner, i) => {
          for (const other of variants(inner)) here.push(value.with(i, other))
        })
      } else if (typeof value === "object" && value !== null) {
        here.push({ ...value, typo: 1 })
        for (const [key, inner] of Object.entries(value)) {
          const { [key]: _, ...rest } = value as Record<string, unknown>
          here.push(rest)
          for (const other of variants(inner)) here.push({ ...value, [key]: other })
        }
      }
      return here
    }
    assert.strictEqual(reasonOf(whole), "taken")
    const all = variants(whole)
    assert.isAbove(all.length, 500)
    let refused = 0
    for (const input of all) {
      const reason = reasonOf(input)
      if (reason === "taken") {
        const again = SamplingConfig.decodeText(SamplingConfig.canonical(input), "here")
        assert.strictEqual(SamplingConfig.canonical(Result.getOrThrow(again)), SamplingConfig.canonical(input))
      } else {
        refused++
        assert.notInclude(reason, "\n")
        assert.isAtMost(reason.length, 1_000, reason)
        assert.match(reason, / is (missing|not known|not |.+, expected .+)/)
      }
    }
    assert.isAbove(refused, all.length / 2)
  })

  it("has a version that depends on the content alone", () => {
    const of = SamplingConfig.versionOf
    assert.strictEqual(of({ version: "7", head: "always_on" }), "7")
    assert.strictEqual(of({ head: "always_on", dryRun: true }), of({ dryRun: true, head: "always_on" }))
    assert.strictEqual(of({ head: "always_on", dryRun: undefined }), of({ head: "always_on" }))
    assert.notStrictEqual(of({ head: "always_on" }), of({ head: "always_off" }))
    assert.match(of({ head: "always_on" }), /^[0-9a-f]{8}$/)
  })
})
