import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { issueLine } from "../../src/internal/issueLine.ts"
import type { SamplingInput } from "../../src/sampling/Sampler.ts"
import * as SamplerConfig from "../../src/sampling/SamplerConfig.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"

const decode = Schema.decodeUnknownResult(SamplerConfig.SamplerConfig)

/** The configuration that `input` is, as one that comes as JSON. */
const taken = (input: unknown): SamplerConfig.SamplerConfig => {
  const result = decode(JSON.parse(JSON.stringify(input)), { onExcessProperty: "error" })
  if (Result.isFailure(result)) assert.fail(`${JSON.stringify(input)}: ${result.failure.message}`)
  assert.deepStrictEqual(Schema.encodeSync(SamplerConfig.SamplerConfig)(result.success), result.success)
  return result.success
}

const refused = (input: unknown): string => {
  const result = decode(input, { onExcessProperty: "error", errors: "all" })
  return Result.isFailure(result) ? issueLine(result.failure.issue, input, "the sampler") : "taken"
}

const made = (input: unknown) => Effect.scoped(SamplerConfig.make(taken(input)))

const input = (given?: Partial<SamplingInput>): SamplingInput => ({
  name: "GET /cart",
  kind: "server",
  parent: undefined,
  traceId: "0af7651916cd43dd8448eb211c80319c",
  attributes: {},
  links: [],
  ...given
})

describe("SamplerConfig", () => {
  const descriptions: ReadonlyArray<readonly [input: unknown, description: string]> = [
    ["always_on", "AlwaysOn"],
    ["always_off", "AlwaysOff"],
    [{ traceIdRatio: 0.25 }, "Probability{0.25}"],
    [{ probability: 0.25 }, "Probability{0.25}"],
    [{ probability: { ratio: 0.1, precision: 3 } }, "Probability{0.1}"],
    [{ parentBased: { root: "always_on" } }, "ParentBased{root:AlwaysOn}"],
    [{ anyOf: ["always_on", { probability: 0.5 }] }, "AnyOf{AlwaysOn,Probability{0.5}}"],
    [{ allOf: [{ composite: "always_on" }] }, "AllOf{Composite{AlwaysOn}}"],
    [
      { alwaysRecord: { annotate: { sampler: "always_off", attributes: { a: 1 } } } },
      "AlwaysRecord{Annotating{AlwaysOff}}"
    ],
    [
      { ruleBased: { rules: [{ id: "a", when: { field: "name", eq: "x" }, sampler: "always_on" }] } },
      "RuleBased{AlwaysOn,AlwaysOff}"
    ],
    [{ ruleBased: { rules: [], otherwise: { always_on: null } } }, "RuleBased{AlwaysOn}"],
    [{ rateLimit: { tracesPerSecond: 5, sampler: { probability: 0.5 } } }, "RateLimit{5 traces/s,Probability{0.5}}"],
    [{ reservoir: { tracesPerSecond: 1, probability: 0.05 } }, "Reservoir{1 traces/s,0.05}"],
    [{ always_on: null }, "AlwaysOn"],
    [{ always_off: {} }, "AlwaysOff"],
    [{ trace_id_ratio_based: { ratio: 0.5 } }, "Probability{0.5}"],
    [{ trace_id_ratio_based: null }, "Probability{1}"],
    [{ "probability/development": { ratio: null } }, "Composite{Probability{1}}"],
    [{ always_record: { root: { always_off: null } } }, "AlwaysRecord{AlwaysOff}"],
    [{ parent_based: null }, "ParentBased{root:AlwaysOn}"],
    [
      { parent_based: { root: { trace_id_ratio_based: { ratio: 0.1 } }, remote_parent_sampled: { always_on: null } } },
      "ParentBased{root:Probability{0.1}}"
    ],
    [
      { "composite/development": { parent_threshold: { root: { probability: { ratio: 0.1 } } } } },
      "Composite{ParentBased{root:Probability{0.1}}}"
    ],
    [{ "composite/development": { rule_based: null } }, "Composite{RuleBased{AlwaysOff}}"]
  ]
  for (const [config, description] of descriptions) {
    it.effect(`makes ${description} of ${JSON.stringify(config)}`, () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* made(config)).description, description)
      }))
  }

  it.effect("a precision is that of the threshold", () =>
    Effect.gen(function*() {
      const sampler = yield* made({ probability: { ratio: 0.1, precision: 3 } })
      assert.strictEqual(Threshold.toHex(sampler.decide(input()).threshold), "e66")
    }))

  it.effect("rules are those of RuleSampler", () =>
    Effect.gen(function*() {
      const sampler = yield* made({
        ruleBased: {
          rules: [{ id: "gold", when: { attribute: "tier", eq: "gold" }, sampler: "always_on" }],
          otherwise: { probability: 0.5 }
        }
      })
      assert.strictEqual(sampler.decide(input({ attributes: { tier: "gold" } })).ruleId, "gold")
      assert.strictEqual(Threshold.toProbability(sampler.decide(input()).threshold), 0.5)
    }))

  // As the example of opentelemetry-configuration has it.
  it.effect("rules of the declarative configuration compare text, items of arrays, kinds and parents", () =>
    Effect.gen(function*() {
      const on = { always_on: null }
      const kept = (rule: object, given?: Partial<SamplingInput>) =>
        Effect.map(
          made({ "composite/development": { rule_based: { rules: [{ ...rule, sampler: on }] } } }),
          (sampler) => Threshold.toProbability(sampler.decide(input(given)).threshold) === 1
        )
      const status = (value: unknown) => ({ attributes: { "http.response.status_code": value } })
      const values = { attribute_values: { key: "http.response.status_code", values: ["404", "500"] } }
      const patterns = {
        attribute_patterns: { key: "http.response.status_code", included: ["4*", "50?"], excluded: ["404"] }
      }
      assert.isTrue(yield* kept({}))
      assert.isTrue(yield* kept(values, status(404)))
      assert.isTrue(yield* kept(values, status("500")))
      assert.isTrue(yield* kept(values, status([200n, 404n])))
      assert.isFalse(yield* kept(values, status(200)))
      assert.isFalse(yield* kept(values))
      assert.isTrue(yield* kept(patterns, status(403)))
      assert.isTrue(yield* kept(patterns, status(503)))
      assert.isFalse(yield* kept(patterns, status(404)))
      assert.isFalse(yield* kept(patterns, status(510)))
      const excluding = { attribute_patterns: { key: "url.path", excluded: ["/health*"] } }
      assert.isFalse(yield* kept(excluding, { attributes: { "url.path": "/healthz" } }))
      assert.isTrue(yield* kept(excluding, { attributes: { "url.path": "/cart" } }))
      assert.isFalse(yield* kept(excluding))
      assert.isTrue(yield* kept({ span_kinds: ["client", "server"] }))
      assert.isFalse(yield* kept({ span_kinds: ["client"] }))
      assert.isTrue(yield* kept({ parent: ["none"] }))
      assert.isFalse(yield* kept({ parent: ["local", "remote"] }))
      assert.isFalse(yield* kept({ ...values, span_kinds: ["client"] }, status(404)))
    }))

  it("names the path of what it refuses", () => {
    const cases: ReadonlyArray<readonly [input: unknown, line: string]> = [
      [{ parentBased: { root: { probability: 2 } } }, "parentBased.root.probability is 2, expected"],
      [{ anyOf: ["always_on", "sometimes"] }, `anyOf.1 is "sometimes", expected`],
      [
        { ruleBased: { rules: [{ when: { field: "nam", eq: "x" }, sampler: "always_on" }] } },
        "ruleBased.rules.0.when.field"
      ],
      [{ ruleBased: { rules: [{ when: { field: "name" }, sampler: "always_on" }] } }, "ruleBased.rules.0.when is"],
      [
        { parent_based: { root: { trace_id_ratio_based: { ratio: "1" } } } },
        "parent_based.root.trace_id_ratio_based.ratio"
      ],
      [{ parent_based: { roots: null } }, "parent_based.roots is not known"],
      [{ "composite/development": { probability: { ratio: -1 } } }, "composite/development.probability.ratio is -1"],
      [
        {
          "composite/development": { rule_based: { rules: [{ span_kinds: ["SERVER"], sampler: { always_on: null } }] } }
        },
        "composite/development.rule_based.rules.0.span_kinds.0"
      ],
      [
        { "jaeger_remote/development": { endpoint: "http://x" } },
        "jaeger_remote/development.initial_sampler is missing"
      ],
      [{ adaptive: { tracesPerSecond: -1 } }, "adaptive.tracesPerSecond is -1"],
      [{ rateLimit: { sampler: "always_on" } }, "rateLimit.tracesPerSecond is missing"],
      [{ reservoir: { tracesPerSecond: 1, probability: 2 } }, "reservoir.probability is 2"],
      [{ jaegerRemote: { pollingInterval: 10 } }, "jaegerRemote.pollingInterval is 10"],
      [{ traceIdRatio: 0.5, parentBased: { root: "always_on" } }, "nothing beside traceIdRatio"],
      [{}, "expected a sampler"],
      [{ always_on: { ratio: 1 } }, "always_on.ratio"]
    ]
    for (const [config, line] of cases) assert.include(refused(config), line)
  })

  it.effect("whoever builds again is asked for the parts that learn or ask", () =>
    Effect.gen(function*() {
      const asked: Array<SamplerConfig.SamplerConfig> = []
      const config = taken({
        anyOf: [
          { jaegerRemote: { initialSampler: "always_on" } },
          {
            parent_based: {
              root: {
                "jaeger_remote/development": { endpoint: "http://localhost:1/", initial_sampler: { always_on: null } }
              }
            }
          },
          { adaptive: { tracesPerSecond: 100, key: [{ attribute: "http.route" }] } },
          { rateLimit: { tracesPerSecond: 100, sampler: { jaegerRemote: {} } } },
          { reservoir: { tracesPerSecond: 1, probability: 0.1 } },
          { probability: 0.5 }
        ]
      })
      const sampler = yield* SamplerConfig.make(config, {
        reuse: (config) =>
          Effect.sync(() => {
            asked.push(config)
            return { description: "reused", decide: () => ({ threshold: Threshold.always, reliable: true }) }
          })
      })
      assert.strictEqual(asked.length, 5)
      assert.strictEqual(
        sampler.description,
        "AnyOf{reused,ParentBased{root:reused},reused,reused,reused,Probability{0.5}}"
      )
    }))
})
