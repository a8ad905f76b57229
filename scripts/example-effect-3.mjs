/**
 * Usage: node scripts/example-effect-3.mjs
 *
 * Packs what `npm run build` made, installs it in `examples/effect-3` as a user would, type-checks the example and runs it.
 */
import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const example = join(root, "examples/effect-3")
const npm = (cwd, ...args) => execFileSync("npm", args, { cwd, stdio: ["ignore", "inherit", "inherit"] })

const folder = mkdtempSync(join(example, ".packed-"))
try {
  npm(root, "pack", "--silent", "--pack-destination", folder)
  const [tarball] = readdirSync(folder)
  renameSync(join(folder, tarball), join(example, "effect-telemetry.tgz"))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
npm(example, "ci", "--no-audit", "--no-fund")
npm(example, "run", "check")
npm(example, "start")
