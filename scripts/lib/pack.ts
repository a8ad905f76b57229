/**
 * Builds the package in a folder of its own, packs it, and unpacks the tarball into an empty project: what a user gets,
 * without touching `dist` and without the network.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** The packed package, installed in an empty project. */
export interface Packed {
  /** The project; `effect` is its only other package. */
  readonly project: string
  /** The unpacked package inside the project. */
  readonly folder: string
  readonly tarball: string
  /** Every path in the tarball. */
  readonly files: ReadonlyArray<string>
  readonly remove: () => void
}

const npm = (cwd: string, ...args: ReadonlyArray<string>): string => {
  const { status, stdout, stderr } = spawnSync("npm", args, { cwd, encoding: "utf8" })
  if (status !== 0) throw new Error(`npm ${args.join(" ")} failed:\n${stdout}\n${stderr}`)
  return stdout
}

/** Builds, packs and unpacks. Throws with the compiler's words when the build fails. */
export const pack = (): Packed => {
  mkdirSync(join(root, ".cache"), { recursive: true })
  // Inside the repository, so that the compiler finds node_modules above it.
  const build = mkdtempSync(join(root, ".cache", "pack-"))
  const project = realpathSync(mkdtempSync(join(tmpdir(), "effect-telemetry-consumer-")))
  const remove = (): void => {
    rmSync(build, { recursive: true, force: true })
    rmSync(project, { recursive: true, force: true })
  }
  try {
    const parts = [
      "src",
      "scripts/annotate-pure.mjs",
      "scripts/join-modules.mjs",
      "package.json",
      "tsconfig.json",
      "tsconfig.build.json",
      "README.md",
      "LICENSE",
      "AGENTS.md",
      "CHANGELOG.md"
    ]
    for (const part of parts) {
      if (existsSync(join(root, part))) cpSync(join(root, part), join(build, part), { recursive: true })
    }
    npm(build, "run", "build")
    const [packed] = JSON.parse(npm(build, "pack", "--json")) as [
      { readonly filename: string; readonly files: ReadonlyArray<{ readonly path: string }> }
    ]
    const tarball = join(build, packed.filename)
    const folder = join(project, "node_modules", "effect-telemetry")
    mkdirSync(folder, { recursive: true })
    execFileSync("tar", ["-xzf", tarball, "-C", folder, "--strip-components=1"])
    symlinkSync(join(root, "node_modules", "effect"), join(project, "node_modules", "effect"))
    writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }))
    return { project, folder, tarball, files: packed.files.map((file) => file.path), remove }
  } catch (error) {
    remove()
    throw error
  }
}
