/**
 * Questions about one span, as data: what rules of samplers and tail policies are made of.
 *
 * **Details**
 *
 * A predicate compares one field with the operators given beside it, all of which must hold, or joins other predicates
 * by `and`, `or` and `not`. It can be written in JSON, checked by its Schema, and compiled once into a plain function.
 *
 * **Gotchas**
 *
 * What is not known of a span is absent: its status and duration when it starts, a request where there is none, an
 * attribute that is not set. Every comparison with something absent is false, also `ne`. To ask for "absent or
 * different", say `{ "not": { …, "eq": … } }`.
 *
 * **Example** (Checkout requests from outside, and whatever takes long)
 *
 * ```ts
 * import { Predicate } from "effect-telemetry"
 *
 * export const interesting: Predicate.Predicate = {
 *   or: [
 *     { and: [{ field: "request.path", glob: "/checkout/*" }, { header: "x-internal", exists: false }] },
 *     { field: "duration", ge: "500 millis" }
 *   ]
 * }
 * ```
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { SpanKind } from "effect/Tracer"
import * as linearRegex from "../internal/linearRegex.ts"
import { glob as globMatcher } from "../internal/pattern.ts"
import { get } from "../model/Attributes.ts"
import type { ReadableSpan, StatusCode } from "../model/ReadableSpan.ts"

/** What an attribute is compared with. */
export type Scalar = string | number | boolean

/** What is known of every span, or of none but those that have ended, or of those that answer a request. */
export type Field = "name" | "kind" | "parent" | "status" | "duration" | "request.method" | "request.path"

/** How a value is judged. Everything stated must hold; at least one operator is stated. */
export interface Operators {
  /** Is this value. Of an array, holds where it holds for any item. A number equals the bigint of its value. */
  readonly eq?: Scalar | undefined
  /** Is there, and `eq` does not hold. */
  readonly ne?: Scalar | undefined
  /** Is less than this number; for `duration`, than these milliseconds or this duration, as in `"2 seconds"`. */
  readonly lt?: number | string | undefined
  /** Is at most this. */
  readonly le?: number | string | undefined
  /** Is more than this. */
  readonly gt?: number | string | undefined
  /** Is at least this. */
  readonly ge?: number | string | undefined
  /** Is one of these, 1,000 at most. */
  readonly in?: ReadonlyArray<Scalar> | undefined
  /** Whether it is there. */
  readonly exists?: boolean | undefined
  /** Is text of this shape: `*` stands for any run, `?` for one character. Case matters. */
  readonly glob?: string | undefined
  /**
   * Is text in which this regular expression finds something; `^` and `$` for all of it. 256 characters at most, tried on
   * the first 1,024 characters of a text, in time that is bounded by both. Of JavaScript's syntax it may use literals, `.`,
   * classes, `\d`, `\w`, `\s`, groups, `|`, `*`, `+`, `?`, `{n,m}`, `^` and `$`.
   */
  readonly regex?: string | undefined
}

/** A question about one span. */
export type Predicate =
  | Operators & { readonly field: Field }
  | Operators & { readonly attribute: string }
  | Operators & { readonly resource: string }
  | Operators & { readonly header: string }
  | { readonly and: ReadonlyArray<Predicate> }
  | { readonly or: ReadonlyArray<Predicate> }
  | { readonly not: Predicate }

/** The request that a span answers. */
export interface RequestView {
  /** In capitals. */
  readonly method: string
  /** Without query and fragment. */
  readonly path: string
  /** The value of a header, whose name is in lower case. */
  readonly header: (name: string) => string | undefined
}

/** What a predicate is asked of. */
export interface Subject {
  readonly name: string
  readonly kind: SpanKind
  readonly parent: "none" | "remote" | "local"
  readonly attribute: (key: string) => unknown
  /** An attribute of the resource. */
  readonly resource?: ((key: string) => unknown) | undefined
  readonly request?: RequestView | undefined
  /** Known at the end. */
  readonly status?: StatusCode | undefined
  /** Known at the end. */
  readonly durationNanos?: number | undefined
}

const fields: Record<Field, { readonly values?: ReadonlyArray<string>; readonly read: (subject: Subject) => unknown }> =
  {
    name: { read: (subject) => subject.name },
    kind: { values: ["internal", "server", "client", "producer", "consumer"], read: (subject) => subject.kind },
    parent: { values: ["none", "remote", "local"], read: (subject) => subject.parent },
    status: { values: ["UNSET", "OK", "ERROR"], read: (subject) => subject.status },
    duration: { read: (subject) => subject.durationNanos },
    "request.method": { read: (subject) => subject.request?.method },
    "request.path": { read: (subject) => subject.request?.path }
  }

/** The deepest nesting of `and`, `or` and `not`. */
const maxDepth = 16
/** Most comparisons and connectives of one predicate. */
const maxNodes = 1_000
const maxPatternLength = 256
const maxTextLength = 1_024

const heads = ["and", "or", "not", "field", "attribute", "resource", "header"] as const
const orders = ["lt", "le", "gt", "ge"] as const
const operators = ["eq", "ne", ...orders, "in", "exists", "glob", "regex"] as const

interface Loose extends Operators {
  readonly and?: ReadonlyArray<Loose> | undefined
  readonly or?: ReadonlyArray<Loose> | undefined
  readonly not?: Loose | undefined
  readonly field?: Field | undefined
  readonly attribute?: string | undefined
  readonly resource?: string | undefined
  readonly header?: string | undefined
}

const nanosOf = (value: number | string): number | undefined =>
  Option.match(Duration.fromInput(value as Duration.Input), {
    onNone: () => undefined,
    onSome: (duration) => Duration.toMillis(duration) * 1e6
  })

const issuesOf = (node: Loose): ReadonlyArray<Schema.FilterIssue> => {
  const stated = heads.filter((head) => node[head] !== undefined)
  const [head, other] = stated
  if (head === undefined || other !== undefined) return [`expected one of ${heads.join(", ")}, and one only`]
  const used = operators.filter((operator) => node[operator] !== undefined)
  if (head === "and" || head === "or" || head === "not") {
    return used.map((operator) => ({ path: [operator], issue: `expected nothing beside ${head}` }))
  }
  if (used.length === 0) return [`expected at least one of ${operators.join(", ")}`]
  const issues: Array<Schema.FilterIssue> = []
  for (const operator of orders) {
    const value = node[operator]
    if (value === undefined) continue
    if (node.field === "duration" ? nanosOf(value) === undefined : typeof value !== "number") {
      issues.push({
        path: [operator],
        issue: node.field === "duration" ? "expected milliseconds or a duration" : "expected a number"
      })
    }
  }
  const values = node.field === undefined ? undefined : fields[node.field].values
  if (values !== undefined) {
    for (const [path, value] of listed(node)) {
      if (!values.includes(String(value))) issues.push({ path, issue: `expected one of ${values.join(", ")}` })
    }
  }
  if (node.field === "duration") {
    for (const operator of ["eq", "ne", "in", "glob", "regex"] as const) {
      if (node[operator] !== undefined) issues.push({ path: [operator], issue: `expected ${orders.join(", ")}` })
    }
  }
  const regex = node.regex === undefined ? undefined : linearRegex.compile(node.regex)
  if (regex !== undefined && Result.isFailure(regex)) {
    issues.push({ path: ["regex"], issue: `expected a regular expression without ${regex.failure}` })
  }
  return issues
}

const listed = (node: Loose): ReadonlyArray<readonly [ReadonlyArray<PropertyKey>, Scalar]> => [
  ...(node.eq === undefined ? [] : [[["eq"], node.eq] as const]),
  ...(node.ne === undefined ? [] : [[["ne"], node.ne] as const]),
  ...(node.in ?? []).map((value, index) => [["in", index], value] as const)
]

const childrenOf = (node: Loose): ReadonlyArray<Loose> =>
  node.and ?? node.or ?? (node.not === undefined ? [] : [node.not])

const sizeIssue = (root: Loose): string | undefined => {
  let nodes = 0
  const isWithin = (node: Loose, depth: number): boolean =>
    depth <= maxDepth && ++nodes <= maxNodes && childrenOf(node).every((child) => isWithin(child, depth + 1))
  return isWithin(root, 0) ? undefined : `expected at most ${maxNodes} parts, nested ${maxDepth} deep`
}

const Text = Schema.String.check(Schema.isMaxLength(maxTextLength))
const Key = Schema.NonEmptyString.check(Schema.isMaxLength(maxTextLength))
const Pattern = Schema.String.check(Schema.isMaxLength(maxPatternLength))
const ScalarSchema = Schema.Union([Text, Schema.Finite, Schema.Boolean])
const Order = Schema.optional(Schema.Union([Schema.Finite, Text]))

// One Struct with a check, and no union: what is wrong is then named by its own path.
const Node: Schema.Codec<Loose> = Schema.Struct({
  and: Schema.optional(Schema.Array(Schema.suspend((): Schema.Codec<Loose> => Node))),
  or: Schema.optional(Schema.Array(Schema.suspend((): Schema.Codec<Loose> => Node))),
  not: Schema.optional(Schema.suspend((): Schema.Codec<Loose> => Node)),
  field: Schema.optional(Schema.Literals(Object.keys(fields) as Array<Field>)),
  attribute: Schema.optional(Key),
  resource: Schema.optional(Key),
  header: Schema.optional(Key.check(Schema.isPattern(/^[^A-Z]*$/, { expected: "a header name in lower case" }))),
  eq: Schema.optional(ScalarSchema),
  ne: Schema.optional(ScalarSchema),
  lt: Order,
  le: Order,
  gt: Order,
  ge: Order,
  in: Schema.optional(Schema.Array(ScalarSchema).check(Schema.isMaxLength(1_000))),
  exists: Schema.optional(Schema.Boolean),
  glob: Schema.optional(Pattern),
  regex: Schema.optional(Pattern)
}).check(Schema.makeFilter(issuesOf))

/** The Schema of {@link Predicate}: at most 1,000 parts, nested 16 deep. */
export const Predicate: Schema.Codec<Predicate> = Node
  .check(Schema.makeFilter(sizeIssue))
  .annotate({ identifier: "Predicate" }) as Schema.Codec<unknown> as Schema.Codec<Predicate>

type Test = (value: unknown) => boolean

const equals = (expected: Scalar): Test =>
  typeof expected === "number"
    ? (value) => value === expected || (typeof value === "bigint" && Number(value) === expected)
    : (value) => value === expected

const isNumber = (value: unknown): value is number | bigint => typeof value === "number" || typeof value === "bigint"

const ordered = (operator: typeof orders[number], than: number): Test => {
  switch (operator) {
    case "lt":
      return (value) => isNumber(value) && value < than
    case "le":
      return (value) => isNumber(value) && value <= than
    case "gt":
      return (value) => isNumber(value) && value > than
    case "ge":
      return (value) => isNumber(value) && value >= than
  }
}

const textual = (matches: (text: string) => boolean): Test => (value) => typeof value === "string" && matches(value)

const regexTest = (pattern: string): Test => {
  const found = linearRegex.compile(pattern)
  if (Result.isFailure(found)) throw new TypeError(`regex is ${JSON.stringify(pattern)}, which has ${found.failure}`)
  const matches = found.success
  return textual((text) => matches(text.length > maxTextLength ? text.slice(0, maxTextLength) : text))
}

// An array holds where any of its items does.
const ofItems = (test: Test): Test => (value) => Array.isArray(value) ? value.some(test) : test(value)

const oneOf = (values: ReadonlyArray<Scalar>): Test => {
  const set = new Set<unknown>(values)
  return (value) => set.has(value) || (typeof value === "bigint" && set.has(Number(value)))
}

const testsOf = (node: Loose): ReadonlyArray<Test> => {
  const tests: Array<Test> = []
  if (node.eq !== undefined) tests.push(ofItems(equals(node.eq)))
  if (node.ne !== undefined) {
    const equal = ofItems(equals(node.ne))
    tests.push((value) => !equal(value))
  }
  for (const operator of orders) {
    const bound = node[operator]
    if (bound === undefined) continue
    const than = node.field === "duration" ? nanosOf(bound) : typeof bound === "number" ? bound : undefined
    if (than === undefined) throw new TypeError(`${operator} is ${JSON.stringify(bound)}, expected a number`)
    tests.push(ofItems(ordered(operator, than)))
  }
  if (node.in !== undefined) tests.push(ofItems(oneOf(node.in)))
  if (node.glob !== undefined) tests.push(ofItems(textual(globMatcher(node.glob))))
  if (node.regex !== undefined) tests.push(ofItems(regexTest(node.regex)))
  return tests
}

const readerOf = (node: Loose): (subject: Subject) => unknown => {
  const { attribute, field, header, resource } = node
  if (field !== undefined) return fields[field].read
  if (attribute !== undefined) return (subject) => subject.attribute(attribute)
  if (resource !== undefined) return (subject) => subject.resource?.(resource)
  return (subject) => subject.request?.header(header!)
}

const isKnown = (value: unknown): boolean => value !== undefined && value !== null

const comparison = (node: Loose): (subject: Subject) => boolean => {
  const read = readerOf(node)
  const tests = testsOf(node)
  const [only] = tests
  const { exists } = node
  if (exists === false) return tests.length > 0 ? () => false : (subject) => !isKnown(read(subject))
  if (tests.length === 1) {
    return (subject) => {
      const value = read(subject)
      return isKnown(value) && only!(value)
    }
  }
  return (subject) => {
    const value = read(subject)
    return isKnown(value) && tests.every((test) => test(value))
  }
}

const compileNode = (node: Loose): (subject: Subject) => boolean => {
  if (node.not !== undefined) {
    const inner = compileNode(node.not)
    return (subject) => !inner(subject)
  }
  const parts = (node.and ?? node.or)?.map(compileNode)
  if (parts === undefined) return comparison(node)
  const isAll = node.and !== undefined
  return (subject) => {
    for (let i = 0; i < parts.length; i++) {
      if (parts[i]!(subject) !== isAll) return !isAll
    }
    return isAll
  }
}

/**
 * The predicate as a function.
 *
 * **Details**
 *
 * Allocates nothing when it is asked. `{ and: [] }` holds always, `{ or: [] }` never.
 *
 * **Gotchas**
 *
 * Throws a `TypeError` for a predicate with a pattern or a bound that its Schema refuses.
 */
export const compile = (predicate: Predicate): (subject: Subject) => boolean => compileNode(predicate)

const asksParent = (node: Loose): boolean => {
  const children = node.and ?? node.or ?? (node.not === undefined ? undefined : [node.not])
  return children === undefined ? node.field === "parent" : children.every(asksParent)
}

/** Whether the answer depends on nothing but `parent`. */
export const asksParentAlone = (predicate: Predicate): boolean => asksParent(predicate)

/** An ended span as a {@link Subject}. One adapter may be given one span after the other. */
export class SpanSubject implements Subject {
  span: ReadableSpan

  constructor(span: ReadableSpan) {
    this.span = span
  }

  get name(): string {
    return this.span.name
  }

  get kind(): SpanKind {
    return this.span.kind
  }

  get parent(): Subject["parent"] {
    return this.span.parentSpanId0 === 0 && this.span.parentSpanId1 === 0
      ? "none"
      : this.span.parentIsRemote
      ? "remote"
      : "local"
  }

  get status(): StatusCode {
    return this.span.statusCode
  }

  get durationNanos(): number {
    return Number(this.span.endTimeUnixNano - this.span.startTimeUnixNano)
  }

  attribute(key: string): unknown {
    return get(this.span.attributeList, key)
  }

  resource(key: string): unknown {
    const { attributes } = this.span.resource
    return Object.hasOwn(attributes, key) ? attributes[key] : undefined
  }
}

/** An ended span as a {@link Subject}; no attribute is copied. */
export const fromReadable = (span: ReadableSpan): SpanSubject => new SpanSubject(span)
