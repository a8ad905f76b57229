import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Graph from "../../scripts/lib/importGraph.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const imports = Graph.readImports(root)
const edges = Graph.stationEdges(imports)
const markdown = readFileSync(join(root, "docs/architecture.md"), "utf8")
const rows = Graph.readTable(markdown)
const lint = JSON.parse(readFileSync(join(root, ".oxlintrc.json"), "utf8")) as {
  readonly overrides: ReadonlyArray<Graph.Override>
}

describe("the import graph", () => {
  it("has a file to read and an import to judge", () => {
    assert.isAbove(imports.length, 50)
    assert.isAbove(rows.length, 10)
  })

  it("has no cycle between files, types included", () => {
    assert.strictEqual(Graph.findCycle(imports)?.join(" -> "), undefined)
  })

  it("is acyclic by its very order: a row imports only from rows above it", () => {
    const above = new Set<string>()
    for (const row of rows) {
      for (const station of [...row.imports, ...row.mayImport]) {
        assert.isTrue(above.has(station), `${row.station} imports ${station}, which is not above it`)
      }
      above.add(row.station)
    }
  })

  it("names every station of src", () => {
    const named = new Set(rows.map((row) => row.station))
    assert.deepStrictEqual([...Graph.presentStations(root)].filter((station) => !named.has(station)), [])
  })

  it("is what the files import today (`npm run graph` brings the table up to date)", () => {
    const today = Graph.settle(rows, edges, Graph.presentStations(root))
    assert.deepStrictEqual(rows.map(Graph.renderRow), today.map(Graph.renderRow))
    for (const row of today) {
      const missing = [...edges.get(row.station) ?? []].filter((station) => !row.imports.includes(station))
      const culprits = imports.filter((found) => {
        const to = Graph.target(found)
        return Graph.stationOf(found.from) === row.station && to !== undefined && missing.includes(Graph.stationOf(to))
      })
      assert.deepStrictEqual(
        culprits.map((found) => `${found.from}:${found.line} ${found.specifier}`),
        [],
        `edges of ${row.station} that the table does not allow`
      )
    }
  })

  it("is what the linter enforces, edge by edge", () => {
    const enforced = lint.overrides.filter(Graph.isGraphOverride)
    for (const from of rows) {
      const file = from.station.endsWith(".ts") ? `src/${from.station}` : `src/${from.station}/**`
      const override = enforced.find((candidate) => candidate.files[0] === file)
      assert.isDefined(override, `no override for ${file}`)
      const [, options] = override.rules["no-restricted-imports"] as [
        string,
        { readonly patterns: ReadonlyArray<{ readonly regex: string }> }
      ]
      for (const to of rows) {
        if (to === from) continue
        const up = from.station.endsWith(".ts") ? "./" : "../"
        const specifier = to.station.endsWith(".ts") ? `${up}${to.station}` : `${up}${to.station}/Module.ts`
        const refused = options.patterns.some(({ regex }) => new RegExp(regex).test(specifier))
        const allowed = from.imports.includes(to.station) || from.mayImport.includes(to.station)
        assert.strictEqual(refused, !allowed, `${from.station} -> ${to.station}`)
      }
    }
    assert.deepStrictEqual(enforced, [...Graph.overridesFor(rows)])
  })

  it("reaches nothing outside src but `effect` modules, and Node only by type", () => {
    const outside = imports.filter((found) =>
      Graph.target(found)?.startsWith("src/") !== true &&
      !/^effect\/./.test(found.specifier) &&
      !(found.typeOnly && found.specifier.startsWith("node:"))
    )
    assert.deepStrictEqual(outside.map((found) => `${found.from}:${found.line} ${found.specifier}`), [])
  })
})

describe("the reader of imports", () => {
  const specifiers = (code: string) =>
    Graph.importsOf("src/a/A.ts", code).map((found) => [found.specifier, found.typeOnly] as const)

  it("sees every form of import", () => {
    assert.deepStrictEqual(
      specifiers(`
        import "./1.ts"
        import * as A from "./2.ts"
        import type { B } from "./3.ts"
        import { type C } from "./4.ts"
        import { type D, e } from "./5.ts"
        export * as F from "./6.ts"
        export type { G } from "./7.ts"
        export { h } from "./8.ts"
        export const i = () => import("./9.ts")
        export type J = import("./10.ts").J
        export const text = 'import "./not.ts"' // import "./nor-this.ts"
      `),
      [
        ["./1.ts", false],
        ["./2.ts", false],
        ["./3.ts", true],
        ["./4.ts", true],
        ["./5.ts", false],
        ["./6.ts", false],
        ["./7.ts", true],
        ["./8.ts", false],
        ["./9.ts", false],
        ["./10.ts", true]
      ]
    )
  })

  it("finds a cycle", () => {
    const edge = (from: string, specifier: string): Graph.Import => ({ from, specifier, typeOnly: false, line: 1 })
    const line = [edge("src/a.ts", "./b.ts"), edge("src/b.ts", "./c/d.ts")]
    assert.isUndefined(Graph.findCycle(line))
    assert.deepStrictEqual(
      Graph.findCycle([...line, edge("src/c/d.ts", "../b.ts")]),
      ["src/b.ts", "src/c/d.ts", "src/b.ts"]
    )
  })
})
