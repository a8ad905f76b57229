/**
 * One row of the table that drives the configuration: where a value may come from, what it may be, what it is otherwise.
 */
import type * as Schema from "effect/Schema"

/** Something stated in the configuration that could not be taken as it is. */
export interface Problem {
  /** The option that the value was meant for, as in `otlp.timeout`. */
  readonly path: string
  /** The environment variable that states it; `undefined` for an option given in code. */
  readonly variable: string | undefined
  /** The value, quoted and shortened; `<redacted>` where it may be a secret. */
  readonly value: string
  /** What is allowed, to be read behind "expected". */
  readonly allowed: string
  /** What was done instead, to be read behind the value: "is ignored". */
  readonly consequence: string
  /** All of it in one line. */
  readonly message: string
}

/** What a kind says of a value it does not take; what is left out is told from the variable and the kind. */
export interface Complaint {
  readonly value?: string | undefined
  readonly allowed?: string | undefined
  readonly consequence?: string | undefined
}

/** What a kind may use to read a variable. */
export interface ParseContext {
  /** Another variable; `undefined` where it is unset or blank. */
  readonly read: (variable: string) => string | undefined
  /** Reports a problem of the variable at hand, or of the one named. */
  readonly complain: (complaint?: Complaint, variable?: string) => void
}

/** A kind of value: how an option and how a variable become one. */
export interface Kind<Option, Value> {
  /** What is allowed in code, to be read behind "expected". */
  readonly allowed: string
  /** What is allowed in a variable. */
  readonly allowedText: string
  /** `""` for values without one. */
  readonly unit: string
  /** A value that was not taken, as a person may see it. */
  readonly show: (value: unknown) => string
  /** What may be given in code. */
  readonly option: Schema.Codec<Option>
  /** What it becomes. */
  readonly value: Schema.Codec<Value>
  readonly fromOption: (option: Option) => Value
  /** The value of a variable that is not blank, spaces around it removed; `undefined` to ignore it. Never throws. */
  readonly parse: (raw: string, context: ParseContext) => Value | undefined
  /** Unites two statements, the first of which wins; without it, the first is taken alone. */
  readonly merge?: ((over: Value, under: Value) => Value) | undefined
}

/** A row of the table. */
export interface Setting<Option, Value> {
  readonly kind: Kind<Option, Value>
  /** The environment variables, the one that wins first. */
  readonly variables: ReadonlyArray<string>
  /** Variables that only refine the value of another. */
  readonly refinements: ReadonlyArray<string>
  readonly default: Value
  /** The default as the documentation shows it. */
  readonly defaultText: string
  readonly description: string
  /** The section of the specification it follows; `""` for an option that is ours alone. */
  readonly source: string
}

/** Makes a row of the table. */
export const setting = <Option, Value>(
  kind: Kind<Option, Value>,
  row: {
    readonly variables?: ReadonlyArray<string>
    readonly refinements?: ReadonlyArray<string>
    readonly default: NoInfer<Value>
    readonly defaultText?: string
    readonly description: string
    readonly source?: string
  }
): Setting<Option, Value> => ({
  kind,
  variables: row.variables ?? [],
  refinements: row.refinements ?? [],
  default: row.default,
  defaultText: row.defaultText ?? String(row.default),
  description: row.description,
  source: row.source ?? ""
})

/** The table: settings, some of them in groups. */
export interface Tree {
  readonly [name: string]: Setting<any, any> | { readonly [name: string]: Setting<any, any> }
}

type AnySetting = Setting<any, any>

/** What a user may pass for a table. */
export type OptionsOf<T> = {
  readonly [K in keyof T]?:
    | (T[K] extends Setting<infer Option, any> ? Option
      : { readonly [L in keyof T[K]]?: OptionOf<T[K][L]> | undefined })
    | undefined
}
type OptionOf<S> = S extends Setting<infer Option, any> ? Option : never

/** The values of a table. */
export type ValuesOf<T> = {
  readonly [K in keyof T]: T[K] extends Setting<any, infer Value> ? Value
    : { readonly [L in keyof T[K]]: T[K][L] extends Setting<any, infer Value> ? Value : never }
}

/** Tells a row from a group. */
export const isSetting = (node: AnySetting | { readonly [name: string]: AnySetting }): node is AnySetting =>
  "kind" in node && "variables" in node

/** The rows of a table with their paths, in order. */
export const rowsOf = (tree: Tree): ReadonlyArray<{ readonly path: string; readonly setting: AnySetting }> =>
  Object.entries(tree).flatMap(([name, node]) =>
    isSetting(node)
      ? [{ path: name, setting: node }]
      : Object.entries(node).map(([inner, setting]) => ({ path: `${name}.${inner}`, setting }))
  )
