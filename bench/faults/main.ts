/**
 * `npm run faults`: what becomes of spans when the collector, the network or the host misbehaves, beside the rivals in the
 * same run. Some nine minutes; keeps the results and writes `docs/faults.md`.
 *
 * - `--only a,b`: these rows only; prints, and keeps nothing unless `--keep` puts them among the kept results
 * - `--report`: writes `docs/faults.md` from the kept results and runs nothing
 * - `--list`: names the rows
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { build } from "../build.ts"
import { updateDocs } from "../docs.ts"
import * as machine from "../machine.ts"
import { report, type Results } from "./report.ts"
import { rows } from "./rows.ts"
import { run } from "./run.ts"

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    keep: { type: "boolean", default: false },
    report: { type: "boolean", default: false },
    list: { type: "boolean", default: false }
  }
})

const file = new URL("results.json", import.meta.url)

const chosen = () => {
  const ids = options.only?.split(",")
  for (const id of ids ?? []) {
    if (rows.every((row) => row.id !== id)) {
      throw new Error(`there is no row ${id}; there are ${rows.map((row) => row.id).join(", ")}`)
    }
  }
  return ids === undefined ? rows : rows.filter(({ id }) => ids.includes(id))
}

const tell = (text: string): void => {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[2K${text}` : `${text}\n`)
}

const rounded = (_key: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value

const measure = async (): Promise<Results> => {
  const describe = machine.describe()
  const date = new Date().toISOString()
  build()
  const outcomes = await run(chosen(), tell)
  return { date, machine: describe(), outcomes }
}

const main = async (): Promise<void> => {
  if (options.list) {
    for (const { id, title } of rows) console.log(`${id.padEnd(20)}${title}`)
    return
  }
  const kept = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) as Results : undefined
  if (options.report && kept === undefined) throw new Error("no results are kept yet")
  const measured = options.report ? undefined : await measure()
  const isPart = options.only !== undefined && !options.keep
  const results = measured === undefined || isPart || options.only === undefined
    ? measured ?? kept!
    : { ...measured, outcomes: { ...kept?.outcomes, ...measured.outcomes } }
  const text = report(results)
  console.log(text)
  if (isPart) return
  if (!options.report) writeFileSync(file, `${JSON.stringify(results, rounded, 1)}\n`)
  updateDocs("docs/faults.md", text)
}

await main()
