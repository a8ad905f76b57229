/**
 * `tsx --conditions=effect-telemetry-source scripts/config-table.ts`: writes the table of docs/configuration.md from the
 * one of the source. With `--check` it only says whether they agree.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { argv } from "node:process"
import { fileURLToPath, pathToFileURL } from "node:url"
import { table, type TableRow } from "../src/TelemetryConfig.ts"

const begin = "<!-- config-table:begin -->"
const end = "<!-- config-table:end -->"

/** The file that holds the table. */
export const file = fileURLToPath(new URL("../docs/configuration.md", import.meta.url))

const specification = "https://opentelemetry.io/docs/specs/otel/"

const groups: ReadonlyArray<readonly [title: string, prefix: string]> = [
  ["General", ""],
  ["Resource", "resource."],
  ["Batch", "batch."],
  ["Batch of logs", "logBatch."],
  ["Spool", "spool."],
  ["Span limits", "spanLimits."],
  ["Log record limits", "logRecordLimits."],
  ["OTLP", "otlp."],
  ["OTLP of logs", "otlpLogs."]
]

const code = (text: string): string => `\`${text}\``

const cell = (text: string): string => text.replaceAll("|", "\\|")

const source = (text: string): string => {
  if (text === "") return "–"
  if (text.startsWith("https://")) return `[semantic conventions](${text})`
  const [page, section] = text.split(".md") as [string, string | undefined]
  return `[${text}](${specification}${page.replace(/README$/, "")}/${section ?? ""})`.replaceAll("//#", "/#")
}

const variables = (row: TableRow): string =>
  row.variables.length === 0 ? "–" : [...row.variables, ...row.refinements].map(code).join("<br>")

const allowed = (row: TableRow): string =>
  row.variables.length === 0 || row.allowed === row.allowedText
    ? row.allowed
    : `${row.allowed}<br>variable: ${row.allowedText}`

const fallback = (row: TableRow): string => {
  const isPlain = row.default.includes("`") || row.default === "none" || row.default === "no limit" ||
    row.default === "all"
  return `${isPlain ? row.default : code(row.default)}${/^\d+$/.test(row.default) ? ` ${row.unit}` : ""}`
}

const line = (row: TableRow): string =>
  `| ${
    [code(row.path), variables(row), fallback(row), allowed(row), row.description, source(row.source)].map(cell).join(
      " | "
    )
  } |`

/** The table as it stands between the marks. */
export const render = (): string =>
  groups.map(([title, prefix]) => {
    const rows = table.filter(({ path }) => prefix === "" ? !path.includes(".") : path.startsWith(prefix))
    return [
      `### ${title}`,
      "",
      "| option | variables, the first wins | default | allowed | what it does | source |",
      "| --- | --- | --- | --- | --- | --- |",
      ...rows.map(line)
    ].join("\n")
  }).join("\n\n")

/** `markdown` with the table of the source in place of its own. */
export const update = (markdown: string): string => {
  const [from, to] = [markdown.indexOf(begin), markdown.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`no table between ${begin} and ${end}`)
  return `${markdown.slice(0, from)}${begin}\n\n${render()}\n\n${markdown.slice(to)}`
}

if (argv[1] !== undefined && import.meta.url === pathToFileURL(argv[1]).href) {
  const now = readFileSync(file, "utf8")
  const then = update(now)
  if (argv.includes("--check")) {
    if (now !== then) throw new Error("docs/configuration.md differs from the table: run scripts/config-table.ts")
  } else writeFileSync(file, then)
}
