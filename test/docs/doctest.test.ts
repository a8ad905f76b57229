import { assert, describe, it } from "@effect/vitest"
import * as Doctest from "../../scripts/lib/doctest.ts"

const fence = "```"
const snippet = (code: string): Doctest.Snippet => ({ file: "A.md", line: 10, code, noRun: undefined })

/** Runs a snippet of plain JavaScript and answers what its claims came to. */
const run = async (code: string): Promise<ReadonlyArray<string>> => {
  const { claims, code: instrumented } = Doctest.program(snippet(code), "a")
  const own = new Doctest.Claims(snippet(code))
  const scope = globalThis as Record<string, unknown>
  const before = scope[Doctest.globalKey]
  scope[Doctest.globalKey] = { a: own }
  try {
    const body = instrumented.replace("export {}", "")
    await new (Object.getPrototypeOf(async () => {}).constructor as new(body: string) => () => Promise<void>)(body)()
  } finally {
    scope[Doctest.globalKey] = before
  }
  return own.verdict(claims)
}

describe("doctest", () => {
  it("finds the fences of Markdown, with their lines", () => {
    const text =
      `# A\n\n${fence}ts\nconst a = 1\n${fence}\n\n${fence}sh\nnpm test\n${fence}\n\n- b\n  ${fence}ts\n  f(\n    1)\n  ${fence}\n`
    const blocks = Doctest.blocksOfMarkdown("A.md", text)
    assert.deepStrictEqual(blocks.map(({ language, line, code }) => [language, line, code]), [
      ["ts", 4, "const a = 1"],
      ["sh", 8, "npm test"],
      ["ts", 13, "f(\n  1)"]
    ])
    assert.deepStrictEqual(Doctest.snippetsOf(blocks).map(({ line }) => line), [4, 13])
  })

  it("finds the fences of documentation comments, and of no other comment", () => {
    const code =
      `// ${fence}ts\n/* ${fence}ts\n1\n${fence} */\n/**\n * A.\n *\n * ${fence}ts\n * f()\n * ${fence}\n */\nexport const a = 1\n`
    assert.deepStrictEqual(Doctest.blocksOfSource("A.ts", code).map(({ line, code }) => [line, code]), [[9, "f()"]])
  })

  it("lets no snippet escape", () => {
    const blocks = (info: string) => Doctest.blocksOfMarkdown("A.md", `${fence}${info}\na()\n${fence}\n`)
    for (const info of ["ts ignore", "typescript", "js", "ts no-run", "ts no-run:"]) {
      assert.throws(() => Doctest.snippetsOf(blocks(info)), /A\.md:1/, info)
    }
    assert.strictEqual(Doctest.snippetsOf(blocks("ts no-run: needs a server"))[0]?.noRun, "needs a server")
    assert.throws(() => Doctest.blocksOfMarkdown("A.md", `${fence}ts\na()\n`), /never closed/)
    assert.strictEqual(
      Doctest.snippetsOf(
        Doctest.blocksOfMarkdown("A.md", `${fence}ts effect-3\nimport { Effect } from "effect"\n${fence}\n`)
      )[0]?.code,
      `import { Effect } from "effect-3"`
    )
  })

  it("accepts what is true", async () => {
    assert.deepStrictEqual(
      await run(`
        const a = [1, 2] // => [1, 2]
        a.length // => 2
        ;({ b: "c" }) // => { b: "c" }
        console.log("d", 1) // => d 1
        new Map([[1, 2]]) // => Map(1) { 1 => 2 }
        Promise.resolve(a.map((n) => {
          n > 0 // => true
          return n + 1
        })) // => [2, 3]
        "e" // => e
        const f = { g: "h" }
        f.g // => "h"
      `),
      []
    )
  })

  it("refuses what is not, and says where", async () => {
    const [failure] = await run("const a = 1\na + 1 // => 3")
    assert.strictEqual(failure, "A.md:11 claims\n  3\nand is\n  2")
    for (
      const lie of [
        "[1] // => [2]",
        `console.log("a") // => b`,
        `Promise.resolve("a") // => "b"`,
        `const a = 1 // => 2`,
        `[1].forEach((n) => {\n  n // => 2\n})`,
        `undefined // => nothing at all`
      ]
    ) {
      assert.lengthOf(await run(lie), 1, lie)
    }
  })

  it("refuses a claim that is never reached", async () => {
    assert.match((await run("if (false) {\n  1 // => 1\n}"))[0]!, /never gets there/)
  })

  it("refuses a claim about no statement", () => {
    assert.throws(() => Doctest.program(snippet("f({ // => 1\n})"), "a"), /A\.md:10/)
  })
})
