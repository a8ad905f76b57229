import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { allBlocks } from "../../scripts/lib/doctest.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>
}
const builtIn = new Set(["ci", "install", "exec", "pack", "view", "init"])

const documents = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name))
]

describe("the documents", () => {
  it("name only npm scripts that exist", () => {
    const shell = allBlocks(root)
      .filter(({ language }) => /^(sh|bash|shell|console)$/.test(language))
      .map(({ file, line, code }) => ({ where: `${file}:${line}`, text: code }))
    const inline = documents.flatMap((file) =>
      [...readFileSync(join(root, file), "utf8").matchAll(/`(npm [^`\n]+)`/g)]
        .map(([, text]) => ({ where: file, text: text! }))
    )
    assert.isNotEmpty([...shell, ...inline])
    const unknown = [...shell, ...inline].flatMap(({ text, where }) =>
      [...text.matchAll(/\bnpm (?:run )?([a-z][\w:-]*)/g)]
        .map(([command, name]) => ({ where, command, name: name! }))
        .filter(({ command, name }) => scripts[name] === undefined && (command.includes(" run ") || !builtIn.has(name)))
    )
    assert.deepStrictEqual(unknown, [])
  })

  it("link only to files that exist", () => {
    const dead = documents.flatMap((file) =>
      [...readFileSync(join(root, file), "utf8").matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)]
        .filter(([, path]) => !existsSync(join(root, dirname(file), path!)))
        .map(([, path]) => `${file}: ${path}`)
    )
    assert.deepStrictEqual(dead, [])
  })

  it("run scripts whose files exist", () => {
    const missing = Object.entries(scripts).flatMap(([name, command]) =>
      [...command.matchAll(/\b(?:scripts|bench|examples)\/[\w./-]+\.(?:ts|mjs)/g)]
        .filter(([file]) => !existsSync(join(root, file)))
        .map(([file]) => `${name}: ${file}`)
    )
    assert.deepStrictEqual(missing, [])
  })
})
