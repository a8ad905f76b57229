/** The table of the README, between two markers. */
import { readFileSync, writeFileSync } from "node:fs"

const begin = "<!-- bench:begin -->"
const end = "<!-- bench:end -->"
const file = new URL("../README.md", import.meta.url)

/** Writes the report between the markers; answers whether they were there. */
export const updateReadme = (report: string): boolean => {
  const text = readFileSync(file, "utf8")
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from === -1 || to < from) return false
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n\n${report}\n\n${text.slice(to)}`)
  return true
}
