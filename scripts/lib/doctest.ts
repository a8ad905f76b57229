/**
 * The snippets of the documents: found, written down as programs, and compared with what they claim.
 *
 * A fence that says `ts` is type-checked and run; `ts no-run: <reason>` is only type-checked; `ts effect-3` is for programs
 * on Effect 3, arranged as docs/how-to/effect-3.md says. A statement with a trailing
 * `// => value` claims its value; `console.log(…) // => text` claims what it prints. A claim that is never reached fails
 * too. A promise at the top level of a snippet is awaited.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join, relative, sep } from "node:path"
import { format, inspect, isDeepStrictEqual } from "node:util"
import { typescriptFiles } from "./importGraph.ts"
import { descendants, type Node, parse } from "./parse.ts"

/** One fenced block of TypeScript. */
export interface Snippet {
  /** The document, from the repository's root. */
  readonly file: string
  /** The line of the document that holds the snippet's first line. */
  readonly line: number
  readonly code: string
  /** Why it is only type-checked; `undefined` when it runs. */
  readonly noRun: string | undefined
}

/** One fenced block of another language. */
export interface Block {
  readonly file: string
  readonly line: number
  readonly language: string
  readonly code: string
}

const fenced = (file: string, text: string, firstLine: number): ReadonlyArray<Block & { readonly info: string }> => {
  const found: Array<Block & { readonly info: string }> = []
  const lines = text.split("\n")
  for (let i = 0; i < lines.length; i++) {
    const open = /^(\s*)(`{3,})\s*(\S+)?[ \t]*(.*)$/.exec(lines[i]!)
    if (open === null) continue
    const [, indent, ticks, language = "", info] = open
    const start = i + 1
    while (++i < lines.length && lines[i]!.trim() !== ticks);
    if (i === lines.length) throw new Error(`${file}:${firstLine + start - 1} opens a fence that is never closed`)
    const code = lines.slice(start, i).map((line) => line.startsWith(indent!) ? line.slice(indent!.length) : line)
    found.push({ file, line: firstLine + start, language, info: info!.trim(), code: code.join("\n") })
  }
  return found
}

/** The fenced blocks of a Markdown text. */
export const blocksOfMarkdown = (file: string, text: string): ReadonlyArray<Block & { readonly info: string }> =>
  fenced(file, text, 1)

/** The fenced blocks of the documentation comments of a TypeScript module. */
export const blocksOfSource = (file: string, code: string): ReadonlyArray<Block & { readonly info: string }> =>
  parse(code, file).comments
    .filter((comment) => comment.type === "CommentBlock" && comment.value.startsWith("*"))
    .flatMap((comment) => {
      const text = comment.value.slice(1).split("\n").map((line) => line.replace(/^\s*\* ?/, "")).join("\n")
      return fenced(file, text, comment.loc.start.line)
    })

// Where the packages of a program on Effect 3 are found here.
const onEffect3 = (code: string): string =>
  code.replaceAll(`from "effect"`, `from "effect-3"`).replaceAll(`from "telemetry"`, `from "effect-telemetry/effect-3"`)

/** The TypeScript snippets among `blocks`. Throws for a fence that is neither run nor excused with a reason. */
export const snippetsOf = (
  blocks: ReadonlyArray<Block & { readonly info: string }>
): ReadonlyArray<Snippet> =>
  blocks
    .filter((block) => /^(ts|tsx|typescript|js|mjs|javascript)$/.test(block.language))
    .map(({ code, file, info, language, line }) => {
      const noRun = /^no-run: (\S.*)$/.exec(info)?.[1]
      const isEffect3 = info === "effect-3"
      if (language !== "ts" || (info !== "" && noRun === undefined && !isEffect3)) {
        throw new Error(`${file}:${line - 1} is fenced "${language} ${info}"; say "ts" or "ts no-run: <reason>"`)
      }
      return { file, line, code: isEffect3 ? onEffect3(code) : code, noRun }
    })

const markdownFiles = (root: string): ReadonlyArray<string> => [
  ...readdirSync(root).filter((name) => name.endsWith(".md")).sort(),
  ...readdirSync(join(root, "docs"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort()
]

/** Every fenced block of the repository's documents. */
export const allBlocks = (root: string): ReadonlyArray<Block & { readonly info: string }> => [
  ...markdownFiles(root).flatMap((file) => blocksOfMarkdown(file, readFileSync(join(root, file), "utf8"))),
  ...typescriptFiles(root, "src").flatMap((file) => blocksOfSource(file, readFileSync(join(root, file), "utf8")))
]

/** The snippet as a module that is type-checked: its lines keep their numbers. */
export const checked = (snippet: Snippet): string => `${snippet.code}\nexport {}\n`

/** A program made of a snippet, and the lines of its claims. */
export interface Program {
  readonly code: string
  readonly claims: ReadonlyArray<number>
}

const isExpression = (text: string): boolean => {
  try {
    const [statement, ...others] = parse(`(${text}\n)`, "claim.ts").program.body
    return statement?.type === "ExpressionStatement" && others.length === 0
  } catch {
    return false
  }
}

/** The first argument of a call of `console.log`. */
const printed = (expression: Node, code: string): Node | undefined => {
  if (expression.type !== "CallExpression") return undefined
  const callee = expression.callee as Node
  if (code.slice(callee.start, callee.end) !== "console.log") return undefined
  return (expression.arguments as ReadonlyArray<Node>)[0]
}

/** The global under which a running program finds the {@link Claims} of its snippet. */
export const globalKey = "effectTelemetryDoctest"

/** The snippet as a module that runs: its claims report to `globalThis[globalKey][id]`. */
export const program = (snippet: Snippet, id: string): Program => {
  const { code } = snippet
  const file = parse(code, `${snippet.file}:${snippet.line}`)
  const claimAt = new Map<number, string>()
  for (const comment of file.comments) {
    const claim = /^\s*=>\s*(.*?)\s*$/.exec(comment.value)
    if (comment.type === "CommentLine" && claim !== null) claimAt.set(comment.loc.start.line, claim[1]!)
  }
  // Cuts and insertions only, so that a claim inside a statement that is itself wrapped keeps its place.
  const edits: Array<{ readonly start: number; readonly end: number; readonly text: string }> = []
  const insert = (at: number, text: string): number => edits.push({ start: at, end: at, text })
  const claims: Array<number> = []
  const me = `globalThis.${globalKey}[${JSON.stringify(id)}]`
  const top = new Set<unknown>(file.program.body)

  for (const node of descendants(file.program)) {
    // Not the statement's own end: a semicolon may stand on the next line.
    const last = node.type === "VariableDeclaration"
      ? (node.declarations as ReadonlyArray<Node>).at(-1)!
      : node.type === "ExpressionStatement"
      ? node.expression as Node
      : node
    const line = last.loc.end.line
    const claim = claimAt.get(line)
    const equals = `${me}.equals(${line}, ${JSON.stringify(claim)}, ${
      claim !== undefined && isExpression(claim) ? `() => (${claim})` : "undefined"
    }, `
    if (node.type === "ExpressionStatement") {
      const expression = node.expression as Node
      const argument = claim === undefined ? undefined : printed(expression, code)
      if (argument !== undefined) {
        edits.push({
          start: expression.start,
          end: argument.start,
          text: `${me}.printed(${line}, ${JSON.stringify(claim)}, `
        })
      } else {
        if (claim !== undefined) insert(expression.start, equals)
        if (top.has(node)) insert(expression.start, "await (")
        if (top.has(node)) insert(expression.end, ")")
        if (claim !== undefined) insert(expression.end, ")")
      }
    } else if (node.type === "VariableDeclaration" && claim !== undefined) {
      const target = last.id as Node
      if (target.type !== "Identifier") continue
      insert(node.end, `;${equals}${target.name as string});`)
    } else continue
    if (claim === undefined) continue
    claims.push(line)
    claimAt.delete(line)
  }
  const [lost] = claimAt.keys()
  if (lost !== undefined) {
    throw new Error(`${snippet.file}:${snippet.line + lost - 1} claims a value, but no statement ends on that line`)
  }
  let out = ""
  let from = 0
  for (const { end, start, text } of edits.sort((a, b) => a.start - b.start)) {
    out += code.slice(from, start) + text
    from = end
  }
  return { code: `${out}${code.slice(from)}\nexport {}\n`, claims }
}

/** What a running snippet reports to. */
export class Claims {
  readonly reached = new Set<number>()
  readonly failures: Array<string> = []
  readonly #snippet: Snippet

  constructor(snippet: Snippet) {
    this.#snippet = snippet
  }

  #fail(line: number, text: string, actual: string): void {
    this.failures.push(
      `${this.#snippet.file}:${this.#snippet.line + line - 1} claims\n  ${text}\nand is\n  ${actual}`
    )
  }

  printed(line: number, text: string, ...values: ReadonlyArray<unknown>): void {
    this.reached.add(line)
    const actual = format(...values)
    if (actual !== text) this.#fail(line, text, actual)
  }

  equals(line: number, text: string, expected: (() => unknown) | undefined, actual: unknown): void {
    this.reached.add(line)
    const shown = inspect(actual, { depth: 10, breakLength: Infinity })
    if (shown === text || actual === text) return
    let value: unknown
    try {
      if (expected === undefined) return this.#fail(line, text, shown)
      value = expected()
    } catch {
      return this.#fail(line, text, shown)
    }
    if (!isDeepStrictEqual(actual, value)) this.#fail(line, text, shown)
  }

  /** Every claim that failed or was never reached. */
  verdict(claims: ReadonlyArray<number>): ReadonlyArray<string> {
    const silent = claims.filter((line) => !this.reached.has(line))
    return [
      ...this.failures,
      ...silent.map((line) =>
        `${this.#snippet.file}:${this.#snippet.line + line - 1} claims a value and never gets there`
      )
    ]
  }
}
