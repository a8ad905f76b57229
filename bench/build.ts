/**
 * Compiles the bench, and joins the library as it is published for Node: runners that transform while they load keep the
 * names of functions by calls at run time, which the hot path would pay for.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(here)
const out = join(root, ".cache", "bench")

/** Where the compiled modules are. */
export const built = {
  child: join(out, "bench", "child.js"),
  probe: join(out, "bench", "probe.js"),
  receiver: join(out, "bench", "receiver.js")
}

/** Compiles, without a check of the types. */
export const build = (): void => {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc")
  execFileSync(process.execPath, [tsc, "-p", join(here, "tsconfig.json")], { stdio: "inherit" })
  const joiner = join(root, "scripts", "join-modules.mjs")
  const library = join(out, "library")
  execFileSync(process.execPath, [joiner, join(root, "src"), library, join(root, "package.json")], { stdio: "ignore" })
  // The library, under its own name, for the compiled contenders.
  writeFileSync(
    join(out, "package.json"),
    JSON.stringify({
      name: "effect-telemetry",
      type: "module",
      exports: { ".": "./library/index.js", "./promise": "./library/promise/index.js", "./*": "./library/*.js" }
    })
  )
}
