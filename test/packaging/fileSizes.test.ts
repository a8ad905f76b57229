import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { typescriptFiles } from "../../scripts/lib/importGraph.ts"
import { parse } from "../../scripts/lib/parse.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Lines that hold more than space and comments. */
const linesOfCode = (code: string): number => {
  let bare = code
  for (const { end, start } of parse(code, "A.ts").comments) {
    bare = bare.slice(0, start) + code.slice(start, end).replace(/[^\n]/g, " ") + bare.slice(end)
  }
  return bare.split("\n").filter((line) => line.trim() !== "").length
}

const sizes = typescriptFiles(root, "src")
  .map((file) => ({ file, lines: linesOfCode(readFileSync(join(root, file), "utf8")) }))
  .sort((a, b) => a.lines - b.lines)
const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly exports: Readonly<Record<string, unknown>>
}
const hidden = Object.keys(exports).filter((key) => exports[key] === null).map((key) =>
  key.endsWith("/*") ? key.replace("./", "src/").slice(0, -1) : `${key.replace("./", "src/")}.ts`
)
const quantile = (q: number): number => sizes[Math.ceil(sizes.length * q) - 1]!.lines

describe("the files of src", () => {
  it("are counted without comments and empty lines", () => {
    assert.strictEqual(linesOfCode(`/**\n * a\n */\nconst a = 1 // b\n\n// c\nconst b = "// d"\n`), 2)
  })

  it("have at most 400 lines of code", () => {
    assert.deepStrictEqual(sizes.filter(({ lines }) => lines > 400), [])
  })

  it("are small: half have at most 150 lines of code, nine in ten at most 300", () => {
    assert.isAtMost(quantile(0.5), 150)
    assert.isAtMost(quantile(0.9), 300)
  })

  it("are modules in PascalCase, or in camelCase where package.json exports nothing", () => {
    const strange = sizes.map(({ file }) => file).filter((file) => {
      const name = file.slice(file.lastIndexOf("/") + 1, -3)
      if (/^([A-Z][A-Za-z0-9]*|index)$/.test(name)) return false
      return !/^[a-z][A-Za-z0-9]*$/.test(name) || !hidden.some((path) => file.startsWith(path))
    })
    assert.deepStrictEqual(strange, [])
  })
})
