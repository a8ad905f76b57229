import { assert, describe, it } from "@effect/vitest"
import type { Predicate } from "../../src/sampling/Predicate.ts"
import * as RuleSampler from "../../src/sampling/RuleSampler.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"

const input = (given?: Partial<Sampler.SamplingInput>): Sampler.SamplingInput => ({
  name: "GET /cart",
  kind: "server",
  parent: undefined,
  traceId: "0af7651916cd43dd8448eb211c80319c",
  attributes: {},
  links: [],
  ...given
})

const remote = { traceFlags: 1, traceState: "", isRemote: true }
const local = { traceFlags: 1, traceState: "", isRemote: false }

/** A sampler that is known by the threshold it answers with. */
const numbered = (number: number): Sampler.SamplerShape => ({
  description: `#${number}`,
  decide: () => ({ threshold: { hi: number, lo: 0 }, reliable: true })
})

const chosen = (sampler: Sampler.SamplerShape, given?: Partial<Sampler.SamplingInput>): number =>
  sampler.decide(input(given)).threshold.hi

describe("RuleSampler", () => {
  it("is decided by the first rule that holds", () => {
    const sampler = RuleSampler.make([
      { when: { field: "name", eq: "GET /healthz" }, sampler: numbered(1) },
      { when: { attribute: "tier", eq: "gold" }, sampler: numbered(2) },
      { when: { field: "kind", eq: "server" }, sampler: numbered(3) }
    ], { otherwise: numbered(4) })
    assert.strictEqual(chosen(sampler, { name: "GET /healthz", attributes: { tier: "gold" } }), 1)
    assert.strictEqual(chosen(sampler, { attributes: { tier: "gold" } }), 2)
    assert.strictEqual(chosen(sampler), 3)
    assert.strictEqual(chosen(sampler, { kind: "client" }), 4)
  })

  it("drops where no rule holds, as the specification's does, and with no rules at all", () => {
    const never = RuleSampler.make([{ when: { field: "name", eq: "x" }, sampler: Sampler.alwaysOn }])
    assert.deepStrictEqual(never.decide(input()).threshold, Threshold.never)
    assert.deepStrictEqual(RuleSampler.make([]).decide(input()).threshold, Threshold.never)
  })

  it("names the rule that decided, the innermost one where rules are nested", () => {
    const inner = RuleSampler.make(
      [{ id: "inner", when: { field: "kind", eq: "server" }, sampler: Sampler.alwaysOn }],
      {
        otherwise: Sampler.alwaysOff
      }
    )
    const sampler = RuleSampler.make([{ id: "outer", sampler: inner }])
    assert.strictEqual(sampler.decide(input()).ruleId, "inner")
    assert.strictEqual(sampler.decide(input({ kind: "client" })).ruleId, "outer")
  })

  it("sees everything that is known at the start, and no key of Object's own", () => {
    const request = { method: "POST", path: "/pay", header: (name: string) => name === "x-debug" ? "1" : undefined }
    const given = {
      attributes: { amount: 250 },
      parent: remote,
      resource: { attributes: { "service.name": "shop" } },
      request
    }
    const yes: ReadonlyArray<Predicate> = [
      { attribute: "amount", gt: 100 },
      { resource: "service.name", eq: "shop" },
      { field: "request.method", eq: "POST" },
      { field: "request.path", glob: "/p*" },
      { header: "x-debug", eq: "1" },
      { field: "parent", eq: "remote" }
    ]
    const no: ReadonlyArray<Predicate> = [
      { attribute: "constructor", exists: true },
      { resource: "toString", exists: true },
      { field: "duration", ge: 0 },
      { field: "status", ne: "ERROR" }
    ]
    const holds = (when: Predicate): boolean =>
      chosen(RuleSampler.make([{ when, sampler: numbered(1) }], { otherwise: numbered(2) }), given) === 1
    for (const when of yes) assert.isTrue(holds(when), JSON.stringify(when))
    for (const when of no) assert.isFalse(holds(when), JSON.stringify(when))
  })

  it("knows a request by the attributes of a server span, where they are given at its start", () => {
    const attributes = {
      "http.request.method": "PUT",
      "url.path": "/pay",
      "http.request.header.x-debug": ["1", "2"]
    }
    const asks: ReadonlyArray<Predicate> = [
      { field: "request.method", eq: "PUT" },
      { field: "request.path", eq: "/pay" },
      { header: "x-debug", eq: "1, 2" }
    ]
    for (const when of asks) {
      const sampler = RuleSampler.make([{ when, sampler: numbered(1) }], { otherwise: numbered(2) })
      assert.strictEqual(chosen(sampler, { attributes }), 1)
      assert.strictEqual(chosen(sampler, { attributes, kind: "client" }), 2)
      assert.strictEqual(chosen(sampler, { attributes: { "url.path": "/pay" } }), 2)
    }
  })

  it("answers by the parent alone where its first rules ask for nothing else", () => {
    const sampler = RuleSampler.make([
      { when: { field: "parent", eq: "local" }, sampler: Sampler.parentThreshold },
      {
        when: { and: [{ field: "parent", eq: "remote" }, { not: { field: "parent", eq: "none" } }] },
        sampler: numbered(1)
      },
      { when: { field: "name", eq: "x" }, sampler: Sampler.alwaysOn }
    ])
    assert.deepStrictEqual(sampler.decideByParent?.(local), Sampler.parentThreshold.decide(input({ parent: local })))
    // The rule holds, but its sampler looks at more.
    assert.isUndefined(sampler.decideByParent?.(remote))
    assert.isUndefined(sampler.decideByParent?.(undefined))
  })

  it("gives the same answer with and without an input", () => {
    const asks: ReadonlyArray<Predicate> = [
      { field: "parent", eq: "remote" },
      { not: { field: "parent", eq: "none" } },
      { or: [{ field: "parent", eq: "none" }, { field: "name", eq: "GET /cart" }] },
      { and: [] },
      { or: [] }
    ]
    for (const when of asks) {
      const sampler = RuleSampler.make([{ when, sampler: Sampler.probability(0.5) }], { otherwise: Sampler.alwaysOn })
      for (const parent of [undefined, remote, local]) {
        const answer = sampler.decideByParent?.(parent)
        if (answer !== undefined) assert.deepStrictEqual(answer, sampler.decide(input({ parent })))
      }
    }
  })

  it("follows a sampler whose decisions by the parent change", () => {
    let current = Sampler.alwaysOn
    const changing: Sampler.SamplerShape = {
      description: "changing",
      decide: (input) => current.decide(input),
      decideByParent: (parent) => current.decideByParent?.(parent)
    }
    const around = [
      Sampler.annotate(changing, { a: 1 }),
      Sampler.anyOf(changing, Sampler.alwaysOff),
      Sampler.parentBased({ root: changing }),
      RuleSampler.make([{ id: "all", sampler: changing }])
    ]
    for (const sampler of around) {
      current = Sampler.alwaysOn
      assert.deepStrictEqual(sampler.decideByParent?.(undefined)?.threshold, Threshold.always)
      current = Sampler.alwaysOff
      assert.deepStrictEqual(sampler.decideByParent?.(undefined)?.threshold, Threshold.never)
      current = { description: "blind", decide: Sampler.alwaysOn.decide }
      assert.isUndefined(sampler.decideByParent?.(undefined), sampler.description)
    }
  })
})
