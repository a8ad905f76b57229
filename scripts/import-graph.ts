/**
 * `npm run graph`: brings the table of docs/architecture.md up to date with the real imports, and .oxlintrc.json up to
 * date with the table. Adds no edge: to allow one, write it into the table first.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Graph from "./lib/importGraph.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const document = join(root, "docs/architecture.md")
const config = join(root, ".oxlintrc.json")

const markdown = readFileSync(document, "utf8")
const rows = Graph.settle(
  Graph.readTable(markdown),
  Graph.stationEdges(Graph.readImports(root)),
  Graph.presentStations(root)
)
writeFileSync(document, Graph.writeTable(markdown, rows))

const lint = JSON.parse(readFileSync(config, "utf8")) as { overrides: ReadonlyArray<Graph.Override> }
const others = lint.overrides.filter((override) => !Graph.isGraphOverride(override))
writeFileSync(config, JSON.stringify({ ...lint, overrides: [...others, ...Graph.overridesFor(rows)] }, null, 2) + "\n")

for (const row of rows) console.log(Graph.renderRow(row))
