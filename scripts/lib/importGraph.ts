/**
 * The import graph of `src`: what the files really import, what the table of `docs/architecture.md` says, and the lint
 * rules that follow from the table.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join, posix, relative, sep } from "node:path"
import { descendants, type Node, parse } from "./parse.ts"

/** One import, export-from, `import()` or `import("…")` type of a file. */
export interface Import {
  /** The importing file, from the repository's root, with forward slashes. */
  readonly from: string
  readonly specifier: string
  /** Whether nothing of it is left after compilation. */
  readonly typeOnly: boolean
  readonly line: number
}

/** One row of the table: a station and the stations it imports. */
export interface Row {
  readonly station: string
  /** Announced, and not there yet. */
  readonly planned: boolean
  readonly imports: ReadonlyArray<string>
  /** Allowed by the linter, used by no file today. */
  readonly mayImport: ReadonlyArray<string>
}

/** Every TypeScript file under `folder`, sorted, from `root`, with forward slashes. */
export const typescriptFiles = (root: string, folder: string): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort()

const onlyTypes = (node: Node): boolean => {
  if (node.importKind === "type" || node.exportKind === "type") return true
  const specifiers = node.specifiers as ReadonlyArray<Node> | undefined
  return specifiers !== undefined && specifiers.length > 0 &&
    specifiers.every((specifier) => specifier.importKind === "type" || specifier.exportKind === "type")
}

/** What one file imports. */
export const importsOf = (file: string, code: string): ReadonlyArray<Import> => {
  const found: Array<Import> = []
  for (const node of descendants(parse(code, file))) {
    let source: Node | undefined
    let typeOnly = false
    switch (node.type) {
      case "ImportDeclaration":
      case "ExportNamedDeclaration":
      case "ExportAllDeclaration":
        source = (node.source ?? undefined) as Node | undefined
        typeOnly = onlyTypes(node)
        break
      case "TSImportType":
        source = node.argument as Node
        typeOnly = true
        break
      case "ImportExpression":
        source = node.source as Node
        break
      case "CallExpression":
        if ((node.callee as Node).type === "Import") source = (node.arguments as ReadonlyArray<Node>)[0]
        break
    }
    if (source?.type === "TSLiteralType") source = source.literal as Node
    if (source === undefined || typeof source.value !== "string") continue
    found.push({ from: file, specifier: source.value, typeOnly, line: node.loc.start.line })
  }
  return found
}

/** What every file under `src` imports. */
export const readImports = (root: string): ReadonlyArray<Import> =>
  typescriptFiles(root, "src").flatMap((file) => importsOf(file, readFileSync(join(root, file), "utf8")))

/** The file a relative import names, from the repository's root; `undefined` for a package. */
export const target = (found: Import): string | undefined =>
  found.specifier.startsWith(".") ? posix.join(posix.dirname(found.from), found.specifier) : undefined

/** The station of a file of `src`: its first folder, or its name where it stands in `src` itself. */
export const stationOf = (file: string): string => file.split("/")[1]!

/** The stations each station really imports. */
export const stationEdges = (imports: ReadonlyArray<Import>): ReadonlyMap<string, ReadonlySet<string>> => {
  const edges = new Map<string, Set<string>>()
  for (const found of imports) {
    const to = target(found)
    if (to === undefined) continue
    const [a, b] = [stationOf(found.from), stationOf(to)]
    if (a === b) continue
    const set = edges.get(a) ?? new Set()
    edges.set(a, set.add(b))
  }
  return edges
}

/** The first cycle between files, as a path that ends where it starts. */
export const findCycle = (imports: ReadonlyArray<Import>): ReadonlyArray<string> | undefined => {
  const edges = new Map<string, Set<string>>()
  for (const found of imports) {
    const to = target(found)
    if (to !== undefined) edges.set(found.from, (edges.get(found.from) ?? new Set()).add(to))
  }
  const done = new Set<string>()
  const path: Array<string> = []
  const visit = (file: string): ReadonlyArray<string> | undefined => {
    const at = path.indexOf(file)
    if (at >= 0) return [...path.slice(at), file]
    if (done.has(file)) return undefined
    path.push(file)
    for (const next of edges.get(file) ?? []) {
      const cycle = visit(next)
      if (cycle !== undefined) return cycle
    }
    path.pop()
    done.add(file)
    return undefined
  }
  for (const file of edges.keys()) {
    const cycle = visit(file)
    if (cycle !== undefined) return cycle
  }
  return undefined
}

const begin = "<!-- import-graph:begin -->"
const end = "<!-- import-graph:end -->"
const header = "| station | imports | may import, does not yet |\n| --- | --- | --- |\n"

const names = (cell: string): ReadonlyArray<string> => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!)

/** The rows of the table in `docs/architecture.md`. Throws where the table is not found. */
export const readTable = (markdown: string): ReadonlyArray<Row> => {
  const [from, to] = [markdown.indexOf(begin), markdown.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`no table between ${begin} and ${end}`)
  const rows = markdown.slice(from, to).split("\n").filter((line) => line.startsWith("| `"))
  return rows.map((line) => {
    const [, first, imports, mayImport] = line.split("|")
    const [station] = names(first ?? "")
    if (station === undefined || imports === undefined || mayImport === undefined) {
      throw new Error(`not a row of the import graph: ${line}`)
    }
    return { station, planned: first!.includes("planned"), imports: names(imports), mayImport: names(mayImport) }
  })
}

const cell = (stations: ReadonlyArray<string>): string =>
  stations.length === 0 ? "–" : stations.map((station) => `\`${station}\``).join(", ")

/** One row as it stands in the table. */
export const renderRow = (row: Row): string =>
  `| \`${row.station}\`${row.planned ? " (planned)" : ""} | ${cell(row.imports)} | ${cell(row.mayImport)} |`

/** `markdown` with `rows` in place of its table. */
export const writeTable = (markdown: string, rows: ReadonlyArray<Row>): string => {
  const [from, to] = [markdown.indexOf(begin), markdown.indexOf(end)]
  return `${markdown.slice(0, from)}${begin}\n\n${header}${rows.map(renderRow).join("\n")}\n\n${markdown.slice(to)}`
}

/**
 * `rows` with what is true today: an edge that is used stands under "imports", one that is allowed and unused under
 * "may import". What is used and not allowed is left out, for the linter to complain about.
 */
export const settle = (
  rows: ReadonlyArray<Row>,
  edges: ReadonlyMap<string, ReadonlySet<string>>,
  stations: ReadonlySet<string>
): ReadonlyArray<Row> =>
  rows.map((row) => {
    const used = edges.get(row.station) ?? new Set()
    const allowed = new Set([...row.imports, ...row.mayImport])
    // The order of the rows, which is the order of the flow.
    const ordered = rows.map((other) => other.station).filter((station) => allowed.has(station))
    return {
      station: row.station,
      planned: !stations.has(row.station),
      imports: ordered.filter((station) => used.has(station)),
      mayImport: ordered.filter((station) => !used.has(station))
    }
  })

/** The stations that have at least one file. */
export const presentStations = (root: string): ReadonlySet<string> =>
  new Set(typescriptFiles(root, "src").map(stationOf))

interface Pattern {
  readonly regex: string
  readonly message: string
  readonly allowTypeImports?: boolean
}

/** One element of `overrides` in `.oxlintrc.json`. */
export interface Override {
  readonly files: ReadonlyArray<string>
  readonly rules: Readonly<Record<string, unknown>>
}

// The linter's regular expressions know no look-around, so "anything else" is spelled out.
const packages: ReadonlyArray<Pattern> = [
  {
    regex: "^effect$",
    message: "Import Effect module by module (`effect/Effect`): the barrel defeats tree-shaking."
  },
  {
    regex: "^node:",
    message: "The library must load without Node: use internal/nodeBuiltin.ts, and `import type` for the types.",
    allowTypeImports: true
  },
  {
    regex: "^([^.en]|e[^f]|effect[^/]|n[^o]|no[^d]|node[^:])",
    message: "src depends on nothing but `effect`."
  }
]

const unstable: Pattern = {
  regex: "^effect/(ai|cli|cluster|devtools|eventlog|graphql|http|http-api|net|observability|persistence|process" +
    "|reactivity|rpc|socket|sql|workers|workflow|FileSystem|Path|Terminal|Stdio|ErrorReporter|Bytes|Version)(/|$)",
  message: "Effect marks this unstable: reach it through the one module of ours that isolates it."
}

/** The files that isolate an unstable module of Effect, which the rule for their station would refuse. */
export const unstableFiles: ReadonlyArray<string> = [
  "src/context/Http*.ts",
  "src/metrics/Http*.ts",
  "src/tracing/Http*.ts"
]

const escape = (text: string): string => text.replaceAll(".", "\\.")

const restricted = (row: Row, rows: ReadonlyArray<Row>, withUnstable: boolean): Override["rules"] => {
  const others = rows.filter((other) =>
    other.station !== row.station && !row.imports.includes(other.station) && !row.mayImport.includes(other.station)
  )
  const prefix = row.station.endsWith(".ts") ? "^\\./" : "^(\\.\\./)+"
  const denied = others.map(({ station }) => station.endsWith(".ts") ? `${escape(station)}$` : `${station}/`)
  const graph: ReadonlyArray<Pattern> = denied.length === 0 ? [] : [{
    regex: `${prefix}(${denied.join("|")})`,
    message: `The import graph of docs/architecture.md has no such edge from ${row.station}.`
  }]
  const patterns = [...graph, ...packages, ...(withUnstable ? [] : [unstable])]
  return { "no-restricted-imports": ["error", { patterns }] }
}

/** The lint overrides that enforce the table. */
export const overridesFor = (rows: ReadonlyArray<Row>): ReadonlyArray<Override> => [
  ...rows.map((row) => ({
    files: [row.station.endsWith(".ts") ? `src/${row.station}` : `src/${row.station}/**`],
    rules: restricted(row, rows, false)
  })),
  ...unstableFiles.map((file) => ({
    files: [file],
    rules: restricted(rows.find((row) => row.station === stationOf(file))!, rows, true)
  }))
]

/** Whether `override` is one that {@link overridesFor} makes. */
export const isGraphOverride = (override: Override): boolean => "no-restricted-imports" in override.rules
