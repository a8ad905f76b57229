import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

interface Problem {
  readonly code: string
  readonly file: string
}

/** Lints `files` under the project's own configuration, in a folder of their own. */
const lint = (files: Readonly<Record<string, string>>): ReadonlyArray<Problem> => {
  const folder = mkdtempSync(join(tmpdir(), "effect-telemetry-lint-"))
  try {
    copyFileSync(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"))
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    const run = spawnSync(process.execPath, [
      join(root, "node_modules/oxlint/bin/oxlint"),
      "--deny-warnings",
      "-f",
      "json"
    ], { cwd: folder, encoding: "utf8" })
    const report = JSON.parse(run.stdout) as {
      readonly diagnostics: ReadonlyArray<{ readonly code: string; readonly filename: string }>
    }
    assert.strictEqual(run.status === 0, report.diagnostics.length === 0, run.stderr)
    return report.diagnostics.map(({ code, filename }) => ({ code, file: filename }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const clean = "export const value = 1\n"

/** Each case breaks one rule by one line; the same file without it is clean. */
const cases: ReadonlyArray<{
  readonly law: string
  readonly file: string
  readonly bad: string
  readonly code: string
  readonly good?: string
}> = [
  {
    law: "a station imports only what the graph allows",
    file: "src/model/A.ts",
    bad: `import * as T from "../tracing/B.ts"\nexport const t = T.value\n`,
    good: `import * as T from "../internal/b.ts"\nexport const t = T.value\n`,
    code: "eslint(no-restricted-imports)"
  },
  {
    law: "a type is an import too",
    file: "src/otlp/A.ts",
    bad: `import type { B } from "../exporters/B.ts"\nexport type A = B\n`,
    good: `import type { B } from "../model/B.ts"\nexport type A = B\n`,
    code: "eslint(no-restricted-imports)"
  },
  {
    law: "a re-export is an import too",
    file: "src/delivery/A.ts",
    bad: `export * as B from "../exporters/B.ts"\n`,
    code: "eslint(no-restricted-imports)"
  },
  {
    law: "the front door does not reach the test kit",
    file: "src/index.ts",
    bad: `export * as B from "./testing/B.ts"\n`,
    good: `export * as B from "./tracing/B.ts"\n`,
    code: "eslint(no-restricted-imports)"
  },
  {
    law: "Effect comes module by module",
    file: "src/tracing/A.ts",
    bad: `import { Effect } from "effect"\nexport const a = Effect.void\n`,
    good: `import * as Effect from "effect/Effect"\nexport const a = Effect.void\n`,
    code: "eslint(no-restricted-imports)"
  },
  {
    law: "unstable modules of Effect are isolated",
    file: "src/delivery/A.ts",
    bad: `import * as H from "effect/http/HttpClient"\nexport const a = H.get\n`,
    code: "eslint(no-restricted-imports)"
  },
  {
    law: "the rest of the graph holds in the file that isolates effect/http",
    file: "src/context/HttpA.ts",
    bad: `import * as T from "../tracing/B.ts"\nexport const a = T.value\n`,
    good: `import * as H from "effect/http/HttpClient"\nexport const a = H.get\n`,
    code: "eslint(no-restricted-imports)"
  },
  {
    law: "no Node built-in is imported",
    file: "src/exporters/A.ts",
    bad: `import * as fs from "node:fs"\nexport const a = fs.constants\n`,
    good: `import type * as fs from "node:fs"\nexport type A = fs.Stats\n`,
    code: "eslint(no-restricted-imports)"
  },
  {
    law: "no other package is imported",
    file: "src/exporters/A.ts",
    bad: `import * as api from "@opentelemetry/api"\nexport const a = api.trace\n`,
    code: "eslint(no-restricted-imports)"
  },
  {
    law: "time comes from the Clock",
    file: "src/tracing/A.ts",
    bad: `export const a = () => Date.now()\n`,
    good: `export const a = () => new Date(0)\n`,
    code: "eslint(no-restricted-properties)"
  },
  {
    law: "chance has one source",
    file: "src/sampling/A.ts",
    bad: `export const a = () => Math.random()\n`,
    good: `export const a = () => Math.floor(1.5)\n`,
    code: "eslint(no-restricted-properties)"
  },
  {
    law: "no async functions inside",
    file: "src/delivery/A.ts",
    bad: `export const a = async () => 1\n`,
    code: "oxc(no-async-await)"
  },
  {
    law: "nothing is printed past the diagnostics",
    file: "src/delivery/A.ts",
    bad: `export const a = () => console.log("a")\n`,
    code: "eslint(no-console)"
  },
  {
    law: "a file has at most 400 lines of code",
    file: "src/delivery/A.ts",
    bad: Array.from({ length: 401 }, (_, line) => `export const a${line} = 1\n`).join(""),
    good: Array.from({ length: 400 }, (_, line) => `\n// why\nexport const a${line} = 1\n`).join(""),
    code: "eslint(max-lines)"
  },
  {
    law: "no test is focused",
    file: "test/a.test.ts",
    bad: `import { it } from "@effect/vitest"\nit.only("a", () => {})\n`,
    code: "vitest(no-focused-tests)"
  },
  {
    law: "no test is switched off",
    file: "test/a.test.ts",
    bad: `import { it } from "@effect/vitest"\nit.skip("a", () => {})\n`,
    code: "vitest(no-disabled-tests)"
  },
  {
    law: "no type error is silenced",
    file: "test/a.ts",
    bad: `// @ts-ignore\nexport const a: number = 1\n`,
    code: "typescript(ban-ts-comment)"
  }
]

describe("the linter enforces", () => {
  for (const { law, file, bad, good, code } of cases) {
    it(law, () => {
      assert.deepStrictEqual(lint({ [file]: good ?? clean }), [])
      const problems = lint({ [file]: bad })
      assert.deepStrictEqual([...new Set(problems.map((problem) => problem.code))], [code])
      assert.isTrue(problems[0]!.file.endsWith(file), problems[0]!.file)
    })
  }

  it("no cycle between files, not even of types", () => {
    const problems = lint({
      "src/model/A.ts": `import type { B } from "./B.ts"\nexport interface A {\n  readonly b: B\n}\n`,
      "src/model/B.ts": `import type { A } from "./A.ts"\nexport interface B {\n  readonly a: A\n}\n`
    })
    assert.deepStrictEqual([...new Set(problems.map((problem) => problem.code))], ["import(no-cycle)"])
  })

  it("async where a promise is the interface", () => {
    assert.deepStrictEqual(lint({ "src/promise/A.ts": `export const a = async () => 1\n` }), [])
  })

  it("nothing it was told to keep quiet about", () => {
    const { categories } = JSON.parse(readFileSync(join(root, ".oxlintrc.json"), "utf8")) as {
      readonly categories: unknown
    }
    assert.deepStrictEqual(categories, { correctness: "error", suspicious: "error" })
  })
})
