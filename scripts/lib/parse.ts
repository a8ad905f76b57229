/** Babel's parser, given just the types these scripts need; `@babel/core` ships none. */
import { createRequire } from "node:module"

/** A comment of a parsed file. */
export interface Comment {
  readonly type: "CommentBlock" | "CommentLine"
  readonly value: string
  readonly start: number
  readonly end: number
  readonly loc: { readonly start: { readonly line: number }; readonly end: { readonly line: number } }
}

/** A node of the syntax tree; its own fields are read by name. */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly loc: { readonly start: { readonly line: number }; readonly end: { readonly line: number } }
  readonly [field: string]: unknown
}

/** A parsed file. */
export interface File extends Node {
  readonly program: Node & { readonly body: ReadonlyArray<Node> }
  readonly comments: ReadonlyArray<Comment>
}

const babel = createRequire(import.meta.url)("@babel/core") as {
  readonly parseSync: (code: string, options: object) => File
}

/** Parses a TypeScript module. Throws a `SyntaxError` that names `filename`. */
export const parse = (code: string, filename: string): File =>
  babel.parseSync(code, {
    filename,
    babelrc: false,
    configFile: false,
    sourceType: "module",
    parserOpts: { plugins: ["typescript", "decorators"] }
  })

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string"

/** `node` and everything below it. */
export function* descendants(node: Node): Iterable<Node> {
  yield node
  for (const [field, value] of Object.entries(node)) {
    if (field === "leadingComments" || field === "trailingComments" || field === "innerComments") continue
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) yield* descendants(item)
    } else if (isNode(value)) yield* descendants(value)
  }
}
