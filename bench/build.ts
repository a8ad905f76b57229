/**
 * Compiles the measured code as it is published, one file for each file: runners that transform while they load keep
 * the names of functions by calls at run time, which the hot path would pay for.
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
  // The compiled library, under its own name, for the compiled contenders.
  writeFileSync(
    join(out, "package.json"),
    JSON.stringify({
      name: "effect-telemetry",
      type: "module",
      exports: { ".": "./src/index.js", "./promise": "./src/promise/index.js", "./*": "./src/*.js" }
    })
  )
}
