/**
 * The check of options given in code.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as SchemaIssue from "effect/SchemaIssue"
import type { TelemetryOptions } from "./options.ts"
import { isSetting, type Setting, type Tree } from "./setting.ts"
import { settings } from "./settings.ts"
import { showValue } from "./show.ts"

/** An option that cannot be taken: where it stands, what it is, what is allowed there. */
export interface OptionIssue {
  /** As in `otlp.timeout`. */
  readonly path: string
  /** The value, quoted and shortened; `<redacted>` where it may be a secret. */
  readonly value: string
  /** What is allowed, to be read behind "expected". */
  readonly allowed: string
}

/**
 * Options that cannot be taken.
 *
 * **Details**
 *
 * Made for what is given in code only: a variable of the environment that cannot be taken is a `Problem`, and no error.
 */
export class TelemetryConfigError extends Schema.TaggedError<TelemetryConfigError>()("TelemetryConfigError", {
  /** At least one. */
  issues: Schema.NonEmptyArray(Schema.Struct({ path: Schema.String, value: Schema.String, allowed: Schema.String }))
}) {
  override get message(): string {
    return this.issues
      .map(({ allowed, path, value }) => `option ${path} is ${value}, expected ${allowed}`)
      .join("; ")
  }
}

/** The deepest place that an issue points to. */
const pathOf = (issue: SchemaIssue.Issue): ReadonlyArray<PropertyKey> => {
  switch (issue._tag) {
    case "Pointer":
      return [...issue.path, ...pathOf(issue.issue)]
    case "Filter":
    case "Encoding":
      return pathOf(issue.issue)
    case "Composite":
      return pathOf(issue.issues[0])
    case "AnyOf": {
      const [only, ...others] = issue.issues
      return only !== undefined && others.length === 0 ? pathOf(only) : []
    }
    default:
      return []
  }
}

const isObject = (value: unknown): value is Readonly<Record<PropertyKey, unknown>> =>
  typeof value === "object" && value !== null

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isObject(value) && !Array.isArray(value)

const checkLeaf = (path: string, { kind }: Setting<any, any>, value: unknown): ReadonlyArray<OptionIssue> => {
  const result = Schema.decodeUnknownResult(kind.option)(value, { onExcessProperty: "error" })
  if (Result.isSuccess(result)) return []
  let full = path
  let leaf = value
  for (const key of pathOf(result.failure.issue)) {
    // What is wrapped has no path of its own.
    if (!isObject(leaf) || Redacted.isRedacted(leaf)) break
    full += `.${String(key)}`
    leaf = leaf[key]
  }
  return [{ path: full, value: kind.show(leaf), allowed: kind.allowed }]
}

const checkNode = (tree: Tree, value: unknown, prefix: string): ReadonlyArray<OptionIssue> => {
  if (value === undefined) return []
  if (!isRecord(value)) {
    return [{ path: prefix || "(all)", value: showValue(value), allowed: `an object with ${listed(tree)}` }]
  }
  return Object.keys(value).flatMap((name): ReadonlyArray<OptionIssue> => {
    const path = prefix === "" ? name : `${prefix}.${name}`
    const node = Object.hasOwn(tree, name) ? tree[name] : undefined
    if (node === undefined) return [{ path, value: "unknown", allowed: `one of ${listed(tree)}` }]
    if (value[name] === undefined) return []
    return isSetting(node) ? checkLeaf(path, node, value[name]) : checkNode(node, value[name], path)
  })
}

const listed = (tree: Tree): string => Object.keys(tree).join(", ")

/** Everything in `options` that cannot be taken. */
export const checkOptions = (options: unknown): ReadonlyArray<OptionIssue> => checkNode(settings, options, "")

/** The value of an option by path, unchecked. */
export const optionAt = (options: TelemetryOptions, path: string): unknown =>
  path.split(".").reduce<unknown>(
    (from, key) => (from as Readonly<Record<string, unknown>> | undefined)?.[key],
    options
  )
