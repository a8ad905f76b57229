/**
 * `npm run size`: what the programs of test/packaging/budgets.json weigh today. With `--write`, every budget becomes
 * today's size and a tenth, rounded up to a hundred bytes; commit that with the reason for the growth.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { bundle, type Program } from "./lib/bundle.ts"
import { pack } from "./lib/pack.ts"

const path = fileURLToPath(new URL("../test/packaging/budgets.json", import.meta.url))
const programs = JSON.parse(readFileSync(path, "utf8")) as Record<string, Program>
const packed = pack()
try {
  for (const [name, program] of Object.entries(programs)) {
    const { gzipped, minified, modules } = await bundle(program.code, packed.project)
    console.log(`${name}: ${gzipped} B gzipped (budget ${program.budget}), ${minified} B minified`)
    for (const { bytes, path } of modules.slice(0, 12)) console.log(`  ${String(bytes).padStart(7)}  ${path}`)
    programs[name] = { ...program, budget: Math.ceil((gzipped * 1.1) / 100) * 100 }
  }
  if (process.argv.includes("--write")) writeFileSync(path, JSON.stringify(programs, null, 2) + "\n")
} finally {
  packed.remove()
}
