/**
 * Samplers as OpenTelemetry's declarative configuration has them (opentelemetry-configuration, `tracer_provider.yaml`).
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { SpanKind } from "effect/Tracer"
import { glob } from "../internal/pattern.ts"
import { type Building, makeJaegerRemote, makeParentBased, Ratio } from "./basicSampler.ts"
import { exactlyOne } from "./exactlyOne.ts"
import * as Predicate from "./Predicate.ts"
import * as RuleSampler from "./RuleSampler.ts"
import * as Sampler from "./Sampler.ts"

type Nothing = { readonly [key: string]: never } | null

type Ratioed = { readonly ratio?: number | null | undefined } | null

/** A rule of a composable sampler. All conditions stated must hold. */
export interface ComposableRule {
  /** Text that the attribute is; one that is no text is compared as it is written. */
  readonly attribute_values?: { readonly key: string; readonly values: ReadonlyArray<string> } | null | undefined
  /** Shapes of the attribute, with `*` and `?`; none of those excluded. */
  readonly attribute_patterns?:
    | {
      readonly key: string
      readonly included?: ReadonlyArray<string> | null | undefined
      readonly excluded?: ReadonlyArray<string> | null | undefined
    }
    | null
    | undefined
  readonly span_kinds?: ReadonlyArray<SpanKind> | null | undefined
  readonly parent?: ReadonlyArray<Predicate.Subject["parent"]> | null | undefined
  readonly sampler: Composable
}

/** A composable sampler. */
export type Composable =
  | { readonly always_on: Nothing }
  | { readonly always_off: Nothing }
  | { readonly probability: Ratioed }
  | { readonly parent_threshold: { readonly root: Composable } }
  | { readonly rule_based: { readonly rules?: ReadonlyArray<ComposableRule> | null | undefined } | null }

/** A sampler of the declarative configuration. */
export type Declarative =
  | { readonly always_on: Nothing }
  | { readonly always_off: Nothing }
  | { readonly trace_id_ratio_based: Ratioed }
  | { readonly "probability/development": Ratioed }
  | {
    readonly parent_based: {
      readonly root?: Declarative | null | undefined
      readonly remote_parent_sampled?: Declarative | null | undefined
      readonly remote_parent_not_sampled?: Declarative | null | undefined
      readonly local_parent_sampled?: Declarative | null | undefined
      readonly local_parent_not_sampled?: Declarative | null | undefined
    } | null
  }
  | { readonly always_record: { readonly root: Declarative } }
  | { readonly "composite/development": Composable }
  | {
    readonly "jaeger_remote/development": {
      readonly endpoint: string
      /** Milliseconds. */
      readonly interval?: number | null | undefined
      readonly initial_sampler: Declarative
    }
  }

const optional = <A>(schema: Schema.Codec<A>) => Schema.optional(Schema.NullOr(schema))

const NothingSchema: Schema.Codec<Nothing> = Schema.NullOr(Schema.Record(Schema.String, Schema.Never))
const RatioedSchema = Schema.NullOr(Schema.Struct({ ratio: optional(Ratio) }))
const Texts = Schema.Array(Schema.String).check(Schema.isMinLength(1), Schema.isMaxLength(1_000))

const RuleSchema = Schema.Struct({
  attribute_values: optional(Schema.Struct({ key: Schema.NonEmptyString, values: Texts })),
  attribute_patterns: optional(
    Schema.Struct({ key: Schema.NonEmptyString, included: optional(Texts), excluded: optional(Texts) })
  ),
  span_kinds: optional(
    Schema.Array(Schema.Literals(["internal", "server", "client", "producer", "consumer"]))
      .check(Schema.isMinLength(1))
  ),
  parent: optional(Schema.Array(Schema.Literals(["none", "remote", "local"])).check(Schema.isMinLength(1))),
  sampler: Schema.suspend((): Schema.Codec<Composable> => ComposableSchema)
})

const ComposableSchema = Schema.Struct({
  always_on: Schema.optional(NothingSchema),
  always_off: Schema.optional(NothingSchema),
  probability: Schema.optional(RatioedSchema),
  parent_threshold: Schema.optional(
    Schema.Struct({ root: Schema.suspend((): Schema.Codec<Composable> => ComposableSchema) })
  ),
  rule_based: Schema.optional(Schema.NullOr(Schema.Struct({ rules: optional(Schema.Array(RuleSchema)) })))
}).check(exactlyOne) as unknown as Schema.Codec<Composable>

const Nested = Schema.suspend((): Schema.Codec<Declarative> => DeclarativeSchema)

/** The keys of a declarative sampler. */
export const declarativeFields = {
  always_on: Schema.optional(NothingSchema),
  always_off: Schema.optional(NothingSchema),
  trace_id_ratio_based: Schema.optional(RatioedSchema),
  "probability/development": Schema.optional(RatioedSchema),
  parent_based: Schema.optional(Schema.NullOr(Schema.Struct({
    root: optional(Nested),
    remote_parent_sampled: optional(Nested),
    remote_parent_not_sampled: optional(Nested),
    local_parent_sampled: optional(Nested),
    local_parent_not_sampled: optional(Nested)
  }))),
  always_record: Schema.optional(Schema.Struct({ root: Nested })),
  "composite/development": Schema.optional(ComposableSchema),
  "jaeger_remote/development": Schema.optional(Schema.Struct({
    endpoint: Schema.NonEmptyString,
    interval: optional(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
    initial_sampler: Nested
  }))
}

/** The Schema of {@link Declarative}. */
export const DeclarativeSchema: Schema.Codec<Declarative> = Schema.Struct(declarativeFields)
  .check(exactlyOne) as unknown as Schema.Codec<Declarative>

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" ? value : typeof value === "object" || value === undefined ? undefined : String(value)

const anyText = (value: unknown, matches: (text: string) => boolean): boolean => {
  if (Array.isArray(value)) return value.some((item) => anyText(item, matches))
  const text = textOf(value)
  return text !== undefined && matches(text)
}

const attributeTest = (key: string, matches: (text: string) => boolean) => (subject: Predicate.Subject): boolean =>
  anyText(subject.attribute(key), matches)

const conditionOf = (rule: ComposableRule): NonNullable<RuleSampler.Rule["when"]> => {
  const data: Array<Predicate.Predicate> = []
  if (rule.parent != null) data.push({ field: "parent", in: rule.parent })
  if (rule.span_kinds != null) data.push({ field: "kind", in: rule.span_kinds })
  const tests: Array<(subject: Predicate.Subject) => boolean> = []
  if (rule.attribute_values != null) {
    const values = new Set(rule.attribute_values.values)
    tests.push(attributeTest(rule.attribute_values.key, (text) => values.has(text)))
  }
  if (rule.attribute_patterns != null) {
    const included = rule.attribute_patterns.included?.map(glob)
    const excluded = rule.attribute_patterns.excluded?.map(glob) ?? []
    tests.push(attributeTest(
      rule.attribute_patterns.key,
      (text) =>
        (included === undefined || included.some((matches) => matches(text))) &&
        !excluded.some((matches) => matches(text))
    ))
  }
  if (tests.length === 0) return { and: data }
  const first = Predicate.compile({ and: data })
  return (subject) => first(subject) && tests.every((test) => test(subject))
}

const composable = (config: Composable): Sampler.SamplerShape => {
  if ("always_on" in config) return Sampler.alwaysOn
  if ("always_off" in config) return Sampler.alwaysOff
  if ("probability" in config) return Sampler.probability(config.probability?.ratio ?? 1)
  if ("parent_threshold" in config) return Sampler.parentBased({ root: composable(config.parent_threshold.root) })
  return RuleSampler.make(
    (config.rule_based?.rules ?? []).map((rule) => ({ when: conditionOf(rule), sampler: composable(rule.sampler) }))
  )
}

/** Told of each part that asks a server, with the effect that makes it. */
export type Asking = (
  config: Declarative,
  made: Effect.Effect<Sampler.SamplerShape, never, Scope.Scope>
) => Effect.Effect<Sampler.SamplerShape, never, Scope.Scope>

/**
 * The sampler that a declarative configuration describes.
 *
 * **Details**
 *
 * `trace_id_ratio_based` is `probability`, which the specification puts in its place. `parent_based` follows a sampled
 * parent with its threshold, where the specification's `always_on` would lose it.
 */
export const makeDeclarative = (
  config: Declarative,
  building: Building | undefined,
  asking: Asking = (_, made) => made
): Effect.Effect<Sampler.SamplerShape, never, Scope.Scope> => {
  const nested = (config: Declarative) => makeDeclarative(config, building, asking)
  if ("always_on" in config) return Effect.succeed(Sampler.alwaysOn)
  if ("always_off" in config) return Effect.succeed(Sampler.alwaysOff)
  if ("trace_id_ratio_based" in config) {
    return Effect.succeed(Sampler.probability(config.trace_id_ratio_based?.ratio ?? 1))
  }
  if ("probability/development" in config) {
    return Effect.succeed(Sampler.composite(Sampler.probability(config["probability/development"]?.ratio ?? 1)))
  }
  if ("composite/development" in config) {
    return Effect.sync(() => Sampler.composite(composable(config["composite/development"])))
  }
  if ("always_record" in config) return Effect.map(nested(config.always_record.root), Sampler.alwaysRecord)
  if ("parent_based" in config) {
    const { parent_based: branches } = config
    return makeParentBased({
      root: branches?.root ?? { always_on: null },
      remoteParentSampled: branches?.remote_parent_sampled ?? undefined,
      remoteParentNotSampled: branches?.remote_parent_not_sampled ?? undefined,
      localParentSampled: branches?.local_parent_sampled ?? undefined,
      localParentNotSampled: branches?.local_parent_not_sampled ?? undefined
    }, nested)
  }
  const { endpoint, initial_sampler: initialSampler, interval } = config["jaeger_remote/development"]
  return asking(
    config,
    makeJaegerRemote(
      { endpoint, pollingInterval: interval == null ? undefined : Math.max(1_000, interval), initialSampler },
      // What stands within goes with it.
      (config: Declarative) => makeDeclarative(config, building),
      building
    )
  )
}
