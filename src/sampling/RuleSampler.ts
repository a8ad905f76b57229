/**
 * Samplers chosen by rules: the first rule whose predicate holds for a span about to start decides
 * (`trace/sdk.md#composablerulebased`).
 *
 * **Gotchas**
 *
 * A rule sees what is known when a span starts: its name, kind and parent, the attributes that were given with it, the
 * resource, and the request that a server span answers. Effect's HTTP server sets attributes when a span ends; of those,
 * `http.request.method`, `url.path`, `user_agent.original` and `http.request.header.*` are read from the request here. What
 * is known last, as the route, the status and the duration, is for `TailSampler`.
 *
 * **Example** (No health checks, every checkout, a tenth of the rest)
 *
 * ```ts
 * import { RuleSampler, Sampler } from "effect-telemetry"
 *
 * export const sampler = Sampler.parentBased({
 *   root: RuleSampler.make([
 *     { id: "health", when: { field: "request.path", eq: "/healthz" }, sampler: Sampler.alwaysOff },
 *     { id: "checkout", when: { field: "request.path", glob: "/checkout*" }, sampler: Sampler.alwaysOn }
 *   ], { otherwise: Sampler.probability(0.1) })
 * })
 * ```
 */
import type { SpanKind } from "effect/Tracer"
import * as Predicate from "./Predicate.ts"
import * as Sampler from "./Sampler.ts"

/** One rule. */
export interface Rule {
  /** Names the rule in what is decided by it. */
  readonly id?: string | undefined
  /** Whether the rule decides; a function must be pure. Left out: always. */
  readonly when?: Predicate.Predicate | ((subject: Predicate.Subject) => boolean) | undefined
  /** Decides where the rule holds. */
  readonly sampler: Sampler.SamplerShape
}

/** A span about to start as the {@link Predicate.Subject} of a predicate. */
export class InputSubject implements Predicate.Subject {
  readonly #input: Sampler.SamplingInput

  constructor(input: Sampler.SamplingInput) {
    this.#input = input
  }

  get name(): string {
    return this.#input.name
  }

  get kind(): SpanKind {
    return this.#input.kind
  }

  get parent(): Predicate.Subject["parent"] {
    return parentOf(this.#input.parent)
  }

  get request(): Predicate.RequestView | undefined {
    return this.#input.request ?? (this.#input.kind === "server" ? describedRequest(this.#input.attributes) : undefined)
  }

  attribute(key: string): unknown {
    return own(this.#input.attributes, key) ?? requestAttribute(this.#input, key)
  }

  resource(key: string): unknown {
    const { resource } = this.#input
    return resource === undefined ? undefined : own(resource.attributes, key)
  }
}

// What every object inherits is no text, number or boolean: those need no second look.
const own = (record: Readonly<Record<string, unknown>>, key: string): unknown => {
  const value = record[key]
  return (typeof value === "object" || typeof value === "function") && !Object.hasOwn(record, key) ? undefined : value
}

const headerPrefix = "http.request.header."

/** What a server span of Effect's will say of its request when it ends, as far as that is known when it starts. */
const requestAttribute = (input: Sampler.SamplingInput, key: string): unknown => {
  switch (key) {
    case "http.request.method":
      return input.request?.method
    case "url.path":
      return input.request?.path
    case "user_agent.original":
      return input.request?.header("user-agent")
    default:
      return key.startsWith(headerPrefix) ? input.request?.header(key.slice(headerPrefix.length)) : undefined
  }
}

/** The request that a server span's own attributes describe (`semconv: http/http-spans.md#http-server`). */
const describedRequest = (attributes: Readonly<Record<string, unknown>>): Predicate.RequestView | undefined => {
  const method = own(attributes, "http.request.method")
  const path = own(attributes, "url.path")
  if (typeof method !== "string" || typeof path !== "string") return undefined
  return {
    method,
    path,
    header(name) {
      const value = own(attributes, headerPrefix + name)
      const text = Array.isArray(value) ? value.join(", ") : value
      return typeof text === "string" ? text : undefined
    }
  }
}

const parentOf = (parent: Sampler.SamplingParent | undefined): Predicate.Subject["parent"] =>
  parent === undefined ? "none" : parent.isRemote ? "remote" : "local"

/** A span of which nothing is known but its parent. */
class ParentSubject implements Predicate.Subject {
  readonly name = ""
  readonly kind = "internal"
  readonly parent: Predicate.Subject["parent"]

  constructor(parent: Predicate.Subject["parent"]) {
    this.parent = parent
  }

  attribute(): undefined {}
}

const parents = {
  none: new ParentSubject("none"),
  remote: new ParentSubject("remote"),
  local: new ParentSubject("local")
}

interface Compiled {
  readonly holds: (subject: Predicate.Subject) => boolean
  readonly byParent: boolean
  readonly sampler: Sampler.SamplerShape
}

const everything: Predicate.Predicate = { and: [] }

const compile = ({ id, sampler, when = everything }: Rule): Compiled => ({
  holds: typeof when === "function" ? when : Predicate.compile(when),
  byParent: typeof when !== "function" && Predicate.asksParentAlone(when),
  sampler: id === undefined
    ? sampler
    : Sampler.map(sampler, sampler.description, (decision) => ({ ...decision, ruleId: decision.ruleId ?? id }))
})

/**
 * Decides by the first rule that holds, and by `otherwise` (default `Sampler.alwaysOff`) where none does.
 *
 * **Details**
 *
 * Where the first rules ask for nothing but the parent and one of them holds, no other part of the span is looked at.
 *
 * **Gotchas**
 *
 * Throws a `TypeError` for a predicate that its Schema refuses. A predicate must not depend on the trace id, which is where
 * the randomness comes from, or on whether the parent is sampled; none can.
 */
export const make = (
  rules: ReadonlyArray<Rule>,
  options?: { readonly otherwise?: Sampler.SamplerShape | undefined }
): Sampler.SamplerShape => {
  const compiled = [...rules, { sampler: options?.otherwise ?? Sampler.alwaysOff }].map(compile)
  return {
    description: `RuleBased{${compiled.map(({ sampler }) => sampler.description).join(",")}}`,
    decide(input) {
      const subject = new InputSubject(input)
      let at = 0
      // The last rule holds always.
      while (!compiled[at]!.holds(subject)) at++
      return compiled[at]!.sampler.decide(input)
    },
    decideByParent(parent) {
      const subject = parents[parentOf(parent)]
      for (const rule of compiled) {
        if (!rule.byParent) return undefined
        if (rule.holds(subject)) return rule.sampler.decideByParent?.(parent)
      }
      return undefined
    }
  }
}
