/** Milliseconds that importing a module takes in a new process. */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { Probe } from "./Probe.ts"

const script = (module: string): string =>
  `const t = performance.now(); await import(${JSON.stringify(module)}); console.log(performance.now() - t)`

export const importTime = (module: string): Probe => ({
  sample: async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "--eval", script(module)],
      { cwd: fileURLToPath(new URL(".", import.meta.url)) }
    )
    return Number(stdout)
  }
})
