/** The places in the documentation that hold figures, between two markers. */
import { readFileSync, writeFileSync } from "node:fs"

const begin = "<!-- bench:begin -->"
const end = "<!-- bench:end -->"

/** Writes `text` between the markers of a file of the project; fails where they are missing. */
export const updateDocs = (
  path: "README.md" | "docs/performance.md" | "docs/faults.md" | "docs/sampling.md",
  text: string
): void => {
  const file = new URL(`../${path}`, import.meta.url)
  const before = readFileSync(file, "utf8")
  const from = before.indexOf(begin)
  const to = before.indexOf(end)
  if (from === -1 || to < from) throw new Error(`${path} has no ${begin} and ${end} to write between`)
  writeFileSync(file, `${before.slice(0, from + begin.length)}\n\n${text}\n\n${before.slice(to)}`)
}
